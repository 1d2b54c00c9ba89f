//! Comparing descriptions: each kind of fact that changes has a line of its own, with a verdict.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use upvest_gen::diff::{Change, Facts, Impact};
use upvest_gen::{Source, describe};

use Impact::{Build, Calls, None as Compatible};

/// A change of one fact: its place, the new value, the line, and the effect.
type Row = (&'static str, Value, &'static str, Impact);

#[test]
fn each_changed_kind_of_fact_is_listed_with_a_verdict() {
    let body = "/components/schemas/OrderCreate/properties";
    let response = "/components/schemas/Order/properties";
    let get = "/paths/~1orders/get";
    let rows: Vec<Row> = vec![
        (
            "/info/version",
            json!("2"),
            "description: version changed from `1` to `2`",
            Compatible,
        ),
        (
            "/servers/0/url",
            json!("https://b.example"),
            "description: servers changed",
            Calls,
        ),
        (
            at(get, "/servers"),
            json!([{ "url": "https://c.example" }]),
            "operation listOrders: servers set to `https://c.example`",
            Calls,
        ),
        (
            at(get, "/deprecated"),
            json!(true),
            "operation listOrders: deprecated set to `yes`",
            Compatible,
        ),
        (
            at(get, "/callbacks"),
            json!({ "done": {} }),
            "operation listOrders: callbacks set to",
            Compatible,
        ),
        (
            at(get, "/parameters/1/schema/maximum"),
            json!(50),
            "operation listOrders, parameter limit: maximum changed from `100` to `50`",
            Calls,
        ),
        (
            at(get, "/parameters/1/schema/maximum"),
            json!(50),
            "operation listOrders: page size max changed from `100` to `50`",
            Calls,
        ),
        (
            at(get, "/parameters/1/schema/maximum"),
            json!(200),
            "parameter limit: maximum changed from `100` to `200`",
            Compatible,
        ),
        (
            at(get, "/parameters/1/schema/default"),
            json!(20),
            "parameter limit: default changed from `10` to `20`",
            Calls,
        ),
        (
            at(get, "/parameters/1/deprecated"),
            json!(true),
            "parameter limit: deprecated set to `yes`",
            Compatible,
        ),
        (
            at(get, "/parameters/2/schema/enum"),
            json!(["BUY"]),
            "parameter side: value SELL removed",
            Calls,
        ),
        (
            at(get, "/parameters/2/explode"),
            json!(false),
            "parameter side: explode set to `false`",
            Compatible,
        ),
        (
            at(body, "/side/enum"),
            json!(["BUY"]),
            "type OrderCreate, field side: value SELL removed",
            Calls,
        ),
        (
            at(response, "/side/enum"),
            json!(["BUY"]),
            "type Order, field side: value SELL removed",
            Compatible,
        ),
        (
            at(body, "/note/maxLength"),
            json!(10),
            "type OrderCreate, field note: maxLength changed from `20` to `10`",
            Calls,
        ),
        (
            at(body, "/note/maxLength"),
            json!(30),
            "field note: maxLength changed from `20` to `30`",
            Compatible,
        ),
        (
            at(response, "/note/maxLength"),
            json!(10),
            "type Order, field note: maxLength changed from `20` to `10`",
            Compatible,
        ),
        (
            at(body, "/note/minLength"),
            json!(1),
            "type OrderCreate, field note: minLength set to `1`",
            Calls,
        ),
        (
            at(body, "/note/pattern"),
            json!("^a"),
            "type OrderCreate, field note: pattern set to `^a`",
            Calls,
        ),
        (
            at(body, "/note/default"),
            json!("x"),
            "type OrderCreate, field note: default set to `x`",
            Calls,
        ),
        (
            at(response, "/note/default"),
            json!("x"),
            "type Order, field note: default set to `x`",
            Compatible,
        ),
        (
            at(response, "/note/deprecated"),
            json!(true),
            "type Order, field note: deprecated set to `true`",
            Compatible,
        ),
        (
            at(body, "/tags/maxItems"),
            json!(3),
            "type OrderCreate, field tags: maxItems set to `3`",
            Calls,
        ),
        (
            at(body, "/tags/items/maxLength"),
            json!(3),
            "type OrderCreate, field tags: items.maxLength set to `3`",
            Calls,
        ),
        (
            "/components/schemas/OrderCreate/minProperties",
            json!(1),
            "type OrderCreate: minProperties set to `1`",
            Calls,
        ),
        (
            at(response, "/extra/oneOf/1/properties/b/type"),
            json!("integer"),
            "JSON /components/schemas/Order/properties/extra: b.type changed from `string` to `integer`",
            Calls,
        ),
        (
            "/paths/~1orders/post/requestBody/required",
            json!(true),
            "operation createOrder, body: required set to `yes`",
            Calls,
        ),
        (
            "/components/schemas/Problem/properties/title/maxLength",
            json!(9),
            "error /components/schemas/Problem: title.maxLength set to `9`",
            Compatible,
        ),
        (
            at(get, "/responses/200/headers"),
            json!({ "x": {} }),
            "operation listOrders, response: 200: headers set to",
            Compatible,
        ),
        (
            at(get, "/security"),
            json!([{ "oauth": ["b:read"] }]),
            "operation listOrders: scopes changed",
            Compatible,
        ),
        (
            "/components/securitySchemes",
            json!({ "oauth": { "type": "oauth2", "x-optional-scopes": ["a:read"] } }),
            "operation listOrders: optional scopes set to `a:read`",
            Calls,
        ),
        (
            at(get, "/parameters/2/schema/default"),
            json!("BUY"),
            "operation listOrders, parameter side: default set to `BUY`",
            Calls,
        ),
        (
            at(body, "/note/type"),
            json!("integer"),
            "field note: type changed from `text` to `i64`",
            Build,
        ),
    ];
    for (place, value, line, impact) in rows {
        let mut new = orders();
        put(&mut new, place, value);
        let changes = compare(&orders(), &new);
        let found = changes
            .iter()
            .find(|change| change.to_string().contains(line));
        let found =
            found.unwrap_or_else(|| panic!("{place}: {line} is not in\n{}", lines(&changes)));
        assert_eq!(found.impact, impact, "{place}: {found}");
        assert!(!found.reason.is_empty(), "{found}");
    }
}

