//! Comparing descriptions: every change of a fact is found, with its effect on callers.

#![allow(clippy::too_many_lines, reason = "tables")]

mod mutations;

use std::collections::BTreeSet;
use std::ops::Range;
use std::thread;

use mutations::{Mutation, Original, facts, vendored};
use serde_json::{Value, json};
use upvest_gen::diff::Impact;

#[test]
fn each_of_200_random_changes_of_a_fact_is_reported() {
    let (old, document) = vendored();
    let original = Original::new(document);
    let check = |seeds: Range<u64>| {
        let seen = seeds.map(|seed| {
            let mutation = Mutation::new(&original, seed);
            // If the generator rejects the mutated description, the change counts as seen.
            let is_seen = mutation
                .facts()
                .map_or(true, |new| !old.compare(&new).is_empty());
            assert!(
                is_seen,
                "seed {seed}: {}: not seen: {}",
                mutation.kind, mutation.description
            );
            mutation.kind
        });
        seen.collect::<BTreeSet<_>>()
    };
    let kinds: BTreeSet<_> = thread::scope(|scope| {
        let halves = [0..100, 100..200].map(|seeds| scope.spawn(|| check(seeds)));
        halves
            .into_iter()
            .flat_map(|half| half.join().expect("all are seen"))
            .collect()
    });
    assert_eq!(kinds, BTreeSet::from(mutations::KINDS));
}

#[test]
fn changed_prose_is_not_a_change() {
    let (old, mut document) = vendored();
    assert_eq!(old.compare(&old), []);
    document["paths"]["/orders"]["post"]["summary"] = json!("Other words");
    document["components"]["schemas"]["Order"]["description"] = json!("Other words");
    assert_eq!(old.compare(&facts(&document)), []);
}

#[test]
fn each_change_has_the_right_effect_on_callers() {
    use Impact::{Build, Calls, None as Compatible};
    let table: [(&str, Change, &str, Impact); 24] = [
        (
            "/paths/~1orders/get",
            |it| *it = Value::Null,
            "operation listOrders removed",
            Build,
        ),
        (
            "/paths/~1orders/get/operationId",
            |it| *it = json!("orders"),
            "operation orders: operationId renamed from `listOrders` to `orders`",
            Build,
        ),
        (
            "/paths/~1orders/get/tags",
            |it| *it = json!(["Trade"]),
            "tag set to `Trade`",
            Compatible,
        ),
        (
            "/paths/~1orders/get/security",
            |it| *it = json!([{ "oauth": ["all:read"] }]),
            "scopes changed",
            Compatible,
        ),
        (
            "/paths/~1orders/get/parameters/0/name",
            |it| *it = json!("skip"),
            "paging removed (it was `yes`)",
            Build,
        ),
        (
            "/paths/~1orders/get/parameters/1/schema/maximum",
            |it| *it = json!(50),
            "page size max changed from `100` to `50`",
            Calls,
        ),
        (
            "/paths/~1orders/get/parameters/2",
            |it| *it = json!({ "name": "x", "in": "query", "schema": {} }),
            "parameter side removed",
            Build,
        ),
        (
            "/paths/~1orders/get/parameters/2/required",
            |it| *it = json!(true),
            "required set to `yes`",
            Build,
        ),
        (
            "/paths/~1orders/get/parameters",
            |it| push(it, &json!({ "name": "x", "in": "query", "schema": {} })),
            "parameter x added",
            Compatible,
        ),
        (
            "/paths/~1orders/get/parameters",
            |it| {
                push(
                    it,
                    &json!({ "name": "x", "in": "query", "required": true, "schema": {} }),
                );
            },
            "parameter x added",
            Calls,
        ),
        (
            "/paths/~1orders/post/parameters/0",
            |it| *it = json!({ "name": "x", "in": "query", "schema": {} }),
            "idempotency key removed (it was `yes`)",
            Compatible,
        ),
        (
            "/paths/~1orders/post",
            |it| _ = it.as_object_mut().expect("an object").remove("requestBody"),
            "body removed (it was `encoding json, media_type none, required no, type schema OrderCreate`)",
            Build,
        ),
        (
            "/paths/~1orders/post/responses/201/content",
            |it| *it = json!({}),
            "content changed from `json schema Order` to `empty`",
            Build,
        ),
        (
            "/paths/~1orders/post/responses",
            |it| it["429"] = json!({ "description": "Later." }),
            "statuses changed",
            Compatible,
        ),
        (
            "/components/schemas/Order/properties/side/enum",
            |it| push(it, &json!("HOLD")),
            "variant HOLD added",
            Compatible,
        ),
        (
            "/components/schemas/Order/properties/side/enum",
            |it| *it = json!(["BUY"]),
            "variant SELL removed",
            Build,
        ),
        (
            "/components/schemas/Order/properties/note/type",
            |it| *it = json!("integer"),
            "field note: type changed from `text` to `i64`",
            Build,
        ),
        (
            "/components/schemas/Order/properties/note/type",
            |it| *it = json!(["string", "null"]),
            "field note: nullable set to `yes`",
            Compatible,
        ),
        (
            "/components/schemas/OrderCreate/properties/note/type",
            |it| *it = json!(["string", "null"]),
            "in Rust changed from `Option` to `Option<Nullable>`",
            Build,
        ),
        (
            "/components/schemas/Order/required",
            |it| *it = json!(["id", "note"]),
            "field note: in Rust changed from `Option` to `value`",
            Build,
        ),
        (
            "/components/schemas/Order/properties",
            |it| it["new"] = json!({ "type": "string" }),
            "field new added",
            Compatible,
        ),
        (
            "/components/schemas/OrderCreate",
            |it| *it = json!({ "type": "object", "required": ["new"], "properties": { "note": { "type": "string" }, "new": { "type": "string" } } }),
            "field new added",
            Calls,
        ),
        (
            "/components/schemas/Order/properties/note",
            |it| it["x-public"] = json!(true),
            "public set to `yes`",
            Compatible,
        ),
        (
            "/components/schemas/Problem/properties/title/type",
            |it| *it = json!("integer"),
            "error /components/schemas/Problem: title.type changed from `string` to `integer`",
            Compatible,
        ),
    ];
    let orders: Value = serde_json::from_str(ORDERS).expect("this is JSON");
    for (pointer, change, expected, impact) in table {
        let mut new = orders.clone();
        change(
            new.pointer_mut(pointer)
                .unwrap_or_else(|| panic!("{pointer} is not there")),
        );
        let changes = facts(&orders).compare(&facts(&new));
        let found = changes
            .iter()
            .find(|change| change.to_string().contains(expected));
        let all: Vec<String> = changes
            .iter()
            .map(|it| format!("{:?}: {it}", it.impact))
            .collect();
        let found = found.unwrap_or_else(|| panic!("{pointer}: {expected} is not among {all:#?}"));
        assert_eq!(found.impact, impact, "{pointer}: {all:#?}");
        assert_eq!(found.breaking, impact != Compatible, "{pointer}: {all:#?}");
        assert!(!found.reason.is_empty(), "{pointer}: {found}");
    }
}

