//! What the operation table says of each operation: read before `shape` takes it out of the document.

use heck::ToSnakeCase;
use serde_json::Value;

use crate::document::{self, Operation};

/// Headers that the transport supplies: no parameters of an operation.
const TRANSPORT_HEADERS: [&str; 6] = [
    "authorization",
    "signature",
    "signature-input",
    "upvest-client-id",
    "upvest-api-version",
    IDEMPOTENCY_KEY,
];

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Whether a parameter is one that the transport supplies.
pub(crate) fn is_transport_header(parameter: &Value) -> bool {
    TRANSPORT_HEADERS.iter().any(|header| is_header(parameter, header))
}

fn is_header(parameter: &Value, header: &str) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    parameter["in"] == "header" && name.eq_ignore_ascii_case(header)
}

/// The facts of one operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OperationFacts {
    pub(crate) id: String,
    /// The name of the client's method.
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) tag: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) idempotency_key: bool,
    /// Default, least and greatest `limit`.
    pub(crate) paging: Option<[u64; 3]>,
    pub(crate) accept: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    /// Parameters by name, with what they mean.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    pub(crate) success: String,
    /// Error statuses with what they mean.
    pub(crate) errors: Vec<(String, String)>,
}

/// Reads the facts of all operations, in the order of the document.
pub(crate) fn facts(document: &Value) -> Vec<OperationFacts> {
    document::operations(document).map(|operation| read(document, &operation)).collect()
}

fn read(document: &Value, operation: &Operation<'_>) -> OperationFacts {
    let value = operation.value;
    let parameters = operation.parameters(document);
    let named = |name: &str| parameters.iter().map(|(_, parameter)| *parameter).find(|p| p["name"] == name);
    let described = |(status, response): (&str, &Value)| (status.to_owned(), text(response, "description"));
    let (success, errors): (Vec<_>, Vec<_>) =
        operation.responses(document).partition(|(status, _)| !document::is_error(status));
    OperationFacts {
        id: operation.id().to_owned(),
        name: operation.id().to_snake_case(),
        method: operation.method.to_ascii_uppercase(),
        path: operation.path.to_owned(),
        tag: value["tags"][0].as_str().unwrap_or_default().to_owned(),
        scopes: scopes(value.get("security").or_else(|| document.get("security"))),
        idempotency_key: parameters.iter().any(|(_, parameter)| is_header(parameter, IDEMPOTENCY_KEY)),
        paging: named("offset").and(named("limit")).map(|limit| {
            let bound = |name: &str, absent| limit["schema"][name].as_u64().unwrap_or(absent);
            let max = bound("maximum", u64::from(u32::MAX));
            [bound("default", max), bound("minimum", 1), max]
        }),
        accept: accept(&success),
        summary: text(value, "summary"),
        description: text(value, "description"),
        parameters: parameters
            .iter()
            .filter(|(_, parameter)| !is_transport_header(parameter))
            .map(|(_, parameter)| (text(parameter, "name"), text(parameter, "description")))
            .collect(),
        body: value.get("requestBody").map(|body| text(document::resolve(document, body), "description")),
        success: success.first().map(|(_, response)| text(response, "description")).unwrap_or_default(),
        errors: errors.into_iter().map(described).collect(),
    }
}

fn scopes(security: Option<&Value>) -> Vec<String> {
    let requirements = security.and_then(Value::as_array).into_iter().flatten();
    let mut scopes: Vec<String> = requirements
        .filter_map(Value::as_object)
        .flat_map(|requirement| requirement.values())
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// The media types of the success answers; an answer without content leaves its errors, which are JSON.
fn accept(success: &[(&str, &Value)]) -> String {
    let contents = success.iter().filter_map(|(_, response)| response.get("content")?.as_object());
    let mut types: Vec<&str> = Vec::new();
    for media_type in contents.flat_map(|content| content.keys()) {
        if !types.contains(&media_type.as_str()) {
            types.push(media_type);
        }
    }
    match types.as_slice() {
        [] => "application/json".to_owned(),
        types => types.join(", "),
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests;
