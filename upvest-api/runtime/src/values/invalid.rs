//! The error for invalid values.

use std::fmt;

/// The longest part of a value that an error contains, in characters.
const SHOWN: usize = 64;

/// A value violates a rule of its type. The error contains the value and the rule.
///
/// ```
/// let error = "EURO".parse::<upvest_runtime::CurrencyCode>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "invalid currency code \"EURO\": expected three capital letters (ISO 4217), such as EUR"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    value: Box<str>,
    what: &'static str,
    rule: &'static str,
}

impl InvalidValue {
    #[doc(hidden)]
    pub fn new(value: &str, what: &'static str, rule: &'static str) -> Self {
        let value = match value.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &value[..end]).into(),
            None => value.into(),
        };
        Self { value, what, rule }
    }

    /// The value, shortened to 64 characters.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The type of the value, and the rule that it violates.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, what, rule } = self;
        write!(f, "invalid {what} {value:?}: expected {rule}")
    }
}

impl std::error::Error for InvalidValue {}
