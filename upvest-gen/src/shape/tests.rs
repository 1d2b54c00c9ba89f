use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Shaped, shape};
use crate::error::Result;
use crate::testing::{refused, yaml};

/// Shapes component schemas, of which an operation sends those that end in `Create` or `Update`.
fn schemas(text: &str) -> Result<Shaped> {
    let schemas = yaml(text);
    let sent = schemas
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| name.ends_with("Create") || name.ends_with("Update"));
    let paths: BTreeMap<String, Value> = sent
        .map(|name| {
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            let body = json!({ "content": { "application/json": { "schema": schema } } });
            let operation = json!({ "operationId": format!("send{name}"), "requestBody": body, "responses": { "204": {} } });
            (format!("/{name}"), json!({ "post": operation }))
        })
        .collect();
    shape(json!({ "paths": paths, "components": { "schemas": schemas } }))
}

/// What a property `field` of `Order` becomes.
#[track_caller]
fn property(field: &str, schema: &str) -> (Value, Shaped) {
    let shaped =
        schemas(&format!("Order: {{ required: [{field}], properties: {{ {field}: {schema} }} }}")).unwrap();
    let found = shaped.document["components"]["schemas"]["Order"]["properties"][field].clone();
    (found, shaped)
}

fn operations(paths: &str, schemas: &str) -> Result<Shaped> {
    shape(json!({ "paths": yaml(paths), "components": { "schemas": yaml(schemas) } }))
}

fn ids(shaped: &Shaped) -> Vec<&str> {
    shaped.ids.iter().map(|id| id.name.as_str()).collect()
}

fn enums(shaped: &Shaped) -> Vec<(&str, Vec<&str>)> {
    shaped
        .enums
        .iter()
        .map(|item| (item.name.as_str(), item.variants.iter().map(|variant| variant.wire.as_str()).collect()))
        .collect()
}

#[test]
fn ids_are_named_after_what_they_identify() {
    for (field, schema, name) in [
        ("id", "{ type: string, format: uuid }", "OrderId"),
        ("order_id", "{ type: string, format: uuid }", "OrderId"),
        ("account_group_id", "{ type: string, format: uuid }", "AccountGroupId"),
        ("accountId", "{ type: string, format: uuid }", "AccountId"),
        ("source_account_id", "{ type: string, format: uuid, x-type-name: AccountId }", "AccountId"),
    ] {
        let (found, shaped) = property(field, schema);
        assert_eq!(found, json!({ "$ref": format!("#/components/schemas/{name}") }), "{field}");
        assert_eq!(ids(&shaped), [name], "{field}");
        assert_eq!(shaped.replacements[name], format!("crate::types::{name}"));
        assert_eq!(shaped.document["components"]["schemas"][name], json!({ "type": "string" }));
    }
    let (found, shaped) = property("account_ids", "{ type: array, items: { type: string, format: uuid } }");
    assert_eq!(found["items"], json!({ "$ref": "#/components/schemas/AccountId" }));
    assert_eq!(ids(&shaped), ["AccountId"]);
}

#[test]
fn what_is_no_id_by_name_or_format_stays_what_it_is() {
    for (field, schema) in [
        ("reference", "{ type: string, format: uuid }"),
        ("order_id", "{ type: string }"),
        ("order_id", "{ type: integer }"),
    ] {
        let (found, shaped) = property(field, schema);
        assert_eq!(found, yaml(schema), "{field}");
        assert!(shaped.ids.is_empty());
    }
}

#[test]
fn the_id_of_a_change_request_is_that_of_the_entity() {
    let shaped = schemas(
        "{ Order: { properties: { id: { type: string, format: uuid } } }, \
           OrderCreate: { required: [id], properties: { id: { type: string, format: uuid } } }, \
           OrderUpdate: { required: [id], properties: { id: { type: string, format: uuid } } } }",
    );
    assert_eq!(ids(&shaped.unwrap()), ["OrderId"]);
}

#[test]
fn names_that_follow_from_other_names_are_rust_names() {
    let shaped = schemas(
        "{ SEPAOrder: { required: [id, list], properties: { id: { type: string, format: uuid }, \
           kind: { type: string, enum: [A] } } }, \
           pay_out: { properties: { id: { type: string, format: uuid }, all: { type: array, items: { $ref: '#/components/schemas/SEPAOrder' } } } } }",
    )
    .unwrap();
    assert_eq!(ids(&shaped), ["PayOutId", "SepaOrderId"]);
    assert_eq!(enums(&shaped), [("SepaOrderKind", vec!["A"])]);
    assert!(shaped.replacements.values().any(|path| path == "::std::vec::Vec<crate::types::SepaOrder>"));
}

