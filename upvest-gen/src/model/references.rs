//! Checks references to parameters, bodies and responses.

use serde_json::Value;

use crate::document;
use crate::error::{Error, Result};

/// Returns an error if a reference could not be followed to its end. `value` is the last value that was reached, at the
/// place `at`.
pub(super) fn check_target(document: &Value, value: &Value, at: &str) -> Result<()> {
    let Some(reference) = value.get("$ref") else {
        return Ok(());
    };
    document::target(document, reference, at)?;
    Err(Error::at(
        at,
        format!("the reference {reference} refers to itself"),
        "remove the cycle",
    ))
}
