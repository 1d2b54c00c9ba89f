//! YAML or JSON text to a document.

use serde_json::Value;

use crate::error::{Error, Result};

/// Parses `text` and checks that it is an OpenAPI document of a version that the passes know.
pub(crate) fn load(text: &str) -> Result<Value> {
    let document = parse(text)?;
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if version.starts_with("3.0.") || version.starts_with("3.1.") {
        Ok(document)
    } else {
        Err(Error::at(
            "/openapi",
            format!("the version of OpenAPI is {version:?}"),
            "give a description in OpenAPI 3.0.x or 3.1.x, with `openapi` as a string",
        )
        .within(&document))
    }
}

/// Parses any YAML text, of which JSON is a part.
pub(crate) fn parse(text: &str) -> Result<Value> {
    // A parser of JSON alone is many times as fast.
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    // As in YAML 1.2: `NO` is Norway, not a boolean.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = match error.location() {
            Some(at) => format!("line {} column {}", at.line(), at.column()),
            None => String::new(),
        };
        let message = error.without_snippet().to_string();
        Error::at(place, format!("this is not YAML: {message}"), "mend the syntax at that place")
    })
}

#[cfg(test)]
mod tests;