#[test]
fn ids_are_documented() {
    let (_, shaped) = property("account_group_id", "{ type: string, format: uuid }");
    assert_eq!(shaped.ids[0].docs, "Identifies an account group.");
    let (_, shaped) = property("id", "{ type: string, format: uuid, x-type-name: UserId }");
    assert_eq!(shaped.ids[0].docs, "Identifies a user.");
}

#[test]
fn an_enum_has_a_name_variants_and_documentation() {
    let (found, shaped) = property(
        "type",
        "{ type: string, description: How., enum: [MARKET, STOP_LIMIT, 2nd, a-b], x-enum-descriptions: { MARKET: At once. } }",
    );
    assert_eq!(found, json!({ "description": "How.", "$ref": "#/components/schemas/OrderType" }));
    insta::assert_debug_snapshot!("enum", shaped.enums);
}

#[test]
fn enums_of_one_entity_share_a_type_if_one_has_all_values_of_the_other() {
    let create = |name: &str, values: &str| {
        format!("{name}: {{ required: [side], properties: {{ side: {{ type: string, enum: {values} }} }} }}")
    };
    for (first, second, expected) in [
        ("[BUY, SELL]", "[BUY, SELL]", vec!["BUY", "SELL"]),
        ("[BUY, SELL]", "[SELL, BUY]", vec!["BUY", "SELL"]),
        ("[BUY, SELL, NONE]", "[BUY]", vec!["BUY", "SELL", "NONE"]),
        ("[BUY]", "[BUY, SELL]", vec!["BUY", "SELL"]),
    ] {
        let text = format!("{}\n{}", create("Order", first), create("OrderCreate", second));
        assert_eq!(enums(&schemas(&text).unwrap()), [("OrderSide", expected)], "{first} {second}");
    }
    let text = format!("{}\n{}", create("Order", "[BUY, SELL]"), create("Trade", "[BUY, SELL]"));
    let separate = schemas(&text).unwrap();
    assert_eq!(
        enums(&separate).iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["OrderSide", "TradeSide"]
    );
}

#[test]
fn a_type_name_joins_enums_and_gives_values_to_what_lists_none() {
    let shaped = schemas(
        "{ A: { properties: { x: { type: string, enum: [P, Q], x-type-name: Kind } } }, \
           B: { properties: { y: { type: string, enum: [P], x-type-name: Kind } } }, \
           C: { properties: { z: { type: string, x-type-name: Kind } } } }",
    )
    .unwrap();
    assert_eq!(enums(&shaped), [("Kind", vec!["P", "Q"])]);
    assert_eq!(
        shaped.document["components"]["schemas"]["C"]["properties"]["z"]["$ref"],
        "#/components/schemas/Kind"
    );
}

#[test]
fn enums_are_found_in_lists_and_maps() {
    for schema in [
        "{ type: array, items: { type: string, enum: [A] } }",
        "{ type: array, items: { type: array, items: { type: string, enum: [A] } } }",
        "{ type: object, additionalProperties: { type: string, enum: [A] } }",
    ] {
        let (_, shaped) = property("flags", schema);
        assert_eq!(enums(&shaped).len(), 1, "{schema}");
    }
}

