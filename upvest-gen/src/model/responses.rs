//! The responses of an operation.

use heck::ToPascalCase;
use serde_json::Value;

use super::api::{Content, Response, Type};
use super::context::Context;
use super::lists;
use super::media_types;
use super::names;
use super::sameness;
use super::types::Types;
use super::values;
use crate::document::{self, Operation};
use crate::error::{Error, Result};
use crate::normalize::Part;
use crate::pointer;

/// A success response with its place.
pub(super) type DescribedResponse<'a> = (String, &'a Value);

/// Returns the success responses, with their places.
pub(super) fn success<'a>(types: &Types<'a>, found: &Operation<'a>) -> Vec<DescribedResponse<'a>> {
    let at = pointer::join(&found.pointer, "responses");
    let responses = found.value["responses"].as_object().into_iter().flatten();
    let success = responses.filter(|(status, _)| found.is_success(status));
    success
        .map(|(status, response)| {
            document::resolve_at(types.document, response, &pointer::join(&at, status))
        })
        .collect()
}

/// Returns a note if `default` is read as the success response.
pub(super) fn note_of_default(found: &Operation<'_>, id: &str) -> Option<Error> {
    let has_default = found.value["responses"].get("default").is_some();
    if found.has_success_status() || !has_default {
        return None;
    }
    let at = pointer::join(&found.pointer, "responses");
    Some(Error::at(
        pointer::join(&at, "default"),
        format!("{id} has no 2xx response, so `default` is read as its response for success"),
        "describe a 2xx response, if `default` describes errors",
    ))
}

/// The error statuses with their descriptions.
pub(super) fn errors(types: &Types<'_>, found: &Operation<'_>) -> Vec<(String, String)> {
    found
        .responses(types.document)
        .filter(|(status, _)| document::is_error(status))
        .map(|(status, response)| (status.to_owned(), description(response)))
        .collect()
}

/// Returns the entity of the items, if the response is a list of components or of objects with a title.
pub(super) fn item_entity<'a>(
    types: &Types<'a>,
    success: &[DescribedResponse<'a>],
) -> Option<String> {
    let mut schemas = success
        .iter()
        .flat_map(|(at, response)| media_types::json_schemas(types.document, response, at));
    schemas.find_map(|(at, schema)| {
        let response = types.node(schema, &at).ok()?;
        let mut properties = response.properties.iter();
        let data = properties.find(|property| property.name == "data")?;
        let items = types.part(data).ok()?;
        let item = types.part(items.items.as_ref()?).ok()?;
        let subject = |title| types.entities.subject(title);
        item.component
            .map(names::entity)
            .or_else(|| item.text("title").map(subject))
    })
}

/// All JSON success responses.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The types of these responses.
    all: Vec<Content>,
    /// Whether one of them may be `null` instead of a list.
    may_lack_list: bool,
    /// Whether one of them is a list whose `data` may be missing.
    may_lack_data: bool,
}

/// Reads all JSON success responses.
pub(super) fn contents<'a>(
    types: &mut Types<'a>,
    success: &[DescribedResponse<'a>],
    id: &str,
) -> Contents {
    let operation = id.to_pascal_case();
    let context = Context::of_operation(&operation, "response");
    let mut contents = Contents::default();
    for schema in schemas(types, success) {
        let found = content(types, schema.value, &schema.at, &context, &mut contents);
        contents.all.push(found);
    }
    contents
}

fn schemas<'a>(types: &Types<'a>, success: &[DescribedResponse<'a>]) -> Vec<Part<'a>> {
    let schemas = success
        .iter()
        .flat_map(|(at, response)| media_types::json_schemas(types.document, response, at));
    schemas
        .map(|(at, schema)| Part::new("response", at, schema))
        .collect()
}

/// Joins the types of several success responses into one that holds all of them, and adds a note. The objects in
/// `contents` must have been read before.
pub(super) fn join<'a>(
    types: &mut Types<'a>,
    found: &Operation<'a>,
    success: &[DescribedResponse<'a>],
    contents: &mut Contents,
    id: &str,
) {
    contents.all = distinct(types, std::mem::take(&mut contents.all));
    let number = contents.all.len();
    if number < 2 {
        return;
    }
    let operation = id.to_pascal_case();
    let context = Context::of_operation(&operation, "response");
    let schemas = schemas(types, success);
    let joined = json(values::any(types, &schemas, &context));
    types.notes.push(Error::at(
        pointer::join(&found.pointer, "responses"),
        format!(
            "{id} has {number} different types for success, which are read as {}",
            words(&joined)
        ),
        "give all its success answers the same schema, as a call returns one type",
    ));
    *contents = Contents {
        all: vec![joined],
        ..Contents::default()
    };
}

fn words(content: &Content) -> &'static str {
    match content {
        Content::Json(Type::Schema(_)) => "one object that may have the fields of each",
        Content::Json(Type::Json) => "any JSON",
        _ => "one type that holds all of them",
    }
}

