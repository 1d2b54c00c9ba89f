//! The error for request bodies that could not be built.

use std::fmt;

/// Why a request body could not be built: every missing or invalid field, with the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBody {
    body: &'static str,
    problems: Vec<String>,
}

impl InvalidBody {
    #[doc(hidden)]
    pub fn new(body: &'static str, problems: Vec<String>) -> Self {
        Self { body, problems }
    }

    /// One sentence for each missing or invalid field.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for InvalidBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.body, self.problems.join("; "))
    }
}

impl std::error::Error for InvalidBody {}
