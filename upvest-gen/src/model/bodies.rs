//! The bodies of requests.

use heck::ToPascalCase;
use serde_json::Value;

use super::api::{Body, Encoding, Field, FormField, FormStyle, Type};
use super::context::Context;
use super::media_types;
use super::references::check_target;
use super::types::Types;
use super::values;
use crate::document::{self, Operation};
use crate::error::{Error, Result};

/// The body of a request, if the operation has one.
pub(super) fn read<'a>(
    types: &mut Types<'a>,
    found: &Operation<'a>,
    id: &str,
) -> Result<Option<Body>> {
    let Some((at, body)) = found.request_body(types.document) else {
        return Ok(None);
    };
    check_target(types.document, body, &at)?;
    let encodings = media_types::contents(body).filter_map(|(name, media)| {
        let encoding = media_types::encoding(types.document, name, media)?;
        Some((encoding, name, media))
    });
    let preferred = encodings.min_by_key(|(encoding, ..)| *encoding as u8);
    let Some((encoding, media_type, media)) = preferred else {
        let types: Vec<&str> = media_types::media_types(body).collect();
        let problem = if types.is_empty() {
            format!("the request body of {id} has no media type")
        } else {
            format!("{id} takes `{}`", types.join("`, `"))
        };
        return Err(Error::at(
            at,
            problem,
            "use application/json, application/x-www-form-urlencoded, application/octet-stream or text/plain, or send it \
             by the method `request` of `Upvest`, which takes a body of any media type",
        ));
    };
    let kind = match (encoding, media.get("schema")) {
        (Encoding::Json | Encoding::Form, Some(schema)) => {
            let at = media_types::schema_place(&at, media_type);
            let operation = id.to_pascal_case();
            let context = Context::of_operation(&operation, "body");
            values::value(types, schema, &at, &context).0.without_null()
        }
        _ => Type::Json,
    };
    Ok(Some(Body {
        encoding,
        media_type: media_types::explicit_media_type(media_type, encoding),
        required: body["required"] == true,
        kind,
        fields: if encoding == Encoding::Form {
            form_fields(media)
        } else {
            Vec::new()
        },
        description: body["description"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned(),
    }))
}

/// Returns the form fields whose `encoding` differs from the usual one.
fn form_fields(media: &Value) -> Vec<FormField> {
    let encodings = media["encoding"].as_object().into_iter().flatten();
    let fields = encodings.filter_map(|(name, encoding)| {
        Some(FormField {
            name: name.clone(),
            style: form_style(encoding)?,
        })
    });
    fields.collect()
}

/// Returns the format that `encoding` gives a form field. `None` for the usual format.
fn form_style(encoding: &Value) -> Option<FormStyle> {
    if encoding["contentType"]
        .as_str()
        .is_some_and(document::is_json)
    {
        return Some(FormStyle::Json);
    }
    match (encoding["style"].as_str(), encoding["explode"].as_bool()) {
        (None | Some("form"), Some(false)) => Some(FormStyle::Joined(",")),
        (Some("spaceDelimited"), None | Some(false)) => Some(FormStyle::Joined("%20")),
        (Some("pipeDelimited"), None | Some(false)) => Some(FormStyle::Joined("%7C")),
        _ => None,
    }
}

/// Checks that the fields of a form can be written: as scalars, as lists of scalars, or as JSON. The schemas must have
/// been read before. Adds a note for each optional field that cannot be written.
pub(super) fn check_form<'a>(
    types: &mut Types<'a>,
    found: &Operation<'a>,
    body: &Body,
    id: &str,
) -> Result<()> {
    if body.encoding != Encoding::Form {
        return Ok(());
    }
    let at = found
        .request_body(types.document)
        .map_or_else(|| found.pointer.clone(), |(at, _)| at);
    let remedy = "describe it as a text, a number, a boolean or a list of these, or give it the `contentType` \
                  `application/json` in `encoding`";
    let fields = types.fields(&body.kind);
    if fields.is_empty() {
        let problem = format!("the form of {id} is not an object with properties");
        return Err(Error::at(
            at,
            problem,
            "describe its fields as `properties`",
        ));
    }
    let mut notes = Vec::new();
    for field in fields.iter().filter(|field| !can_be_written(body, field)) {
        let name = &field.name;
        let problem = format!(
            "the field `{name}` in the form of {id} is neither a scalar nor a list of scalars"
        );
        if field.required && !field.extra {
            return Err(Error::at(at, problem, remedy));
        }
        notes.push(Error::at(
            &at,
            format!("{problem}, so a call that sets it is an error"),
            remedy,
        ));
    }
    types.notes.extend(notes);
    Ok(())
}

fn can_be_written(body: &Body, field: &Field) -> bool {
    let value = match field.kind.present() {
        Type::List(items) => items.present(),
        Type::Map(values) if field.extra => values.present(),
        kind => kind,
    };
    let is_json = |it: &FormField| it.name == field.name && it.style == FormStyle::Json;
    let is_single = !matches!(value, Type::Schema(_) | Type::List(_) | Type::Map(_));
    is_single || body.fields.iter().any(is_json)
}
