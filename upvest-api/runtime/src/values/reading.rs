//! Reads values more leniently than the `Deserialize` of their type, at any depth of lists and maps. Accepts integers
//! such as `1.0` or `"1"`, times in several formats, and an empty text for a missing value, and keeps a `null` apart
//! from a missing field.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use uuid::Uuid;

use super::decimal::{self, Decimal};
use super::nullable::Nullable;
use super::or_empty::OrEmpty;
use super::text;
use super::timestamp;

/// Reads a value leniently. For `deserialize_with`.
#[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
pub fn read<'de, T: LenientRead<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// A value that can be read more leniently than its `Deserialize` allows. An integer may be `1.0` or `"1"`, and an
/// optional value an empty text.
pub trait LenientRead<'de>: Sized {
    /// Reads a value.
    #[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Reads a value or `null`.
    #[allow(clippy::missing_errors_doc, reason = "generated code calls it")]
    fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let value = Option::<Leniently<Self>>::deserialize(deserializer)?;
        Ok(value.map(|Leniently(value)| value))
    }
}

/// Reads a `T` with [`LenientRead`] where `Deserialize` is required.
pub(crate) struct Leniently<T>(pub(crate) T);

impl<'de, T: LenientRead<'de>> Deserialize<'de> for Leniently<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

impl<'de, T: LenientRead<'de>> LenientRead<'de> for Option<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_optional(deserializer)
    }
}

impl<'de, T: LenientRead<'de>> LenientRead<'de> for Nullable<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = T::read_optional(deserializer)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }

    /// `null` is a value: the field is not missing.
    fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Self::read(deserializer).map(Some)
    }
}

impl<'de, T: LenientRead<'de>> LenientRead<'de> for Vec<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<Leniently<T>>::deserialize(deserializer)?;
        Ok(items.into_iter().map(|Leniently(item)| item).collect())
    }
}

impl<'de, T: LenientRead<'de>> LenientRead<'de> for OrEmpty<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = OrEmpty::<Leniently<T>>::deserialize(deserializer)?;
        Ok(value.map(|Leniently(value)| value))
    }
}

impl<'de, T: LenientRead<'de>> LenientRead<'de> for BTreeMap<String, T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, Leniently<T>>::deserialize(deserializer)?;
        let values = values
            .into_iter()
            .map(|(key, Leniently(value))| (key, value));
        Ok(values.collect())
    }
}

impl<'de> LenientRead<'de> for DateTime<Utc> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        timestamp::required(deserializer)
    }

    fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        timestamp::optional(deserializer)
    }
}

impl<'de> LenientRead<'de> for Decimal {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        decimal::optional(deserializer)
    }
}

impl<'de> LenientRead<'de> for NaiveDate {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let expected = "a date, such as 2026-03-16";
        text::read_optional(deserializer, "date", expected, |text| text.parse().ok())
    }
}

impl<'de> LenientRead<'de> for Uuid {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let expected = "a UUID, such as 5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
        text::read_optional(deserializer, "UUID", expected, |text| {
            Self::try_parse(text).ok()
        })
    }
}

/// The name by which [`Strict`](crate::Strict) recognizes an integer.
pub(super) const INTEGER: &str = "integer";

macro_rules! read_integers {
    ($($integer:ident)*) => {
        $(impl<'de> LenientRead<'de> for $integer {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = Integer::<Self>(stringify!($integer), PhantomData);
                deserializer.deserialize_newtype_struct(INTEGER, visitor)
            }

            fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                let visitor = Integer::<Self>(stringify!($integer), PhantomData);
                text::optional(deserializer, INTEGER, visitor)
            }
        })*
    };
}
read_integers! { i64 u32 u64 }

