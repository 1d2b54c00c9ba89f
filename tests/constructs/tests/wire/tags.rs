//! Unions by other tags, and what a Rust type cannot express.

use serde_json::json;
use upvest_constructs::Server;
use upvest_constructs::tags::types::{
    CardMethod, Check, Level, Method, Overlap, Ranges, Shape, Wrap, WrapEither,
};
use upvest_constructs::tags::{Client, NOTES};
use upvest_runtime::Strict;

#[tokio::test]
async fn a_tag_in_a_nested_all_of_tells_branches_apart() {
    let (client, _) = Server::answering::<Client>(r#"{"form":"CIRCLE","name":"c","radius":2}"#);
    let shape = client.get_shape().send().await.unwrap().into_inner();
    assert!(matches!(shape, Shape::Circle(circle) if circle.radius == Some(2)));
}

#[tokio::test]
async fn an_integer_can_be_the_tag() {
    for (json, is_first) in [
        (json!({ "version": 1, "first": "x" }), true),
        (json!({ "version": 3, "second": "x" }), false),
    ] {
        let (client, server) = Server::answering::<Client>(json.to_string());
        let level = client.get_level().send().await.unwrap().into_inner();
        assert_eq!(matches!(level, Level::N1(_)), is_first, "{json}");
        assert!(!matches!(level, Level::Unknown(_)), "{json}");
        client.create_level().body(level).send().await.unwrap();
        let sent: serde_json::Value = serde_json::from_str(&server.last().body).unwrap();
        assert_eq!(sent, json);
        assert!(serde_json::from_value::<Strict<Level>>(json).is_ok());
    }
    let unknown: Level = serde_json::from_str(r#"{"version":4}"#).unwrap();
    assert!(matches!(unknown, Level::Unknown(_)));
}

#[tokio::test]
async fn the_tag_is_sent_although_the_branch_does_not_list_it() {
    let (client, server) = Server::answering::<Client>("");
    let card = CardMethod::builder().pan("4000").build().unwrap();
    client.create_method().body(card).send().await.unwrap();
    let sent: serde_json::Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(sent, json!({ "type": "CARD", "pan": "4000" }));
    let read: Strict<Method> = serde_json::from_value(sent).unwrap();
    assert!(matches!(read.0, Method::Card(_)));
}

#[tokio::test]
async fn a_wrong_tag_is_rejected_before_it_is_sent() {
    let (client, _) = Server::answering::<Client>("");
    let first: Level = serde_json::from_str(r#"{"version":1,"first":"x"}"#).unwrap();
    let Level::N1(mut first) = first else {
        panic!("{first:?}");
    };
    first.version = 2;
    let error = client.create_level().body(first).send().await.unwrap_err();
    assert!(error.to_string().contains("version"), "{error}");
}

#[tokio::test]
async fn unions_in_lists_maps_and_unions_are_typed() {
    let circle = json!({ "form": "CIRCLE", "radius": 1 });
    let line = json!({ "form": "LINE", "length": 3 });
    let response =
        json!({ "list": [circle], "map": { "a": circle }, "nullable": null, "either": line });
    let (client, _) = Server::answering::<Client>(response.to_string());
    let wrap: Wrap = client.get_wrap().send().await.unwrap().into_inner();
    assert!(matches!(wrap.list.unwrap().as_slice(), [Shape::Circle(_)]));
    assert!(matches!(wrap.map.unwrap()["a"], Shape::Circle(_)));
    assert!(wrap.nullable.is_none());
    assert!(matches!(wrap.either, Some(WrapEither::Line(_))));
}

#[tokio::test]
async fn values_that_overlap_are_no_tag() {
    let (client, _) = Server::answering::<Client>(r#"{"state":"DONE","kind":"B","b":"x"}"#);
    let overlap = client.get_overlap().send().await.unwrap().into_inner();
    assert!(matches!(overlap, Overlap::B(branch) if branch.b.as_deref() == Some("x")));
    let (client, _) = Server::answering::<Client>(r#"{"type":"KYC","text":"x"}"#);
    let check: Check = client.get_check().send().await.unwrap().into_inner();
    assert_eq!(check.text.as_deref(), Some("x"));
    assert!(check.score.is_none());
    assert!(has_note(
        "/components/schemas/Check",
        "no field tells the 2 objects"
    ));
}

#[tokio::test]
async fn what_a_type_cannot_express_is_read_and_noted() {
    let response = json!({
        "small_or_negative": -5, "id_or_object": "x", "pair": ["a", 1], "point": [1.5, 2.0],
        "labels": { "l_a": "x" }, "other": 7, "chosen": { "a": "x" }, "bound": { "b": "x" },
    });
    let (client, _) = Server::answering::<Client>(response.to_string());
    let read: Ranges = client.get_ranges().send().await.unwrap().into_inner();
    assert_eq!(read.small_or_negative, Some(-5));
    assert_eq!(read.point, Some(vec![1.5, 2.0]));
    assert_eq!(read.labels.as_ref().unwrap()["l_a"], "x");
    assert_eq!(serde_json::to_value(&read).unwrap(), response);
    for (field, problem) in [
        ("small_or_negative", "several ranges"),
        ("id_or_object", "any JSON"),
        ("pair/prefixItems", "any JSON"),
        ("point/prefixItems", "any length"),
        ("labels/patternProperties", "patterns"),
        ("other/not", "not checked"),
        ("chosen/if", "not checked"),
        ("bound/dependentRequired", "not checked"),
    ] {
        let place = format!("/components/schemas/Ranges/properties/{field}");
        assert!(has_note(&place, problem), "{field}");
    }
}

fn has_note(place: &str, problem: &str) -> bool {
    let place = format!(" {place}: ");
    NOTES
        .iter()
        .any(|note| note.contains(&place) && note.contains(problem))
}
