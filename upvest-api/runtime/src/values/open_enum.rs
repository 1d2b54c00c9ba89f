//! Open enums: a value that this version does not know is not an error. It is kept and sent again unchanged.

use serde::de::Deserializer;

use super::invalid::InvalidValue;
use super::text::read_named;

/// An enum of the description, with its known values and unknown ones from newer servers.
pub trait OpenEnum: Sized + 'static {
    /// The known values, in the description's order.
    const VARIANTS: &'static [Self];

    /// The value as it stands on the wire.
    fn as_str(&self) -> &str;

    /// Whether this version knows the value.
    fn is_known(&self) -> bool;

    /// Reads any value. A known value becomes its variant, and any other is kept unchanged.
    fn from_wire(wire: &str) -> Self;
}

/// A value that this version does not know. Only deserialization creates it; a caller cannot construct it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownValue(Box<str>);

impl UnknownValue {
    /// The value as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Declares one open enum. Used by the generated `enums` module.
#[doc(hidden)]
#[macro_export]
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $wire:literal,)* } $(final $($final:ident)+)?) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value that this version does not know. It is kept and sent again unchanged.
            Unknown($crate::UnknownValue),
        }

        impl $name {
            /// The known values, in the description's order.
            pub const VARIANTS: &'static [Self] = &[$(Self::$variant,)*];

            /// The value as it stands on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)*
                    Self::Unknown(value) => value.as_str(),
                }
            }

            /// Whether this version knows the value.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Unknown(_))
            }
        }

        $(impl $name {
            /// Whether the value is final, so that no other value follows it.
            pub fn is_final(&self) -> bool {
                matches!(self, $(Self::$final)|+)
            }
        })?

        impl $crate::OpenEnum for $name {
            const VARIANTS: &'static [Self] = Self::VARIANTS;

            fn as_str(&self) -> &str {
                self.as_str()
            }

            fn is_known(&self) -> bool {
                self.is_known()
            }

            fn from_wire(wire: &str) -> Self {
                match wire {
                    $($wire => Self::$variant,)*
                    _ => Self::Unknown($crate::generated_code::open_enum::unknown(wire)),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            /// Never fails, as unknown values are kept.
            fn from_str(wire: &str) -> Result<Self, std::convert::Infallible> {
                Ok($crate::OpenEnum::from_wire(wire))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::InvalidValue;

            /// Accepts only known values, so that typos are found. [`str::parse`] accepts any value.
            fn try_from(wire: &str) -> Result<Self, $crate::InvalidValue> {
                $crate::generated_code::open_enum::known(wire, stringify!($name), concat!("one of" $(, " ", $wire)*))
            }
        }

        $crate::as_text!($name);
        $crate::text_column!($name);
        $crate::json_schema!($name, None::<&str>, concat!("One of" $(, " `", $wire, "`")*, ", or a value that was added later."));
        $crate::open_api_schema!($name, None::<&str>, concat!("One of" $(, " `", $wire, "`")*, ", or a value that was added later."));

        impl<'de> $crate::generated_code::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::generated_code::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = concat!("one of" $(, "\u{1f}", $wire)*);
                $crate::generated_code::open_enum::deserialize(deserializer, name)
            }
        }
    };
}

/// A value that is not one of the known ones.
pub fn unknown(wire: &str) -> UnknownValue {
    UnknownValue(wire.into())
}

/// The known value with this text.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn known<T: OpenEnum>(
    wire: &str,
    what: &'static str,
    rule: &'static str,
) -> Result<T, InvalidValue> {
    let value = T::from_wire(wire);
    if value.is_known() {
        Ok(value)
    } else {
        Err(InvalidValue::new(wire, what, rule))
    }
}

/// Reads any value. `name` is `one of` and the known values, separated by the character U+001F.
/// [`Strict`](crate::Strict) reads the known values from it.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn deserialize<'de, D: Deserializer<'de>, T: OpenEnum>(
    deserializer: D,
    name: &'static str,
) -> Result<T, D::Error> {
    read_named(deserializer, name, "a string", |text| {
        Some(T::from_wire(text))
    })
}

/// Parses the known values that the generator encodes in an enum's serde name (`one of␟A␟B`, where `␟` is the character
/// U+001F). `None` if the name has no such prefix.
pub(super) fn known_values(name: &str) -> Option<impl Iterator<Item = &str>> {
    Some(name.strip_prefix("one of\u{1f}")?.split('\u{1f}'))
}
