//! What operations take and answer with, in the one form that the generator and the runtime expect.

use heck::ToPascalCase;
use serde_json::{Map, Value, json};

use super::SCHEMAS;
use crate::document;
use crate::error::{Error, Result};
use crate::facts::is_transport_header;
use crate::pointer;

/// The runtime's type for what errors carry.
const PROBLEM: &str = "Problem";

/// The generator takes an answer for JSON only under the name `application/json`.
pub(super) fn content_types(document: &mut Value) {
    let shared = document.pointer_mut("/components/responses").and_then(Value::as_object_mut);
    let mut shared: Vec<&mut Value> = shared.into_iter().flat_map(Map::values_mut).collect();
    json_content(&mut shared);
    for operation in operations_mut(document) {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        let mut responses: Vec<&mut Value> = responses.into_iter().flat_map(Map::values_mut).collect();
        json_content(&mut responses);
    }
}

fn json_content(responses: &mut [&mut Value]) {
    for content in responses.iter_mut().filter_map(|response| response.get_mut("content")?.as_object_mut()) {
        let renamed = std::mem::take(content).into_iter().map(|(media_type, media)| {
            let name =
                if document::is_json(&media_type) { "application/json".to_owned() } else { media_type };
            (name, media)
        });
        *content = renamed.collect();
    }
}

/// Objects written inline in a request body or an answer become components, named after the operation.
pub(super) fn hoist_inline_objects(document: &mut Value) -> Result<()> {
    let mut hoisted = Map::new();
    for operation in operations_mut(document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_pascal_case();
        for (schema, word) in contents_mut(operation) {
            if schema.get("properties").is_some() {
                let name = format!("{id}{}", word.to_pascal_case());
                let reference = json!({ "$ref": format!("#{SCHEMAS}/{name}") });
                hoisted.insert(name, std::mem::replace(schema, reference));
            }
        }
    }
    let Some(root) = document.as_object_mut() else {
        return Ok(());
    };
    let components = root.entry("components").or_insert_with(|| json!({})).as_object_mut();
    let schemas = components.map(|components| components.entry("schemas").or_insert_with(|| json!({})));
    let Some(schemas) = schemas.and_then(Value::as_object_mut) else {
        return Ok(());
    };
    if let Some(name) = hoisted.keys().find(|name| schemas.contains_key(*name)) {
        return Err(Error::at(
            pointer::join(SCHEMAS, name),
            format!("`{name}` names a schema and an inline object of an operation"),
            "rename the schema, or refer to it in the operation",
        ));
    }
    schemas.extend(hoisted);
    Ok(())
}

/// Every error status of every operation carries the one problem type; returns the name that it has in the description, or
/// would have.
pub(super) fn errors(document: &mut Value) -> Result<String> {
    let mut problem: Option<String> = None;
    for operation in document::operations(document) {
        for (status, response) in
            operation.responses(document).filter(|(status, _)| document::is_error(status))
        {
            let content = response.get("content").and_then(Value::as_object).into_iter().flatten();
            for (_, media) in content.filter(|(media_type, _)| document::is_json(media_type)) {
                let at = format!("{}/responses/{status}", operation.pointer);
                let Some(name) = document::schema_name(&media["schema"]) else {
                    return Err(Error::at(
                        at,
                        "an error answer with a schema of its own",
                        "refer to the one problem schema",
                    ));
                };
                match &problem {
                    Some(first) if first != name => {
                        return Err(Error::at(
                            at,
                            format!("the error type is `{name}`, elsewhere it is `{first}`"),
                            "all errors carry one problem type: refer to the same schema",
                        ));
                    }
                    _ => problem = Some(name.to_owned()),
                }
            }
        }
    }
    if problem.as_ref().is_none_or(|name| name != PROBLEM)
        && document.pointer(SCHEMAS).is_some_and(|schemas| schemas.get(PROBLEM).is_some())
    {
        return Err(Error::at(
            pointer::join(SCHEMAS, PROBLEM),
            format!("the schema `{PROBLEM}` is not the one that errors carry"),
            "rename it, or let the error answers refer to it",
        ));
    }
    let name = problem.unwrap_or_else(|| PROBLEM.to_owned());
    let answer = json!({
        "description": "A problem.",
        "content": { "application/json": { "schema": { "$ref": format!("#{SCHEMAS}/{name}") } } },
    });
    for operation in operations_mut(document) {
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            responses.retain(|status, _| !document::is_error(status));
            responses.insert("4XX".to_owned(), answer.clone());
            responses.insert("5XX".to_owned(), answer.clone());
        }
    }
    Ok(name)
}

/// What the transport supplies is no parameter.
pub(super) fn transport_headers(document: &mut Value) {
    let parameters = document.pointer("/components/parameters").cloned().unwrap_or_default();
    let keep = |parameter: &Value| {
        let target =
            parameter["$ref"].as_str().and_then(|target| target.strip_prefix("#/components/parameters/"));
        !is_transport_header(target.map_or(parameter, |name| &parameters[name]))
    };
    for holder in path_items_mut(document) {
        let Some(item) = holder.as_object_mut() else { continue };
        for value in item.values_mut().filter(|value| value.is_object()) {
            if let Some(list) = value.get_mut("parameters").and_then(Value::as_array_mut) {
                list.retain(keep);
            }
        }
        if let Some(list) = item.get_mut("parameters").and_then(Value::as_array_mut) {
            list.retain(keep);
        }
    }
}

/// The schemas of what an operation takes and of what it answers with on success, with the word for it.
pub(super) fn contents_mut(operation: &mut Value) -> impl Iterator<Item = (&mut Value, &'static str)> {
    let parts = operation.as_object_mut().into_iter().flatten().flat_map(|(key, part)| match key.as_str() {
        "requestBody" => vec![(part, "body")],
        "responses" => {
            let responses = part.as_object_mut().into_iter().flatten();
            let success = responses.filter(|(status, _)| document::is_success(status));
            success.map(|(_, response)| (response, "response")).collect()
        }
        _ => Vec::new(),
    });
    parts.flat_map(|(part, word)| {
        let content = part.get_mut("content").and_then(Value::as_object_mut);
        let schemas =
            content.into_iter().flat_map(Map::values_mut).filter_map(|media| media.get_mut("schema"));
        schemas.map(move |schema| (schema, word))
    })
}

fn path_items_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut)
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    path_items_mut(document)
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
        .filter(|value| value.get("operationId").is_some())
}
