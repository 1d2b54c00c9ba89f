//! Typed ids: one newtype over [`uuid::Uuid`] for each type of resource, so that a wrong id does not compile.
//!
//! [`OrderId`](crate::types::OrderId) shows the methods that all of them have.

/// Declares one id type. Used by the generated `ids` module.
macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The id with this UUID.
            pub const fn new(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID of the id.
            pub const fn as_uuid(&self) -> &uuid::Uuid {
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
            type Err = $crate::runtime::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let rule = "a UUID, such as 5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
                match uuid::Uuid::try_parse(text) {
                    Ok(uuid) => Ok(Self(uuid)),
                    Err(_) => Err($crate::runtime::InvalidValue::new(text, stringify!($name), rule)),
                }
            }
        }

        $crate::runtime::from_text!($name);
        $crate::runtime::foreign_traits!($name as uuid: concat!(stringify!($name), ", a UUID."));

        // Written by hand, because serde's derive for every id took a fifth of this crate's compile time.
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                uuid::Uuid::deserialize(deserializer).map(Self)
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}
pub(crate) use id;
