//! Shared code of the tests.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::load;

/// Parses a fixture of a few lines.
#[track_caller]
pub(crate) fn yaml(text: &str) -> Value {
    load::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The error of a step that must fail. `what` describes the input.
#[track_caller]
pub(crate) fn rejected<T>(result: Result<T>, what: &str) -> Error {
    match result {
        Ok(_) => panic!("no problem was found in {what}"),
        Err(error) => {
            assert!(
                !error.problem().is_empty() && !error.remedy().is_empty(),
                "{what}: {error}"
            );
            error
        }
    }
}
