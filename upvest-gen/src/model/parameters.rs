//! The parameters of an operation.

use serde_json::Value;

use super::api::{Parameter, Place, Type};
use super::context::Context;
use super::media_types;
use super::names;
use super::references::check_target;
use super::types::Types;
use super::values;
use crate::document::{self, Operation};
use crate::error::{Error, Result};
use crate::pointer;

/// Headers that the client adds to each request. They are not parameters of an operation.
pub(crate) const TRANSPORT_HEADERS: [&str; 7] = [
    "accept",
    "authorization",
    "signature",
    "signature-input",
    "upvest-client-id",
    "upvest-api-version",
    IDEMPOTENCY_KEY,
];

/// Headers that OpenAPI tells tools to ignore, and headers of HTTP itself. The client sets them, so a caller must not.
const HEADERS_OF_HTTP: [&str; 19] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Reads the parameters that a caller sets, sorted by name. Their types are named after `entity`.
pub(super) fn read<'a>(
    types: &mut Types<'a>,
    found: &Operation<'a>,
    all: &[(String, &'a Value)],
    entity: &str,
    problems: &mut Vec<Error>,
) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for (at, value) in all {
        let mut headers = HEADERS_OF_HTTP.iter();
        if let Some(header) = headers.find(|header| is_header(value, header)) {
            note_ignored_header(types, at, header);
            continue;
        }
        let mut headers = TRANSPORT_HEADERS.iter();
        if headers.any(|header| is_header(value, header)) {
            continue;
        }
        match parameter(types, found, at, value, entity) {
            Ok(parameter) => parameters.push(parameter),
            Err(error) if can_do_without(value) => note_left_out(types, &error),
            Err(error) => problems.push(error),
        }
    }
    parameters.sort_by(|a, b| (&a.name, a.place as u8).cmp(&(&b.name, b.place as u8)));
    give_distinct_setters(&mut parameters);
    parameters
}

fn give_distinct_setters(parameters: &mut [Parameter]) {
    let texts: Vec<&str> = parameters.iter().map(|it| it.name.as_str()).collect();
    let wanted = parameters.iter().map(|it| it.setter.clone()).collect();
    let setters = names::distinct(&texts, wanted);
    for (parameter, setter) in parameters.iter_mut().zip(setters) {
        parameter.setter = setter;
    }
}

/// Adds a note, once per header, that the header is not a parameter.
fn note_ignored_header(types: &mut Types<'_>, at: &str, header: &str) {
    let problem = format!("the header `{header}` is not a parameter, as the client sets it itself");
    if !types.notes.iter().any(|note| note.problem() == problem) {
        types
            .notes
            .push(Error::at(at, problem, "remove it from the parameters"));
    }
}

/// Whether the operation can be called without the parameter.
fn can_do_without(parameter: &Value) -> bool {
    let is_reference = parameter.get("$ref").is_some();
    !is_reference && parameter["required"] != true && parameter["in"] != "path"
}

/// Adds a note, once per parameter, that the parameter is left out.
fn note_left_out(types: &mut Types<'_>, error: &Error) {
    let note = Error::at(
        error.pointer(),
        format!("{}, so the parameter is left out", error.problem()),
        error.remedy(),
    );
    if !types.notes.contains(&note) {
        types.notes.push(note);
    }
}

/// Whether the server supports an idempotency key.
pub(super) fn has_idempotency_key(parameters: &[(String, &Value)]) -> bool {
    parameters
        .iter()
        .any(|(_, parameter)| is_header(parameter, IDEMPOTENCY_KEY))
}

fn is_header(parameter: &Value, header: &str) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    parameter["in"] == "header" && name.eq_ignore_ascii_case(header)
}

