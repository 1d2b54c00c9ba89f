//! Personal data and secrets: hidden from `Debug`, shown on request.

use std::fmt;

use serde::Serialize;

/// Stands for a value that `Debug` does not show.
pub(crate) const HIDDEN: fmt::Arguments<'static> = format_args!("<hidden>");

/// As [`HIDDEN`], telling whether there is a value.
pub(crate) fn hidden_option<T>(value: Option<&T>) -> Option<fmt::Arguments<'static>> {
    value.map(|_| HIDDEN)
}

/// Shows everything in a value that carries personal data, as JSON.
///
/// `Debug` of such types shows which fields are set and not what they hold, so that a log line cannot leak it. Where the
/// data is really wanted, this shows it:
///
/// ```
/// use upvest_api::{runtime::Unredacted, types::Address};
///
/// let address: Address = serde_json::from_str(
///     r#"{"street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}"#,
/// )?;
/// assert!(!format!("{address:?}").contains("Berlin"));
/// assert!(format!("{:?}", Unredacted(&address)).contains("Berlin"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Unredacted<'a, T>(pub &'a T);

impl<T: Serialize> fmt::Debug for Unredacted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(self.0).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

/// Implements `Debug` for a struct with fields that must not be shown. Used by the generated `types` module.
macro_rules! hiding_debug {
    ($name:ident { $($how:ident $field:ident,)* }) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), hiding_debug!(@ $how self.$field)))*
                    .finish()
            }
        }
    };
    (@ show $value:expr) => { &$value };
    (@ hide $value:expr) => {{ let _ = &$value; &$crate::runtime::HIDDEN }};
    (@ hide_option $value:expr) => { &$crate::runtime::hidden_option($value.as_ref()) };
}
pub(crate) use hiding_debug;
