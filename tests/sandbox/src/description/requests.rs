//! Validates the bodies of requests: against their schemas, and for fields that no schema names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schema::MAX_NAMED;
use super::{Additional, Description, Schema, Shape};

impl Description {
    /// The first problems of a body.
    pub(crate) fn problems_of_body(&self, schema: &Schema, body: &Value) -> Vec<String> {
        let mismatches = schema.mismatches(body);
        if self.has_rules {
            // All of its schemas say themselves that they have no other fields.
            let first = mismatches.take(MAX_NAMED);
            return first.map(|it| it.to_string()).collect();
        }
        let definition = self.schemas.pointer(schema.place());
        let definition = definition.unwrap_or(&Value::Bool(true));
        let first = mismatches.take(MAX_NAMED);
        let mut problems: Vec<_> = first.map(|it| it.to_string()).collect();
        let mut unknown = Vec::new();
        self.find_unknown(definition, body, "", &mut unknown);
        for field in unknown {
            let problem = format!("`{field}` is not a field of this body");
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    /// Finds the first fields that a schema with fields does not have, at any depth.
    fn find_unknown(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        // A long list of texts has no fields, and the shape of its items need not be found for each.
        if found.len() >= MAX_NAMED || !(value.is_object() || value.is_array()) {
            return;
        }
        let shape = Shape::of(&self.schemas, schema);
        match value {
            Value::Object(fields) => {
                let has_fields = !shape.properties().is_empty();
                for (name, value) in fields {
                    let place = join(place, name);
                    match (shape.property(name), shape.additional()) {
                        (Some(schema), _) | (None, Additional::Schema(schema)) => {
                            self.find_unknown(schema, value, &place, found);
                        }
                        (None, Additional::Unspecified | Additional::Forbidden) if has_fields => {
                            let is_known = shape.keyword("patternProperties").is_some();
                            if !is_known && found.len() < MAX_NAMED {
                                found.push(place);
                            }
                        }
                        (None, _) => {}
                    }
                }
            }
            Value::Array(items) => {
                let Some(schema) = shape.items() else { return };
                for (at, item) in items.iter().enumerate() {
                    self.find_unknown(schema, item, &join(place, &at.to_string()), found);
                }
            }
            _ => {}
        }
    }
}

/// A copy of the document for the bodies of requests: they leave out read-only properties, even if these are required.
/// `None` if it would be equal.
pub(super) fn for_requests(document: &Value) -> Option<Value> {
    let mut copy = document.clone();
    let mut is_changed = false;
    walk(&mut copy, &BTreeSet::new(), document, &mut is_changed);
    is_changed.then_some(copy)
}

/// Changes the schemas within `value`. `of_whole` are the read-only properties of the schema that has this one as a
/// part.
fn walk(value: &mut Value, of_whole: &BTreeSet<String>, document: &Value, is_changed: &mut bool) {
    let mut read_only = of_whole.clone();
    if value.get("required").is_some() || value.get("allOf").is_some() {
        read_only.extend(read_only_properties(document, value));
    }
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(required)) = members.get_mut("required") {
                let count = required.len();
                required.retain(|name| !name.as_str().is_some_and(|name| read_only.contains(name)));
                *is_changed |= required.len() < count;
            }
            for (keyword, member) in members {
                match member {
                    Value::Array(parts) if keyword == "allOf" => {
                        for part in parts {
                            walk(part, &read_only, document, is_changed);
                        }
                    }
                    member => walk(member, &BTreeSet::new(), document, is_changed),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(item, &BTreeSet::new(), document, is_changed);
            }
        }
        _ => {}
    }
}

fn read_only_properties(document: &Value, schema: &Value) -> BTreeSet<String> {
    let shape = Shape::of(document, schema);
    let properties = shape.properties().into_iter();
    let read_only = properties.filter(|(_, property)| {
        let property = Shape::of(document, property);
        property.is_true("readOnly")
    });
    read_only.map(|(name, _)| name.to_owned()).collect()
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_leaves_out_read_only_properties_at_every_place() {
        let id = json!({ "id": { "$ref": "#/components/schemas/Id" }, "name": {} });
        let thing = json!({ "properties": id, "required": ["id", "name"] });
        let schemas = json!({
            "Id": { "type": "string", "readOnly": true },
            "Thing": thing,
            "Listed": { "type": "array", "items": thing },
            "Either": { "oneOf": [thing, { "properties": { "list": thing } }] },
            "Whole": { "allOf": [{ "properties": id }, { "required": ["id", "name"] }] },
        });
        let document = json!({ "components": { "schemas": schemas } });
        let changed = for_requests(&document).unwrap();
        let text = changed.to_string();
        assert_eq!(text.matches(r#""required":["name"]"#).count(), 5, "{text}");
        assert_eq!(text.matches(r#""required""#).count(), 5);
        assert_eq!(for_requests(&changed), None, "nothing is left to change");
    }
}
