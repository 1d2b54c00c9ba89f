//! Builds the model of an API from its description.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::api::Api;
use super::components;
use super::depth::mark_deep;
use super::directions::{Bodies, mark_directions};
use super::events::{self, Events};
use super::naming::{self, Naming};
use super::operations::{self, Operations};
use super::recursion::mark_recursive;
use super::schemas::read_objects;
use super::types::Types;
use crate::error::Error;
use crate::normalize::Schemas;

/// Reads a description and finds all its problems in one run. An operation with a problem is left out.
pub(crate) fn build(document: &Value) -> Result<Api, Vec<Error>> {
    let schemas = Rc::new(Schemas::new(document));
    let mut reading = Reading::new(Rc::clone(&schemas), BTreeMap::new());
    // An object inside an object with the same title is another entity. The description is read again with the object's
    // own name, because the names of its ids and enums begin with that name.
    if !reading.naming.mistitled.is_empty() {
        let mistitled = std::mem::take(&mut reading.naming.mistitled);
        reading = Reading::new(Rc::clone(&schemas), mistitled);
    }
    reading.finish(schemas.notes())
}

/// The result of reading a description, with a name for each object.
struct Reading<'a> {
    types: Types<'a>,
    operations: Operations,
    events: Events,
    naming: Naming,
}

impl<'a> Reading<'a> {
    fn new(schemas: Rc<Schemas<'a>>, given_names: BTreeMap<String, String>) -> Self {
        let mut types = Types::new(schemas, given_names);
        components::name_components(&mut types);
        let operations = operations::read(&mut types);
        let events = events::read(&mut types);
        components::read_unused(&mut types);
        read_objects(&mut types);
        let bodies = Bodies::of(&operations.operations, events.objects());
        let naming = naming::name(&mut types, &bodies);
        Self {
            types,
            operations,
            events,
            naming,
        }
    }

    fn finish(self, conflicts: Vec<Error>) -> Result<Api, Vec<Error>> {
        let Operations {
            mut operations,
            mut left_out,
        } = self.operations;
        if !self.naming.enums.errors.is_empty() {
            return Err(self.naming.enums.errors);
        }
        let mut notes = self.types.notes;
        notes.extend(self.types.errors);
        notes.extend(conflicts);
        if operations.is_empty() {
            left_out.extend(notes);
            return Err(if left_out.is_empty() {
                vec![no_operations()]
            } else {
                left_out
            });
        }
        for operation in &mut operations {
            self.naming.rename_operation(operation);
        }
        let info = &self.types.document["info"];
        let text = |key: &str| info[key].as_str().unwrap_or_default().to_owned();
        let events = self.events.by_object(&self.naming, &operations, &mut notes);
        let mut schemas = self.naming.schemas;
        let objects = events.iter().map(|event| &event.object);
        mark_directions(&mut schemas, &Bodies::of(&operations, objects));
        mark_recursive(&mut schemas);
        mark_deep(&mut schemas);
        Ok(Api {
            title: text("title"),
            version: text("version"),
            operations,
            event_kinds: self.events.kinds,
            events,
            schemas,
            enums: self.naming.enums.enums,
            ids: self.types.names.into_ids(),
            left_out,
            notes,
        })
    }
}

fn no_operations() -> Error {
    Error::at(
        "/paths",
        "there are no operations",
        "give a description with operations",
    )
}
