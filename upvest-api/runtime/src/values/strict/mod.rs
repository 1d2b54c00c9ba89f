//! Strict reading of JSON: unknown fields and unknown values are errors that name their place.

mod findings;
mod reader;

use std::cell::RefCell;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};

use super::json::Json;
use findings::Mismatch;
use reader::Reader;

/// Reads a `T` from JSON strictly: an unknown field and an unknown value of an enum or a code are errors, at any depth.
///
/// The types of a generated crate are read leniently by themselves, as Upvest adds fields and values to its responses.
/// Read requests of your own users strictly, so that a typo such as `curency` is found instead of ignored. The
/// error names the place of each problem, and never contains a value. Reading ends at the first value of another type,
/// such as a number instead of a text, so an error names at most one of these. `Strict` implements `Deserialize`, so
/// `axum::Json<Strict<OrderCreate>>` works in a handler.
///
/// ```
/// use upvest_runtime::{CurrencyCode, Strict};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Order {
///     currency: CurrencyCode,
/// }
///
/// let json = r#"{"currency": "euro", "amont": "10.00"}"#;
/// let error = serde_json::from_str::<Strict<Order>>(json).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`currency`: expected three capital letters (ISO 4217), such as EUR; unknown field `amont`: the API has no such field"
/// );
///
/// let Strict(order) = serde_json::from_str::<Strict<Order>>(r#"{"currency": "EUR"}"#)?;
/// assert_eq!(order.currency, CurrencyCode::EUR);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strict<T>(
    /// The value.
    pub T,
);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let findings = RefCell::default();
        let reader = Reader::new(&json, &findings);
        let result = T::deserialize(reader);
        let mut findings = findings.into_inner();
        match result {
            Ok(value) if findings.problems.is_empty() => return Ok(Self(value)),
            Ok(_) => {}
            Err(Mismatch(problem)) => findings.add_failure(&problem),
        }
        Err(D::Error::custom(findings))
    }
}
