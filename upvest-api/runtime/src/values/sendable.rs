//! Finds what must not be sent, although serde writes it: NaN and the infinities, which become `null`, and an
//! additional property with the name of a field, which then stands in the object twice.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser::{self, Serializer};

/// Checks all numbers and all objects in `value`.
///
/// # Errors
///
/// Names the field of the first number that is not finite, or the first property that an object has twice.
pub(crate) fn check_sendable<T: Serialize + ?Sized>(value: &T) -> Result<(), String> {
    value
        .serialize(Checker)
        .map_err(|problem| problem.to_string())
}

/// Why a value must not be sent.
#[derive(Debug)]
enum Problem {
    NotFinite {
        field: Option<String>,
    },
    Repeated {
        property: String,
    },
    /// The value cannot be written.
    Other(String),
}

impl Problem {
    fn number(is_finite: bool) -> Result<(), Self> {
        if is_finite {
            Ok(())
        } else {
            Err(Self::NotFinite { field: None })
        }
    }

    /// Sets the name of the field that contains the number. The name of an inner field is kept.
    fn in_field(self, name: &str) -> Self {
        match self {
            Self::NotFinite { field: None } => Self::NotFinite {
                field: Some(name.to_owned()),
            },
            known => known,
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = "NaN and infinities cannot be sent, only finite numbers";
        match self {
            Self::NotFinite { field: None } => f.write_str(rule),
            Self::NotFinite { field: Some(name) } => write!(f, "`{name}`: {rule}"),
            Self::Repeated { property } => {
                write!(f, "`{property}` is a field and an additional property")
            }
            Self::Other(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for Problem {}

impl ser::Error for Problem {
    fn custom<T: Display>(problem: T) -> Self {
        Self::Other(problem.to_string())
    }
}

/// A serializer that writes nothing.
#[derive(Clone, Copy)]
struct Checker;

macro_rules! accept {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<(), Problem> {
            Ok(())
        })*
    };
}

macro_rules! enter {
    ($($method:ident($($argument:ty),*) -> $compound:ident)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self::$compound, Problem> {
            Ok(self)
        })*
    };
}

impl Serializer for Checker {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Properties;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    enter! {
        serialize_seq(Option<usize>) -> SerializeSeq
        serialize_tuple(usize) -> SerializeTuple
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant
        serialize_struct(&'static str, usize) -> SerializeStruct
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Properties, Problem> {
        Ok(Properties::default())
    }

    fn serialize_f32(self, number: f32) -> Result<(), Problem> {
        Problem::number(number.is_finite())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Problem> {
        Problem::number(number.is_finite())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        value.serialize(self)
    }
}

/// Implements the serializer of a compound whose parts have no names.
macro_rules! check_parts {
    ($($compound:ident { $($method:ident)+ })*) => {
        $(impl ser::$compound for Checker {
            type Ok = ();
            type Error = Problem;

            $(fn $method<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<(), Problem> {
                part.serialize(*self)
            })+

            fn end(self) -> Result<(), Problem> {
                Ok(())
            }
        })*
    };
}

check_parts! {
    SerializeSeq { serialize_element }
    SerializeTuple { serialize_element }
    SerializeTupleStruct { serialize_field }
    SerializeTupleVariant { serialize_field }
}

/// The properties of a map, or of an object with additional properties.
#[derive(Debug, Default)]
struct Properties {
    names: BTreeSet<String>,
}

impl ser::SerializeMap for Properties {
    type Ok = ();
    type Error = Problem;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Problem> {
        let name = serde_json::to_value(key).map_err(ser::Error::custom)?;
        let property = name
            .as_str()
            .map_or_else(|| name.to_string(), str::to_owned);
        if self.names.contains(&property) {
            return Err(Problem::Repeated { property });
        }
        self.names.insert(property);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        value.serialize(Checker)
    }

    fn end(self) -> Result<(), Problem> {
        Ok(())
    }
}

/// Implements the serializer of a compound whose fields have names.
macro_rules! check_fields {
    ($($compound:ident)*) => {
        $(impl ser::$compound for Checker {
            type Ok = ();
            type Error = Problem;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Problem> {
                value.serialize(*self).map_err(|problem| problem.in_field(name))
            }

            fn end(self) -> Result<(), Problem> {
                Ok(())
            }
        })*
    };
}

check_fields! { SerializeStruct SerializeStructVariant }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    struct Order {
        rates: Option<Vec<f64>>,
        limits: BTreeMap<&'static str, f32>,
    }

    #[test]
    fn a_number_that_is_not_finite_is_found_at_any_depth() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(check_sendable(&number).is_err());
            assert!(check_sendable(&[Some((1, number))]).is_err());
            let order = Order {
                rates: Some(vec![1.0, number]),
                limits: BTreeMap::new(),
            };
            let problem = check_sendable(&order).unwrap_err();
            assert!(
                problem.starts_with("`rates`: NaN and infinities"),
                "{problem}"
            );
        }
    }

    #[derive(Serialize)]
    struct Labels {
        name: &'static str,
        #[serde(flatten)]
        extra: BTreeMap<&'static str, f64>,
    }

    #[test]
    fn an_additional_property_with_the_name_of_a_field_is_found() {
        let labels = |key| Labels {
            name: "a",
            extra: BTreeMap::from([(key, 1.0)]),
        };
        assert_eq!(check_sendable(&labels("other")), Ok(()));
        let problem = check_sendable(&[Some(labels("name"))]).unwrap_err();
        assert_eq!(problem, "`name` is a field and an additional property");
    }

    #[test]
    fn finite_numbers_and_other_values_are_accepted() {
        let limits = BTreeMap::from([("low", f32::MIN), ("high", f32::MAX)]);
        assert_eq!(
            check_sendable(&Order {
                rates: None,
                limits
            }),
            Ok(())
        );
        let json = serde_json::json!({ "a": [null, true, "text", 1, 1.5, { "b": {} }] });
        assert_eq!(check_sendable(&json), Ok(()));
    }
}
