//! The one error of the generator: which file, where in it, what is wrong, and what to do.

use std::fmt;

/// Why no code was generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: String,
    pointer: String,
    problem: String,
    remedy: String,
}

/// The result of a pass.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A problem at `pointer`, without a file; [`Error::in_file`] adds it.
    pub(crate) fn at(
        pointer: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { file: String::new(), pointer: pointer.into(), problem: problem.into(), remedy: remedy.into() }
    }

    /// The same error, in `file` where it names none yet.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        if self.file.is_empty() {
            file.clone_into(&mut self.file);
        }
        self
    }

    /// The name of the file, as it was given with the input.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The JSON pointer (RFC 6901) of the place, or `line N column M` where the file is no YAML. Empty for the whole document.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, pointer, problem, remedy } = self;
        match (file.as_str(), pointer.as_str()) {
            ("", "") => {}
            ("", place) | (place, "") => write!(f, "{place}: ")?,
            (file, pointer) => write!(f, "{file}: {pointer}: ")?,
        }
        write!(f, "{problem}; {remedy}")
    }
}

impl std::error::Error for Error {}
