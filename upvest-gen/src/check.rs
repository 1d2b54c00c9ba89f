//! Finds what the generator behind would trip over, and says it in the description's terms.

use std::collections::BTreeMap;

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::Value;

use crate::document::{self, Operation};
use crate::error::{Error, Result};
use crate::pointer;

/// Names of Rust that generated code uses bare, so that no schema may have them.
const TAKEN: [&str; 8] = ["Option", "Vec", "String", "Result", "Box", "Client", "Some", "None"];

/// Checks a 3.0 document and gives it back.
pub(crate) fn check(document: Value) -> Result<Value> {
    references(&document)?;
    schemas(&document)?;
    paths(&document)?;
    let mut seen = BTreeMap::new();
    for operation in document::operations(&document) {
        operation_id(&operation, &mut seen)?;
        parameters(&document, &operation)?;
        request_body(&document, &operation)?;
        responses(&document, &operation)?;
    }
    Ok(document)
}

fn references(document: &Value) -> Result<()> {
    pointer::visit(document, "", &mut |at, object| {
        let Some(target) = object.get("$ref").and_then(Value::as_str) else {
            return Ok(());
        };
        let Some(local) = target.strip_prefix('#') else {
            return Err(Error::at(
                at,
                format!("the reference `{target}` leaves the document"),
                "copy its target into `components`",
            ));
        };
        match document.pointer(local) {
            Some(_) => Ok(()),
            None => Err(Error::at(
                at,
                format!("the reference `{target}` leads nowhere"),
                "correct it, or add its target",
            )),
        }
    })
}

fn schemas(document: &Value) -> Result<()> {
    let at = "/components/schemas";
    let Some(schemas) = document.pointer(at).and_then(Value::as_object) else {
        return Ok(());
    };
    let mut seen = BTreeMap::new();
    for (name, schema) in schemas {
        let at = pointer::join(at, name);
        let rust = name.to_pascal_case();
        if !identifier(&rust) || TAKEN.contains(&rust.as_str()) {
            return Err(Error::at(at, format!("`{name}` cannot name a Rust type"), "rename the schema"));
        }
        distinct(&mut seen, rust, name, &at, "schemas", "type")?;
        properties(schema, &at)?;
    }
    Ok(())
}

fn properties(schema: &Value, at: &str) -> Result<()> {
    pointer::visit(schema, at, &mut |at, object| {
        // A property may itself be called `properties`; only one that holds objects is the keyword.
        let Some(properties) = object.get("properties").and_then(Value::as_object) else {
            return Ok(());
        };
        let mut seen = BTreeMap::new();
        for name in properties.keys() {
            let at = pointer::join(&pointer::join(at, "properties"), name);
            distinct(&mut seen, name.to_snake_case(), name, &at, "properties", "field")?;
        }
        Ok(())
    })
}

fn paths(document: &Value) -> Result<()> {
    let Some(paths) = document["paths"].as_object() else {
        return Err(Error::at("/paths", "there are no paths", "give a description with operations"));
    };
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

fn operation_id(operation: &Operation<'_>, seen: &mut BTreeMap<String, String>) -> Result<()> {
    let at = pointer::join(&operation.pointer, "operationId");
    let id = operation.id();
    if !identifier(&id.to_snake_case()) {
        return Err(Error::at(
            at,
            format!("`{id}` cannot name a method"),
            "give the operation an `operationId` of letters and digits",
        ));
    }
    distinct(seen, id.to_snake_case(), id, &at, "operations", "method")
}

fn parameters(document: &Value, operation: &Operation<'_>) -> Result<()> {
    let mut in_path = Vec::new();
    for (at, parameter) in operation.parameters(document) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let place = parameter["in"].as_str().unwrap_or_default();
        let style = match place {
            "path" => {
                in_path.push(name);
                if parameter["required"] != true {
                    return Err(Error::at(
                        at,
                        format!("the path parameter `{name}` is not required"),
                        "set `required: true`",
                    ));
                }
                "simple"
            }
            "query" => "form",
            "header" => "simple",
            _ => {
                return Err(Error::at(
                    at,
                    format!("the parameter `{name}` of {} is in {place:?}", operation.id()),
                    "use `path`, `query` or `header`",
                ));
            }
        };
        if parameter.get("style").is_some_and(|found| found != style) {
            return Err(Error::at(
                at,
                format!("the style of `{name}` is {}", parameter["style"]),
                format!("use `{style}`"),
            ));
        }
        if parameter.get("schema").is_none() {
            return Err(Error::at(
                at,
                format!("the parameter `{name}` has no schema"),
                "describe it with `schema`",
            ));
        }
    }
    let template = operation.path;
    let named = template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    for name in named.clone().filter(|name| !in_path.contains(name)) {
        return Err(Error::at(
            &operation.pointer,
            format!("`{template}` names `{name}`, which is no parameter"),
            "add the path parameter",
        ));
    }
    let named: Vec<_> = named.collect();
    match in_path.iter().find(|name| !named.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Error::at(
            &operation.pointer,
            format!("the path parameter `{name}` does not occur in `{template}`"),
            "put it into the path, or make it a query parameter",
        )),
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
    let supported =
        ["application/json", "application/x-www-form-urlencoded", "application/octet-stream", "text/plain"];
    if !supported.contains(&media_type.as_str()) {
        return Err(Error::at(
            at,
            format!("{} takes `{media_type}`", operation.id()),
            format!("use one of {}", supported.join(", ")),
        ));
    }
    match body.get("schema") {
        Some(_) => Ok(()),
        None => {
            Err(Error::at(at, format!("the request body of {} has no schema", operation.id()), "describe it"))
        }
    }
}

fn responses(document: &Value, operation: &Operation<'_>) -> Result<()> {
    let at = pointer::join(&operation.pointer, "responses");
    let id = operation.id();
    let mut success: Option<(&str, Success)> = None;
    for (status, response) in operation.responses(document) {
        let at = pointer::join(&at, status);
        let kind = kind(response).ok_or_else(|| {
            Error::at(
                &at,
                format!("the JSON answer {status} of {id} has no schema"),
                "describe it with `schema`",
            )
        })?;
        if status == "default"
            && operation.responses(document).any(|(status, _)| document::is_success(status))
        {
            return Err(Error::at(
                at,
                format!("{id} has a `default` answer beside one for success"),
                "every error carries the problem type already: remove `default` in the overlay",
            ));
        }
        if !document::is_success(status) && status != "default" {
            continue;
        }
        match success {
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

/// `None` where a JSON answer lacks its schema.
fn kind(response: &Value) -> Option<Success<'_>> {
    let content = response.get("content").and_then(Value::as_object);
    let mut content = content.into_iter().flatten().peekable();
    if content.peek().is_none() {
        return Some(Success::Empty);
    }
    match content.find(|(media_type, _)| document::is_json(media_type)) {
        Some((_, body)) => body.get("schema").map(Success::Json),
        None => Some(Success::Raw),
    }
}

fn identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn distinct(
    seen: &mut BTreeMap<String, String>,
    rust: String,
    name: &str,
    at: &str,
    many: &str,
    one: &str,
) -> Result<()> {
    match seen.insert(rust.clone(), name.to_owned()) {
        None => Ok(()),
        Some(first) if first == name => {
            Err(Error::at(at, format!("two {many} are called `{name}`"), "rename one of them"))
        }
        Some(first) => Err(Error::at(
            at,
            format!("the {many} `{first}` and `{name}` would be one {one}, `{rust}`"),
            "rename one of them in the overlay",
        )),
    }
}
