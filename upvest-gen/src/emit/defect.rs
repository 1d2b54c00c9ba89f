//! Reports defects of the generator.

use crate::error::Error;

/// An error that no description should cause.
pub(super) fn defect(problem: &str) -> Error {
    Error::at(
        "",
        problem,
        "report this as a bug of the generator, with the description",
    )
}
