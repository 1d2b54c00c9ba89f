//! The keywords that a Rust type cannot express. The type also accepts values that these keywords forbid, and a note
//! says so.

use serde_json::{Map, Value};

use super::node::Part;
use crate::document;
use crate::error::Error;
use crate::pointer;

/// Any value.
static ANY: Value = Value::Bool(true);

/// Keywords that restrict a value by conditions.
const CONDITIONS: [&str; 7] = [
    "not",
    "if",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "propertyNames",
    "contains",
];

/// Returns the schema of all items of a tuple: that of its positions if they have the same one, otherwise any value.
pub(super) fn tuple<'a>(schema: &'a Map<String, Value>, at: &str) -> Option<Part<'a>> {
    let (keyword, positions) = positions(schema)?;
    let first = positions.first()?;
    let at = format!("{}/0", pointer::join(at, keyword));
    let value = if has_equal_items(schema, positions) {
        first
    } else {
        &ANY
    };
    Some(Part::new("items", at, value))
}

/// The schemas of a tuple's positions, and the keyword that holds them: `prefixItems`, or `items` before OpenAPI 3.1.
fn positions(schema: &Map<String, Value>) -> Option<(&'static str, &Vec<Value>)> {
    let positions = |keyword: &'static str| {
        let positions = schema.get(keyword)?.as_array()?;
        Some((keyword, positions)).filter(|_| !positions.is_empty())
    };
    positions("prefixItems").or_else(|| positions("items"))
}

/// Whether all positions of a tuple, and the items after them, have the same schema.
fn has_equal_items(schema: &Map<String, Value>, positions: &[Value]) -> bool {
    let others = [schema.get("items"), schema.get("additionalItems")];
    let mut others = others
        .into_iter()
        .flatten()
        .filter(|other| other.is_object());
    let first = positions.first();
    positions.iter().all(|place| Some(place) == first) && others.all(|other| Some(other) == first)
}

/// Returns the schema of the properties whose names match a pattern. It is any value if there may be properties of
/// other types too, which a server may add unless the description excludes them.
pub(super) fn by_pattern<'a>(schema: &'a Map<String, Value>, at: &str) -> Option<Part<'a>> {
    let patterns = schema.get("patternProperties")?.as_object()?;
    let (pattern, first) = patterns.iter().next()?;
    let place = pointer::join(at, "patternProperties");
    let is_closed = ["additionalProperties", "unevaluatedProperties"]
        .into_iter()
        .any(|keyword| schema.get(keyword) == Some(&Value::Bool(false)));
    let is_map = is_closed || !schema.contains_key("properties");
    let value = if is_map && patterns.values().all(|value| value == first) {
        first
    } else {
        &ANY
    };
    Some(Part::new(
        "patternProperties",
        pointer::join(&place, pattern),
        value,
    ))
}

/// Returns a note for each keyword that is not checked, or because of which a value is read as any JSON.
pub(super) fn notes(document: &Value, schema: &Map<String, Value>, at: &str) -> Vec<Error> {
    let mut notes = lost_mappings(document, schema, at);
    notes.extend(dynamic_reference(schema, at));
    for keyword in CONDITIONS {
        if schema.get(keyword).is_some_and(restricts) {
            notes.push(Error::at(
                pointer::join(at, keyword),
                format!("`{keyword}` is not checked, as a Rust type cannot express it"),
                "no change is needed, as the server checks it, but describe all fields under `properties`",
            ));
        }
    }
    if let Some((keyword, positions)) = positions(schema) {
        let items = if has_equal_items(schema, positions) {
            "a list of any length"
        } else {
            "a list of any JSON"
        };
        notes.push(Error::at(
            pointer::join(at, keyword),
            format!("the tuple is read as {items}"),
            "make it an object with a field for each position, if the server can send one",
        ));
    }
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    if patterns.is_some_and(|patterns| !patterns.is_empty()) {
        notes.push(Error::at(
            pointer::join(at, "patternProperties"),
            "the names of further properties are not compared with these patterns",
            "no change is needed, as the server checks them",
        ));
    }
    notes
}

/// Returns a note about a reference whose target depends on the schemas around it.
fn dynamic_reference(schema: &Map<String, Value>, at: &str) -> Option<Error> {
    let keywords = ["$dynamicRef", "$recursiveRef"];
    let keyword = keywords
        .into_iter()
        .find(|keyword| schema.contains_key(*keyword))?;
    Some(Error::at(
        pointer::join(at, keyword),
        format!("`{keyword}` is not followed, so its target does not restrict the value"),
        "use `$ref`",
    ))
}

/// Returns a note for each value of a discriminator that leads to no schema of the document.
fn lost_mappings(document: &Value, schema: &Map<String, Value>, at: &str) -> Vec<Error> {
    let discriminator = schema.get("discriminator").and_then(Value::as_object);
    let mapping = discriminator.and_then(|it| it.get("mapping")?.as_object());
    let is_lost = |target: &&Value| {
        let target = target.as_str().unwrap_or_default();
        let place = pointer::of_reference(target)
            .unwrap_or_else(|| pointer::join(document::SCHEMAS, target));
        document.pointer(&place).is_none()
    };
    let lost = mapping
        .into_iter()
        .flatten()
        .filter(|(_, target)| is_lost(target));
    let place = pointer::join(&pointer::join(at, "discriminator"), "mapping");
    let note = |(value, target): (&String, &Value)| {
        Error::at(
            pointer::join(&place, value),
            format!("the value `{value}` leads to {target}, which is not in the document"),
            "correct the reference, or add its target to `components/schemas`",
        )
    };
    lost.map(note).collect()
}

/// Whether the value of a keyword is not empty.
fn restricts(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(is) => !is,
        _ => false,
    }
}
