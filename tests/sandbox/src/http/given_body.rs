//! Reads the body of a request: JSON, or a form.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::Value;

use super::built_in::FORM;
use super::call::GivenBody;
use super::media_types::is_in_range;
use super::problem::Problem;
use crate::description::{Operation, Schema, is_json};

/// Parses the body in a format of the operation: JSON, a form, or anything else as a text.
pub(crate) fn read_body<'a>(
    operation: &'a Operation,
    parts: &Parts,
    body: &Bytes,
) -> Result<GivenBody<'a>, Problem> {
    let Some(first) = operation.bodies.first() else {
        return Ok(GivenBody::default());
    };
    let given = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    if given.is_empty() && body.is_empty() && !operation.needs_body {
        return Ok(GivenBody::default());
    }
    let mut bodies = operation.bodies.iter();
    let fitting = bodies.find(|it| is_in_range_ignoring_case(given, &it.media_type));
    let Some(wanted) = fitting else {
        return Err(Problem::invalid(format!(
            "the request needs a body with the header `content-type: {}`",
            first.media_type
        )));
    };
    let value = if is_json(given) {
        serde_json::from_slice(body).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Problem::invalid(format!("the body is not valid JSON, at {place}"))
        })?
    } else if given.eq_ignore_ascii_case(FORM) {
        read_form(body, wanted.schema.as_ref())
    } else {
        // The schemas of files and of forms with files say nothing about the bytes.
        return Ok(GivenBody::default());
    };
    Ok(GivenBody {
        value,
        schema: wanted.schema.as_ref(),
    })
}

fn is_in_range_ignoring_case(media_type: &str, range: &str) -> bool {
    let range = range.split(';').next().unwrap_or_default().trim();
    is_in_range(
        &media_type.to_ascii_lowercase(),
        &range.to_ascii_lowercase(),
    )
}

/// Inserts a field of a form: `a[b]` is the field `b` of `a`. `a[]` and `a[0]` append an item to `a`.
fn insert_field(form: &mut Value, name: &str, value: String) {
    let value = Value::String(value);
    let Some((first, rest)) = name.split_once('[') else {
        form[name] = value;
        return;
    };
    let inner = &mut form[first];
    let (key, _) = rest.split_once(']').unwrap_or((rest, ""));
    // It is empty in `a[]`.
    let is_index = key.bytes().all(|byte| byte.is_ascii_digit());
    match inner {
        Value::Array(items) if is_index => items.push(value),
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        inner if is_index => *inner = Value::Array(vec![value]),
        inner => {
            let fields = [(key.to_owned(), value)];
            *inner = Value::Object(fields.into_iter().collect());
        }
    }
}

/// A form. A field that is not a text in the schema is read as JSON.
fn read_form(body: &Bytes, schema: Option<&Schema>) -> Value {
    let mut form = Value::Object(serde_json::Map::new());
    for (name, value) in form_urlencoded::parse(body) {
        insert_field(&mut form, &name, value.into_owned());
    }
    let mismatches: Vec<_> = schema
        .into_iter()
        .flat_map(|schema| schema.mismatches(&form))
        .collect();
    for mismatch in mismatches {
        let field = form.pointer_mut(&mismatch.at).filter(|it| it.is_string());
        if let Some(field) = field
            && let Some(Ok(value)) = field.as_str().map(serde_json::from_str::<Value>)
            && !value.is_string()
        {
            *field = value;
        }
    }
    form
}
