//! Hides personal data and secrets in `Debug`, and prints them on request.

use std::fmt;

use serde::Serialize;

/// Printed instead of a value that `Debug` must not print.
pub const HIDDEN: fmt::Arguments<'static> = format_args!("<hidden>");

/// As [`HIDDEN`] for an optional value, which shows whether there is one.
pub fn hidden_option<T>(value: Option<&T>) -> Option<fmt::Arguments<'static>> {
    value.map(|_| HIDDEN)
}

/// Prints all fields of a value with personal data, as JSON.
///
/// `Debug` of such types prints which fields are set, but not their values, so that logs do not leak them. If you need
/// the values, this prints them:
///
/// ```
/// use upvest_runtime::{Problem, Unredacted, http::StatusCode};
///
/// let problem = Problem::new(
///     StatusCode::CONFLICT,
///     "insufficient_cash",
///     "Ada Lovelace has 12.00 EUR",
/// );
/// assert!(!format!("{problem:?}").contains("Ada"));
/// assert!(format!("{:?}", Unredacted(&problem)).contains("Ada"));
/// ```
#[derive(Clone, Copy)]
pub struct Unredacted<'a, T>(pub &'a T);

impl<T: Serialize> fmt::Debug for Unredacted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(self.0).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}
