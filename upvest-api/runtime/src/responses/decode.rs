//! Decodes the body of a response. Errors contain the path in the JSON, never a value.

use serde::de::DeserializeOwned;

use super::byte_order_mark::without_byte_order_mark;
use super::error::Error;
use super::error_kind::ErrorKind;

/// Decodes JSON.
///
/// # Errors
///
/// [`ErrorKind::Decode`], with the path at which `json` does not match the schema of `T`, and what was expected there.
///
/// ```
/// use upvest_runtime::{IdempotencyKey, read_json};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Order {
///     id: IdempotencyKey,
/// }
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Orders {
///     data: Vec<Order>,
/// }
///
/// let error = read_json::<Orders>(br#"{"data": [{"id": "Ada"}]}"#).unwrap_err();
/// assert!(
///     error
///         .to_string()
///         .starts_with("the body does not match the schema at data[0].id: ")
/// );
/// ```
///
/// A byte order mark before the JSON is skipped.
pub fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    // The whole body is checked at once: `from_slice` would check each text on its own, which costs more.
    match str::from_utf8(without_byte_order_mark(json)) {
        Ok(text) => serde_json::from_str(text)
            .map_err(|_| Error::new(ErrorKind::Decode, explain::<T>(text))),
        Err(_) => read_invalid(json),
    }
}

/// Reads a body that is not UTF-8. The wrong bytes do no harm in a field that is not read.
#[cold]
fn read_invalid<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(without_byte_order_mark(json)).map_err(|_| {
        let position = str::from_utf8(json).map_or_else(|error| error.valid_up_to(), str::len);
        let problem = format!("the body is not valid JSON: no UTF-8 at byte {position}");
        Error::new(ErrorKind::Decode, problem)
    })
}

/// Parses again with a slower parser that records the path of the error.
#[cold]
fn explain<T: DeserializeOwned>(json: &str) -> String {
    if json.is_empty() {
        return "the body is empty".to_owned();
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        return "the body contains text after its JSON value".to_owned();
    };
    let problem = without_values(error.inner());
    if !error.inner().is_data() {
        return format!("the body is not valid JSON: {problem}");
    }
    match error.path().to_string().as_str() {
        "." => format!("the body does not match the schema: {problem}"),
        path => format!("the body does not match the schema at {path}: {problem}"),
    }
}

/// Serde quotes what it found (`invalid type: string "Ada", expected u64 at line 1 column 9`), which may be personal
/// data, so only the type is kept.
fn without_values(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if message.starts_with("unknown variant") {
        return "the value is not one of those that the schema allows".to_owned();
    }
    let found = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, expected)) = found.and_then(|found| found.rsplit_once(", expected ")) else {
        return message;
    };
    let expected = expected
        .rsplit_once(" at line ")
        .map_or(expected, |(expected, _)| expected);
    let kind = found
        .split(['`', '"'])
        .next()
        .unwrap_or_default()
        .trim_end();
    format!("expected {expected}, found {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responses::problem::Problem;

    #[derive(Debug, serde::Deserialize)]
    enum Side {
        Buy,
    }

    #[test]
    fn an_unknown_value_of_an_enum_is_not_in_the_error() {
        assert!(matches!(read_json::<Side>(br#""Buy""#), Ok(Side::Buy)));
        let error = read_json::<Vec<Side>>(br#"["Ada"]"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the body does not match the schema at [0]: the value is not one of those that the schema allows"
        );
    }

    #[test]
    fn a_body_that_is_not_utf8_is_a_decode_error_with_the_place() {
        for wrong in [
            b"{\"id\": \"\xff\"}".as_slice(),
            b"{\"x\": \"\xc3\"}",
            b"\xff",
        ] {
            let error = read_json::<serde_json::Value>(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains("no UTF-8 at byte "), "{error}");
        }
        let error = read_json::<serde_json::Value>("\u{feff}".as_bytes()).unwrap_err();
        assert!(!error.to_string().contains("UTF-8"), "{error}");
        let error = read_json::<serde_json::Value>(b"\xef\xbb\xbf\"\xff\"").unwrap_err();
        assert!(error.to_string().ends_with("at byte 4"), "{error}");
    }

    #[test]
    fn wrong_bytes_in_a_field_that_is_not_read_do_no_harm() {
        #[derive(Debug, serde::Deserialize)]
        struct Order {
            id: u8,
        }
        let order: Order = read_json(b"{\"id\": 1, \"note\": \"\xfc\"}").unwrap();
        assert_eq!(order.id, 1);
    }

    #[test]
    fn a_byte_order_mark_before_json_is_skipped() {
        assert_eq!(read_json::<u8>("\u{feff}7".as_bytes()).ok(), Some(7));
        let problem = "\u{feff}{\"title\": \"no\"}";
        let problem = Problem::from_body(http::StatusCode::CONFLICT, problem.as_bytes());
        assert_eq!(problem.title.as_deref(), Some("no"));
        for wrong in ["\u{feff}", "\u{feff}\u{feff}7", "7\u{feff}"] {
            assert!(read_json::<u8>(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
