//! The arguments of builders. They are converted immediately, and errors are reported together when the call is sent.

use std::any::type_name;
use std::fmt::Display;

/// The argument of the setter of an optional parameter: a `T`, anything that converts into one, or an `Option<T>`.
/// `None` leaves the parameter out. `M` distinguishes the two cases and is always inferred.
///
/// ```
/// use upvest_runtime::{Argument, CurrencyCode};
///
/// fn currency<M>(value: impl Argument<CurrencyCode, M>) {}
///
/// currency(CurrencyCode::EUR);
/// currency("EUR");
/// currency(Some(CurrencyCode::EUR));
/// currency(None);
/// ```
pub trait Argument<T, M> {
    #[doc(hidden)]
    fn into_argument(self) -> Result<Option<T>, String>;
}

#[doc(hidden)]
#[derive(Debug)]
pub enum ByValue {}

#[doc(hidden)]
#[derive(Debug)]
pub enum ByOption {}

impl<T, V: TryInto<T, Error: Display>> Argument<T, ByValue> for V {
    fn into_argument(self) -> Result<Option<T>, String> {
        self.try_into().map(Some).map_err(|error| error.to_string())
    }
}

impl<T> Argument<T, ByOption> for Option<T> {
    fn into_argument(self) -> Result<Option<T>, String> {
        Ok(self)
    }
}

/// Converts the value of the field `name`. The error contains the name, the value and the rule.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn shown<T, V>(name: &str, value: V) -> Result<T, String>
where
    V: TryInto<T, Error: Display>,
{
    value
        .try_into()
        .map_err(|error| format!("`{name}`: {error}"))
}

/// As [`shown`], for values that `Debug` hides. The error does not contain the value.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn hidden<T, V>(name: &str, value: V) -> Result<T, String>
where
    V: TryInto<T, Error: Display>,
{
    let wanted = type_name::<T>().rsplit("::").next().unwrap_or_default();
    value
        .try_into()
        .map_err(|_| format!("`{name}`: the value (not shown) is not a valid {wanted}"))
}
