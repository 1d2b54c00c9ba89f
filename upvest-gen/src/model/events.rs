//! The objects in webhook events, from `webhooks` or `x-webhooks`: the schema of `object` in the body of each delivery.

use serde_json::Value;

use super::api::{Content, Event, Operation, Parameter, Place, Type};
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

/// Types of events, and the key of the object in them.
#[derive(Debug)]
pub(super) struct Delivered {
    types: Vec<String>,
    pub(super) object: String,
}

/// Reads the objects of all events.
pub(super) fn read(types: &mut Types<'_>) -> Vec<Delivered> {
    let mut delivered = Vec::new();
    for keyword in ["webhooks", "x-webhooks"] {
        let groups = types.document.get(keyword).and_then(Value::as_object);
        for (group, item) in groups.into_iter().flatten() {
            let at = pointer::join(&format!("/{keyword}"), group);
            let at = format!("{at}/post/requestBody");
            let (at, body) =
                document::resolve_at(types.document, &item["post"]["requestBody"], &at);
            for (at, schema) in media_types::json_schemas(body, &at) {
                let Ok(delivery) = types.node(schema, &at) else {
                    continue;
                };
                delivered.extend(event(types, &delivery, group));
            }
        }
    }
    read_objects(types);
    delivered
}

/// The event in the body of a delivery.
fn event<'a>(types: &mut Types<'a>, delivery: &Node<'a>, group: &str) -> Option<Delivered> {
    let find = |name: &str| {
        let mut properties = delivery.properties.iter();
        properties.find(|property| property.name == name)
    };
    let kind = find("type")?;
    let object = find("object")?;
    let event_types = types.part(kind).ok().and_then(|node| node.values());
    let event_types: Vec<String> = event_types
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let category = event_types.first().and_then(|name| name.split('.').next());
    let entity = names::entity(category.unwrap_or(group));
    let context = Context::of_operation(&entity, "event");
    match values::value(types, object.value, &object.at, &context) {
        (Type::Schema(object), _) => Some(Delivered {
            types: event_types,
            object,
        }),
        _ => None,
    }
}

/// The events by their objects, which have their names now.
pub(super) fn events(
    delivered: Vec<Delivered>,
    naming: &Naming,
    operations: &[Operation],
) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for Delivered { types, object } in delivered {
        let object = naming.name(&object);
        if let Some(event) = events.iter_mut().find(|event| event.object == object) {
            event.types.extend(types);
            continue;
        }
        let operation = operations
            .iter()
            .find(|operation| retrieves(operation, &object));
        let retrieved_by = operation.map(|operation| operation.method_name.clone());
        events.push(Event {
            types,
            object,
            retrieved_by,
        });
    }
    events
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
