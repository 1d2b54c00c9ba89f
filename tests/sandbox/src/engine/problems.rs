//! Writes error responses as the description defines them.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::Engine;
use super::values::Fill;
use super::words::plain;
use super::written::random_of;
use crate::description::{Operation, Response, Shape, is_json};

/// Fields with a sentence about the error, and with its code, without separators.
const SENTENCE: [&str; 7] = [
    "message",
    "detail",
    "description",
    "errordescription",
    "reason",
    "errormessage",
    "msg",
];
const CODE: [&str; 5] = ["code", "errorcode", "error", "type", "title"];

impl Engine {
    /// Returns the media type and the body of an error response, if the description has a schema for it that `problem`
    /// does not match.
    pub(crate) fn problem_body(
        &self,
        operation: &Operation,
        status: u16,
        problem: &Value,
        now: DateTime<Utc>,
    ) -> Option<(String, String)> {
        let response = described(operation, status)?;
        let (media_type, schema) = response.content.iter().find(|(it, _)| is_json(it))?;
        let media_type = match media_type.as_str() {
            "*/*" => "application/json".to_owned(),
            media_type => media_type.to_owned(),
        };
        let Some(schema) = schema else {
            return Some((media_type, problem.to_string()));
        };
        if schema.mismatches(problem).next().is_none() {
            return Some((media_type, problem.to_string()));
        }
        let document = self.description.schemas();
        let known = known_of(document, document.pointer(schema.place())?, problem, 0);
        let mut maker = self.maker(now, random_of(0), Fill::Known);
        let body = maker.valid_value(schema, Some(&known), "error");
        Some((media_type, body.to_string()))
    }
}

/// Returns the described response for a status: its own, the response for its range, or the default.
fn described(operation: &Operation, status: u16) -> Option<&Response> {
    let range = format!("{}XX", status / 100);
    let names = [status.to_string(), range, "default".to_owned()];
    let mut responses = names.iter().map(|name| {
        let mut responses = operation.responses.iter();
        responses.find(|response| response.status.eq_ignore_ascii_case(name))
    });
    responses.find_map(|response| response)
}

/// Returns the known values of an error's fields. Their usual names identify them.
fn known_of(document: &Value, schema: &Value, problem: &Value, depth: usize) -> Value {
    let shape = Shape::of(document, schema);
    let mut known = Map::new();
    for (name, schema) in shape.properties() {
        let property = Shape::of(document, schema);
        let plain = plain(name);
        let is_number = matches!(property.kind(), Some("integer" | "number"));
        let value = match property.kind() {
            Some("object") if depth < 2 => known_of(document, schema, problem, depth + 1),
            Some("array") => match property.items() {
                Some(items) if depth < 2 => json!([known_of(document, items, problem, depth + 1)]),
                _ => continue,
            },
            _ if is_number => problem["status"].clone(),
            _ if SENTENCE.contains(&plain.as_str()) => problem["detail"].clone(),
            _ if CODE.contains(&plain.as_str()) => problem["title"].clone(),
            _ => match problem.get(name) {
                Some(value) => value.clone(),
                None => continue,
            },
        };
        known.insert(name.to_owned(), value);
    }
    // A list of texts has no fields.
    if known.is_empty() && shape.kind() == Some("string") {
        return problem["detail"].clone();
    }
    Value::Object(known)
}
