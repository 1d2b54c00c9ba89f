//! References to parameters, bodies and answers.

use serde_json::Value;

use crate::error::{Error, Result};

/// The error of a reference without a target.
pub(super) fn check_target(value: &Value, at: &str) -> Result<()> {
    match value.get("$ref") {
        Some(target) => Err(Error::at(
            at,
            format!("the target of the reference {target} does not exist"),
            "correct it, or add its target",
        )),
        None => Ok(()),
    }
}
