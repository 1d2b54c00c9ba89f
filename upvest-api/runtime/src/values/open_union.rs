//! Open unions: one of several objects, distinguished by a field. An object that this version does not know is kept.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, VariantAccess,
    Visitor,
};
use serde::ser::{self, Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// A union of the description. Implemented by [`open_union!`](crate::open_union).
pub trait OpenUnion: Sized {
    /// `union by`, the name of the field, and its known values, separated by `SEPARATOR`.
    const NAME: &'static str;

    /// The name of the field.
    const TAG: &'static str;

    /// Reads the alternative with this value of the field.
    #[allow(clippy::missing_errors_doc, reason = "generated code implements it")]
    fn read<'de, A: VariantAccess<'de>>(tag: Option<&str>, content: A) -> Result<Self, A::Error>;
}

/// Separates the values in the name of an enum or a union.
const SEPARATOR: char = '\u{1f}';

/// Declares one union. Used by the generated `types` module.
#[doc(hidden)]
#[macro_export]
macro_rules! open_union {
    ($(#[$meta:meta])* $name:ident by $tag:literal { $($(#[$variant_meta:meta])* $variant:ident($kind:ty) = $($wire:literal)|+,)+ }) => {
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
                    $(Self::$variant(value) => $crate::generated_code::open_union::write(value, $tag, &[$($wire),+], serializer),)+
                    Self::Unknown(value) => value.serialize(serializer),
                }
            }
        }

        impl $crate::generated_code::open_union::OpenUnion for $name {
            const NAME: &'static str = concat!("union by\u{1f}", $tag $($(, "\u{1f}", $wire)+)+);
            const TAG: &'static str = $tag;

            fn read<'de, A: $crate::generated_code::serde::de::VariantAccess<'de>>(
                tag: Option<&str>,
                content: A,
            ) -> Result<Self, A::Error> {
                match tag {
                    $(Some($($wire)|+) => content.newtype_variant().map(Self::$variant),)+
                    _ => content.newtype_variant().map(Self::Unknown),
                }
            }
        }

        impl<'de> $crate::generated_code::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::generated_code::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::generated_code::open_union::deserialize(deserializer)
            }
        }
    };
}

/// Reads any object. [`Strict`](crate::Strict) recognizes the union by its name, and reads it as an enum.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn deserialize<'de, D: Deserializer<'de>, T: OpenUnion>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(T::NAME, UnionVisitor(PhantomData))
}

struct UnionVisitor<T>(PhantomData<T>);

impl<'de, T: OpenUnion> Visitor<'de> for UnionVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let tag = value.get(T::TAG).and_then(tag_value);
        T::read(tag.as_deref(), Content(value)).map_err(D::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
        self.visit_newtype_struct(MapAccessDeserializer::new(access))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<T, A::Error> {
        let (tag, content) = access.variant::<String>()?;
        T::read(Some(&tag), content)
    }
}

/// The content of a variant.
pub(super) struct Content<D>(pub(super) D);

impl<'de, D: Deserializer<'de>> VariantAccess<'de> for Content<D> {
    type Error = D::Error;

    fn unit_variant(self) -> Result<(), D::Error> {
        Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, D::Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

/// The name of the field and its known values in the name of a union.
pub(super) fn tag_and_known_values(
    name: &'static str,
) -> Option<(&'static str, impl Iterator<Item = &'static str>)> {
    let mut parts = name.strip_prefix("union by\u{1f}")?.split(SEPARATOR);
    let tag = parts.next()?;
    Some((tag, parts))
}

/// The value of a tag as text. Descriptions also tell objects apart by an integer or a flag.
fn tag_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Writes an object, whose field `tag` must have one of the values `wires`. If it has none, the first of them is
/// written, as some descriptions name the field only in the union.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn write<T: Serialize, S: Serializer>(
    value: &T,
    tag: &str,
    wires: &[&str],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let object = serde_json::to_value(value).map_err(ser::Error::custom)?;
    let found = object.get(tag).filter(|found| !found.is_null());
    if let (None, Value::Object(fields)) = (found, &object) {
        return write_with_tag(fields, tag, wires, serializer);
    }
    let is_expected = found
        .and_then(tag_value)
        .is_some_and(|wire| wires.contains(&wire.as_str()));
    if !is_expected {
        let expected = wires.join("` or `");
        let problem = format!("`{tag}` of this object must be `{expected}`");
        return Err(ser::Error::custom(problem));
    }
    value.serialize(serializer)
}

/// Writes the fields of an object that does not have its tag.
fn write_with_tag<S: Serializer>(
    fields: &Map<String, Value>,
    tag: &str,
    wires: &[&str],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry(tag, &wires.first())?;
    for (name, value) in fields.iter().filter(|(name, _)| *name != tag) {
        object.serialize_entry(name, value)?;
    }
    object.end()
}
