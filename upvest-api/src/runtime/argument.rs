//! How builders take their values: converted at once, complained about when the call is sent.

use std::any::type_name;
use std::fmt::Display;

/// Converts what was given for the parameter or field `name`; the complaint names it, the value and the rule.
pub(crate) fn argument<T, V>(name: &str, value: V) -> Result<T, String>
where
    V: TryInto<T, Error: Display>,
{
    value.try_into().map_err(|error| format!("`{name}`: {error}"))
}

/// As [`argument`] for personal data and secrets: the complaint does not repeat the value.
pub(crate) fn sensitive_argument<T, V>(name: &str, value: V) -> Result<T, String>
where
    V: TryInto<T, Error: Display>,
{
    let wanted = type_name::<T>().rsplit("::").next().unwrap_or_default();
    value.try_into().map_err(|_| format!("`{name}`: the value (not shown) is no {wanted}"))
}
