//! `Strict` finds unknown fields and values wherever they are, and never repeats a value.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use upvest_runtime::chrono::{DateTime, Utc};
use upvest_runtime::generated_code::read;
use upvest_runtime::{
    CurrencyCode, Decimal, Isin, Nullable, Strict, open_enum, open_union, present,
};

open_enum! {
    /// The direction of an order.
    Side {
        /// Buys.
        Buy = "BUY",
        /// Has a space, as some values do.
        SellShort = "SELL SHORT",
    }
}

/// An order at a price.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Limit {
    kind: String,
    price: u32,
    side: Side,
    #[serde(default)]
    then: Vec<AnyOrder>,
}

/// An order at any price.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Market {
    kind: String,
}

open_union! {
    /// An order.
    AnyOrder by "kind" {
        /// At a price.
        Limit(Limit) = "LIMIT",
        /// At any price.
        Market(Market) = "MARKET",
    }
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only whether it can be read is tested")]
struct Body {
    #[serde(default)]
    orders: Vec<Vec<AnyOrder>>,
    #[serde(default)]
    sides: BTreeMap<String, Side>,
    #[serde(default)]
    currency: Option<CurrencyCode>,
    #[serde(default, deserialize_with = "present")]
    isin: Option<Nullable<Isin>>,
    #[serde(default)]
    notes: Value,
    #[serde(default)]
    choice: Option<Choice>,
    #[serde(default)]
    count: Option<i64>,
}

/// An enum of a user's own.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only whether it can be read is tested")]
enum Choice {
    None,
    One(Side),
    Some { side: Side },
}

fn problems<T: DeserializeOwned>(json: &str) -> String {
    match serde_json::from_str::<Strict<T>>(json) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn problems_of_body(json: &Value) -> String {
    problems::<Body>(&json.to_string())
}

#[test]
fn known_fields_and_values_are_no_problem() {
    let limit = json!({ "then": [{ "kind": "MARKET" }], "price": 1, "side": "SELL SHORT", "kind": "LIMIT" });
    for body in [
        json!({}),
        json!({ "orders": [[limit], [], [{ "kind": "MARKET" }]] }),
        json!({ "sides": { "any key": "BUY" }, "currency": null, "isin": null, "count": 7 }),
        json!({ "isin": "DE000BASF111", "notes": { "any": ["thing", { "at": null }] } }),
        json!({ "choice": "None" }),
        json!({ "choice": { "One": "BUY" } }),
        json!({ "choice": { "Some": { "side": "BUY" } } }),
    ] {
        assert_eq!(problems_of_body(&body), "none", "{body}");
    }
}

/// Values that are read leniently.
#[derive(Debug, Deserialize)]
struct Lenient {
    amount: Decimal,
    #[serde(deserialize_with = "read")]
    count: u32,
    #[serde(deserialize_with = "read")]
    at: Option<DateTime<Utc>>,
}

#[test]
fn forms_that_only_servers_may_send_are_problems() {
    let usual = json!({ "amount": "1.5", "count": 1, "at": "2026-03-16T09:31:48Z" });
    assert_eq!(problems::<Lenient>(&usual.to_string()), "none");
    for (field, value, expected) in [
        (
            "amount",
            json!(1.5),
            "expected a string with a decimal number",
        ),
        (
            "amount",
            json!(1),
            "expected a string with a decimal number",
        ),
        ("count", json!("1"), "expected an integer"),
        (
            "at",
            json!("2026-03-16T09:31:48"),
            "expected a time with an offset",
        ),
        ("at", json!("2026-03-16"), "expected a time with an offset"),
    ] {
        let mut body = usual.clone();
        body[field] = value;
        let read: Lenient = serde_json::from_value(body.clone()).unwrap();
        assert!(read.amount >= Decimal::from(1) && read.count == 1 && read.at.is_some());
        let problems = problems::<Lenient>(&body.to_string());
        assert!(
            problems.starts_with(&format!("`{field}`: {expected}")),
            "{problems}"
        );
    }
}

#[test]
fn problems_in_unions_lists_and_maps_are_all_named() {
    let body = json!({
        "orders": [[], [{ "kind": "MARKET", "CANARY": null }, {
            "then": [{ "kind": "LIMIT", "price": 1, "side": "CANARY" }], "price": 1, "side": "BUY", "kind": "LIMIT", "x": {},
        }]],
        "sides": { "first": "BUY", "second": "CANARY VALUE" },
        "currency": "CANARY",
        "isin": "DE000BASF112",
        "choice": { "Some": { "side": "SELL", "size": 1 } },
    });
    let problems = problems_of_body(&body);
    for problem in [
        "unknown field `orders[1][0].CANARY`: the API has no such field",
        "unknown field `orders[1][1].x`: the API has no such field",
        "`orders[1][1].then[0].side`: expected one of BUY, SELL SHORT",
        "`sides.second`: expected one of BUY, SELL SHORT",
        "`currency`: expected three capital letters (ISO 4217), such as EUR",
        "`isin`: expected two capital letters",
        "`choice.side`: expected one of BUY, SELL SHORT",
        "unknown field `choice.size`: the API has no such field",
    ] {
        assert!(problems.contains(problem), "{problem}\nin {problems}");
    }
    assert_eq!(problems.matches("CANARY").count(), 1, "{problems}");
}

#[test]
fn an_alternative_that_is_unknown_is_a_problem() {
    for (union, problem) in [
        (
            json!({ "kind": "CANARY" }),
            "field `kind`: expected one of LIMIT, MARKET",
        ),
        (
            json!({ "kind": 7 }),
            "field `kind`: expected one of LIMIT, MARKET",
        ),
        (
            json!({ "kind": null }),
            "field `kind`: expected one of LIMIT, MARKET",
        ),
        (json!({ "price": 1 }), "missing field `kind`"),
        (json!("CANARY"), "expected an object"),
        (json!(null), "expected an object"),
        (json!([]), "expected an object"),
    ] {
        let json = union.to_string();
        assert_eq!(problems::<AnyOrder>(&json), problem, "{json}");
        assert!(
            matches!(serde_json::from_str(&json), Ok(AnyOrder::Unknown(kept)) if kept == union)
        );
    }
}

#[test]
fn a_repeated_field_is_a_problem_in_structs_unions_and_maps() {
    for (json, problem) in [
        (
            r#"{"count": 1, "count": 2}"#,
            "`count`: the field occurs more than once",
        ),
        (
            r#"{"sides": {"a": "BUY", "a": "BUY"}}"#,
            "`sides.a`: the field occurs more than once",
        ),
        (
            r#"{"notes": {"a": 1, "a": 2}}"#,
            "`notes.a`: the field occurs more than once",
        ),
        (
            r#"{"orders": [[{"kind": "MARKET", "kind": "LIMIT"}]]}"#,
            "`orders[0][0].kind`: the field occurs more than once",
        ),
    ] {
        assert_eq!(problems::<Body>(json), problem, "{json}");
    }
}

#[test]
fn a_value_of_another_type_is_named_by_its_path_after_the_other_problems() {
    let body = r#"{ "currency": "x", "count": "CANARY" }"#;
    assert_eq!(
        problems::<Body>(body),
        "`currency`: expected three capital letters (ISO 4217), such as EUR; `count`: expected i64"
    );
    for count in ["1.0", "1e3", "18446744073709551616", "[1]", "{}"] {
        let json = format!("{{\"count\": {count}}}");
        assert_eq!(problems::<Body>(&json), "`count`: expected i64", "{json}");
        assert!(serde_json::from_str::<Body>(&json).is_err(), "{json}");
    }
    assert_eq!(
        problems::<Limit>(r#"["LIMIT", 1, "BUY", []]"#),
        "expected an object, found an array"
    );
}

#[test]
fn an_error_names_twenty_problems_and_counts_the_others() {
    let fields: BTreeMap<String, u32> = (0..100_000)
        .map(|number| (format!("f{number}"), 0))
        .collect();
    let problems = problems::<Market>(&serde_json::to_string(&fields).unwrap());
    assert_eq!(problems.matches("unknown field").count(), 19);
    assert!(
        problems.ends_with("missing field `kind`; and 99981 more"),
        "{problems}"
    );
    let long = format!("{{\"kind\": \"\", \"{}\\n\": 1}}", "x".repeat(1_000_000));
    assert!(self::problems::<Market>(&long).len() < 150);
}

#[test]
fn deep_or_broken_json_is_an_error() {
    for json in [
        "",
        "{",
        "{\"notes\": ",
        "nul",
        "{} {}",
        &"[".repeat(100_000),
        &"{\"notes\":".repeat(100_000),
    ] {
        assert!(serde_json::from_str::<Strict<Body>>(json).is_err());
    }
}

#[test]
fn a_strict_value_can_be_a_part_of_a_lenient_one() {
    #[derive(Debug, Deserialize)]
    struct Envelope {
        order: Strict<Market>,
    }
    let read = |json: Value| serde_json::from_value::<Envelope>(json);
    let envelope = read(json!({ "new": 1, "order": { "kind": "MARKET" } })).unwrap();
    assert_eq!(envelope.order.0.kind, "MARKET");
    assert!(read(json!({ "order": { "kind": "MARKET", "new": 1 } })).is_err());
}

#[test]
fn unions_and_enums_are_read_from_buffers_of_serde_too() {
    #[derive(Debug, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        order: AnyOrder,
    }
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Side(Side),
        Order(AnyOrder),
    }
    let flat: Flat = serde_json::from_value(json!({ "kind": "MARKET" })).unwrap();
    assert!(matches!(flat.order, AnyOrder::Market(_)));
    let either = |json: Value| serde_json::from_value::<Either>(json).unwrap();
    assert!(matches!(either(json!("SOMETHING")), Either::Side(side) if !side.is_known()));
    assert!(matches!(
        either(json!({ "kind": "MARKET" })),
        Either::Order(AnyOrder::Market(_))
    ));
}