#[test]
fn a_renamed_operation_is_compared_with_its_old_version() {
    let new = ORDERS
        .replace("listOrders", "orders")
        .replace("orders:read", "orders:all");
    let json = |text: &str| serde_json::from_str(text).expect("this is JSON");
    let changes = facts(&json(ORDERS)).compare(&facts(&json(&new)));
    let texts: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert!(
        texts[0].starts_with("operation orders: operationId renamed"),
        "{texts:#?}"
    );
    assert!(
        texts
            .iter()
            .any(|text| text.contains("scopes changed from `orders:read` to `orders:all`")),
        "{texts:#?}"
    );
    assert!(
        texts
            .iter()
            .all(|text| text.starts_with("operation orders: ")),
        "{texts:#?}"
    );
}

/// A change of one place in a description.
type Change = fn(&mut Value);

fn push(list: &mut Value, item: &Value) {
    list.as_array_mut()
        .expect("this is a list")
        .push(item.clone());
}

const ORDERS: &str = r##"{
    "openapi": "3.1.0",
    "info": { "title": "Orders", "version": "1" },
    "paths": {
        "/orders": {
            "get": {
                "operationId": "listOrders",
                "tags": null,
                "security": [{ "oauth": ["orders:read"] }],
                "parameters": [
                    { "name": "offset", "in": "query", "schema": { "type": "integer", "minimum": 0 } },
                    { "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 100 } },
                    { "name": "side", "in": "query", "required": false, "schema": { "type": "string" } }
                ],
                "responses": {
                    "200": { "description": "Orders.", "content": { "application/json": { "schema": {
                        "type": "object",
                        "properties": { "data": { "type": "array", "items": { "$ref": "#/components/schemas/Order" } } }
                    } } } },
                    "400": { "description": "No.", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } } }
                }
            },
            "post": {
                "operationId": "createOrder",
                "parameters": [{ "name": "idempotency-key", "in": "header", "schema": { "type": "string" } }],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/OrderCreate" } } } },
                "responses": {
                    "201": { "description": "Done.", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } } }
                }
            }
        }
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": { "type": "string", "format": "uuid" },
                    "side": { "type": "string", "enum": ["BUY", "SELL"] },
                    "note": { "type": "string" }
                }
            },
            "OrderCreate": { "type": "object", "properties": { "note": { "type": "string" } } },
            "Problem": { "type": "object", "properties": { "title": { "type": "string" } } }
        }
    }
}"##;
