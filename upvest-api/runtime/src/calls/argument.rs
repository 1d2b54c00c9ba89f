//! The arguments of builders. They are converted immediately, and errors are reported together when the call is sent.

use std::any::type_name;
use std::fmt::Display;

/// What was set: nothing, a value, or the problem of an invalid value.
pub type Slot<T> = Option<Result<T, String>>;

/// The argument of the setter of an optional parameter or field: a `T`, anything that converts into one, or an
/// `Option<T>`. `None` leaves it out. `M` distinguishes the two cases and is always inferred.
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
    fn into_argument(self) -> Slot<T>;
}

#[doc(hidden)]
#[derive(Debug)]
pub enum ByValue {}

#[doc(hidden)]
#[derive(Debug)]
pub enum ByOption {}

impl<T, V: TryInto<T, Error: Display>> Argument<T, ByValue> for V {
    fn into_argument(self) -> Slot<T> {
        Some(self.try_into().map_err(|error| error.to_string()))
    }
}

impl<T> Argument<T, ByOption> for Option<T> {
    fn into_argument(self) -> Slot<T> {
        self.map(Ok)
    }
}

/// Converts the value of the field `name`. The error contains the name, the value and the rule.
pub fn shown<T, M>(name: &str, value: impl Argument<T, M>) -> Slot<T> {
    let converted = value.into_argument()?;
    Some(converted.map_err(|error| format!("`{name}`: {error}")))
}

/// As [`shown`], for values that `Debug` hides. The error does not contain the value.
pub fn hidden<T, M>(name: &str, value: impl Argument<T, M>) -> Slot<T> {
    let wanted = type_name::<T>().rsplit("::").next().unwrap_or_default();
    let problem = || format!("`{name}`: the value (not shown) is not a valid {wanted}");
    let converted = value.into_argument()?;
    Some(converted.map_err(|_| problem()))
}
