//! Request bodies that are read from JSON: unknown fields and values are errors that name them.

use std::cell::Cell;

use serde::{Deserialize, Deserializer};

/// Reads a request body leniently: unknown fields are ignored, and unknown values of enums are kept.
///
/// Without it, the type of a body rejects both and names them, so that typing errors in the JSON are found:
///
/// ```
/// use upvest_api::runtime::Lenient;
/// use upvest_api::types::OrderCreate;
///
/// let json = r#"{
///     "account_id": "7d052811-c57c-4920-9fd6-bdbaa6c94e47", "instrument_id": "251e84b2-82e1-440b-a008-6357ebe46a96",
///     "side": "BUY", "type": "MARKET", "cash_amount": "10.00", "curency": "EUR"
/// }"#;
/// let error = serde_json::from_str::<OrderCreate>(json).unwrap_err();
/// assert!(error.to_string().starts_with("unknown field `curency`"));
///
/// let Lenient(order) = serde_json::from_str::<Lenient<OrderCreate>>(json)?;
/// assert_eq!(order.currency, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lenient<T>(
    /// The body.
    pub T,
);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let _mode = Mode::Lenient.enter();
        T::deserialize(deserializer).map(Self)
    }
}

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Answer) };
}

/// Whether this thread is reading a body leniently. Reading stays on one thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Answer,
    Request,
    Lenient,
}

impl Mode {
    pub(crate) fn current() -> Self {
        MODE.get()
    }

    /// Ends when the guard is dropped.
    pub(crate) fn enter(self) -> impl Drop {
        struct Until(Mode);
        impl Drop for Until {
            fn drop(&mut self) {
                MODE.set(self.0);
            }
        }
        Until(MODE.replace(self))
    }
}

/// Makes the type of a body reject unknown fields, with the `Deserialize` that serde derives for a copy of the type.
macro_rules! request_json {
    ($name:ident by $reader:ty) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::runtime::request_json::Mode;
                if Mode::current() != Mode::Answer {
                    return <$reader>::deserialize(deserializer);
                }
                let _mode = Mode::Request.enter();
                let mut unknown = None;
                let mut note = |path: serde_ignored::Path<'_>| {
                    unknown.get_or_insert_with(|| path.to_string());
                };
                let read = <$reader>::deserialize(serde_ignored::Deserializer::new(
                    deserializer,
                    &mut note,
                ))?;
                $crate::runtime::request_json::complete(read, unknown)
            }
        }
    };
}
pub(crate) use request_json;

pub(crate) fn complete<T, E: serde::de::Error>(read: T, unknown: Option<String>) -> Result<T, E> {
    match unknown {
        None => Ok(read),
        Some(field) => Err(E::custom(format_args!(
            "unknown field `{field}`: the API has no such field"
        ))),
    }
}
