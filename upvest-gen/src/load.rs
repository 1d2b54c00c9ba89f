//! Parses YAML or JSON into a document.

use serde_json::Value;

use crate::error::{Error, Result};

/// Parses `text` and checks that it is an OpenAPI document of a supported version.
pub(crate) fn load(text: &str) -> Result<Value> {
    let document = parse(text)?;
    let version = document
        .get("openapi")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if version.starts_with("3.0.") || version.starts_with("3.1.") {
        Ok(document)
    } else {
        Err(Error::at(
            "/openapi",
            format!("the OpenAPI version {version:?} is not supported"),
            "use OpenAPI 3.0.x or 3.1.x, with `openapi` as a string",
        )
        .within(&document))
    }
}

/// Parses a YAML text. JSON is a subset of YAML.
pub(crate) fn parse(text: &str) -> Result<Value> {
    // A parser for JSON alone is many times faster.
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    // In YAML 1.2 `NO` is a text, such as the code of Norway, not a boolean.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = match error.location() {
            Some(at) => format!("line {} column {}", at.line(), at.column()),
            None => String::new(),
        };
        let message = error.without_snippet().to_string();
        Error::at(
            place,
            format!("invalid YAML: {message}"),
            "correct the syntax at this place",
        )
    })
}

#[cfg(test)]
mod tests;
