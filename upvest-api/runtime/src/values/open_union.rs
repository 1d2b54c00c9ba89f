//! Open unions: one of several objects, distinguished by a field. An object that this version does not know is kept.

use serde::de::{DeserializeOwned, Error};
use serde_json::Value;

/// Declares one union. Used by the generated `types` module.
#[doc(hidden)]
#[macro_export]
macro_rules! open_union {
    ($(#[$meta:meta])* $name:ident by $tag:literal { $($(#[$variant_meta:meta])* $variant:ident($kind:ty) = $wire:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant($kind),)+
            /// An object that this version does not know. It is kept and sent again unchanged.
            Unknown($crate::generated_code::serde_json::Value),
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant(value) => f.debug_tuple(stringify!($variant)).field(value).finish(),)+
                    // Its fields are unknown, so any of them may be personal data.
                    Self::Unknown(_) => f.write_str("Unknown(<hidden>)"),
                }
            }
        }

        $(impl From<$kind> for $name {
            fn from(value: $kind) -> Self {
                Self::$variant(value)
            }
        })+

        impl $crate::generated_code::serde::Serialize for $name {
            fn serialize<S: $crate::generated_code::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(value) => value.serialize(serializer),)+
                    Self::Unknown(value) => value.serialize(serializer),
                }
            }
        }

        impl<'de> $crate::generated_code::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::generated_code::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = $crate::generated_code::serde_json::Value::deserialize(deserializer)?;
                match value.get($tag).and_then($crate::generated_code::serde_json::Value::as_str) {
                    $(Some($wire) => $crate::generated_code::open_union::variant(value).map(Self::$variant),)+
                    _ => Ok(Self::Unknown(value)),
                }
            }
        }
    };
}

/// Reads an object that is already known to be a `T`.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn variant<T: DeserializeOwned, E: Error>(value: Value) -> Result<T, E> {
    serde_json::from_value(value).map_err(E::custom)
}
