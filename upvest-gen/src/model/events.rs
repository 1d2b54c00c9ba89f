//! The webhook events, from `webhooks` or `x-webhooks`: the body of each delivery has a `type`, and an `object` if it is described.

use serde_json::Value;

use super::api::{Content, Event, Operation, Parameter, Place, Type, Variant};
use super::context::Context;
use super::media_types;
use super::names;
use super::naming::Naming;
use super::schemas::read_objects;
use super::types::Types;
use super::values;
use crate::document;
use crate::normalize::Node;
use crate::pointer;

/// The events of a description.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The types of all events.
    pub(super) kinds: Vec<Variant>,
    delivered: Vec<Delivered>,
}

/// Types of events, and the key of the object in them.
#[derive(Debug)]
struct Delivered {
    types: Vec<String>,
    object: String,
}

/// Reads all events and their objects.
pub(super) fn read(types: &mut Types<'_>) -> Events {
    let mut events = Events::default();
    for keyword in ["webhooks", "x-webhooks"] {
        let groups = types.document.get(keyword).and_then(Value::as_object);
        for (group, item) in groups.into_iter().flatten() {
            let at = pointer::join(&format!("/{keyword}"), group);
            let at = format!("{at}/post/requestBody");
            let (at, body) =
                document::resolve_at(types.document, &item["post"]["requestBody"], &at);
            for (at, schema) in media_types::json_schemas(body, &at) {
                if let Ok(delivery) = types.node(schema, &at) {
                    events.read_delivery(types, &delivery, group);
                }
            }
        }
    }
    read_objects(types);
    events
}

impl Events {
    fn read_delivery<'a>(&mut self, types: &mut Types<'a>, delivery: &Node<'a>, group: &str) {
        let find = |name: &str| {
            let mut properties = delivery.properties.iter();
            properties.find(|property| property.name == name)
        };
        let Some(kind) = find("type") else {
            return;
        };
        let values = types.part(kind).ok().and_then(|node| node.values());
        let names: Vec<&str> = values
            .iter()
            .flatten()
            .filter_map(|value| value.as_str())
            .collect();
        let mut new = names.clone();
        new.retain(|name| self.add_kind(name));
        let Some(object) = find("object") else {
            return;
        };
        let category = names.first().and_then(|name| name.split('.').next());
        let entity = names::entity(category.unwrap_or(group));
        let context = Context::of_operation(&entity, "event");
        let (kind, _) = values::part(types, object, &context);
        if let Type::Schema(object) = kind
            && !new.is_empty()
        {
            let types = new.into_iter().map(str::to_owned).collect();
            self.delivered.push(Delivered { types, object });
        }
    }

    /// Whether the type is new. A type that occurs twice has the object of its first occurrence.
    fn add_kind(&mut self, wire: &str) -> bool {
        if self.kinds.iter().any(|kind| kind.wire == wire) {
            return false;
        }
        let others = self.kinds.iter().map(|kind| kind.name.as_str());
        let name = names::variant(wire, others);
        self.kinds.push(Variant {
            name,
            wire: wire.to_owned(),
            description: format!("`{wire}`"),
        });
        true
    }

    /// The keys of the objects in the events.
    pub(super) fn objects(&self) -> impl Iterator<Item = &String> {
        self.delivered.iter().map(|delivered| &delivered.object)
    }

    /// The events by their objects, which have their names now.
    pub(super) fn by_object(&self, naming: &Naming, operations: &[Operation]) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        for Delivered { types, object } in &self.delivered {
            let object = naming.name(object);
            if let Some(event) = events.iter_mut().find(|event| event.object == object) {
                event.types.extend_from_slice(types);
                continue;
            }
            let operation = operations
                .iter()
                .find(|operation| retrieves(operation, &object));
            events.push(Event {
                types: types.clone(),
                retrieved_by: operation.map(|operation| operation.method_name.clone()),
                object,
            });
        }
        events
    }
}

/// Whether the operation reads the object by its id at the end of the path, without other required parameters.
fn retrieves(operation: &Operation, object: &str) -> bool {
    let is_the_object =
        matches!(&operation.answer.content, Content::Json(Type::Schema(name)) if name == object);
    let required: Vec<&Parameter> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .collect();
    let by_id = matches!(required.as_slice(), [id] if id.place == Place::Path
        && operation.path.ends_with(&format!("/{{{}}}", id.name)));
    operation.method == "GET" && is_the_object && by_id
}
