//! The errors of the generator: the file, the place in it, the problem, and the remedy.

use std::fmt;

use serde_json::Value;

use crate::pointer;

/// A problem of a description or an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: String,
    pointer: String,
    problem: String,
    remedy: String,
}

/// The result of a step that stops at its first error.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A problem at `pointer`, without a file; [`Error::in_file`] adds it.
    pub(crate) fn at(
        pointer: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            file: String::new(),
            pointer: pointer.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// Sets the file, unless the error already has one.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        if self.file.is_empty() {
            file.clone_into(&mut self.file);
        }
        self
    }

    /// Moves the error to `pointer`, which is invalid because of the original place, and adds that place to the
    /// message.
    pub(crate) fn moved_to(mut self, pointer: &str) -> Self {
        self.problem = format!("{} (at {})", self.problem, self.pointer);
        pointer.clone_into(&mut self.pointer);
        self
    }

    /// Prefixes the message with the thing that the problem affects.
    pub(crate) fn about(mut self, affected: &str) -> Self {
        self.problem = format!("{affected}: {}", self.problem);
        self
    }

    /// Moves the error to the nearest existing place in `document`, as a missing value has no place.
    pub(crate) fn within(mut self, document: &Value) -> Self {
        self.pointer
            .truncate(pointer::existing(document, &self.pointer).len());
        self
    }

    /// The name of the file in the input.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The JSON pointer (RFC 6901) of the place, or `line N column M` if the file is not valid YAML. Empty for the
    /// whole document.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The problem.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The remedy.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            pointer,
            problem,
            remedy,
        } = self;
        match (file.as_str(), pointer.as_str()) {
            ("", "") => {}
            ("", place) | (place, "") => write!(f, "{place}: ")?,
            (file, pointer) => write!(f, "{file}: {pointer}: ")?,
        }
        write!(f, "{problem}; {remedy}")
    }
}

impl std::error::Error for Error {}

/// All problems that prevented the generation of code, in the order of the description. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

impl Errors {
    /// At least one error. Errors without a file get `file`.
    pub(crate) fn of(errors: Vec<Error>, file: &str) -> Self {
        Self(
            errors
                .into_iter()
                .map(|error| error.in_file(file))
                .collect(),
        )
    }

    /// The errors.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }

    /// The number of errors.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for Errors {
    /// Prints a line for each error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.iter();
        if let Some(first) = lines.next() {
            write!(f, "{first}")?;
        }
        lines.try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl std::error::Error for Errors {}
