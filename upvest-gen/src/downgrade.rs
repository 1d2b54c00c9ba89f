//! OpenAPI 3.1 to 3.0, which is what progenitor reads. What has no equal in 3.0 is refused by name.

use serde_json::{Map, Value, json};

use crate::document::Place;
use crate::error::{Error, Result};
use crate::pointer;

/// Keywords of JSON Schema 2020-12 that change what a value may be and that 3.0 cannot say.
const UNSUPPORTED: [&str; 14] = [
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedProperties",
    "unevaluatedItems",
    "prefixItems",
    "contains",
    "propertyNames",
    "patternProperties",
    "$dynamicRef",
    "$dynamicAnchor",
    "$anchor",
];

/// Keywords that describe and do not constrain: dropped.
const DROPPED: [&str; 4] = ["$comment", "$schema", "$id", "$vocabulary"];

/// Turns a 3.1 document into a 3.0.3 one; a 3.0 document comes back as it is.
pub(crate) fn downgrade(mut document: Value) -> Result<Value> {
    if document["openapi"].as_str().is_none_or(|version| version.starts_with("3.0.")) {
        return Ok(document);
    }
    let Some(root) = document.as_object_mut() else {
        return Ok(document);
    };
    root.insert("openapi".to_owned(), json!("3.0.3"));
    // What webhooks deliver is not called by a client, and 3.0 has no place for it.
    for keyword in ["webhooks", "jsonSchemaDialect"] {
        root.shift_remove(keyword);
    }
    if let Some(info) = root.get_mut("info").and_then(Value::as_object_mut) {
        info.shift_remove("summary");
    }
    if let Some(components) = root.get_mut("components").and_then(Value::as_object_mut) {
        components.shift_remove("pathItems");
    }
    object(root, "", Place::OpenApi)?;
    Ok(document)
}

/// Downgrades the schemas in `object`, which stands at `place`.
fn object(object: &mut Map<String, Value>, at: &str, place: Place) -> Result<()> {
    if place == Place::Schema {
        schema(object, at)?;
    }
    object.iter_mut().try_for_each(|(key, child)| value(child, &pointer::join(at, key), place.below(key)))
}

fn value(value: &mut Value, at: &str, place: Place) -> Result<()> {
    match value {
        _ if place == Place::Data => Ok(()),
        Value::Object(object) => self::object(object, at, place),
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, item)| self::value(item, &format!("{at}/{index}"), place.item())),
        Value::Bool(_) if place == Place::Schema && !at.ends_with("/additionalProperties") => {
            Err(Error::at(at, "a boolean schema has no equal in 3.0", "describe what the value is"))
        }
        _ => Ok(()),
    }
}

fn schema(schema: &mut Map<String, Value>, at: &str) -> Result<()> {
    for keyword in UNSUPPORTED {
        if schema.contains_key(keyword) {
            return Err(Error::at(
                pointer::join(at, keyword),
                format!("the keyword `{keyword}` of OpenAPI 3.1 has no equal in 3.0"),
                "replace it in the overlay by what a client needs to know",
            ));
        }
    }
    for keyword in DROPPED {
        schema.shift_remove(keyword);
    }
    if schema.contains_key("$defs") {
        return Err(Error::at(
            pointer::join(at, "$defs"),
            "local definitions have no equal in 3.0",
            "move them to `components/schemas`",
        ));
    }
    siblings_of_ref(schema);
    type_array(schema, at)?;
    null_branch(schema);
    constant(schema);
    exclusive_bound(schema, "exclusiveMinimum", "minimum");
    exclusive_bound(schema, "exclusiveMaximum", "maximum");
    content(schema);
    if let Some(Value::Array(examples)) = schema.shift_remove("examples")
        && let Some(first) = examples.into_iter().next()
    {
        schema.entry("example").or_insert(first);
    }
    Ok(())
}

/// 3.0 ignores what stands beside a `$ref`; `allOf` keeps it.
fn siblings_of_ref(schema: &mut Map<String, Value>) {
    if schema.len() > 1
        && let Some(reference) = schema.shift_remove("$ref")
    {
        let all = schema.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.insert(0, json!({ "$ref": reference }));
        }
    }
}

/// `type: [T, "null"]` becomes `type: T, nullable: true`.
fn type_array(schema: &mut Map<String, Value>, at: &str) -> Result<()> {
    let Some(Value::Array(types)) = schema.get("type") else {
        if schema.get("type").is_some_and(|name| name == "null") {
            return Err(Error::at(
                at,
                "a value that is always null has no equal in 3.0",
                "leave the field out",
            ));
        }
        return Ok(());
    };
    let nullable = types.iter().any(|name| name == "null");
    let others: Vec<Value> = types.iter().filter(|name| *name != "null").cloned().collect();
    let [only] = others.as_slice() else {
        return Err(Error::at(
            pointer::join(at, "type"),
            format!("{} types in one schema", others.len()),
            "name one type beside null, or describe the alternatives with `oneOf`",
        ));
    };
    let only = only.clone();
    schema.insert("type".to_owned(), only);
    if nullable {
        schema.insert("nullable".to_owned(), json!(true));
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
    }
    Ok(())
}

/// `oneOf: [S, {type: null}]` becomes `allOf: [S], nullable: true`.
fn null_branch(schema: &mut Map<String, Value>) {
    for keyword in ["oneOf", "anyOf"] {
        let Some(Value::Array(branches)) = schema.get_mut(keyword) else {
            continue;
        };
        let before = branches.len();
        branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
        if branches.len() == before {
            continue;
        }
        let single = branches.len() == 1;
        schema.insert("nullable".to_owned(), json!(true));
        if single && let Some(branches) = schema.shift_remove(keyword) {
            schema.insert("allOf".to_owned(), branches);
        }
    }
}

/// `const: X` becomes `enum: [X]`.
fn constant(schema: &mut Map<String, Value>) {
    if let Some(value) = schema.shift_remove("const") {
        if value.is_string() {
            schema.entry("type").or_insert_with(|| json!("string"));
        }
        schema.insert("enum".to_owned(), json!([value]));
    }
}

/// `exclusiveMinimum: 3` becomes `minimum: 3, exclusiveMinimum: true`.
fn exclusive_bound(schema: &mut Map<String, Value>, exclusive: &str, inclusive: &str) {
    let Some(bound) = schema.get(exclusive).filter(|bound| bound.is_number()).cloned() else {
        return;
    };
    let tighter = match (bound.as_f64(), schema.get(inclusive).and_then(Value::as_f64)) {
        (Some(bound), Some(other)) if inclusive == "minimum" => bound >= other,
        (Some(bound), Some(other)) => bound <= other,
        _ => true,
    };
    if tighter {
        schema.insert(inclusive.to_owned(), bound);
        schema.insert(exclusive.to_owned(), json!(true));
    } else {
        schema.shift_remove(exclusive);
    }
}

/// `contentEncoding: base64` becomes `format: byte`; a binary media type becomes `format: binary`.
fn content(schema: &mut Map<String, Value>) {
    let encoding = schema.shift_remove("contentEncoding");
    let media_type = schema.shift_remove("contentMediaType");
    schema.shift_remove("contentSchema");
    let format = match (encoding, media_type) {
        (Some(encoding), _) if encoding == "base64" => "byte",
        (None, Some(media_type)) if media_type == "application/octet-stream" => "binary",
        _ => return,
    };
    schema.entry("format").or_insert_with(|| json!(format));
}

#[cfg(test)]
mod tests;
