//! Turns the schemas of OpenAPI 3.0 into JSON Schema 2020-12, which OpenAPI 3.1 has.

use serde_json::{Map, Value, json};

/// Keywords whose values are data, not schemas.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// A copy of the document in which each schema has the meaning that version 3.0 gives it.
pub(super) fn upgrade(document: &Value) -> Value {
    let mut document = document.clone();
    let version = document["openapi"].as_str().unwrap_or_default();
    if version.starts_with("3.0") {
        walk(&mut document);
    }
    document
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                if !DATA.contains(&key.as_str()) || value.is_object() && is_schema(value) {
                    walk(value);
                }
            }
            exclusive(object, "exclusiveMinimum", "minimum");
            exclusive(object, "exclusiveMaximum", "maximum");
            if object.get("nullable") == Some(&Value::Bool(true)) {
                allow_null(object);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        _ => {}
    }
}

/// A property can be named like a keyword, such as `default`. Then its value is a schema.
fn is_schema(value: &Value) -> bool {
    value.get("type").is_some_and(Value::is_string) || value.get("$ref").is_some()
}

/// In version 3.0 these keywords are flags of the limits.
fn exclusive(schema: &mut Map<String, Value>, flag: &str, limit: &str) {
    match schema.get(flag) {
        Some(Value::Bool(true)) => {
            let limit = schema.remove(limit);
            schema.remove(flag);
            if let Some(limit) = limit {
                schema.insert(flag.to_owned(), limit);
            }
        }
        Some(Value::Bool(false)) => {
            schema.remove(flag);
        }
        _ => {}
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    schema.remove("nullable");
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(Value::String(kind)) = schema.get("type") {
        let kinds = json!([kind, "null"]);
        schema.insert("type".to_owned(), kinds);
        return;
    }
    // Without a type of its own, null is a further alternative of the whole.
    let whole = std::mem::take(schema);
    schema.insert(
        "anyOf".to_owned(),
        json!([Value::Object(whole), { "type": "null" }]),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_of_version_3_0_get_their_meaning_in_2020_12() {
        let document = json!({
            "openapi": "3.0.3",
            "a": { "type": "string", "nullable": true, "enum": ["A"] },
            "b": { "type": "number", "minimum": 0, "exclusiveMinimum": true, "exclusiveMaximum": false },
            "c": { "nullable": true, "allOf": [{ "$ref": "#/a" }] },
            "d": { "properties": { "default": { "type": "string", "nullable": true } } },
            "e": { "default": { "nullable": true } },
        });
        let upgraded = upgrade(&document);
        assert_eq!(upgraded["a"]["type"], json!(["string", "null"]));
        assert_eq!(upgraded["a"]["enum"], json!(["A", null]));
        assert_eq!(
            upgraded["b"],
            json!({ "type": "number", "exclusiveMinimum": 0 })
        );
        assert_eq!(upgraded["c"]["anyOf"][1], json!({ "type": "null" }));
        assert_eq!(
            upgraded["d"]["properties"]["default"]["type"],
            json!(["string", "null"])
        );
        assert_eq!(upgraded["e"], document["e"]);
    }
}
