//! Reading an OpenAPI document: operations, references, media types.

use serde_json::{Map, Value};

use crate::error::Result;
use crate::pointer;

/// The methods that a path item may have, in the order in which progenitor takes them.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// One operation, where it stands.
pub(crate) struct Operation<'a> {
    pub(crate) pointer: String,
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) item: &'a Map<String, Value>,
    pub(crate) value: &'a Value,
}

impl<'a> Operation<'a> {
    /// The `operationId`, empty where there is none.
    pub(crate) fn id(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// The parameters of the path item and the operation, references resolved, each with its pointer. One of the operation
    /// stands for one of the path item with the same name and place.
    pub(crate) fn parameters(&self, document: &'a Value) -> Vec<(String, &'a Value)> {
        let of_path = self.pointer.rsplit_once('/').map_or("", |(path, _)| path);
        let resolved = |(at, value)| (at, resolve(document, value));
        let own = items(self.value.get("parameters"), &pointer::join(&self.pointer, "parameters"));
        let own: Vec<_> = own.map(resolved).collect();
        let shared = items(self.item.get("parameters"), &pointer::join(of_path, "parameters")).map(resolved);
        let same = |a: &Value, b: &Value| a["name"] == b["name"] && a["in"] == b["in"];
        let shared = shared.filter(|(_, shared)| !own.iter().any(|(_, own)| same(own, shared)));
        shared.collect::<Vec<_>>().into_iter().chain(own).collect()
    }

    /// The responses with their status codes, references resolved.
    pub(crate) fn responses(&self, document: &'a Value) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let responses = self.value["responses"].as_object().into_iter().flatten();
        responses.map(|(status, response)| (status.as_str(), resolve(document, response)))
    }
}

/// All operations, in the order of the document.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.filter_map(|(path, item)| Some((path, item.as_object()?))).flat_map(|(path, item)| {
        let at = pointer::join("/paths", path);
        METHODS.into_iter().filter_map(move |method| {
            let value = item.get(method)?;
            Some(Operation { pointer: pointer::join(&at, method), path, method, item, value })
        })
    })
}

/// Follows a local reference; whatever is none comes back as it is.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    // A chain longer than this is a circle.
    for _ in 0..16 {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else {
            return value;
        };
        match target.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) {
            Some(found) => value = found,
            None => return value,
        }
    }
    value
}

/// What the keys of an object are: keywords of OpenAPI, names that an author chose, keywords of a schema, or neither.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    OpenApi,
    Named,
    Schema,
    NamedSchemas,
    Data,
}

impl Place {
    /// The place of what stands under `key`; items of an array have the place of the array.
    pub(crate) fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::OpenApi, "schema") | (Self::NamedSchemas, _) => Self::Schema,
            (Self::Schema, "items" | "additionalProperties" | "allOf" | "oneOf" | "anyOf" | "not") => {
                Self::Schema
            }
            (Self::OpenApi, "schemas") | (Self::Schema, "properties") => Self::NamedSchemas,
            (Self::OpenApi, "example" | "examples") | (Self::Schema | Self::Data, _) => Self::Data,
            (Self::OpenApi, key) if key.starts_with("x-") => Self::Data,
            (
                Self::OpenApi,
                "paths" | "responses" | "parameters" | "headers" | "requestBodies" | "content" | "callbacks"
                | "links" | "securitySchemes" | "encoding",
            ) => Self::Named,
            (Self::OpenApi | Self::Named, _) => Self::OpenApi,
        }
    }

    /// The place of the items of an array that stands here.
    pub(crate) fn item(self) -> Self {
        if self == Self::Named { Self::OpenApi } else { self }
    }
}

/// Visits all that is no data, parents first, each with its pointer and its place.
pub(crate) fn visit(document: &Value, see: &mut impl FnMut(&str, Place, &Value) -> Result<()>) -> Result<()> {
    visit_at(document, "", Place::OpenApi, see)
}

fn visit_at(
    value: &Value,
    at: &str,
    place: Place,
    see: &mut impl FnMut(&str, Place, &Value) -> Result<()>,
) -> Result<()> {
    if place == Place::Data {
        return Ok(());
    }
    if let Value::Array(items) = value {
        let mut items = items.iter().enumerate();
        return items
            .try_for_each(|(index, item)| visit_at(item, &format!("{at}/{index}"), place.item(), see));
    }
    see(at, place, value)?;
    let mut members = value.as_object().into_iter().flatten();
    members.try_for_each(|(key, child)| visit_at(child, &pointer::join(at, key), place.below(key), see))
}

/// The name of the component schema that `schema` refers to.
pub(crate) fn schema_name(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

/// Whether a status code, or a range of them such as `4XX`, is one of success or failure.
pub(crate) fn is_status(status: &str) -> bool {
    let rest = status.get(1..).unwrap_or_default();
    let code = rest == "XX" || (rest.len() == 2 && rest.chars().all(|c| c.is_ascii_digit()));
    code && (is_success(status) || is_error(status))
}

/// Whether a status code, `2XX` included, is one of success.
pub(crate) fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

/// Whether a status code, `4XX` included, is one of failure.
pub(crate) fn is_error(status: &str) -> bool {
    status.starts_with('4') || status.starts_with('5')
}

/// Whether a media type is JSON: `application/json` and whatever ends in `+json` (RFC 6839), such as problem documents.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}

fn items<'a>(list: Option<&'a Value>, at: &str) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let at = at.to_owned();
    let list = list.and_then(Value::as_array).into_iter().flatten().enumerate();
    list.map(move |(index, value)| (format!("{at}/{index}"), value))
}

#[cfg(test)]
mod tests;
