//! The webhook events, from `webhooks` or `x-webhooks`. An event has a `type`, and an `object` if it is described. The
//! body of a delivery is an event, or a list, a union or an envelope of events.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::api::{self, Content, Event, Parameter, Place, Type, Variant};
use super::context::Context;
use super::media_types;
use super::names;
use super::naming::Naming;
use super::schemas::read_objects;
use super::types::Types;
use super::unions;
use super::values;
use crate::document::{self, Operation};
use crate::error::Error;
use crate::normalize::{Node, Part};
use crate::pointer;

/// The events of a description.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The types of all events.
    pub(super) kinds: Vec<Variant>,
    /// The types in `kinds`.
    known: HashSet<String>,
    delivered: Vec<Delivered>,
}

/// The types of an event, the key of its object, and the place of the object's schema.
#[derive(Debug)]
struct Delivered {
    types: Vec<String>,
    object: String,
    at: String,
}

/// The search for events in the body of a webhook.
#[derive(Debug)]
struct Search<'a> {
    /// The name of the webhook.
    group: &'a str,
    /// The schemas that have been searched.
    seen: BTreeSet<String>,
    is_in_envelope: bool,
}

/// The maximum number of values around an event, such as an envelope, a list and a union.
const MAX_EVENT_DEPTH: usize = 8;

/// Reads all events and their objects.
pub(super) fn read(types: &mut Types<'_>) -> Events {
    let mut events = Events::default();
    types
        .notes
        .extend(document::problems_of_webhooks(types.document));
    for webhook in document::webhooks(types.document) {
        let name = webhook.path;
        if !events.read_webhook(types, &webhook) {
            types.notes.push(Error::at(
                webhook.pointer,
                format!("the events of the webhook `{name}` are not read"),
                "give the webhook a JSON body whose schema has two properties: `object`, and `type` with an `enum` or a `const`",
            ));
        }
    }
    events.name_kinds();
    note_callbacks(types);
    read_objects(types);
    events
}

/// Notes that callbacks are not read.
fn note_callbacks(types: &mut Types<'_>) {
    for operation in document::operations(types.document) {
        let at = pointer::join(&operation.pointer, "callbacks");
        let callbacks = operation.value["callbacks"].as_object();
        for (name, _) in callbacks.into_iter().flatten() {
            types.notes.push(Error::at(
                pointer::join(&at, name),
                format!("the callback `{name}` of {} is not read", operation.id()),
                "describe its events under `webhooks`",
            ));
        }
    }
}

