//! Finds what the generator behind would trip over, and says it in the description's terms.

mod schemas;

use std::collections::BTreeMap;

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::{Value, json};

use crate::document::{self, Operation};
use crate::error::{Error, Result};
use crate::pointer;

/// Methods that the client has, or that its methods call on it.
const TAKEN_METHODS: [&str; 9] =
    ["api_version", "baseurl", "client", "clone", "exec", "inner", "new", "new_with_client", "post"];

/// Methods that a builder has, and names that its `send` uses.
const TAKEN_SETTERS: [&str; 11] = [
    "body",
    "body_map",
    "client",
    "header_map",
    "info",
    "new",
    "request",
    "response",
    "result",
    "send",
    "url",
];

/// Checks a 3.0 document and gives it back.
pub(crate) fn check(document: Value) -> Result<Value> {
    schemas::references(&document)?;
    schemas::components(&document)?;
    schemas::schemas(&document)?;
    paths(&document)?;
    let mut seen = BTreeMap::new();
    for operation in document::operations(&document) {
        method(&operation)?;
        operation_id(&operation, &mut seen)?;
        parameters(&document, &operation)?;
        request_body(&document, &operation)?;
        responses(&document, &operation)?;
    }
    Ok(document)
}

fn paths(document: &Value) -> Result<()> {
    let Some(paths) = document["paths"].as_object() else {
        return Err(Error::at("/paths", "there are no paths", "give a description with operations"));
    };
    if document::operations(document).next().is_none() {
        return Err(Error::at("/paths", "there are no operations", "give a description with operations"));
    }
    for (path, item) in paths {
        let at = pointer::join("/paths", path);
        if item.get("$ref").is_some() {
            return Err(Error::at(at, "the path item is a reference", "write the path item out"));
        }
        if !path.starts_with('/') || path.matches('{').count() != path.matches('}').count() {
            return Err(Error::at(
                at,
                format!("`{path}` is no path template"),
                "start it with a slash and close each brace",
            ));
        }
    }
    Ok(())
}

fn method(operation: &Operation<'_>) -> Result<()> {
    match operation.method {
        "options" | "trace" => Err(Error::at(
            &operation.pointer,
            format!("the client cannot send {}", operation.method.to_ascii_uppercase()),
            "remove the operation in the overlay",
        )),
        _ => Ok(()),
    }
}

fn operation_id(operation: &Operation<'_>, seen: &mut BTreeMap<String, String>) -> Result<()> {
    let at = pointer::join(&operation.pointer, "operationId");
    let id = operation.id();
    let method = id.to_snake_case();
    // The builder's name has to lead back to the method's.
    let clear = id.to_pascal_case().to_snake_case() == method;
    if !identifier(&method) || !clear || TAKEN_METHODS.contains(&method.as_str()) {
        return Err(Error::at(
            at,
            format!("`{id}` cannot name a method of the client"),
            "give the operation an `operationId` of words, as in `listOrders`",
        ));
    }
    distinct(seen, &method, id, &at, "operations", "method")
}

fn parameters(document: &Value, operation: &Operation<'_>) -> Result<()> {
    let mut seen = BTreeMap::new();
    let parameters = operation.parameters(document);
    for (at, parameter) in &parameters {
        self::parameter(parameter, at, operation)?;
        let name = parameter["name"].as_str().unwrap_or_default();
        distinct(&mut seen, &name.to_snake_case(), name, at, "parameters", "setter")?;
    }
    let template = operation.path;
    let in_path =
        |name: &str| parameters.iter().any(|(_, found)| found["in"] == "path" && found["name"] == name);
    let mut named = template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    match named.find(|name| !in_path(name)) {
        None => Ok(()),
        Some(name) => Err(Error::at(
            &operation.pointer,
            format!("`{template}` names `{name}`, which is no parameter"),
            "add the path parameter",
        )),
    }
}

fn parameter(parameter: &Value, at: &str, operation: &Operation<'_>) -> Result<()> {
    let error = |problem: String, remedy: &str| Err(Error::at(at, problem, remedy));
    let id = operation.id();
    let name = parameter["name"].as_str().unwrap_or_default();
    if !name.contains(|c: char| c.is_ascii_alphanumeric())
        || TAKEN_SETTERS.contains(&name.to_snake_case().as_str())
    {
        return error(format!("{name:?} cannot name a setter of {id}"), "give the parameter another `name`");
    }
    let place = parameter["in"].as_str().unwrap_or_default();
    let style = match place {
        "path" | "header" => "simple",
        "query" => "form",
        _ => {
            return error(
                format!("the parameter `{name}` of {id} is in {place:?}"),
                "use `path`, `query` or `header`",
            );
        }
    };
    if place == "path" && parameter["required"] != true {
        return error(format!("the path parameter `{name}` is not required"), "set `required: true`");
    }
    if place == "path" && !operation.path.contains(&format!("{{{name}}}")) {
        return error(
            format!("the path parameter `{name}` does not occur in `{}`", operation.path),
            "put it into the path, or make it a query parameter",
        );
    }
    if parameter.get("style").is_some_and(|found| found != style) {
        return error(format!("the style of `{name}` is {}", parameter["style"]), &format!("use `{style}`"));
    }
    match parameter.get("schema") {
        Some(_) => Ok(()),
        None => error(format!("the parameter `{name}` has no schema"), "describe it with `schema`"),
    }
}

