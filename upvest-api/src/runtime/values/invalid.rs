//! The error of a value that a user made and that cannot be right.

use std::fmt;

/// Most characters of a value that an error repeats.
const SHOWN: usize = 64;

/// A value that breaks a rule of its type: says which value, and which rule.
///
/// ```
/// let error = "EURO".parse::<upvest_api::types::CurrencyCode>().unwrap_err();
/// assert_eq!(error.to_string(), "invalid currency code \"EURO\": expected three capital letters (ISO 4217), such as EUR");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    value: Box<str>,
    what: &'static str,
    rule: &'static str,
}

impl InvalidValue {
    pub(crate) fn new(value: &str, what: &'static str, rule: &'static str) -> Self {
        let value = match value.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &value[..end]).into(),
            None => value.into(),
        };
        Self { value, what, rule }
    }

    /// The value, cut after 64 characters.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What the value was meant to be, with the rule that it breaks.
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