/// Reads an integer. JSON has one type of numbers, so `1.0` and `1e3` are integers too. Some servers write integers as
/// text.
struct Integer<T>(&'static str, PhantomData<T>);

/// Every integer below this number is exact as a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de, T: TryFrom<i64> + TryFrom<u64>> Visitor<'de> for Integer<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<T, D::Error> {
        // In a field with `serde(flatten)`, `deserialize_i64` rejects a float, so the input decides.
        inner.deserialize_any(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
        let negative = || T::try_from(text.parse::<i64>().ok()?).ok();
        let number = text
            .parse::<u64>()
            .map_or_else(|_| negative(), |number| T::try_from(number).ok());
        let number = number.filter(|_| is_integer);
        number.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        let is_exact = number.fract() == 0.0 && number.abs() < EXACT;
        if is_exact {
            #[allow(
                clippy::cast_possible_truncation,
                reason = "it has no fraction and is small"
            )]
            return self.visit_i64(number as i64);
        }
        Err(E::invalid_type(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, json};

    use super::*;

    fn read_text<'t, T: LenientRead<'t>>(json: &'t str) -> Option<T> {
        from_str::<Leniently<T>>(json)
            .ok()
            .map(|Leniently(value)| value)
    }

    #[test]
    fn an_integer_may_be_written_with_a_point_or_an_exponent() {
        assert_eq!(read_text::<u32>("1.0"), Some(1));
        assert_eq!(read_text::<i64>("-2e3"), Some(-2000));
        assert_eq!(read_text::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(
            read_text::<Vec<Option<u64>>>("[1.0, null]"),
            Some(vec![Some(1), None])
        );
    }

    #[test]
    fn a_number_that_is_not_an_exact_integer_of_the_type_is_an_error() {
        for json in [
            "1.5",
            "-1",
            "4294967296",
            "1e30",
            "null",
            "true",
            "\"\"",
            "\"-1\"",
            "\"1.0\"",
            "\"+1\"",
            "\" 1\"",
            "\"4294967296\"",
            "\"-\"",
        ] {
            assert_eq!(read_text::<u32>(json), None, "{json}");
        }
        assert_eq!(read_text::<i64>("9007199254740994.0"), None);
        assert_eq!(read_text::<i64>("18446744073709551615"), None);
    }

    #[test]
    fn an_integer_may_be_written_as_text() {
        assert_eq!(read_text::<u32>("\"1\""), Some(1));
        assert_eq!(read_text::<i64>("\"-20\""), Some(-20));
        assert_eq!(read_text::<u64>("\"18446744073709551615\""), Some(u64::MAX));
        assert_eq!(read_text::<Option<u32>>("\"7\""), Some(Some(7)));
    }

    #[test]
    fn an_optional_value_may_be_an_empty_text() {
        assert_eq!(read_text::<Option<NaiveDate>>("\"\""), Some(None));
        assert_eq!(read_text::<Option<DateTime<Utc>>>("\"\""), Some(None));
        assert_eq!(read_text::<Option<Uuid>>("\"\""), Some(None));
        assert_eq!(read_text::<Option<u32>>("\"\""), Some(None));
        assert_eq!(
            read_text::<Option<Nullable<NaiveDate>>>("\"\""),
            Some(Some(Nullable::Null))
        );
        assert_eq!(read_text::<Option<NaiveDate>>("\" \""), None);
        assert_eq!(read_text::<NaiveDate>("\"\""), None);
        assert_eq!(read_text::<Uuid>("\"\""), None);
        let day = NaiveDate::from_ymd_opt(2026, 3, 16);
        assert_eq!(read_text::<Option<NaiveDate>>("\"2026-03-16\""), Some(day));
        let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
        assert_eq!(
            read_text::<Option<Uuid>>(&format!("{id:?}")),
            Some(id.parse().ok())
        );
    }

    #[test]
    fn null_in_a_nullable_field_is_not_a_missing_value() {
        assert_eq!(
            read_text::<Option<Nullable<u32>>>("null"),
            Some(Some(Nullable::Null))
        );
        assert_eq!(
            read_text::<Option<Nullable<u32>>>("1"),
            Some(Some(Nullable::Value(1)))
        );
    }

    #[test]
    fn times_and_decimals_are_read_in_lists_and_maps_too() {
        let time = "2026-03-16T09:31:48Z".parse::<DateTime<Utc>>().unwrap();
        let json = json!([{ "a": "2026-03-16T09:31:48+0000" }]).to_string();
        let times = read_text::<Vec<BTreeMap<String, DateTime<Utc>>>>(&json).unwrap();
        assert_eq!(times[0]["a"], time);
        let decimals = read_text::<Vec<Option<Decimal>>>(r#"["", ".50", null]"#).unwrap();
        assert_eq!(decimals, [None, Decimal::new(50, 2).ok(), None]);
    }
}
