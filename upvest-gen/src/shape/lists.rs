//! The answers of list operations: one generic type instead of a struct for each.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SCHEMAS;
use crate::document;
use crate::error::{Error, Result};

/// The component that describes a page; the runtime's `Listing` carries it.
const META: &str = "PaginationMeta";

/// Takes the answers that are a list, with or without a description of the page, out of the document. Returns their names
/// with the Rust type that stands for each.
pub(super) fn listings(document: &mut Value) -> Result<BTreeMap<String, String>> {
    let mut listings = BTreeMap::new();
    for operation in document::operations(document) {
        let names = operation.responses(document).filter(|(status, _)| document::is_success(status));
        let names = names.filter_map(|(_, response)| {
            document::schema_name(&response["content"]["application/json"]["schema"])
        });
        let lists = names.filter_map(|name| Some((name, item(&document["components"]["schemas"][name])?)));
        let lists: Vec<_> = lists.collect();
        let parameters = operation.parameters(document);
        let takes = |name: &str| parameters.iter().any(|(_, parameter)| parameter["name"] == name);
        if lists.is_empty() && takes("offset") && takes("limit") {
            return Err(Error::at(
                operation.pointer.as_str(),
                format!("{} takes `offset` and `limit` and answers with no list", operation.id()),
                format!(
                    "describe the answer as a required array `data` of a component beside a `meta` called `{META}`"
                ),
            ));
        }
        for (name, item) in lists {
            listings.insert(name.to_owned(), format!("crate::types::Listing<crate::types::{item}>"));
        }
    }
    if let Some(schemas) = document.pointer_mut(SCHEMAS).and_then(Value::as_object_mut) {
        schemas.retain(|name, _| !listings.contains_key(name));
    }
    Ok(listings)
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
