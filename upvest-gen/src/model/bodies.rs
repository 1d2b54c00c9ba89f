//! The bodies of requests.

use heck::ToPascalCase;

use super::api::{Body, Encoding, Field, Type};
use super::context::Context;
use super::media_types;
use super::references::check_target;
use super::types::Types;
use super::values;
use crate::document::Operation;
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
            "use application/json, application/x-www-form-urlencoded, application/octet-stream or text/plain",
        ));
    };
    let kind = match (encoding, media.get("schema")) {
        (Encoding::Json | Encoding::Form, Some(schema)) => {
            let at = media_types::schema_place(&at, media_type);
            let operation = id.to_pascal_case();
            let context = Context::of_operation(&operation, "body");
            values::value(types, schema, &at, &context).0
        }
        _ => Type::Json,
    };
    Ok(Some(Body {
        encoding,
        media_type: media_types::unusual(media_type, encoding),
        required: body["required"] == true,
        kind,
        description: body["description"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned(),
    }))
}

/// Checks that a form is an object whose fields are all single values. Its fields have been read.
pub(super) fn check_form<'a>(
    types: &Types<'a>,
    found: &Operation<'a>,
    body: &Body,
    id: &str,
) -> Result<()> {
    let is_single = |field: &Field| {
        !matches!(
            field.kind.present(),
            Type::Schema(_) | Type::List(_) | Type::Map(_)
        )
    };
    let fields = types.fields(&body.kind);
    let is_form = !fields.is_empty() && fields.iter().all(is_single);
    if body.encoding != Encoding::Form || is_form {
        return Ok(());
    }
    let at = found
        .request_body(types.document)
        .map_or_else(|| found.pointer.clone(), |(at, _)| at);
    Err(Error::at(
        at,
        format!("the form of {id} is not an object of single values"),
        "describe its fields as properties that are texts, numbers or booleans",
    ))
}