fn request_body(document: &Value, operation: &Operation<'_>) -> Result<()> {
    let Some(body) = operation.value.get("requestBody") else {
        return Ok(());
    };
    let at = pointer::join(&operation.pointer, "requestBody");
    let content = document::resolve(document, body)["content"].as_object();
    let types: Vec<_> = content.into_iter().flatten().collect();
    let [(media_type, body)] = types.as_slice() else {
        return Err(Error::at(
            at,
            format!("{} takes {} request content types", operation.id(), types.len()),
            "keep one, by an overlay action that removes the others",
        ));
    };
    let supported = match media_type.as_str() {
        "application/json" | "application/x-www-form-urlencoded" => None,
        "application/octet-stream" => Some(json!("binary")),
        "text/plain" => Some(json!(null)),
        _ => {
            return Err(Error::at(
                at,
                format!("{} takes `{media_type}`", operation.id()),
                "use application/json, application/x-www-form-urlencoded, application/octet-stream or text/plain",
            ));
        }
    };
    if body.get("encoding").is_some() {
        return Err(Error::at(
            at,
            format!("{} gives its body an `encoding`", operation.id()),
            "leave it out",
        ));
    }
    let Some(schema) = body.get("schema") else {
        return Err(Error::at(
            at,
            format!("the request body of {} has no schema", operation.id()),
            "describe it with `schema`",
        ));
    };
    match supported {
        Some(format) if schema["type"] != "string" || schema["format"] != format => Err(Error::at(
            at,
            format!("the body of {} is described as something else than `{media_type}`", operation.id()),
            "describe it as a string, with `format: binary` for bytes",
        )),
        _ => Ok(()),
    }
}

fn responses(document: &Value, operation: &Operation<'_>) -> Result<()> {
    let at = pointer::join(&operation.pointer, "responses");
    let id = operation.id();
    let mut success: Option<(&str, Success)> = None;
    for (status, response) in operation.responses(document) {
        let at = pointer::join(&at, status);
        if !document::is_status(status) {
            return Err(Error::at(
                at,
                format!("{id} answers with {status:?}"),
                "describe answers of success and errors, such as `200`, `404` or `4XX`; \
                 every other status is an error with the problem type already",
            ));
        }
        let kind = kind(response, &at, id)?;
        match success {
            _ if !document::is_success(status) => {}
            Some((first, other)) if other != kind => {
                return Err(Error::at(
                    at,
                    format!("{id} has two success types, at {first} and {status}"),
                    "a call returns one type: keep one, or give both the same schema",
                ));
            }
            _ => success = Some((status, kind)),
        }
    }
    match success {
        Some(_) => Ok(()),
        None => {
            Err(Error::at(at, format!("{id} has no answer for success"), "describe at least one 2xx answer"))
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Success<'a> {
    Empty,
    Raw,
    Json(&'a Value),
}

fn kind<'a>(response: &'a Value, at: &str, id: &str) -> Result<Success<'a>> {
    let content = response.get("content").and_then(Value::as_object).into_iter().flatten();
    let (json, raw): (Vec<_>, Vec<_>) = content.partition(|(media_type, _)| document::is_json(media_type));
    match (json.as_slice(), raw.is_empty()) {
        ([], true) => Ok(Success::Empty),
        ([], false) => Ok(Success::Raw),
        ([(_, media)], true) => media.get("schema").map(Success::Json).ok_or_else(|| {
            Error::at(at, format!("a JSON answer of {id} has no schema"), "describe it with `schema`")
        }),
        _ => Err(Error::at(
            at,
            format!("an answer of {id} is JSON or something else"),
            "keep one content type, by an overlay action that removes the others",
        )),
    }
}

fn identifier(name: &str) -> bool {
    name.is_ascii() && syn::parse_str::<syn::Ident>(name).is_ok()
}

fn distinct(
    seen: &mut BTreeMap<String, String>,
    rust: &str,
    name: &str,
    at: &str,
    many: &str,
    one: &str,
) -> Result<()> {
    match seen.insert(rust.to_owned(), name.to_owned()) {
        None => Ok(()),
        Some(first) if first == name => {
            Err(Error::at(at, format!("two {many} are called `{name}`"), "rename one of them"))
        }
        Some(first) => Err(Error::at(
            at,
            format!("the {many} `{first}` and `{name}` would be one {one}, `{rust}`"),
            "rename one of them",
        )),
    }
}

#[cfg(test)]
mod tests;
