//! Amounts, prices, quantities and weights: exact decimal numbers in texts.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::de::{Error as _, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Up to nine digits before the point are allowed (PROTOCOL 7), so that sums and products have far fewer than 28
/// digits.
const MAX_WHOLE_DIGITS: usize = 9;
const MAX_DECIMALS: u32 = 10;

/// Parses a decimal number. An exponent or a leading `+` is not allowed.
pub(crate) fn parse(text: &str) -> Result<Decimal, &'static str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err("is not a decimal number");
    }
    Decimal::from_str_exact(text).map_err(|_| "has too many digits")
}

/// A positive amount of money, with no decimals or two (PROTOCOL 7).
pub(crate) fn money(text: &str) -> Result<Decimal, &'static str> {
    let amount = positive(text)?;
    if matches!(amount.scale(), 0 | 2) {
        Ok(amount)
    } else {
        Err("must have no decimals or two")
    }
}

/// A positive quantity or price: up to ten decimals.
pub(crate) fn positive(text: &str) -> Result<Decimal, &'static str> {
    let number = parse(text)?;
    if number <= Decimal::ZERO {
        return Err("must be greater than 0");
    }
    let whole = text
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_start_matches('0');
    if whole.len() > MAX_WHOLE_DIGITS || number.scale() > MAX_DECIMALS {
        return Err("may have at most nine digits before the point and ten after it");
    }
    Ok(number)
}

/// The lowest and the highest price. Results of a division or a multiplication by a price in this range fit a decimal.
const MIN_PRICE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);
const MAX_PRICE: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// The most units of an instrument that an account can hold: a million millions.
pub(crate) const MAX_UNITS: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
/// The most cash that an account can hold in a currency: a thousand million millions.
pub(crate) const MAX_CASH: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// The price of a unit.
pub(crate) fn price(text: &str) -> Result<Decimal, &'static str> {
    positive(text)
        .and_then(|price| bounded_price(price).ok_or("must be between 0.0001 and 1000000000"))
}

/// Returns `price`, or `None` if it is lower than [`MIN_PRICE`] or higher than [`MAX_PRICE`].
pub(crate) fn bounded_price(price: Decimal) -> Option<Decimal> {
    (MIN_PRICE..=MAX_PRICE).contains(&price).then_some(price)
}

/// The value of `quantity` at `price` for a seller, rounded down to whole cents.
pub(crate) fn value(quantity: Decimal, price: Decimal) -> Decimal {
    rounded_down(exact_value(quantity, price))
}

/// The cost of `quantity` at `price` for a buyer, rounded up to whole cents. Rounding is always to the disadvantage of
/// the customer, so that nobody can make money by many small trades.
pub(crate) fn cost(quantity: Decimal, price: Decimal) -> Decimal {
    rounded_up(exact_value(quantity, price))
}

pub(crate) fn exact_value(quantity: Decimal, price: Decimal) -> Decimal {
    quantity.saturating_mul(price)
}

/// Rounds down to whole cents.
pub(crate) fn rounded_down(amount: Decimal) -> Decimal {
    cents(amount, RoundingStrategy::ToZero)
}

/// Rounds up to whole cents.
pub(crate) fn rounded_up(amount: Decimal) -> Decimal {
    cents(amount, RoundingStrategy::AwayFromZero)
}

fn cents(amount: Decimal, rounding: RoundingStrategy) -> Decimal {
    let mut amount = amount.round_dp_with_strategy(2, rounding);
    amount.rescale(2);
    amount
}

/// The most units that can be bought for `amount` at `price`. They are whole units if the instrument has no fractions.
pub(crate) fn units(amount: Decimal, price: Decimal, fractional: bool) -> Decimal {
    divided(amount, price, fractional, RoundingStrategy::ToZero)
}

/// The units to sell to get `amount` at `price`: as few as necessary, or, if there are only whole units, the most that
/// are not worth more.
pub(crate) fn units_for(amount: Decimal, price: Decimal, fractional: bool) -> Decimal {
    let rounding = if fractional {
        RoundingStrategy::AwayFromZero
    } else {
        RoundingStrategy::ToZero
    };
    divided(amount, price, fractional, rounding)
}

fn divided(
    amount: Decimal,
    price: Decimal,
    fractional: bool,
    rounding: RoundingStrategy,
) -> Decimal {
    let decimals = if fractional { MAX_DECIMALS } else { 0 };
    let units = amount.checked_div(price).unwrap_or(Decimal::ZERO);
    units.round_dp_with_strategy(decimals, rounding).normalize()
}

/// Marks an error message of the sandbox itself, which contains no value and so may be sent to the caller.
pub(crate) const OURS: char = '\u{1}';

/// A positive amount of money in a request body.
pub(crate) fn read_money<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
    read(from, money)
}

/// A positive number in a request body.
pub(crate) fn read_positive<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
    read(from, positive)
}

/// An optional amount of money. It may also be an empty text (PROTOCOL 7).
pub(crate) fn read_money_or_none<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Decimal>, D::Error> {
    read_or_none(from, money)
}

/// An optional number. It may also be an empty text (PROTOCOL 7).
pub(crate) fn read_positive_or_none<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Decimal>, D::Error> {
    read_or_none(from, positive)
}

type Reader = fn(&str) -> Result<Decimal, &'static str>;

fn read<'de, D: Deserializer<'de>>(from: D, reader: Reader) -> Result<Decimal, D::Error> {
    let text = String::deserialize(from)?;
    reader(&text).map_err(|problem| D::Error::custom(format_args!("{OURS}{problem}")))
}

fn read_or_none<'de, D: Deserializer<'de>>(
    from: D,
    reader: Reader,
) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(from)?.filter(|text| !text.is_empty());
    text.map(|text| read(text.into_deserializer(), reader))
        .transpose()
}

/// An ISO 4217 code without an allocation, as every booking contains one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Currency([u8; 3]);

pub(crate) const EUR: Currency = Currency(*b"EUR");

impl FromStr for Currency {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err("is not a currency code (it must be three capital letters)"),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Writes an optional price. A missing price is an empty text (PROTOCOL 7).
pub(crate) mod none_as_empty_text {
    use super::{Decimal, Deserialize, Deserializer, Serializer, parse};
    use serde::de::Error as _;

    // serde requires this signature.
    #[expect(
        clippy::ref_option,
        reason = "serde's `with` passes a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(
        price: &Option<Decimal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match price {
            Some(price) => serializer.collect_str(price),
            None => serializer.serialize_str(""),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "" => Ok(None),
            text => parse(text).map(Some).map_err(D::Error::custom),
        }
    }
}