fn parameter<'a>(
    types: &mut Types<'a>,
    found: &Operation<'a>,
    at: &str,
    value: &'a Value,
    entity: &str,
) -> Result<Parameter> {
    check_target(types.document, value, at)?;
    let name = value["name"].as_str().unwrap_or_default();
    let place = place(found, at, value, name)?;
    let (schema_at, schema) = schema(at, value, name)?;
    let json = is_json(value);
    let context = Context::new(entity, entity, name);
    let (kind, _) = values::value(types, schema, &schema_at, &context);
    let kind = if json {
        kind.without_null()
    } else {
        sendable(kind)
    };
    if !json && !is_single(&kind) {
        return Err(Error::at(
            at,
            format!("the parameter `{name}` is not a scalar"),
            "describe it as a text",
        ));
    }
    let is_joined = !json && place == Place::Query && value["explode"] == false;
    Ok(Parameter {
        name: name.to_owned(),
        setter: names::setter(value["x-rust-name"].as_str().unwrap_or(name)),
        place,
        required: place == Place::Path || value["required"] == true,
        joined: is_joined && matches!(kind, Type::List(_)),
        json,
        deprecated: value["deprecated"] == true || is_deprecated(types, schema, &schema_at),
        kind,
        description: value["description"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        default: default(types, schema, &schema_at),
    })
}

/// Whether the schema of a parameter is deprecated.
fn is_deprecated<'a>(types: &Types<'a>, schema: &'a Value, at: &str) -> bool {
    types
        .node(schema, at)
        .is_ok_and(|node| node.is_true("deprecated"))
}

/// Returns the value, as text, that the server uses if the parameter is missing.
fn default<'a>(types: &Types<'a>, schema: &'a Value, at: &str) -> Option<String> {
    let node = types.node(schema, at).ok()?;
    match node.keyword("default")? {
        Value::Array(values) if values.is_empty() => None,
        Value::Array(values) => {
            let texts: Option<Vec<String>> = values.iter().map(scalar).collect();
            Some(texts?.join(","))
        }
        value => scalar(value),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns the location of a parameter, or an error if the client cannot send it there.
fn place(found: &Operation<'_>, at: &str, value: &Value, name: &str) -> Result<Place> {
    let wrong = |problem: String, remedy: &str| Err(Error::at(at, problem, remedy));
    if name.is_empty() {
        return wrong(
            "the parameter does not have a name".to_owned(),
            "give it a `name`",
        );
    }
    let (place, style) = match value["in"].as_str() {
        Some("path") => (Place::Path, "simple"),
        Some("query") => (Place::Query, "form"),
        Some("header") => (Place::Header, "simple"),
        _ => {
            return wrong(
                format!("the parameter `{name}` is in {}", value["in"]),
                "use `path`, `query` or `header`",
            );
        }
    };
    if place == Place::Header && !is_header_name(name) {
        return wrong(
            format!("{name:?} is not the name of a header"),
            "use only the characters that RFC 9110 allows in a header name",
        );
    }
    if place == Place::Path && !found.path.contains(&format!("{{{name}}}")) {
        return wrong(
            format!(
                "the path parameter `{name}` does not occur in `{}`",
                found.path
            ),
            "put it into the path, or make it a query parameter",
        );
    }
    if value.get("style").is_some_and(|found| found != style) {
        return wrong(
            format!("the style of `{name}` is {}", value["style"]),
            &format!("use `{style}`"),
        );
    }
    Ok(place)
}

fn is_header_name(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// Returns the JSON pointer and the schema of a parameter. The schema is in `schema`, or in the first media type of
/// `content`.
fn schema<'a>(at: &str, value: &'a Value, name: &str) -> Result<(String, &'a Value)> {
    if let Some(schema) = value.get("schema") {
        return Ok((pointer::join(at, "schema"), schema));
    }
    let first = media_types::contents(value).next();
    let schema = first.and_then(|(media_type, media)| Some((media_type, media.get("schema")?)));
    match schema {
        Some((media_type, schema)) => Ok((media_types::schema_place(at, media_type), schema)),
        None => Err(Error::at(
            at,
            format!("the parameter `{name}` has no schema"),
            "describe it with `schema`",
        )),
    }
}

/// Whether the value is written as JSON, because its schema is in a `content` of JSON.
fn is_json(value: &Value) -> bool {
    let mut contents = media_types::contents(value);
    let is_json = contents
        .next()
        .is_some_and(|(name, _)| document::is_json(name));
    is_json && value.get("schema").is_none()
}

/// Returns the type without `null`. Neither a parameter nor the items of a list in it can be `null`.
fn sendable(kind: Type) -> Type {
    match kind.without_null() {
        Type::List(items) => Type::List(Box::new(items.without_null())),
        kind => kind,
    }
}

/// Whether a parameter can hold the value, which must be a scalar or a list of scalars.
fn is_single(kind: &Type) -> bool {
    let value = match kind {
        Type::List(items) => items,
        kind => kind,
    };
    !matches!(
        value,
        Type::Schema(_) | Type::List(_) | Type::Map(_) | Type::Nullable(_) | Type::OrEmpty(_)
    )
}
