//! Alternatives that are an empty object or an empty list.

use serde_json::{Value, json};
use upvest_constructs::Server;
use upvest_constructs::empty_values::types::{Box_, BoxInline, Order, Payment};
use upvest_constructs::empty_values::{Client, NOTES};
use upvest_runtime::{OrEmpty, Strict};

#[tokio::test]
async fn an_order_or_an_empty_object_is_an_optional_order() {
    for json in ["{}", r#"{"id":"a"}"#] {
        let (client, _) = Server::answering::<Client>(json);
        let latest: OrEmpty<Order> = client.get_latest().send().await.unwrap().into_inner();
        let previous: OrEmpty<Order> = client.get_previous().send().await.unwrap().into_inner();
        assert_eq!(latest, previous);
        assert_eq!(latest.value().is_none(), json == "{}");
    }
    let (client, _) = Server::answering::<Client>(r#"{"name":"a"}"#);
    assert!(client.get_latest().send().await.is_err());
}

#[tokio::test]
async fn empty_values_are_read_and_sent_in_each_place() {
    let empty = json!({
        "by_component": {}, "by_reference": {}, "no_list": [], "inline": {}, "nullable": {}, "payment": {}, "parent": {},
        "items": [{}], "map": { "a": {} }, "list": {}, "numbers": {}, "two_lists": [], "base": {},
    });
    let full = json!({
        "by_component": { "id": "a" }, "by_reference": { "id": "a" }, "no_list": { "id": "a" }, "inline": { "x": 1 },
        "nullable": { "id": "a" }, "payment": { "type": "CARD", "pan": "4" }, "parent": { "inline": { "x": 2 } },
        "items": [{ "id": "a" }, {}], "map": { "a": { "id": "b" } }, "list": [{ "id": "a" }], "numbers": [1, 2],
        "two_lists": [{ "id": "a" }], "base": { "a": "x", "b": "y" },
    });
    for json in [empty, full] {
        let (client, server) = Server::answering::<Client>(json.to_string());
        let read: Box_ = client.get_box().send().await.unwrap().into_inner();
        client.create_box().body(read).send().await.unwrap();
        let sent: Value = serde_json::from_str(&server.last().body).unwrap();
        assert_eq!(sent, json);
        let strict: Result<Strict<Box_>, _> = serde_json::from_value(json);
        assert!(strict.is_ok(), "{:?}", strict.err());
    }
}

#[tokio::test]
async fn a_setter_of_an_optional_field_takes_the_value_without_some() {
    let order = Order::builder().id("a").build().unwrap();
    let body = Box_::builder()
        .by_component(order.clone())
        .list(vec![order]);
    let (client, server) = Server::answering::<Client>("");
    client.create_box().body(body).send().await.unwrap();
    let sent: Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(
        sent,
        json!({ "by_component": { "id": "a" }, "list": [{ "id": "a" }] })
    );
}

#[tokio::test]
async fn null_and_other_forms_of_values_are_read_beside_an_empty_one() {
    let json = r#"{"nullable":null,"numbers":[1.0],"payment":{"type":"CASH"},"inline":{"x":3.0}}"#;
    let (client, _) = Server::answering::<Client>(json);
    let read = client.get_box().send().await.unwrap().into_inner();
    assert!(!matches!(
        read.nullable,
        Some(upvest_runtime::Nullable::Value(_))
    ));
    assert_eq!(read.numbers, Some(OrEmpty::Value(vec![1])));
    assert!(matches!(
        read.payment,
        Some(OrEmpty::Value(Payment::Cash(_)))
    ));
    let inline: Option<&BoxInline> = read.inline.as_ref().and_then(OrEmpty::value);
    assert_eq!(inline.unwrap().x, 3);
}

#[test]
fn only_alternatives_that_nothing_tells_apart_are_noted() {
    assert_eq!(NOTES.len(), 1, "{NOTES:?}");
    assert!(NOTES[0].contains("/components/schemas/Box_/properties/base"));
}

#[tokio::test]
async fn a_body_that_may_be_empty_is_built_by_its_fields_too() {
    let (client, server) = Server::answering::<Client>("");
    let call = client.create_order().body_map(|order| order.id("a"));
    call.clone().send().await.unwrap();
    assert_eq!(server.last().body, r#"{"id":"a"}"#);
    let call = call.body_map(|order| order.id("b"));
    call.send().await.unwrap();
    assert_eq!(server.last().body, r#"{"id":"b"}"#);
    let empty = OrEmpty::<Order>::EmptyObject;
    client.create_order().body(empty).send().await.unwrap();
    assert_eq!(server.last().body, "{}");
    let missing = client.create_order().body_map(|order| order).send().await;
    assert!(
        missing
            .unwrap_err()
            .to_string()
            .contains("`id` is required")
    );
}