#[test]
fn names_that_contradict_one_another_are_refused() {
    for (text, place, problem) in [
        (
            "{ Order: { properties: { side: { type: string, enum: [A, B] } } }, OrderCreate: { required: [side], properties: { side: { type: string, enum: [A, C] } } } }",
            "OrderCreate/properties/side",
            "the enum `OrderSide` has other values than at /components/schemas/Order/properties/side",
        ),
        (
            "{ A: { properties: { x: { type: string, enum: [A], x-type-name: OrderId }, order_id: { type: string, format: uuid } } } }",
            "A/properties/x",
            "`OrderId` is an id and an enum",
        ),
        (
            "{ A: { properties: { x: { type: string, x-type-name: Kind } } } }",
            "A/properties/x",
            "`x-type-name: Kind` names no enum",
        ),
        (
            "{ OrderId: { properties: { a: {} } }, Order: { properties: { id: { type: string, format: uuid } } } }",
            "OrderId",
            "`OrderId` names a schema and a type that follows from a field",
        ),
        (
            "{ A: { properties: { x: { type: string, enum: [A, 1] } } } }",
            "A/properties/x",
            "the enum value 1 is no string",
        ),
        (
            "{ A: { properties: { x: { type: string, enum: ['+'] } } } }",
            "A/properties/x",
            "the enum value \"+\" cannot name a variant",
        ),
        (
            "{ A: { properties: { x: { type: string, enum: [unknown] } } } }",
            "A/properties/x",
            "the enum value \"unknown\" cannot name a variant",
        ),
        (
            "{ A: { properties: { x: { type: string, enum: [self] } } } }",
            "A/properties/x",
            "the enum value \"self\" cannot name a variant",
        ),
        (
            "{ A: { properties: { x: { type: string, enum: [a-b, a_b] } } } }",
            "A/properties/x",
            "the enum value \"a_b\" cannot name a variant",
        ),
        (
            "{ A: { properties: { x: { type: string, enum: [A], x-enum-descriptions: { B: Gone. } } } } }",
            "A/properties/x",
            "`x-enum-descriptions` explains \"B\", which is no value",
        ),
    ] {
        let error = refused(schemas(text), text);
        assert_eq!(error.pointer(), format!("/components/schemas/{place}"), "{error}");
        assert_eq!(error.problem(), problem);
    }
}

#[test]
fn codes_are_found_by_their_pattern_and_decimals_by_their_format() {
    for (schema, name) in [
        ("{ type: string, pattern: '^[A-Z]{3}$' }", "CurrencyCode"),
        ("{ type: string, pattern: '^[A-Z]{2}$' }", "CountryCode"),
        ("{ type: string, pattern: '^[A-Z]{2}[A-Z0-9]{9}[0-9]$', minLength: 12 }", "Isin"),
        ("{ type: string, format: decimal }", "Decimal"),
    ] {
        let (found, shaped) = property("x", schema);
        assert_eq!(found, json!({ "$ref": format!("#/components/schemas/{name}") }));
        assert_eq!(shaped.replacements[name], format!("crate::types::{name}"));
    }
}

#[test]
fn what_the_server_judges_is_not_checked_again() {
    for (schema, expected) in [
        ("{ type: string, pattern: '^a$', minLength: 1, maxLength: 2 }", "{ type: string }"),
        ("{ type: string, default: a }", "{ type: string }"),
        (
            "{ type: number, format: double, minimum: 0, exclusiveMinimum: true, maximum: 1 }",
            "{ type: number, format: double }",
        ),
        ("{ type: boolean, default: true }", "{ type: boolean }"),
        ("{ type: object, additionalProperties: false }", "{ type: object }"),
    ] {
        assert_eq!(property("x", schema).0, yaml(expected), "{schema}");
    }
}

#[test]
fn integers_are_as_wide_as_their_bounds_ask_for_and_never_non_zero() {
    for (schema, expected) in [
        ("{ type: integer }", "{ type: integer }"),
        ("{ type: integer, format: int32 }", "{ type: integer, format: int32 }"),
        ("{ type: integer, minimum: 1 }", "{ type: integer, format: uint64 }"),
        ("{ type: integer, minimum: 1, maximum: 100 }", "{ type: integer, format: uint32 }"),
        ("{ type: integer, minimum: 0, maximum: 4294967295 }", "{ type: integer, format: uint32 }"),
        ("{ type: integer, minimum: 0, maximum: 4294967296 }", "{ type: integer, format: uint64 }"),
        ("{ type: integer, minimum: -1, maximum: 100 }", "{ type: integer }"),
        ("{ type: integer, maximum: 100, multipleOf: 2 }", "{ type: integer }"),
    ] {
        assert_eq!(property("x", schema).0, yaml(expected), "{schema}");
    }
}

#[test]
fn a_number_that_may_be_an_amount_is_refused() {
    for (schema, place) in [
        ("{ type: number }", ""),
        ("{ type: number, format: decimal }", ""),
        ("{ type: array, items: { type: number } }", "/items"),
        ("{ type: object, additionalProperties: { type: number } }", "/additionalProperties"),
    ] {
        let error = refused(schemas(&format!("Order: {{ properties: {{ rates: {schema} }} }}")), schema);
        assert_eq!(error.pointer(), format!("/components/schemas/Order/properties/rates{place}"));
        assert!(error.problem().contains("is a JSON number, which cannot be read exactly"), "{error}");
    }
}

