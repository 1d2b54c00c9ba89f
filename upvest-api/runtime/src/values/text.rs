//! Common code of all types that are a text in JSON.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Reads a text with `parse`. `expected` completes "expected ..." in an error. A deserializer can recognize the type
/// by its name. Others read the text as usual.
pub(crate) fn read_named<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    name: &'static str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(name, Text(expected, parse))
}

/// As [`read_named`], for a text that may be absent, null or empty.
pub(crate) fn read_optional<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    name: &'static str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, D::Error> {
    optional(deserializer, name, Text(expected, parse))
}

/// Reads a value with `visitor`. `None` if it is absent, null or an empty text, which some servers send instead of
/// leaving a value out.
pub(crate) fn optional<'de, D: Deserializer<'de>, V: Visitor<'de>>(
    deserializer: D,
    name: &'static str,
    visitor: V,
) -> Result<Option<V::Value>, D::Error> {
    deserializer.deserialize_option(Optional { name, visitor })
}

struct Text<'a, F>(&'a str, F);

impl<'de, T, F: FnOnce(&str) -> Option<T>> Visitor<'de> for Text<'_, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let Self(expected, parse) = self;
        parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &expected))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

struct Optional<V> {
    name: &'static str,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Optional<V> {
    type Value = Option<V::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    /// In a flattened map, `null` is a unit.
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_newtype_struct(self.name, self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Ok(None);
        }
        self.visitor.visit_str(text).map(Some)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visitor.visit_i64(number).map(Some)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visitor.visit_u64(number).map(Some)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        self.visitor.visit_f64(number).map(Some)
    }
}

/// Makes a character from a server safe to print: line breaks, terminal escapes and marks that reorder the text
/// around them become spaces.
pub(crate) fn harmless(c: char) -> char {
    let is_bidirectional = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || is_bidirectional {
        ' '
    } else {
        c
    }
}

/// Implements `TryFrom` from text for a type with `FromStr`.
#[doc(hidden)]
#[macro_export]
macro_rules! from_text {
    ($name:ident) => {
        impl TryFrom<&str> for $name {
            type Error = $crate::InvalidValue;

            fn try_from(text: &str) -> Result<Self, $crate::InvalidValue> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::InvalidValue;

            fn try_from(text: String) -> Result<Self, $crate::InvalidValue> {
                text.parse()
            }
        }
    };
}

/// Writes a type with `as_str`. `Serialize` and `Display` write it unchanged. `Debug` escapes characters that could
/// forge a log line.
#[doc(hidden)]
#[macro_export]
macro_rules! as_text {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.as_str().escape_debug(), f)
            }
        }

        impl $crate::generated_code::serde::Serialize for $name {
            fn serialize<S: $crate::generated_code::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

/// The longest text of a server that errors print.
const PRINTED: usize = 64;

/// A code or an id that a server sent, if it may be printed: it is short and contains no spaces, so that it is neither
/// prose nor personal data.
pub(crate) fn printable(text: &str) -> Option<&str> {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'+' | b'-');
    let is_printable = (1..=PRINTED).contains(&text.len()) && text.bytes().all(is_plain);
    is_printable.then_some(text)
}