impl Events {
    /// Reads the events in the bodies of a webhook. Returns whether it found any.
    fn read_webhook<'a>(&mut self, types: &mut Types<'a>, webhook: &Operation<'a>) -> bool {
        let Some((at, body)) = webhook.request_body(types.document) else {
            return false;
        };
        let mut is_read = false;
        for (at, schema) in media_types::json_schemas(types.document, body, &at) {
            let mut search = Search {
                group: webhook.path,
                seen: BTreeSet::new(),
                is_in_envelope: false,
            };
            match types.node(schema, &at) {
                Ok(node) => is_read |= self.read_value(types, &node, &mut search, 0),
                Err(error) => types.report(error),
            }
        }
        is_read
    }

    /// Reads an event, or the events in a list, a union or an envelope. Returns whether it found any.
    fn read_value<'a>(
        &mut self,
        types: &mut Types<'a>,
        node: &Node<'a>,
        search: &mut Search<'a>,
        depth: usize,
    ) -> bool {
        if depth > MAX_EVENT_DEPTH || !search.seen.insert(node.key()) {
            return false;
        }
        if !node.alternatives.is_empty() {
            return self.read_union(types, node, search, depth);
        }
        if self.read_event(types, node, None, search) {
            return true;
        }
        search.is_in_envelope |= !node.properties.is_empty();
        let mut is_read = false;
        for part in node.properties.iter().chain(&node.items) {
            let Ok(inner) = types.part(part) else {
                continue;
            };
            is_read |= self.read_value(types, &inner, search, depth + 1);
        }
        is_read
    }

    /// Reads a union of events, or of values that contain events. A discriminator may give the type of an event.
    fn read_union<'a>(
        &mut self,
        types: &mut Types<'a>,
        node: &Node<'a>,
        search: &mut Search<'a>,
        depth: usize,
    ) -> bool {
        let mut unread = Vec::new();
        for part in &node.alternatives {
            let alternative = match types.alternative(part, node) {
                Ok(alternative) => alternative,
                Err(error) => {
                    types.report(error);
                    continue;
                }
            };
            let mapped = mapped_types(node, &alternative);
            let is_read = if mapped.is_empty() {
                self.read_value(types, &alternative, search, depth + 1)
            } else {
                self.read_event(types, &alternative, Some(mapped), search)
            };
            if !is_read {
                unread.push(part);
            }
        }
        let is_read = unread.len() < node.alternatives.len();
        for part in unread.into_iter().filter(|_| is_read) {
            types.notes.push(Error::at(
                &part.at,
                format!(
                    "an alternative of the webhook `{}` is not read",
                    search.group
                ),
                "give its `type` an `enum` or a `const`",
            ));
        }
        is_read
    }

    /// Reads an event, whose types may be known already. Returns whether it has types.
    fn read_event<'a>(
        &mut self,
        types: &mut Types<'a>,
        event: &Node<'a>,
        known: Option<Vec<String>>,
        search: &Search<'a>,
    ) -> bool {
        let find = |name: &str| event.properties.iter().find(|part| part.name == name);
        let names = match known {
            Some(known) => known,
            None => find("type").map_or_else(Vec::new, |kind| values(types, kind)),
        };
        // In an envelope, an object that is not an event may also have a `type`.
        if names.is_empty() || search.is_in_envelope && find("object").is_none() {
            return false;
        }
        for name in &names {
            self.add_kind(name);
        }
        let Some(object) = find("object") else {
            return true;
        };
        let category = names.first().and_then(|name| name.split('.').next());
        let entity = names::entity(category.unwrap_or(search.group));
        let context = Context::of_operation(&entity, "event");
        let (kind, _) = values::part(types, object, &context);
        match kind {
            Type::Schema(key) => self.delivered.push(Delivered {
                types: names,
                object: key,
                at: object.at.clone(),
            }),
            _ => types.notes.push(Error::at(
                &object.at,
                format!("the object of `{}` is any JSON", names.join("`, `")),
                "describe it as an object with properties",
            )),
        }
        true
    }

    /// Adds a type, unless it is known.
    fn add_kind(&mut self, wire: &str) {
        if !self.known.insert(wire.to_owned()) {
            return;
        }
        self.kinds.push(Variant {
            name: String::new(),
            deprecated: false,
            wire: wire.to_owned(),
            description: format!("`{wire}`"),
        });
    }

    /// Names the types, in alphabetical order.
    fn name_kinds(&mut self) {
        let mut kinds: Vec<&mut Variant> = self.kinds.iter_mut().collect();
        kinds.sort_by(|one, other| one.wire.cmp(&other.wire));
        let mut taken: HashSet<String> = HashSet::new();
        for kind in kinds {
            kind.name = names::variant(&kind.wire, |name| taken.contains(name));
            taken.insert(kind.name.clone());
        }
    }

    /// Returns the key of each event's object.
    pub(super) fn objects(&self) -> impl Iterator<Item = &String> {
        self.delivered.iter().map(|delivered| &delivered.object)
    }

    /// Groups the events by their objects, which have names by now. Each type of event has one object: that of its
    /// first occurrence. Each different object gets a note.
    pub(super) fn by_object(
        &self,
        naming: &Naming,
        operations: &[api::Operation],
        notes: &mut Vec<Error>,
    ) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut objects: HashMap<&str, String> = HashMap::new();
        for Delivered { types, object, at } in &self.delivered {
            let object = naming.name(object);
            let (new, known): (Vec<&String>, Vec<&String>) = types
                .iter()
                .partition(|kind| !objects.contains_key(kind.as_str()));
            for kind in known {
                let first = &objects[kind.as_str()];
                if *first != object {
                    notes.push(other_object(kind, first, &object, at));
                }
            }
            if new.is_empty() {
                continue;
            }
            let place = *places.entry(object.clone()).or_insert_with(|| {
                events.push(event(&object, operations));
                events.len() - 1
            });
            for kind in new {
                events[place].types.push(kind.clone());
                objects.insert(kind, object.clone());
            }
        }
        events
    }
}

/// Makes an event without types.
fn event(object: &str, operations: &[api::Operation]) -> Event {
    let operation = operations
        .iter()
        .find(|operation| retrieves(operation, object));
    Event {
        types: Vec::new(),
        retrieved_by: operation.map(|operation| operation.method_name.clone()),
        object: object.to_owned(),
    }
}

fn other_object(kind: &str, first: &str, object: &str, at: &str) -> Error {
    Error::at(
        at,
        format!(
            "an event `{kind}` has `{first}` or `{object}` as its object; it is read as `{first}`"
        ),
        "describe one object with the properties of both",
    )
}

/// Returns the texts that a field may have.
fn values<'a>(types: &Types<'a>, field: &Part<'a>) -> Vec<String> {
    let Ok(node) = types.part(field) else {
        return Vec::new();
    };
    let Some(values) = node.values() else {
        // Some descriptions write the only value of a field as its default.
        let default = node.text("default");
        return default.into_iter().map(str::to_owned).collect();
    };
    let texts = values.into_iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// Returns the event types that the discriminator of a union maps to the alternative.
fn mapped_types<'a>(union: &Node<'a>, alternative: &Node<'a>) -> Vec<String> {
    let discriminator = union.object("discriminator");
    let by_type = discriminator.filter(|it| it.get("propertyName").is_some_and(|it| it == "type"));
    by_type.map_or_else(Vec::new, |discriminator| {
        unions::mapped(discriminator, alternative)
    })
}

/// Whether the operation reads the object by its id at the end of the path, without other required parameters.
fn retrieves(operation: &api::Operation, object: &str) -> bool {
    let is_the_object =
        matches!(&operation.response.content, Content::Json(Type::Schema(name)) if name == object);
    let required: Vec<&Parameter> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .collect();
    let by_id = matches!(required.as_slice(), [id] if id.place == Place::Path
        && operation.path.ends_with(&format!("/{{{}}}", id.name)));
    operation.method == "GET" && is_the_object && by_id
}
