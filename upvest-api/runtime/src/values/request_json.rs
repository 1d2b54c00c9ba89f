//! Request bodies that are read from JSON: unknown fields and values are errors that name them.

use std::cell::Cell;

use serde::{Deserialize, Deserializer};

/// Reads a request body leniently: unknown fields are ignored, and unknown values of enums are kept.
///
/// Without it, the type of a body rejects both and names them, so that typing errors in the JSON are found. The documentation of
/// `upvest-api` has an example.
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
pub enum Mode {
    /// An answer: unknown fields and values are kept or ignored.
    Answer,
    /// The body of a request: unknown fields and values are errors.
    Request,
    /// The body of a request in [`Lenient`].
    Lenient,
}

impl Mode {
    /// The mode of this thread.
    pub fn current() -> Self {
        MODE.get()
    }

    /// Ends when the guard is dropped.
    pub fn enter(self) -> impl Drop {
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
#[doc(hidden)]
#[macro_export]
macro_rules! request_json {
    ($name:ident by $reader:ty) => {
        impl<'de> $crate::generated_code::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::generated_code::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                use $crate::generated_code::request_json::Mode;
                if Mode::current() != Mode::Answer {
                    return <$reader>::deserialize(deserializer);
                }
                let _mode = Mode::Request.enter();
                let mut unknown = None;
                let mut note = |path: $crate::generated_code::serde_ignored::Path<'_>| {
                    unknown.get_or_insert_with(|| path.to_string());
                };
                let read = <$reader>::deserialize(
                    $crate::generated_code::serde_ignored::Deserializer::new(
                        deserializer,
                        &mut note,
                    ),
                )?;
                $crate::generated_code::request_json::complete(read, unknown)
            }
        }
    };
}

/// The value, or an error if the JSON has an unknown field.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn complete<T, E: serde::de::Error>(read: T, unknown: Option<String>) -> Result<T, E> {
    match unknown {
        None => Ok(read),
        Some(field) => Err(E::custom(format_args!(
            "unknown field `{field}`: the API has no such field"
        ))),
    }
}
