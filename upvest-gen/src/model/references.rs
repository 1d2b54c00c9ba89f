//! References to parameters, bodies and responses.

use serde_json::Value;

use crate::document;
use crate::error::{Error, Result};

/// The error of a reference that could not be followed to its end. `value`, at the place `at`, is what it leads to.
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
