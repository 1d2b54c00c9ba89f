//! Parses YAML or JSON into a document.

pub(crate) mod texts;
mod tree;

use std::thread;

use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Error as YamlError, UserMessageFormatter};

use crate::error::{Error, Result};
use tree::{InJson, InYaml};

/// The maximum depth of nested lists and objects, the same as in the JSON parser.
const DEEPEST: usize = 128;

/// The stack of the YAML parser, which needs up to 40 kB for each level in a debug build.
const STACK: usize = 16 << 20;

/// The maximum number of values in a description.
const MAX_VALUES: usize = 20_000_000;

/// Parses `text` and checks that it is an OpenAPI document of a supported version.
pub(crate) fn load(text: &str) -> Result<Value> {
    let document = parse(text)?;
    if let Some(version) = document.get("swagger") {
        return Err(Error::at(
            "/swagger",
            format!("this is Swagger {version}, which is OpenAPI 2"),
            "convert it to OpenAPI 3, for example with the converter of editor.swagger.io",
        )
        .within(&document));
    }
    let problem = match document.get("openapi") {
        Some(Value::String(version))
            if version.starts_with("3.0.") || version.starts_with("3.1.") =>
        {
            return Ok(document);
        }
        Some(version) => format!("the OpenAPI version {version} is not supported"),
        None if document.is_object() => "the field `openapi` is missing".to_owned(),
        None => "the description is empty, or is not an object".to_owned(),
    };
    let remedy = "use OpenAPI 3.0.x or 3.1.x, with `openapi` as a string";
    Err(Error::at("/openapi", problem, remedy).within(&document))
}

/// Parses a YAML text. JSON is a subset of YAML.
pub(crate) fn parse(text: &str) -> Result<Value> {
    // The JSON parser is many times faster, but does not know places. So the YAML parser finds the errors.
    if let Some(value) = parse_json(text) {
        return Ok(value);
    }
    thread::scope(|scope| {
        let parser = thread::Builder::new().stack_size(STACK);
        let parser = parser.spawn_scoped(scope, || parse_yaml(text));
        let parser = parser.map_err(|error| {
            let problem = format!("the parser cannot be started: {error}");
            Error::at("", problem, "end other programs, and try again")
        })?;
        parser
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Parses a JSON text. `None` if it has a problem, or a value whose exact text is needed.
fn parse_json(text: &str) -> Option<Value> {
    let tree = serde_json::from_str::<InJson>(text).ok()?;
    let (mut value, _) = tree::value(tree, text).ok()?;
    texts::restore(&mut value, None).ok()?;
    Some(value)
}

fn parse_yaml(text: &str) -> Result<Value> {
    let options = serde_saphyr::options! {
        // In YAML 1.2, `NO` (for example Norway's country code) is a string, not a boolean.
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_events: 2 * MAX_VALUES,
            max_nodes: MAX_VALUES,
        },
    };
    let tree = serde_saphyr::from_str_with_options::<InYaml>(text, options);
    let tree = tree.map_err(|error| syntax(&error, text))?;
    let (mut value, sources) = tree::value(tree, text)?;
    texts::restore(&mut value, Some(&sources))?;
    Ok(value)
}

fn syntax(error: &YamlError, source: &str) -> Error {
    let place = match error.location() {
        Some(at) => tree::place(at),
        None => String::new(),
    };
    let text = error.without_snippet().to_string();
    if is_about_depth(&text) {
        return Error::at(
            place,
            format!("lists and objects are nested more than {DEEPEST} levels deep"),
            "move inner schemas to `components/schemas`, and refer to them",
        );
    }
    if let Some(error) = error_of_json(source) {
        return error;
    }
    let message = error
        .without_snippet()
        .render_with_formatter(&UserMessageFormatter);
    if message.contains("limits breached") {
        return Error::at(
            place,
            "the description is too large, or its aliases repeat too much",
            "divide the description, or replace aliases by references",
        );
    }
    // The place is already before the message.
    let message = message.split(" at line ").next().unwrap_or_default();
    let message = message.replace("string scalar", "a text");
    Error::at(
        place,
        format!("invalid YAML: {message}"),
        "correct the syntax at this place",
    )
}

/// Returns the syntax error of the JSON parser, if the text begins like JSON: with `{"`.
fn error_of_json(source: &str) -> Option<Error> {
    let inside = source.trim_start().strip_prefix('{')?;
    if !inside.trim_start().starts_with('"') {
        return None;
    }
    let error = serde_json::from_str::<InJson>(source).err()?;
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    Some(Error::at(
        format!("line {} column {}", error.line(), error.column()),
        format!("invalid JSON: {message}"),
        "correct the syntax at this place",
    ))
}

fn is_about_depth(text: &str) -> bool {
    text.contains("Depth") || text.contains("recursion limit")
}

#[cfg(test)]
mod tests;