#[test]
fn a_left_out_operation_is_reported_with_its_reason() {
    let mut new = orders();
    put(
        &mut new,
        "/paths/~1orders/get/responses",
        json!({ "400": { "description": "No." } }),
    );
    let changes = compare(&orders(), &new);
    let line = "operation listOrders removed: the method of the client and its builder are gone, as the generator leaves it out: \
                listOrders has no success response";
    assert!(
        changes.iter().any(|change| change.to_string() == line),
        "{}",
        lines(&changes)
    );
    let changes = compare(&new, &orders());
    let line = "operation listOrders added: the generator no longer leaves it out";
    assert!(
        changes.iter().any(|change| change.to_string() == line),
        "{}",
        lines(&changes)
    );
}

/// Returns one place for each keyword of the vendored description, by the keywords around it.
#[test]
fn no_keyword_of_the_vendored_description_changes_unseen() {
    let read = |name: &str| {
        let path = format!("{}/../spec/{name}", env!("CARGO_MANIFEST_DIR"));
        Source::new(
            name,
            std::fs::read_to_string(path).expect("the description is there"),
        )
    };
    let spec = read("upvest-investment-api.yaml");
    let overlay = read("overlay.yaml");
    let document = describe(&spec, Some(&overlay)).expect("it can be read");
    let mut places = BTreeMap::new();
    for section in ["paths", "x-webhooks", "components"] {
        collect(&document[section], &format!("/{section}"), "", &mut places);
    }
    assert!(places.len() > 40, "{places:#?}");
    let old = facts(&document);
    let mut unseen = Vec::new();
    for (keyword, place) in places {
        let mut new = document.clone();
        let value = new.pointer_mut(&place).expect("it is there");
        *value = changed(value);
        let source = Source::new("new.json", new.to_string());
        // A description that cannot be read counts as a reported change.
        let is_seen = Facts::read(&source, None).map_or(true, |new| !old.compare(&new).is_empty());
        if !is_seen {
            unseen.push(format!("{keyword}: {place}"));
        }
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}

/// Keywords for people, and keywords that name nothing in the crate.
const PROSE: [&str; 8] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "url",
];

