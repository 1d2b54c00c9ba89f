//! The columns of type `numeric` in Postgres, which are read exactly or not at all.
//!
//! The library's own code rounds a number with too many digits, and drops the decimal places of zero.

use rust_decimal::Decimal;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

const TOO_LONG: &str = "the number has more than 28 digits or decimal places";
const NOT_FINITE: &str = "the number is NaN or infinite";
const MALFORMED: &str = "the value is not a number in Postgres's format";

/// The most decimal places of a [`Decimal`].
const LONGEST_SCALE: i64 = 28;
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;

/// A number as a column has it.
pub struct Numeric(pub(crate) Decimal);

impl Type<Postgres> for Numeric {
    fn type_info() -> PgTypeInfo {
        <Decimal as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Numeric {
    fn array_type_info() -> PgTypeInfo {
        <Decimal as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Numeric {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if !self.0.is_zero() {
            return <Decimal as Encode<'_, Postgres>>::encode_by_ref(&self.0, buffer);
        }
        // No digits, weight 0, positive, and the number of decimal places.
        let scale = u16::try_from(self.0.scale())?;
        buffer.extend_from_slice(&[0; 6]);
        buffer.extend_from_slice(&scale.to_be_bytes());
        Ok(IsNull::No)
    }
}

impl<'r> Decode<'r, Postgres> for Numeric {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let number = match value.format() {
            PgValueFormat::Binary => from_binary(value.as_bytes()?)?,
            PgValueFormat::Text => Decimal::from_str_exact(value.as_str()?)?,
        };
        Ok(Self(number))
    }
}

/// Reads four numbers of 16 bits, which are the number of digits, the weight of the first digit, the sign and the
/// number of decimal places, and then the digits, in base 10,000.
fn from_binary(bytes: &[u8]) -> Result<Decimal, &'static str> {
    let (words, rest) = bytes.as_chunks();
    let words: Vec<u16> = words.iter().copied().map(u16::from_be_bytes).collect();
    let [count, weight, sign, scale, digits @ ..] = words.as_slice() else {
        return Err(MALFORMED);
    };
    if digits.len() != usize::from(*count) || !rest.is_empty() {
        return Err(MALFORMED);
    }
    if ![POSITIVE, NEGATIVE].contains(sign) {
        return Err(NOT_FINITE);
    }
    let mut number: i128 = 0;
    for digit in digits {
        let shifted = number.checked_mul(10_000).ok_or(TOO_LONG)?;
        number = shifted.checked_add((*digit).into()).ok_or(TOO_LONG)?;
    }
    // The decimal places of `number`; negative if zeros follow it.
    let weight = i64::from(weight.cast_signed());
    let places = 4 * (i64::from(*count) - 1 - weight);
    let (number, places) = without_zeros(number, places);
    let signed = if *sign == NEGATIVE { -number } else { number };
    // As many decimal places as the column has, or as fit.
    let least = places.max(0);
    let most = i64::from(*scale).clamp(least, LONGEST_SCALE.max(least));
    let scales = (least..=most).rev();
    let mut numbers = scales.filter_map(|scale| with_scale(signed, places, scale));
    numbers.next().ok_or(TOO_LONG)
}

/// The number with `places` decimal places, with zeros up to `scale` decimal places, if it fits.
fn with_scale(number: i128, places: i64, scale: i64) -> Option<Decimal> {
    let zeros = u32::try_from(scale - places).ok()?;
    let number = number.checked_mul(10_i128.checked_pow(zeros)?)?;
    Decimal::try_from_i128_with_scale(number, u32::try_from(scale).ok()?).ok()
}

/// The same number without the zeros at its end.
fn without_zeros(mut number: i128, mut places: i64) -> (i128, i64) {
    if number == 0 {
        return (0, 0);
    }
    while number % 10 == 0 {
        number /= 10;
        places -= 1;
    }
    (number, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(words: &[u16]) -> Result<String, &'static str> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        from_binary(&bytes).map(|number| number.to_string())
    }

    #[test]
    fn a_number_is_read_with_its_decimal_places() {
        // The number of groups of four digits, the weight of the first group, the sign, the scale, and the groups.
        let minus_one = 0xFFFF;
        let cases: [(&[u16], &str); 8] = [
            (&[0, 0, 0, 0], "0"),
            (&[0, 0, 0, 2], "0.00"),
            (&[1, 0, 0, 0, 7], "7"),
            (&[2, 0, 0, 2, 7, 5000], "7.50"),
            (&[1, 1, 0, 3, 7], "70000.000"),
            (&[1, minus_one, 0, 4, 7], "0.0007"),
            (&[1, 0, NEGATIVE, 1, 7], "-7.0"),
            // With 30 decimal places, of which 20 fit.
            (&[1, 2, 0, 30, 7], "700000000.00000000000000000000"),
        ];
        for (words, expected) in cases {
            assert_eq!(binary(words).as_deref(), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_an_error_and_never_rounded() {
        let places_29 = [9, 0, 0, 29, 1, 0, 0, 0, 0, 0, 0, 0, 1000];
        assert_eq!(binary(&places_29), Err(TOO_LONG));
        let thirty_two_digits = [8, 7, 0, 0, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999];
        assert_eq!(binary(&thirty_two_digits), Err(TOO_LONG));
        let with_800_zeros = [1, 200, 0, 0, 1];
        assert_eq!(binary(&with_800_zeros), Err(TOO_LONG));
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        let nan = [0, 0, 0xC000, 0];
        assert_eq!(binary(&nan), Err(NOT_FINITE));
        let without_its_second_group = [2, 0, 0, 0, 1];
        assert_eq!(binary(&without_its_second_group), Err(MALFORMED));
        assert_eq!(binary(&[1, 0]), Err(MALFORMED));
    }
}
