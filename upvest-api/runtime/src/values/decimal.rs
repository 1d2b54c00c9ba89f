//! Exact decimal numbers for amounts, prices, quantities, weights and rates.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{self, Deref};
use std::str::FromStr;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(any(feature = "sqlx-postgres", feature = "sqlx-sqlite"))]
use super::foreign_traits::Column;
use super::invalid::InvalidValue;
#[cfg(feature = "sqlx-postgres")]
use super::postgres_numeric::Numeric;
use super::text;

macro_rules! rule {
    () => {
        "digits with at most one point and no exponent, within 96 bits and 28 decimal places, such as 1234.50"
    };
}
/// The name by which [`Strict`](crate::Strict) recognizes a decimal.
pub(super) const NAME: &str = "decimal number";
const RULE: &str = rule!();
pub(super) const EXPECTED: &str = concat!("a string with a decimal number: ", rule!());

/// An exact decimal number, never a float. It keeps its number of decimal places.
///
/// `"10.00"` is read and written as `10.00`. At most 28 decimal places and 96 bits of digits are possible (any 28
/// digits fit). Reading another number is an error; it is never rounded. Some servers send a number of JSON instead of
/// a string. It is read if it has at most 15 digits, which a float keeps. [`Strict`](crate::Strict) rejects it.
///
/// It adds, subtracts, multiplies and compares, with itself and with [`rust_decimal::Decimal`], to which it
/// dereferences. **The operators round** a result that needs more digits than fit, which amounts of money do not, and
/// panic if even its whole part does not fit. [`exact_add`](Self::exact_add), [`exact_sub`](Self::exact_sub) and
/// [`exact_mul`](Self::exact_mul) return `None` in both cases.
///
/// ```
/// use upvest_runtime::Decimal;
///
/// let amount: Decimal = "10.00".parse()?;
/// assert_eq!(amount.to_string(), "10.00");
/// assert_eq!((amount + amount * 2).to_string(), "30.00");
/// assert_eq!(
///     [amount, amount].into_iter().sum::<Decimal>(),
///     Decimal::from(20)
/// );
/// assert!(amount > upvest_runtime::rust_decimal::Decimal::ONE);
/// assert!("1e400".parse::<Decimal>().is_err());
/// # Ok::<(), upvest_runtime::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// Zero, without decimal places.
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);

    /// The number `digits` with `scale` decimal places: `new(1050, 2)` is `10.50`.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if `scale` is over 28.
    pub fn new(digits: i64, scale: u32) -> Result<Self, InvalidValue> {
        rust_decimal::Decimal::try_new(digits, scale)
            .map(Self)
            .map_err(|_| InvalidValue::new(&format!("{digits}e-{scale}"), "decimal number", RULE))
    }
}

/// Arithmetic that never rounds.
impl Decimal {
    /// The sum, or `None` if it does not fit exactly.
    ///
    /// ```
    /// use upvest_runtime::Decimal;
    ///
    /// let large: Decimal = "9999999999999999999999999999".parse()?;
    /// let small: Decimal = "0.05".parse()?;
    /// assert_eq!(large.exact_add(small), None);
    /// assert_eq!(small.exact_add(small), Some("0.10".parse()?));
    /// # Ok::<(), upvest_runtime::InvalidValue>(())
    /// ```
    pub fn exact_add(self, other: impl Into<Self>) -> Option<Self> {
        let other = other.into();
        let needed = self.places().max(other.places());
        let sum = self.0.checked_add(other.0)?;
        (sum.scale() >= needed).then_some(Self(sum))
    }

    /// The difference, or `None` if it does not fit exactly.
    pub fn exact_sub(self, other: impl Into<Self>) -> Option<Self> {
        self.exact_add(-other.into())
    }

    /// The product, or `None` if it does not fit with all decimal places of both factors.
    ///
    /// ```
    /// use upvest_runtime::Decimal;
    ///
    /// let price: Decimal = "0.000000000000001".parse()?;
    /// assert_eq!(price.exact_mul(price), None);
    /// assert_eq!(price.exact_mul(3), Some("0.000000000000003".parse()?));
    /// # Ok::<(), upvest_runtime::InvalidValue>(())
    /// ```
    pub fn exact_mul(self, other: impl Into<Self>) -> Option<Self> {
        let other = other.into();
        let needed = self.places() + other.places();
        let product = self.0.checked_mul(other.0)?;
        (product.scale() >= needed).then_some(Self(product))
    }

