//! Standard codes. They are checked when a program creates one, and kept unchanged when a server sends one.

use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};

use super::invalid::InvalidValue;
use super::text::read_named;

/// The longest code that a server may send, in bytes. An ISIN has 12.
const CAPACITY: usize = 15;

/// A short string without an allocation, so that codes are `Copy`. Unused bytes are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Text {
    bytes: [u8; CAPACITY],
    length: u8,
}

impl Text {
    fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; CAPACITY];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self {
            bytes,
            length: u8::try_from(text.len()).ok()?,
        })
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

macro_rules! code {
    ($(#[$meta:meta])* $name:ident, $what:literal, $rule:literal, $check:path) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text);

        impl $name {
            /// What a code is, by which [`Strict`](crate::Strict) recognizes it.
            const WHAT: &'static str = $what;
            /// The rule of its standard.
            const RULE: &'static str = $rule;

            /// The code as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Whether the code has the format of its standard. Only a code from a server can be invalid.
            pub fn is_valid(&self) -> bool {
                $check(self.as_str().as_bytes())
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                match Text::new(text.as_bytes()) {
                    Some(code) if $check(text.as_bytes()) => Ok(Self(code)),
                    _ => Err(InvalidValue::new(text, $what, $rule)),
                }
            }
        }

        $crate::from_text!($name);
        $crate::as_text!($name);
        $crate::text_column!($name);
        $crate::json_schema!($name, None::<&str>, concat!($what, ": ", $rule, "."));
        $crate::open_api_schema!($name, None::<&str>, concat!($what, ": ", $rule, "."));

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let code = read_named(deserializer, $what, "a code of at most 15 bytes", |text| Text::new(text.as_bytes()));
                code.map(Self)
            }
        }
    };
}

code! {
    /// A currency by its ISO 4217 code, such as `EUR`.
    ///
    /// Parsing requires three capital letters. It does not check whether the currency exists, as new ones are added.
    /// A code from a server is kept unchanged, up to 15 bytes.
    ///
    /// ```
    /// use upvest_runtime::CurrencyCode;
    ///
    /// assert_eq!("EUR".parse(), Ok(CurrencyCode::EUR));
    /// assert!("euro".parse::<CurrencyCode>().is_err());
    /// ```
    CurrencyCode, "currency code", "three capital letters (ISO 4217), such as EUR", is_currency
}

code! {
    /// A country by its ISO 3166-1 alpha-2 code, such as `DE`.
    ///
    /// Parsing requires two capital letters. A code from a server is kept unchanged, up to 15 bytes.
    ///
    /// ```
    /// use upvest_runtime::CountryCode;
    ///
    /// assert_eq!("DE".parse::<CountryCode>()?.as_str(), "DE");
    /// assert!("Germany".parse::<CountryCode>().is_err());
    /// # Ok::<(), upvest_runtime::InvalidValue>(())
    /// ```
    CountryCode, "country code", "two capital letters (ISO 3166-1 alpha-2), such as DE", is_country
}

code! {
    /// A security by its International Securities Identification Number (ISO 6166), such as `IE00B4L5Y983`.
    ///
    /// Parsing requires the right format and check digit. A code from a server is kept unchanged, up to 15 bytes.
    ///
    /// ```
    /// use upvest_runtime::Isin;
    ///
    /// assert!("DE000BASF111".parse::<Isin>().is_ok());
    /// assert!(
    ///     "DE000BASF112".parse::<Isin>().is_err(),
    ///     "the check digit is 1"
    /// );
    /// ```
    Isin, "ISIN", "two capital letters, nine capital letters or digits and the right check digit (ISO 6166)", is_isin
}

/// The rule that a text violates if it is read as the code with this name.
pub(super) fn broken_rule(what: &str, text: &str) -> Option<&'static str> {
    let text = text.as_bytes();
    let (is_valid, rule) = match what {
        CurrencyCode::WHAT => (is_currency(text), CurrencyCode::RULE),
        CountryCode::WHAT => (is_country(text), CountryCode::RULE),
        Isin::WHAT => (is_isin(text), Isin::RULE),
        _ => return None,
    };
    (!is_valid).then_some(rule)
}

impl CurrencyCode {
    /// Euro.
    pub const EUR: Self = Self::known(*b"EUR");
    /// Pound sterling.
    pub const GBP: Self = Self::known(*b"GBP");
    /// US dollar.
    pub const USD: Self = Self::known(*b"USD");
    /// Swiss franc.
    pub const CHF: Self = Self::known(*b"CHF");

    const fn known(letters: [u8; 3]) -> Self {
        let mut bytes = [0; CAPACITY];
        bytes[0] = letters[0];
        bytes[1] = letters[1];
        bytes[2] = letters[2];
        Self(Text { bytes, length: 3 })
    }
}

fn is_currency(code: &[u8]) -> bool {
    code.len() == 3 && code.iter().all(u8::is_ascii_uppercase)
}

fn is_country(code: &[u8]) -> bool {
    code.len() == 2 && code.iter().all(u8::is_ascii_uppercase)
}

fn is_isin(code: &[u8]) -> bool {
    code.len() == 12
        && code[..2].iter().all(u8::is_ascii_uppercase)
        && code[2..11]
            .iter()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && code[11].is_ascii_digit()
        && luhn_sum(code).is_multiple_of(10)
}

/// The sum of the Luhn formula over the characters' values, where `A` is 10 and `Z` is 35 (ISO 6166 annex A).
fn luhn_sum(code: &[u8]) -> u32 {
    let values = code.iter().filter_map(|c| char::from(*c).to_digit(36));
    let digits: String = values.map(|value| value.to_string()).collect();
    let from_the_right = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate();
    let doubled = |digit: u32| digit * 2 / 10 + digit * 2 % 10;
    from_the_right
        .map(|(place, digit)| {
            if place % 2 == 1 {
                doubled(digit)
            } else {
                digit
            }
        })
        .sum()
}
