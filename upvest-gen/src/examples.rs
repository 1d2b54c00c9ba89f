//! The examples in a description, each with the type that reads it.
//!
//! ```
//! use upvest_gen::Source;
//! use upvest_gen::examples::{Example, examples};
//! use upvest_gen::model::{Content, Type};
//!
//! let spec = Source::new(
//!     "api.yaml",
//!     r#"
//! openapi: 3.1.0
//! info: { title: Orders, version: "1" }
//! paths:
//!   /orders:
//!     get:
//!       parameters: [{ name: day, in: query, schema: { type: string, format: date }, example: "2026-03-16" }]
//!       responses: { "204": { description: None. } }
//! "#,
//! );
//! let examples = examples(&spec, None)?;
//! assert_eq!(examples[0].value, "2026-03-16");
//! assert_eq!(examples[0].content, Content::Json(Type::Date));
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

use serde_json::Value;

use crate::describe::{Source, describe, model_of};
use crate::document;
use crate::error::Errors;
use crate::model::{Content, Type};
use crate::pointer;
use crate::survey::{Held, Survey, Visit};

/// An example of a schema, a parameter or a media type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Example {
    /// The place of the example, as a JSON pointer.
    pub at: String,
    /// The example.
    pub value: Value,
    /// The content type of the crate that reads the example.
    pub content: Content,
}

/// The examples of all values that have a type, in `spec` with `overlay` merged into it.
///
/// # Errors
///
/// As [`model`](fn@crate::model).
pub fn examples(spec: &Source, overlay: Option<&Source>) -> Result<Vec<Example>, Errors> {
    let document = describe(spec, overlay)?;
    let api = model_of(&document, spec)?;
    let mut examples: Vec<Example> = Vec::new();
    for visit in Survey::new(&document, &api).visits {
        let Some(content) = content(&visit.held) else {
            continue;
        };
        for (at, value) in values(&document, &visit) {
            let value = value.clone();
            let content = content.clone();
            let example = Example { at, value, content };
            if !examples.contains(&example) {
                examples.push(example);
            }
        }
    }
    Ok(examples)
}

/// Returns the content type that reads the values, if the crate has one.
fn content(held: &Held) -> Option<Content> {
    match held {
        Held::Typed(Type::Json) => None,
        Held::Typed(kind) => Some(Content::Json(kind.clone())),
        Held::List(item) => Some(Content::List(item.clone())),
        _ => None,
    }
}

/// Returns the examples of a value, with their places. They are in its schema, in the component to which it refers, and
/// in the media type or the parameter around it.
fn values<'a>(document: &'a Value, visit: &Visit<'a>) -> Vec<(String, &'a Value)> {
    let Some((at, schema)) = visit
        .members
        .places
        .first()
        .and_then(|at| Some((at, document.pointer(at)?)))
    else {
        return Vec::new();
    };
    let (target, component) = document::resolve_at(document, schema, at);
    let mut values = of_holder(document, schema, at);
    if target != *at {
        values.extend(of_holder(document, component, &target));
    }
    if let Some((around, holder)) = around(document, at) {
        values.extend(of_holder(document, holder, around));
    }
    values
}

/// Returns the parameter or the media type that has the schema at this place.
fn around<'a, 'p>(document: &'a Value, at: &'p str) -> Option<(&'p str, &'a Value)> {
    let around = at.strip_suffix("/schema")?;
    let holder = document.pointer(around)?;
    let is_media_type = around.rsplit('/').nth(1) == Some("content");
    (is_media_type || holder.get("in").is_some()).then_some((around, holder))
}

/// Returns `example` and all `examples`, which are a list in a schema, and elsewhere an object of objects with a
/// `value`.
fn of_holder<'a>(document: &'a Value, holder: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let single = holder.get("example");
    let mut values: Vec<(String, &Value)> = single
        .map(|value| (pointer::join(at, "example"), value))
        .into_iter()
        .collect();
    let several = pointer::join(at, "examples");
    match holder.get("examples") {
        Some(Value::Array(list)) => {
            let list = list.iter().enumerate();
            values.extend(list.map(|(index, value)| (format!("{several}/{index}"), value)));
        }
        Some(Value::Object(named)) => {
            for (name, example) in named {
                let at = pointer::join(&several, name);
                let (at, example) = document::resolve_at(document, example, &at);
                let value = example.get("value");
                values.extend(value.map(|value| (pointer::join(&at, "value"), value)));
            }
        }
        _ => {}
    }
    values
}