fn content<'a>(
    types: &mut Types<'a>,
    schema: &'a Value,
    at: &str,
    context: &Context<'_>,
    contents: &mut Contents,
) -> Content {
    if let Some(list) = lists::list(types, schema, at)
        && let Some(item) = list.items(types, context)
    {
        contents.may_lack_list |= list.is_nullable;
        contents.may_lack_data |= list.may_lack_data;
        return Content::List(item);
    }
    json(values::value(types, schema, at, context))
}

/// JSON of a type that may be null.
fn json((kind, is_nullable): (Type, bool)) -> Content {
    Content::Json(if is_nullable { kind.or_null() } else { kind })
}

/// Builds the success response of an operation. Its JSON has the only type in `contents`.
pub(super) fn answer(
    found: &Operation<'_>,
    success: &[DescribedResponse<'_>],
    mut contents: Contents,
    id: &str,
) -> Result<Response> {
    let at = pointer::join(&found.pointer, "responses");
    let Some((_, first)) = success.first() else {
        return Err(Error::at(
            at,
            format!("{id} has no success response"),
            "describe at least one 2xx answer",
        ));
    };
    let media_types: Vec<&str> = success
        .iter()
        .flat_map(|(_, response)| media_types::media_types(response))
        .collect();
    let is_without_body =
        |(_, response): &DescribedResponse<'_>| media_types::media_types(response).next().is_none();
    let may_lack_body = contents.may_lack_list || success.iter().any(is_without_body);
    let content = match contents.all.pop() {
        _ if found.method == "head" => Content::Empty,
        None if media_types.is_empty() => Content::Empty,
        None => Content::Binary,
        Some(content) => content,
    };
    if let Some(strange) = media_types.iter().find(|name| !is_media_type(name)) {
        return Err(Error::at(
            at,
            format!("the media type {strange:?} is invalid"),
            "use one such as `application/json`",
        ));
    }
    let optional = may_lack_body && matches!(content, Content::Json(_) | Content::List(_));
    let content = match content {
        Content::Json(Type::Nullable(kind)) if optional => Content::Json(*kind),
        content => content,
    };
    Ok(Response {
        optional,
        may_lack_data: contents.may_lack_data,
        accept: accept(&media_types, &content),
        download: download(&media_types, &content),
        content,
        description: description(first),
    })
}

fn distinct(types: &Types<'_>, contents: Vec<Content>) -> Vec<Content> {
    let mut distinct: Vec<Content> = Vec::new();
    for content in contents {
        let is_known = distinct
            .iter()
            .any(|known| sameness::is_same_content(types.drafts(), known, &content));
        if !is_known {
            distinct.push(content);
        }
    }
    distinct
}

fn is_media_type(name: &str) -> bool {
    name.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

/// Returns the value of the header `accept`. It is JSON if the response has no content, because errors are JSON.
fn accept(media_types: &[&str], content: &Content) -> String {
    let mut accept: Vec<&str> = Vec::new();
    for media_type in media_types {
        let is_range = document::is_range(media_type) && *content != Content::Binary;
        let media_type = if is_range {
            &"application/json"
        } else {
            media_type
        };
        let is_readable = *content == Content::Binary || document::is_json(media_type);
        if is_readable && !accept.contains(media_type) {
            accept.push(media_type);
        }
    }
    if accept.is_empty() {
        "application/json".to_owned()
    } else {
        accept.join(", ")
    }
}

/// Returns the other media types in which the response can be downloaded.
fn download(media_types: &[&str], content: &Content) -> Option<String> {
    let mut others = media_types.to_vec();
    others.retain(|name| !document::is_json(name));
    let has_both = !others.is_empty() && *content != Content::Binary;
    has_both.then(|| others.join(", "))
}

fn description(response: &Value) -> String {
    response["description"]
        .as_str()
        .unwrap_or_default()
        .trim()
        .to_owned()
}
