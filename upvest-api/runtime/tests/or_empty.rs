//! Values that may be an empty object or an empty list.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{from_str, to_string};
use upvest_runtime::{OrEmpty, Strict};

#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Order {
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
}

#[track_caller]
fn assert_kept<T>(json: &str, expected: &OrEmpty<T>)
where
    T: PartialEq + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let read: OrEmpty<T> = from_str(json).unwrap();
    assert_eq!(read, *expected);
    assert_eq!(to_string(&read).unwrap(), json);
    let Strict(read) = from_str::<Strict<OrEmpty<T>>>(json).unwrap();
    assert_eq!(read, *expected);
}

#[test]
fn a_value_and_each_form_of_an_empty_one_are_kept() {
    let side = Some("BUY".to_owned());
    assert_kept(r#"{"side":"BUY"}"#, &OrEmpty::Value(Order { side }));
    assert_kept::<Order>("{}", &OrEmpty::EmptyObject);
    assert_kept::<Order>("[]", &OrEmpty::EmptyList);
    assert_kept::<Vec<u8>>("{}", &OrEmpty::EmptyObject);
    assert_kept("[]", &OrEmpty::<Vec<u8>>::Value(Vec::new()));
    assert_kept("[1]", &OrEmpty::Value(vec![1]));
}

#[test]
fn another_value_is_an_error() {
    for json in ["null", "1", r#"{"side":1}"#, "[{}]"] {
        assert!(from_str::<OrEmpty<Order>>(json).is_err(), "{json}");
    }
}

#[test]
fn unknown_fields_of_the_value_are_found() {
    let json = r#"{"side":"BUY","other":1}"#;
    assert!(from_str::<OrEmpty<Order>>(json).is_ok());
    assert!(from_str::<Strict<OrEmpty<Order>>>(json).is_err());
}