#[test]
fn an_optional_list_is_not_an_empty_one() {
    for (items, path) in [
        ("{ type: string }", "::std::vec::Vec<::std::string::String>"),
        ("{ type: string, format: date }", "::std::vec::Vec<::chrono::naive::NaiveDate>"),
        ("{ type: string, nullable: true }", "::std::vec::Vec<::std::option::Option<::std::string::String>>"),
        ("{ $ref: '#/components/schemas/Tag' }", "::std::vec::Vec<crate::types::Tag>"),
        ("{ type: string, enum: [A] }", "::std::vec::Vec<crate::types::OrderTag>"),
        ("{ type: string, format: decimal }", "::std::vec::Vec<crate::types::Decimal>"),
        ("{ type: integer, minimum: 0, maximum: 9 }", "::std::vec::Vec<u32>"),
        ("{ type: array, items: { type: boolean } }", "::std::vec::Vec<::std::vec::Vec<bool>>"),
    ] {
        let text = format!(
            "{{ Tag: {{ properties: {{ a: {{}} }} }}, Order: {{ properties: {{ tags: {{ type: array, items: {items} }} }} }} }}"
        );
        let shaped = schemas(&text).unwrap();
        let field = &shaped.document["components"]["schemas"]["Order"]["properties"]["tags"];
        let name = field["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert_eq!(shaped.replacements[name], path, "{items}");
    }
    let (required, shaped) = property("tags", "{ type: array, items: { type: string } }");
    assert_eq!(required, yaml("{ type: array, items: { type: string } }"));
    assert_eq!(shaped.replacements.keys().collect::<Vec<_>>(), ["Problem"]);
}

#[test]
fn a_change_request_tells_null_from_absent() {
    let text = |name: &str, schema: &str| format!("{name}: {{ properties: {{ x: {schema} }} }}");
    for (schema, path) in [
        ("{ type: string, nullable: true }", "::std::string::String"),
        ("{ type: string, format: decimal, nullable: true }", "crate::types::Decimal"),
        ("{ type: string, enum: [A], nullable: true }", "crate::types::OrderX"),
        (
            "{ type: array, items: { type: string }, nullable: true }",
            "::std::vec::Vec<::std::string::String>",
        ),
        (
            "{ nullable: true, allOf: [{ $ref: '#/components/schemas/OrderUpdate' }] }",
            "crate::types::OrderUpdate",
        ),
    ] {
        let shaped = schemas(&text("OrderUpdate", schema)).unwrap();
        let field = &shaped.document["components"]["schemas"]["OrderUpdate"]["properties"]["x"];
        let name = field["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(name.starts_with("Nullable"), "{name}");
        assert_eq!(shaped.replacements[name], format!("crate::runtime::Nullable<{path}>"), "{schema}");
    }
    // What only comes in is absent either way.
    let shaped = schemas(&text("Order", "{ type: string, nullable: true }")).unwrap();
    assert_eq!(shaped.replacements.keys().collect::<Vec<_>>(), ["Problem"]);
    let error =
        refused(schemas(&text("OrderUpdate", "{ type: object, nullable: true }")), "an inline object");
    assert_eq!(error.pointer(), "/components/schemas/OrderUpdate/properties/x");
}

#[test]
fn a_closed_object_is_opened_and_documentation_stays() {
    let shaped = schemas(
        "Order: { additionalProperties: false, description: D, properties: { a: { type: string, description: E, x-sensitive: true, format: decimal } } }",
    );
    let shaped = shaped.unwrap();
    assert_eq!(
        shaped.document["components"]["schemas"]["Order"],
        yaml(
            "{ description: D, properties: { a: { description: E, x-sensitive: true, $ref: '#/components/schemas/Decimal' } } }"
        )
    );
}

#[test]
fn what_the_transport_supplies_is_no_parameter() {
    let shaped = operations(
        "
        /a:
          parameters: [{ name: Signature, in: header }, { name: x, in: header }]
          get:
            operationId: getA
            parameters: [{ name: authorization, in: header }, { $ref: '#/components/parameters/Key' }, { name: signature, in: query }]
            responses: {}
        ",
        "{}",
    )
    .unwrap();
    let item = &shaped.document["paths"]["/a"];
    assert_eq!(item["parameters"], json!([{ "name": "x", "in": "header" }]));
    // A reference that leads nowhere is kept; `check` has refused it.
    assert_eq!(
        item["get"]["parameters"],
        json!([{ "$ref": "#/components/parameters/Key" }, { "name": "signature", "in": "query" }])
    );

    let mut document = yaml(
        "{ paths: { /a: { get: { operationId: getA, parameters: [{ $ref: '#/components/parameters/Key' }], responses: {} } } } }",
    );
    document["components"] = yaml("parameters: { Key: { name: Idempotency-Key, in: header } }");
    let shaped = shape(document).unwrap();
    assert_eq!(shaped.document["paths"]["/a"]["get"]["parameters"], json!([]));
}

#[test]
fn parameters_are_ids_and_have_the_types_of_what_they_filter() {
    let shaped = operations(
        "
        /orders/{order_id}:
          get:
            operationId: listOrders
            parameters:
              - { name: order_id, in: path, schema: { type: string, format: uuid } }
              - { name: side, in: query, schema: { type: string, enum: [BUY] } }
              - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100, default: 20 } }
            responses:
              '200': { content: { application/json: { schema: { properties: { data: { type: array, items: { $ref: '#/components/schemas/Order' } } } } } } }
        ",
        "Order: { properties: { side: { type: string, enum: [BUY, SELL] } } }",
    )
    .unwrap();
    let parameters = &shaped.document["paths"]["/orders/{order_id}"]["get"]["parameters"];
    let schemas: Vec<_> =
        parameters.as_array().unwrap().iter().map(|parameter| parameter["schema"].clone()).collect();
    assert_eq!(
        schemas,
        [
            yaml("$ref: '#/components/schemas/OrderId'"),
            yaml("$ref: '#/components/schemas/OrderSide'"),
            yaml("{ type: integer, format: uint32 }")
        ]
    );
    assert_eq!(enums(&shaped), [("OrderSide", vec!["BUY", "SELL"])]);
}