/// Adds the first place of each keyword with a plain value, by the keyword and those around it.
fn collect(value: &Value, at: &str, around: &str, places: &mut BTreeMap<String, String>) {
    let names: BTreeSet<&str> = [
        "properties",
        "schemas",
        "paths",
        "responses",
        "content",
        "parameters",
    ]
    .into();
    for (key, inner) in value.as_object().into_iter().flatten() {
        if PROSE.contains(&key.as_str()) && inner.is_string() || key.starts_with("example") {
            continue;
        }
        let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        // The members of these have names instead of keywords.
        let is_name = names.contains(around.rsplit('.').next().unwrap_or_default());
        let path = if is_name {
            around.to_owned()
        } else {
            format!("{}.{key}", last(around))
        };
        let is_plain = !inner.is_object() && !inner.is_array();
        // A path parameter is always required.
        let has_no_effect = key == "required" && value["in"] == "path";
        if is_plain && !is_name && !has_no_effect {
            places.entry(path.clone()).or_insert_with(|| place.clone());
        }
        let next = if is_name {
            format!("{}.*", last(around))
        } else {
            path
        };
        collect(inner, &place, &next, places);
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        collect(inner, &format!("{at}/{index}"), around, places);
    }
}

fn last(around: &str) -> &str {
    around.rsplit('.').next().unwrap_or_default()
}

fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(is) => json!(!is),
        Value::Number(number) => json!(number.as_u64().unwrap_or(7) + 1),
        Value::String(text) if text == "string" => json!("integer"),
        Value::String(text) if text.starts_with('#') => json!("#/components/schemas/Address"),
        Value::String(text) => json!(format!("{text}x")),
        other => other.clone(),
    }
}

fn facts(document: &Value) -> Facts {
    let source = Source::new("api.json", document.to_string());
    Facts::read(&source, None).unwrap_or_else(|errors| panic!("{errors}"))
}

fn compare(old: &Value, new: &Value) -> Vec<Change> {
    facts(old).compare(&facts(new))
}

fn lines(changes: &[Change]) -> String {
    let lines = changes.iter().map(|it| format!("{:?}: {it}", it.impact));
    lines.collect::<Vec<_>>().join("\n")
}

fn at(start: &str, end: &str) -> &'static str {
    Box::leak(format!("{start}{end}").into_boxed_str())
}

fn put(document: &mut Value, place: &str, value: Value) {
    let (parent, key) = place.rsplit_once('/').expect("a place has a parent");
    let parent = document
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{place}"));
    match parent.as_array_mut() {
        Some(items) => items[key.parse::<usize>().expect("an index")] = value,
        None => parent[key] = value,
    }
}

fn orders() -> Value {
    let reference =
        |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
    let side = json!({ "type": "string", "enum": ["BUY", "SELL"], "x-type-name": "Side" });
    let note = json!({ "type": "string", "maxLength": 20 });
    let list = json!({ "schema": { "type": "object", "properties": { "data": { "type": "array", "items": reference("Order")["schema"] } } } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Orders", "version": "1" },
        "servers": [{ "url": "https://a.example" }],
        "paths": { "/orders": {
            "get": {
                "operationId": "listOrders",
                "security": [{ "oauth": ["a:read"] }],
                "parameters": [
                    { "name": "offset", "in": "query", "schema": { "type": "integer", "minimum": 0 } },
                    { "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 10 } },
                    { "name": "side", "in": "query", "schema": side },
                ],
                "responses": {
                    "200": { "description": "Orders.", "content": { "application/json": list } },
                    "400": { "description": "No.", "content": { "application/json": reference("Problem") } },
                },
            },
            "post": {
                "operationId": "createOrder",
                "requestBody": { "content": { "application/json": reference("OrderCreate") } },
                "responses": { "201": { "description": "Done.", "content": { "application/json": reference("Order") } } },
            },
        } },
        "components": { "schemas": {
            "Order": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "string", "format": "uuid" },
                "side": side,
                "note": note,
                "extra": { "oneOf": [{ "type": "integer" }, { "type": "object", "properties": { "b": { "type": "string" } } }] },
            } },
            "OrderCreate": { "type": "object", "properties": {
                "side": side,
                "note": note,
                "tags": { "type": "array", "items": { "type": "string" } },
            } },
            "Problem": { "type": "object", "properties": { "title": { "type": "string" } } },
        } },
    })
}
