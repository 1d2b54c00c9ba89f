//! The problems that strict reading finds, with their paths.

use std::fmt::{self, Display, Write as _};

use serde::de::{Expected, Unexpected};

/// The most problems that an error names.
const MAX_LISTED: usize = 20;

/// The longest part of a key that an error contains, in characters.
const SHOWN: usize = 64;

/// What was found while a value was read, and where the reader is.
#[derive(Default)]
pub(super) struct Findings<'j> {
    pub(super) path: Vec<Step<'j>>,
    pub(super) problems: Vec<String>,
    /// How many problems were found beyond [`MAX_LISTED`].
    more: usize,
    /// The path at which reading failed.
    pub(super) failed_at: Option<String>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'j> {
    Key(&'j str),
    Index(usize),
}

impl Findings<'_> {
    fn add(&mut self, problem: String) {
        if self.problems.len() < MAX_LISTED {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Adds the problem of the value at the current path.
    pub(super) fn add_here(&mut self, problem: &str) {
        let path = self.path();
        self.add(at(&path, problem));
    }

    pub(super) fn add_unknown_field(&mut self) {
        let path = self.path();
        self.add(format!("unknown field `{path}`: the API has no such field"));
    }

    /// Adds the problem that ended the reading.
    pub(super) fn add_failure(&mut self, problem: &str) {
        let path = self.failed_at.take().unwrap_or_default();
        // The failure is always listed. If the list is full, the last problem is dropped and only counted.
        if self.problems.len() == MAX_LISTED {
            self.problems.pop();
            self.more += 1;
        }
        self.add(at(&path, problem));
    }

    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => {
                    let _ = write!(path, "[{index}]");
                }
                Step::Key(key) => {
                    let separator = if path.is_empty() { "" } else { "." };
                    let shown: String = key.chars().take(SHOWN).collect();
                    let _ = write!(path, "{separator}{}", shown.escape_debug());
                }
            }
        }
        path
    }
}

fn at(path: &str, problem: &str) -> String {
    if path.is_empty() {
        problem.to_owned()
    } else {
        format!("`{path}`: {problem}")
    }
}

impl Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))?;
        if self.more > 0 {
            write!(f, "; and {} more", self.more)?;
        }
        Ok(())
    }
}

/// A value that does not match its type. The text never contains the value.
#[derive(Debug)]
pub(super) struct Mismatch(pub(super) String);

impl Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl serde::de::Error for Mismatch {
    /// The message may contain the value, so it is left out.
    fn custom<M: Display>(_message: M) -> Self {
        Self("the value is not valid".to_owned())
    }

    fn invalid_type(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn invalid_value(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn invalid_length(_length: usize, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("expected one of {}", expected.join(", ")))
    }

    fn unknown_field(_field: &str, expected: &'static [&'static str]) -> Self {
        Self(format!(
            "there is an unknown field; the known ones are {}",
            expected.join(", ")
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("missing field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("duplicate field `{field}`"))
    }
}
