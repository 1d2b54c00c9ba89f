//! The directions of schemas: in requests, or in responses and events.

use std::collections::{BTreeMap, BTreeSet};

use super::api::{Direction, Operation, Schema, Shape, Type};

/// The objects that are whole bodies.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    /// Bodies of requests, and parameters that are written as JSON.
    pub(super) sent: Vec<String>,
    /// Bodies of responses and events.
    pub(super) received: Vec<String>,
}

impl Bodies {
    /// Collects the objects in the bodies of the operations and in `events`.
    pub(super) fn of<'o>(
        operations: &'o [Operation],
        events: impl Iterator<Item = &'o String>,
    ) -> Self {
        let bodies = operations
            .iter()
            .filter_map(|operation| operation.body.as_ref())
            .map(|body| &body.kind);
        let parameters = operations
            .iter()
            .flat_map(|operation| &operation.parameters)
            .map(|parameter| &parameter.kind);
        let sent = bodies.chain(parameters).filter_map(object);
        let answers = operations
            .iter()
            .filter_map(|operation| operation.response.content.json_type())
            .filter_map(object);
        Self {
            sent: sent.cloned().collect(),
            received: answers.chain(events).cloned().collect(),
        }
    }
}

/// Returns the object in a value.
pub(super) fn object(kind: &Type) -> Option<&String> {
    match kind.innermost() {
        Type::Schema(name) => Some(name),
        _ => None,
    }
}

/// Marks the schemas that occur in requests, and those that occur in responses and events, with all nested schemas.
pub(super) fn mark_directions(schemas: &mut [Schema], bodies: &Bodies) {
    let sent = reachable(schemas.iter(), bodies.sent.iter());
    let received = reachable(schemas.iter(), bodies.received.iter());
    for schema in schemas {
        schema.sent = sent.contains(&schema.name);
        schema.received = received.contains(&schema.name);
        require_in_one_direction(schema);
    }
}

/// Makes a property optional if the object also occurs in a direction in which the property does not.
fn require_in_one_direction(schema: &mut Schema) {
    let is_sent = schema.sent;
    let is_received = schema.received;
    let Shape::Object(fields) = &mut schema.shape else {
        return;
    };
    for field in fields {
        let is_missing = match field.only {
            Some(Direction::Received) => is_sent,
            Some(Direction::Sent) => is_received,
            None => false,
        };
        field.required &= !is_missing;
    }
}

/// Returns the schemas with these names, and all schemas nested in them.
pub(super) fn reachable<'s>(
    schemas: impl Iterator<Item = &'s Schema>,
    names: impl Iterator<Item = &'s String>,
) -> BTreeSet<String> {
    let by_name: BTreeMap<&String, &Schema> =
        schemas.map(|schema| (&schema.name, schema)).collect();
    let mut reachable = BTreeSet::new();
    let mut open: Vec<&String> = names.collect();
    while let Some(name) = open.pop() {
        if !reachable.insert(name.clone()) {
            continue;
        }
        let nested = by_name.get(name).map(|schema| schema.shape.kinds());
        open.extend(nested.into_iter().flatten().filter_map(object));
    }
    reachable
}