#[test]
fn every_error_status_carries_the_one_problem_type() {
    let error = "content: { application/problem+json: { schema: { $ref: '#/components/schemas/Error' } } }";
    let paths = format!(
        "/a: {{ get: {{ operationId: getA, responses: {{ '200': {{}}, '400': {{ {error} }}, '503': {{}} }} }} }}\n\
         /b: {{ get: {{ operationId: getB, responses: {{ '204': {{}} }} }} }}"
    );
    let shaped = operations(&paths, "Error: { properties: { title: { type: string } } }").unwrap();
    for path in ["/a", "/b"] {
        let responses = &shaped.document["paths"][path]["get"]["responses"];
        let statuses: Vec<_> = responses.as_object().unwrap().keys().skip(1).collect();
        assert_eq!(statuses, ["4XX", "5XX"], "{path}");
        for status in statuses {
            let schema = &responses[status]["content"]["application/json"]["schema"];
            assert_eq!(schema["$ref"], "#/components/schemas/Error");
        }
    }
    assert_eq!(shaped.replacements["Error"], "crate::types::Problem");
}

#[test]
fn errors_carry_a_problem_in_a_description_without_one() {
    let shaped = operations("/a: { get: { operationId: getA, responses: { '200': {} } } }", "{}").unwrap();
    let error = &shaped.document["paths"]["/a"]["get"]["responses"]["4XX"];
    assert_eq!(error["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Problem");
    assert_eq!(shaped.replacements["Problem"], "crate::types::Problem");
}

#[test]
fn errors_of_different_types_are_refused() {
    let answer = |schema: &str| format!("{{ content: {{ application/json: {{ schema: {schema} }} }} }}");
    let two = format!(
        "/a: {{ get: {{ operationId: getA, responses: {{ '400': {}, '401': {} }} }} }}",
        answer("{ $ref: '#/components/schemas/Error' }"),
        answer("{ $ref: '#/components/schemas/Failure' }")
    );
    let inline = format!(
        "/a: {{ get: {{ operationId: getA, responses: {{ '400': {} }} }} }}",
        answer("{ properties: { a: {} } }")
    );
    for (paths, schemas, place, problem) in [
        (
            two.as_str(),
            "{ Error: {}, Failure: {} }",
            "/paths/~1a/get/responses/401",
            "the error type is `Failure`, elsewhere it is `Error`",
        ),
        (inline.as_str(), "{}", "/paths/~1a/get/responses/400", "an error answer with a schema of its own"),
        (
            "{}",
            "Problem: { properties: {} }",
            "/components/schemas/Problem",
            "the schema `Problem` is not the one that errors carry",
        ),
    ] {
        let error = refused(operations(paths, schemas), paths);
        assert_eq!((error.pointer(), error.problem()), (place, problem));
    }
}

#[test]
fn inline_objects_are_named_after_their_operation() {
    let paths = "
        /a:
          post:
            operationId: createThing
            requestBody: { content: { application/x-www-form-urlencoded: { schema: { properties: { type: { type: string, enum: [A] } } } } } }
            responses: { '200': { content: { application/hal+json: { schema: { properties: { id: { type: string, format: uuid } } } } } } }
    ";
    let shaped = operations(paths, "{}").unwrap();
    insta::assert_json_snapshot!("inline_objects", shaped.document);
    assert!(shaped.sent.contains("CreateThingBody") && !shaped.sent.contains("CreateThingResponse"));

    let error = refused(operations(paths, "CreateThingBody: { properties: {} }"), "a name that is taken");
    assert_eq!(error.pointer(), "/components/schemas/CreateThingBody");
    assert_eq!(error.problem(), "`CreateThingBody` names a schema and an inline object of an operation");
}

#[test]
fn answers_and_bodies_that_are_no_objects_are_shaped_too() {
    let shaped = operations(
        "
        /a:
          post:
            operationId: sendA
            requestBody: { content: { application/json: { schema: { type: array, items: { type: string, enum: [A] } } } } }
            responses: { '200': { content: { application/json: { schema: { type: string, pattern: '^[A-Z]{3}$' } } } } }
        ",
        "{}",
    )
    .unwrap();
    let operation = &shaped.document["paths"]["/a"]["post"];
    assert_eq!(
        operation["requestBody"]["content"]["application/json"]["schema"]["items"]["$ref"],
        "#/components/schemas/SendABody"
    );
    assert_eq!(
        operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/CurrencyCode"
    );
}

#[test]
fn what_a_request_holds_is_sent_through_all_references() {
    let shaped = schemas(
        "{ OrderCreate: { required: [a], properties: { a: { type: array, items: { $ref: '#/components/schemas/Leg' } } } }, \
           Leg: { properties: { b: { $ref: '#/components/schemas/Leg' }, c: { allOf: [{ $ref: '#/components/schemas/Price' }] } } }, \
           Price: { properties: {} }, Order: { properties: {} } }",
    )
    .unwrap();
    assert_eq!(shaped.sent.iter().map(String::as_str).collect::<Vec<_>>(), ["Leg", "OrderCreate", "Price"]);
}

const LIST: &str = "{ /orders: { get: { operationId: listOrders, parameters: PARAMETERS, \
    responses: { '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Orders' } } } } } } } }";

fn listing(parameters: &str, answer: &str) -> Result<Shaped> {
    let schemas = format!(
        "Order: {{ properties: {{ name: {{ type: string }} }} }}\nPaginationMeta: {{ properties: {{ total: {{ type: integer }} }} }}\nOrders: {answer}"
    );
    operations(&LIST.replace("PARAMETERS", parameters), &schemas)
}

const DATA: &str = "data: { type: array, items: { $ref: '#/components/schemas/Order' } }";

#[test]
fn an_answer_of_data_and_meta_is_one_generic_listing() {
    for meta in ["", ", meta: { $ref: '#/components/schemas/PaginationMeta' }"] {
        let shaped =
            listing("[]", &format!("{{ required: [data], properties: {{ {DATA}{meta} }} }}")).unwrap();
        assert_eq!(shaped.replacements["Orders"], "crate::types::Listing<crate::types::Order>");
    }
}

#[test]
fn an_answer_with_more_than_a_list_stays_a_type_of_its_own() {
    for answer in [
        format!("{{ required: [data], properties: {{ {DATA}, sum: {{ type: integer }} }} }}"),
        format!("{{ properties: {{ {DATA} }} }}"),
        "{ required: [data], properties: { data: { $ref: '#/components/schemas/Order' } } }".to_owned(),
    ] {
        let shaped = listing("[]", &answer).unwrap();
        assert!(!shaped.replacements.contains_key("Orders"), "{answer}");
    }
}

#[test]
fn what_pages_and_answers_with_no_list_is_refused() {
    let parameters = "[{ name: offset, in: query, schema: { type: integer } }, { name: limit, in: query, schema: { type: integer } }]";
    let error = listing(parameters, "{ properties: { count: { type: integer } } }").err().unwrap();
    assert_eq!(error.pointer(), "/paths/~1orders/get");
    assert!(error.problem().contains("listOrders takes `offset` and `limit`"), "{error}");
}