    /// The decimal places up to the last one that is not zero.
    fn places(self) -> u32 {
        self.0.normalize().scale()
    }
}

impl FromStr for Decimal {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        exact(text)
            .map(Self)
            .ok_or_else(|| InvalidValue::new(text, "decimal number", RULE))
    }
}

/// Parses `-?[0-9]+(\.[0-9]+)?` exactly. The library's own parser is slower, and also accepts `1_000`, `+1` and `1.`,
/// which the API never sends.
fn exact(text: &str) -> Option<rust_decimal::Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    if whole.is_empty() {
        return None;
    }
    let mut digits = whole.bytes().chain(fraction.bytes());
    // Eighteen digits fit an `i64`.
    let number = if whole.len() + fraction.len() <= 18 {
        i128::from(digits.try_fold(0_i64, |number, digit| {
            Some(number * 10 + i64::from(value(digit)?))
        })?)
    } else {
        digits.try_fold(0_i128, |number, digit| {
            number.checked_mul(10)?.checked_add(value(digit)?.into())
        })?
    };
    let scale = u32::try_from(fraction.len()).ok()?;
    let mut number = rust_decimal::Decimal::try_from_i128_with_scale(number, scale).ok()?;
    number.set_sign_negative(unsigned.len() < text.len());
    Some(number)
}

/// Reads a number of a server, which may have a plus sign, and no digits on one side of its point: `+1.50`, `.50` and
/// `1.` are such numbers, as the patterns of some descriptions allow them.
fn received(text: &str) -> Option<Decimal> {
    let number = exact(text).or_else(|| exact(&completed(text)?));
    number.map(Decimal)
}

fn completed(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if (whole.is_empty() && fraction.is_empty()) || whole.starts_with('-') {
        return None;
    }
    let minus = if text.starts_with('-') { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{minus}{whole}{point}{fraction}"))
}

fn value(digit: u8) -> Option<u8> {
    digit.is_ascii_digit().then(|| digit - b'0')
}

crate::from_text!(Decimal);
crate::json_schema!(
    Decimal,
    Some("decimal"),
    concat!("A decimal number: ", rule!(), ".")
);
crate::open_api_schema!(
    Decimal,
    Some("decimal"),
    concat!("A decimal number: ", rule!(), ".")
);

#[cfg(feature = "sqlx-postgres")]
impl Column<sqlx::Postgres> for Decimal {
    type Stored = Numeric;

    fn to_stored(&self) -> Numeric {
        Numeric(self.0)
    }

    fn from_stored(number: Numeric) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(Self(number.0))
    }
}

// SQLite has no exact numbers, so a decimal is a text there.
#[cfg(feature = "sqlx-sqlite")]
impl Column<sqlx::Sqlite> for Decimal {
    type Stored = String;

    fn to_stored(&self) -> String {
        self.to_string()
    }

    fn from_stored(text: String) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(text.parse()?)
    }
}

#[cfg(any(feature = "sqlx-postgres", feature = "sqlx-sqlite"))]
crate::sqlx_traits!(Decimal);

impl From<rust_decimal::Decimal> for Decimal {
    fn from(number: rust_decimal::Decimal) -> Self {
        Self(number)
    }
}

impl From<Decimal> for rust_decimal::Decimal {
    fn from(number: Decimal) -> Self {
        number.0
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {
        $(impl From<$integer> for Decimal {
            fn from(number: $integer) -> Self {
                Self(number.into())
            }
        })*
    };
}
from_integers! { i32 u32 i64 }

macro_rules! arithmetic {
    ($($operator:ident $method:ident)*) => {
        $(
            impl<T: Into<Self>> ops::$operator<T> for Decimal {
                type Output = Self;

                fn $method(self, other: T) -> Self {
                    Self(ops::$operator::$method(self.0, other.into().0))
                }
            }
        )*
    };
}
arithmetic! { Add add Sub sub Mul mul }

impl<T: Into<Self>> ops::AddAssign<T> for Decimal {
    fn add_assign(&mut self, other: T) {
        *self = *self + other;
    }
}

impl<T: Into<Self>> ops::SubAssign<T> for Decimal {
    fn sub_assign(&mut self, other: T) {
        *self = *self - other;
    }
}

impl ops::Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |sum, number| sum + number)
    }
}

