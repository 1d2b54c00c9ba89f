//! Validates the bodies of requests: against their schemas, and for fields that no schema names.

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
        let mismatches = mismatches.filter(|mismatch| {
            let missing = mismatch.missing.as_deref();
            missing.is_none_or(|name| !self.is_set_by_server(definition, body, &mismatch.at, name))
        });
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

    /// Whether a property is read-only, so that requests leave it out although it is required.
    fn is_set_by_server(&self, schema: &Value, body: &Value, at: &str, name: &str) -> bool {
        let mut shape = Shape::fitting(&self.schemas, schema, Some(body));
        let mut value = Some(body);
        for segment in at.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            value = match value {
                Some(Value::Array(items)) => {
                    segment.parse().ok().and_then(|at: usize| items.get(at))
                }
                Some(value) => value.get(&segment),
                None => None,
            };
            let Some(inner) = shape.property(&segment).or_else(|| shape.items()) else {
                return false;
            };
            shape = Shape::fitting(&self.schemas, inner, value);
        }
        let property = shape.property(name);
        property.is_some_and(|property| Shape::of(&self.schemas, property).is_true("readOnly"))
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

fn join(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}
