//! Reads an OpenAPI document: operations, references and media types.

use heck::ToLowerCamelCase;
use serde_json::{Map, Value};

use crate::pointer;

/// The place of the component schemas.
pub(crate) const SCHEMAS: &str = "/components/schemas";

/// The methods that a path item may have, in the order in which progenitor takes them.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// One operation and its place.
pub(crate) struct Operation<'a> {
    pub(crate) pointer: String,
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) item: &'a Map<String, Value>,
    pub(crate) value: &'a Value,
}

impl<'a> Operation<'a> {
    /// The `operationId`, or else a name made of the method and the path, such as `getOrdersByOrderId`.
    pub(crate) fn id(&self) -> String {
        if let Some(id) = self.value["operationId"]
            .as_str()
            .filter(|id| id.contains(|c: char| c.is_ascii_alphanumeric()))
        {
            return id.to_owned();
        }
        let words = self
            .path
            .split('/')
            .map(|segment| match segment.strip_prefix('{') {
                Some(parameter) => format!("by-{parameter}"),
                None => segment.to_owned(),
            });
        words
            .fold(self.method.to_owned(), |words, word| {
                format!("{words}-{word}")
            })
            .to_lower_camel_case()
    }

    /// The place of the path item.
    pub(crate) fn item_pointer(&self) -> &str {
        self.pointer.rsplit_once('/').map_or("", |(item, _)| item)
    }

    /// The parameters of the path item and the operation with resolved references, each with its pointer. A parameter of the
    /// operation replaces one of the path item with the same name and location.
    pub(crate) fn parameters(&self, document: &'a Value) -> Vec<(String, &'a Value)> {
        let resolved = |(at, value): (String, &'a Value)| resolve_at(document, value, &at);
        let own = items(
            self.value.get("parameters"),
            &pointer::join(&self.pointer, "parameters"),
        );
        let own: Vec<_> = own.map(resolved).collect();
        let shared = items(
            self.item.get("parameters"),
            &pointer::join(self.item_pointer(), "parameters"),
        )
        .map(resolved);
        let same = |a: &Value, b: &Value| a["name"] == b["name"] && a["in"] == b["in"];
        let shared = shared.filter(|(_, shared)| !own.iter().any(|(_, own)| same(own, shared)));
        shared.collect::<Vec<_>>().into_iter().chain(own).collect()
    }

    /// The responses with their status codes and resolved references.
    pub(crate) fn responses(
        &self,
        document: &'a Value,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let responses = self.value["responses"].as_object().into_iter().flatten();
        responses.map(|(status, response)| (status.as_str(), resolve(document, response)))
    }
}

/// All operations, in the order of the document.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(path, item)| Some((path, item.as_object()?)))
        .flat_map(|(path, item)| {
            let at = pointer::join("/paths", path);
            METHODS.into_iter().filter_map(move |method| {
                let value = item.get(method)?;
                Some(Operation {
                    pointer: pointer::join(&at, method),
                    path,
                    method,
                    item,
                    value,
                })
            })
        })
}

/// Follows a local reference. Any other value is returned unchanged.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    resolve_at(document, value, "").1
}

/// As [`resolve`], and returns the place of the result.
pub(crate) fn resolve_at<'a>(
    document: &'a Value,
    value: &'a Value,
    at: &str,
) -> (String, &'a Value) {
    let mut value = value;
    let mut at = at;
    // A longer chain is circular.
    for _ in 0..16 {
        let target = value
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| target.strip_prefix('#'));
        match target.and_then(|target| Some((target, document.pointer(target)?))) {
            Some((target, found)) => (at, value) = (target, found),
            None => break,
        }
    }
    (at.to_owned(), value)
}

/// The name of the component schema to which `schema` refers.
pub(crate) fn schema_name(schema: &Value) -> Option<&str> {
    schema
        .get("$ref")?
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// Whether a status code, such as `200` or `2XX`, means success.
pub(crate) fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

/// Whether a status code, such as `400` or `4XX`, means an error.
pub(crate) fn is_error(status: &str) -> bool {
    status.starts_with('4') || status.starts_with('5')
}

/// Whether a media type is JSON: `application/json`, or any that ends in `+json` (RFC 6839), such as that of problem documents.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}

fn items<'a>(
    list: Option<&'a Value>,
    at: &str,
) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let at = at.to_owned();
    let list = list
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate();
    list.map(move |(index, value)| (format!("{at}/{index}"), value))
}

#[cfg(test)]
mod tests;
