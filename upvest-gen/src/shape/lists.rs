//! The answers of list operations: one generic type instead of a struct for each.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SCHEMAS;
use crate::document;

/// The component that describes a page; the runtime's `Listing` carries it.
const META: &str = "PaginationMeta";

/// Takes the answers that are a list, with or without a description of the page, out of the document. Returns their names
/// with the Rust type that stands for each.
pub(super) fn listings(document: &mut Value) -> BTreeMap<String, String> {
    let answers: Vec<String> = document::operations(document)
        .flat_map(|operation| operation.responses(document).collect::<Vec<_>>())
        .filter_map(|(_, response)| document::schema_name(&response["content"]["application/json"]["schema"]))
        .map(str::to_owned)
        .collect();
    let Some(schemas) = document.pointer_mut(SCHEMAS).and_then(Value::as_object_mut) else {
        return BTreeMap::new();
    };
    let listings = answers.into_iter().filter_map(|name| {
        let item = item(schemas.get(&name)?)?;
        schemas.shift_remove(&name);
        Some((name, format!("crate::types::Listing<crate::types::{item}>")))
    });
    listings.collect()
}

/// The component listed by an object of nothing but a required `data` and an optional `meta`.
fn item(schema: &Value) -> Option<String> {
    let properties: &Map<String, Value> = schema.get("properties")?.as_object()?;
    let known = properties.iter().all(|(name, property)| match name.as_str() {
        "data" => true,
        "meta" => document::schema_name(property) == Some(META),
        _ => false,
    });
    let required = schema["required"].as_array()?.iter().all(|name| name == "data");
    let item = document::schema_name(&properties.get("data")?["items"])?;
    (known && required && !schema["required"].as_array()?.is_empty()).then(|| item.to_owned())
}
