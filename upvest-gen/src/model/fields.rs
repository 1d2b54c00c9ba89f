//! The fields of an object.

use std::collections::HashMap;
use std::rc::Rc;

use super::api::{Direction, Field, Type};
use super::context::Context;
use super::homes::home;
use super::names;
use super::types::{Types, Unread};
use super::values;
use crate::normalize::{Node, Part};

/// The name that progenitor gives the field for additional properties.
const EXTRA: &str = "extra";

/// Reads the fields of an object, which has the properties of all its branches.
pub(super) fn fields<'a>(types: &mut Types<'a>, object: &Unread<'a>) -> Vec<Field> {
    let properties = properties(&object.branches).into_iter();
    let mut fields: Vec<Field> = properties
        .map(|(wire, parts)| field(types, object, wire, &parts))
        .collect();
    give_distinct_names(&mut fields);
    if let Some(mut extra) = extra(types, object) {
        while fields.iter().any(|field| field.rust == extra.rust) {
            extra.rust.push('_');
        }
        fields.push(extra);
    }
    fields
}

fn give_distinct_names(fields: &mut [Field]) {
    let wires: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let wanted = fields.iter().map(|field| field.rust.clone()).collect();
    let names = names::distinct(&wires, wanted);
    for (field, name) in fields.iter_mut().zip(names) {
        field.rust = name;
    }
}

/// Returns the field for additional properties, if the object may have some.
fn extra<'a>(types: &mut Types<'a>, object: &Unread<'a>) -> Option<Field> {
    let admits_any = |branch: &Node<'a>| branch.is_true("additionalProperties");
    let parts: Vec<Part<'a>> = object
        .branches
        .iter()
        .filter_map(|branch| branch.rest.clone())
        .collect();
    let value = if object.branches.iter().any(admits_any) {
        Type::Json
    } else if parts.is_empty() {
        return None;
    } else {
        let context = Context {
            home: home(&object.key),
            ..Context::new(&object.name, &object.entity, EXTRA)
        };
        match values::any(types, &parts, &context) {
            (kind, true) => kind.or_null(),
            (kind, false) => kind,
        }
    };
    Some(Field {
        name: "*".to_owned(),
        rust: EXTRA.to_owned(),
        kind: Type::Map(Box::new(value)),
        required: true,
        nullable: false,
        blank: false,
        public: false,
        only: None,
        extra: true,
        deprecated: false,
        recursive: false,
        deep: false,
        description: "All other properties, by name.".to_owned(),
    })
}

/// The direction of a property that is only sent or only received. `None` if its schemas do not all say so.
fn single_direction(nodes: &[Rc<Node<'_>>]) -> Option<Direction> {
    if are_all(nodes, "readOnly") {
        Some(Direction::Received)
    } else if are_all(nodes, "writeOnly") {
        Some(Direction::Sent)
    } else {
        None
    }
}

/// Whether the keyword is true in all schemas of a property.
fn are_all(nodes: &[Rc<Node<'_>>], keyword: &str) -> bool {
    !nodes.is_empty() && nodes.iter().all(|node| node.is_true(keyword))
}

/// Collects the properties of all branches, each with its schemas.
fn properties<'a>(branches: &[Node<'a>]) -> Vec<(&'a str, Vec<Part<'a>>)> {
    let mut properties: Vec<(&str, Vec<Part<'a>>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for property in branches.iter().flat_map(|branch| &branch.properties) {
        let place = *places.entry(property.name).or_insert(properties.len());
        match properties.get_mut(place) {
            Some((_, parts)) => parts.push(property.clone()),
            None => properties.push((property.name, vec![property.clone()])),
        }
    }
    properties
}

fn field<'a>(
    types: &mut Types<'a>,
    object: &Unread<'a>,
    wire: &'a str,
    parts: &[Part<'a>],
) -> Field {
    let nodes: Vec<Rc<Node<'a>>> = parts
        .iter()
        .filter_map(|part| types.part(part).ok())
        .collect();
    let explicit = nodes.iter().find_map(|node| node.text("x-rust-name"));
    let public = nodes.iter().any(|node| node.is_true("x-public"));
    let description = parts.first().and_then(|first| {
        let first = types.part(first).ok()?;
        first.prose().map(str::to_owned)
    });
    let context = Context {
        home: home(&object.key),
        identity: object.identity.as_deref().unwrap_or(&object.entity),
        ..Context::new(&object.name, &object.entity, wire)
    };
    let (kind, nullable) = values::any(types, parts, &context);
    let blank = matches!(kind, Type::Nullable(_));
    let required = object
        .branches
        .iter()
        .all(|branch| branch.required.contains(wire));
    Field {
        name: wire.to_owned(),
        rust: names::field(explicit.unwrap_or(wire)),
        kind: kind.without_null(),
        required,
        nullable,
        blank,
        public,
        only: single_direction(&nodes),
        extra: false,
        deprecated: are_all(&nodes, "deprecated"),
        recursive: false,
        deep: false,
        description: description.unwrap_or_else(|| format!("`{wire}` of the description.")),
    }
}