impl<'a> Sum<&'a Self> for Decimal {
    fn sum<I: Iterator<Item = &'a Self>>(numbers: I) -> Self {
        numbers.copied().sum()
    }
}

impl PartialEq<rust_decimal::Decimal> for Decimal {
    fn eq(&self, other: &rust_decimal::Decimal) -> bool {
        self.0 == *other
    }
}

impl PartialOrd<rust_decimal::Decimal> for Decimal {
    fn partial_cmp(&self, other: &rust_decimal::Decimal) -> Option<Ordering> {
        self.0.partial_cmp(other)
    }
}

impl Deref for Decimal {
    type Target = rust_decimal::Decimal;

    fn deref(&self) -> &rust_decimal::Decimal {
        &self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, DecimalVisitor)
    }
}

/// Reads an optional decimal. `""` means none: Upvest sends it for the price of an order without one
/// (PROTOCOL 7).
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    text::optional(deserializer, NAME, DecimalVisitor)
}

/// Reads a text, or a number in JSON that is exact.
struct DecimalVisitor;

impl<'de> Visitor<'de> for DecimalVisitor {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Decimal, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
        received(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Decimal, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Decimal, E> {
        Ok(Decimal(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Decimal, E> {
        from_float(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

/// How many digits a float keeps of any number.
const EXACT_DIGITS: usize = 15;

/// The number that a server wrote as a float, if it has so few digits that the float kept all of them.
fn from_float(number: f64) -> Option<Decimal> {
    let text = number.to_string();
    let digits = text.trim_start_matches(['-', '0', '.']);
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    exact(&text).filter(|_| digits <= EXACT_DIGITS).map(Decimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_received_number_may_have_a_plus_sign_or_a_bare_point() {
        for (text, number) in [
            (".50", "0.50"),
            ("-.50", "-0.50"),
            ("+.5", "0.5"),
            ("+1.50", "1.50"),
            ("+0", "0"),
            ("1.", "1"),
            ("-1.", "-1"),
            ("007.10", "7.10"),
            ("1234.5", "1234.5"),
        ] {
            let read: Decimal = serde_json::from_str(&format!("{text:?}")).expect(text);
            assert_eq!(read.to_string(), number, "{text}");
        }
    }

    #[test]
    fn a_received_number_in_json_is_read_if_it_is_exact() {
        for (json, number) in [
            ("10", "10"),
            ("-3", "-3"),
            ("18446744073709551615", "18446744073709551615"),
            ("10.5", "10.5"),
            ("0.1", "0.1"),
            ("-0.007", "-0.007"),
            ("1e3", "1000"),
            ("2.5e-7", "0.00000025"),
            ("1234567890.12345", "1234567890.12345"),
        ] {
            let read: Decimal = serde_json::from_str(json).expect(json);
            assert_eq!(read.to_string(), number, "{json}");
            let optional = optional(&mut serde_json::Deserializer::from_str(json));
            assert_eq!(optional.expect(json), Some(read), "{json}");
        }
        for json in [
            "0.1234567890123456",
            "12345678901234.567",
            "1e300",
            "true",
            "null",
            "[]",
        ] {
            assert!(serde_json::from_str::<Decimal>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_received_text_that_is_not_a_number_is_an_error() {
        for text in [
            "", ".", "+", "-", "-.", "+-1", "--1", "1.2.3", "1e5", "+ 1", "1_0", "٣", "+.", "0x1",
        ] {
            assert!(
                serde_json::from_str::<Decimal>(&format!("{text:?}")).is_err(),
                "{text}"
            );
        }
    }
}
