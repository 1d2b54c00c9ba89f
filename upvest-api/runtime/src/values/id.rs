//! Typed ids: one newtype over [`uuid::Uuid`] for each type of resource, so that a wrong id does not compile.
//!
//! [`IdempotencyKey`](crate::IdempotencyKey) shows the methods that all of them have.

/// Declares one id type. Used by the generated `ids` module.
#[doc(hidden)]
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::uuid::Uuid);

        impl $name {
            /// The id with this UUID.
            pub const fn new(uuid: $crate::uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID of the id.
            pub const fn as_uuid(&self) -> &$crate::uuid::Uuid {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::InvalidValue;

            fn from_str(text: &str) -> Result<Self, $crate::InvalidValue> {
                let rule = "a UUID, such as 5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
                match $crate::uuid::Uuid::try_parse(text) {
                    Ok(uuid) => Ok(Self(uuid)),
                    Err(_) => Err($crate::InvalidValue::new(text, stringify!($name), rule)),
                }
            }
        }

        $crate::from_text!($name);
        $crate::uuid_column!($name);
        $crate::json_schema!($name, Some("uuid"), concat!(stringify!($name), ", a UUID."));
        $crate::open_api_schema!($name, Some("uuid"), concat!(stringify!($name), ", a UUID."));

        // Written by hand, because serde's derive for every id took a fifth of this crate's compile time.
        impl $crate::generated_code::serde::Serialize for $name {
            fn serialize<S: $crate::generated_code::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> $crate::generated_code::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::generated_code::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::uuid::Uuid::deserialize(deserializer).map(Self)
            }
        }

        impl<'de> $crate::generated_code::LenientRead<'de> for $name {
            fn read<D: $crate::generated_code::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::generated_code::LenientRead::read(deserializer).map(Self)
            }

            fn read_optional<D: $crate::generated_code::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                let uuid = <$crate::uuid::Uuid as $crate::generated_code::LenientRead<'de>>::read_optional(deserializer)?;
                Ok(uuid.map(Self))
            }
        }

        impl From<$crate::uuid::Uuid> for $name {
            fn from(uuid: $crate::uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for $crate::uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}
