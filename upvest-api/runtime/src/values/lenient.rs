//! Forms of values that their schemas do not allow, but that some servers send: a number for a decimal text, a text
//! for an integer, and a time without an offset. They are read, but [`Strict`](crate::Strict) rejects them.

use super::decimal;
use super::json::Json;
use super::reading;
use super::timestamp;

/// The rule that `json` violates if it is read as the type with this name.
pub(super) fn broken_rule(type_name: &str, json: &Json) -> Option<&'static str> {
    match (type_name, json) {
        (decimal::NAME, Json::Number(_)) => Some(decimal::EXPECTED),
        (reading::INTEGER, Json::Text(_)) => Some("an integer"),
        (timestamp::NAME, Json::Text(text)) if timestamp::lacks_offset(text) => {
            Some(timestamp::EXPECTED)
        }
        _ => None,
    }
}
