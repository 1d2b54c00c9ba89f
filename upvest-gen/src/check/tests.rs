use serde_json::Value;

use super::check;
use crate::error::Result;
use crate::testing::{refused, yaml};

/// A document that nothing is wrong with; tests replace parts of it.
const GOOD: &str = r##"
openapi: 3.0.3
info: { title: T, version: "1" }
paths:
  /orders/{order_id}:
    put:
      operationId: putOrder
      parameters:
        - { name: order_id, in: path, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer } }
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
      responses:
        "200": { description: D, content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
        "404": { description: D }
components:
  schemas:
    Order: { type: object, properties: { side: { type: string } } }
"##;

const OPERATION: &str = "/paths/~1orders~1{order_id}/put";

fn with(old: &str, new: &str) -> Result<Value> {
    assert!(GOOD.contains(old), "{old} is not in the fixture");
    check(yaml(&GOOD.replace(old, new)))
}

#[track_caller]
fn assert_refused(table: &[(&str, &str, &str, &str)]) {
    for (old, new, place, problem) in table {
        let error = refused(with(old, new), new);
        let place = place.replace("OP", OPERATION).replace("SCHEMAS", "/components/schemas");
        assert_eq!(error.pointer(), place, "{new}: {error}");
        assert_eq!(error.problem(), *problem, "{new}");
    }
}

#[test]
fn what_is_right_comes_back_as_it_was() {
    let document = yaml(GOOD);
    assert_eq!(check(document.clone()).unwrap(), document);
}

#[test]
fn references_have_to_lead_to_a_component_of_their_kind() {
    let (old, at) = ("side: { type: string }", "SCHEMAS/Order/properties/side");
    assert_refused(&[
        (
            old,
            "side: { $ref: '#/components/schemas/None' }",
            at,
            "the reference `#/components/schemas/None` leads nowhere",
        ),
        (
            old,
            "side: { $ref: 'other.yaml#/Side' }",
            at,
            "the reference \"other.yaml#/Side\" leaves the document",
        ),
        (old, "side: { $ref: 1 }", at, "the reference 1 leaves the document"),
        (
            old,
            "side: { $ref: '#/components/schemas' }",
            at,
            "the reference `#/components/schemas` leads to no component of its kind",
        ),
        (old, "side: { $ref: '#/info' }", at, "the reference `#/info` leads to no component of its kind"),
        (
            old,
            "side: { $ref: '#/components/schemas/Order/properties/side' }",
            at,
            "the reference `#/components/schemas/Order/properties/side` leads to no component of its kind",
        ),
        (
            old,
            "side: { type: array, items: { $ref: '#/components/schemas/None' } }",
            "SCHEMAS/Order/properties/side/items",
            "the reference `#/components/schemas/None` leads nowhere",
        ),
        (
            "- { name: limit, in: query, schema: { type: integer } }",
            "- { $ref: '#/components/parameters/Limit' }",
            "OP/parameters/1",
            "the reference `#/components/parameters/Limit` leads nowhere",
        ),
    ]);
}

#[test]
fn references_have_to_lead_to_what_belongs_there() {
    let limit = "- { name: limit, in: query, schema: { type: integer } }";
    let body = "{ content: { application/json: { schema: { $ref: \"#/components/schemas/Order\" } } } }";
    let problem = "the reference `#/components/schemas/Order` leads to no component of its kind";
    let order = "{ $ref: '#/components/schemas/Order' }";
    assert_refused(&[
        (limit, &format!("- {order}"), "OP/parameters/1", problem),
        (body, order, "OP/requestBody", problem),
        ("\"404\": { description: D }", &format!("'404': {order}"), "OP/responses/404", problem),
        (
            "components:",
            "components:\n  responses: { R: { description: D } }\n  parameters: { P: { schema: { $ref: '#/components/responses/R' } } }",
            "/components/parameters/P/schema",
            "the reference `#/components/responses/R` leads to no component of its kind",
        ),
    ]);
}

#[test]
fn references_in_a_circle_are_refused() {
    assert_refused(&[(
        "    Order:",
        "    Here: { $ref: '#/components/schemas/There' }\n    There: { $ref: '#/components/schemas/Here' }\n    Order:",
        "SCHEMAS/Here",
        "the reference `#/components/schemas/There` leads back to itself",
    )]);
}

#[test]
fn references_in_data_and_properties_of_that_name_are_none() {
    for new in [
        "side: { type: string, example: { $ref: nowhere } }",
        "side: { type: string, default: { $ref: '#/nowhere' } }",
        "$ref: { type: string }",
        "properties: { type: string }, examples: { type: string }, schema: { type: string }",
        "side: { type: object, example: { properties: { a-b: 1, a_b: 2 } } }",
    ] {
        let result = with("side: { type: string }", new);
        assert!(result.is_ok(), "{new}: {}", result.unwrap_err());
    }
}

#[test]
fn every_component_has_to_become_a_type_of_its_own() {
    let order = "Order: { type: object, properties: { side: { type: string } } }";
    let beside = |name: &str| format!("{order}\n    {name}: {{ type: object, properties: {{}} }}");
    for (name, problem) in [
        ("Vec", "`Vec` cannot name a Rust type"),
        ("decimal", "`decimal` cannot name a Rust type"),
        ("self", "`self` cannot name a Rust type"),
        ("1st", "`1st` cannot name a Rust type"),
        ("Ürder", "`Ürder` cannot name a Rust type"),
        ("order", "the schemas `Order` and `order` would be one type, `Order`"),
    ] {
        assert_refused(&[(order, &beside(name), &format!("SCHEMAS/{name}"), problem)]);
    }
    let list = format!("{order}\n    Orders: {{ type: array, items: {{ type: string }} }}");
    assert_refused(&[(
        order,
        &list,
        "SCHEMAS/Orders",
        "the component `Orders` is no object with properties",
    )]);
    for (place, text) in
        [("/components/schemas", "components: { schemas: 7 }"), ("/components", "components: text")]
    {
        let document = format!(
            "paths: {{ /a: {{ get: {{ operationId: getA, responses: {{ '204': {{}} }} }} }} }}\n{text}"
        );
        assert_eq!(refused(check(yaml(&document)), text).pointer(), place);
    }
}

#[test]
fn every_schema_has_to_say_what_rust_type_it_is() {
    let (old, at) = ("side: { type: string }", "SCHEMAS/Order/properties/side");
    assert_refused(&[
        (old, "side: { type: object, required: [a] }", at, "the field \"a\" is required and not described"),
        (
            old,
            "side: { type: string } }, required: [side, a], x-a: { a: 1",
            "SCHEMAS/Order",
            "the field \"a\" is required and not described",
        ),
        (
            "properties: { side: { type: string } }",
            "properties: {}",
            "SCHEMAS/Order",
            "an object without properties",
        ),
        (old, "side: 7", at, "7 is no schema"),
        (old, "side: null", at, "null is no schema"),
        (old, "side: true", at, "true is no schema"),
        (old, "side: { type: text }", at, "the type is \"text\""),
        (old, "side: { type: 1 }", at, "the type is 1"),
        (old, "side: { type: null }", at, "the type is null"),
        (old, "side: { enum: [A] }", at, "there is `enum` but no `type`"),
        (old, "side: { format: uuid }", at, "there is `format` but no `type`"),
        (old, "side: { items: { type: string } }", at, "there is `items` but no `type`"),
        (old, "side: { type: array }", at, "the items of the array are not described"),
        (old, "side: { type: integer, enum: [1, 2] }", at, "an enum of other values than strings"),
        (old, "side: { oneOf: [{ type: string }] }", at, "`oneOf` has no Rust type yet"),
        (old, "side: { anyOf: [{ type: string }] }", at, "`anyOf` has no Rust type yet"),
        (old, "side: { type: string, not: { type: integer } }", at, "`not` has no Rust type yet"),
        (old, "side: { allOf: [{ type: string }, { type: string }] }", at, "`allOf` joins several schemas"),
        (old, "side: { allOf: 7 }", at, "`allOf` joins several schemas"),
        (old, "side: { type: object, properties: {} }", at, "an object is described inside another schema"),
        (
            old,
            "side: { type: array, items: { type: object, properties: {} } }",
            "SCHEMAS/Order/properties/side/items",
            "an object is described inside another schema",
        ),
        (
            old,
            "a-b: { type: string }, a_b: { type: string }",
            "SCHEMAS/Order/properties/a_b",
            "the properties `a-b` and `a_b` would be one field, `a_b`",
        ),
        (
            old,
            "side: { type: string, x-type-name: order side }",
            at,
            "`x-type-name: \"order side\"` cannot name a Rust type",
        ),
        (
            old,
            "side: { type: string, x-type-name: Decimal }",
            at,
            "`x-type-name: \"Decimal\"` cannot name a Rust type",
        ),
        (old, "side: { type: string, x-type-name: 7 }", at, "`x-type-name: 7` cannot name a Rust type"),
    ]);
    for new in [
        "side: {}",
        "side: { description: Anything. }",
        "side: { type: object, additionalProperties: true }",
        "side: { allOf: [{ $ref: '#/components/schemas/Order' }], nullable: true }",
    ] {
        assert!(with(old, new).is_ok(), "{new}");
    }
}

#[test]
fn paths_have_to_be_templates_with_operations() {
    assert_refused(&[
        ("  /orders/{order_id}:", "  orders:", "/paths/orders", "`orders` is no path template"),
        (
            "  /orders/{order_id}:",
            "  '/orders/{order_id':",
            "/paths/~1orders~1{order_id",
            "`/orders/{order_id` is no path template",
        ),
        (
            "  /orders/{order_id}:\n",
            "  /other: { $ref: '#/paths/x' }\n  x:\n",
            "/paths/~1other",
            "the reference `#/paths/x` leads to no component of its kind",
        ),
        ("    put:", "    x-put:", "/paths", "there are no operations"),
        ("    put:", "    trace:", "/paths/~1orders~1{order_id}/trace", "the client cannot send TRACE"),
        ("    put:", "    options:", "/paths/~1orders~1{order_id}/options", "the client cannot send OPTIONS"),
        ("paths:", "x-paths:", "/paths", "there are no paths"),
        ("paths:", "paths: 7\nx-paths:", "/paths", "there are no paths"),
    ]);
}

#[test]
fn an_operation_id_has_to_name_one_method() {
    let (old, at) = ("operationId: putOrder", "OP/operationId");
    for (id, shown) in [
        ("new", "new"),
        ("newWithClient", "newWithClient"),
        ("type", "type"),
        ("a {b} c", "a {b} c"),
        ("a.b", "a.b"),
        ("1st", "1st"),
        ("''", ""),
        ("[a]", ""),
    ] {
        let problem = format!("`{shown}` cannot name a method of the client");
        assert_refused(&[(old, &format!("operationId: {id}"), at, &problem)]);
    }
    assert_refused(&[
        (old, "tags: []", at, "`` cannot name a method of the client"),
        (
            "  /orders/{order_id}:",
            "  /a: { get: { operationId: putOrder, responses: { '204': {} } } }\n  /orders/{order_id}:",
            at,
            "two operations are called `putOrder`",
        ),
        (
            "  /orders/{order_id}:",
            "  /a: { get: { operationId: put_order, responses: { '204': {} } } }\n  /orders/{order_id}:",
            at,
            "the operations `put_order` and `putOrder` would be one method, `put_order`",
        ),
    ]);
}

#[test]
fn parameters_have_to_fit_the_path_and_a_setter_each() {
    let (old, at) = ("name: limit, in: query, schema: { type: integer }", "OP/parameters/1");
    assert_refused(&[
        (
            old,
            "name: limit, in: cookie, schema: { type: integer }",
            at,
            "the parameter `limit` of putOrder is in \"cookie\"",
        ),
        (old, "name: limit, schema: { type: integer }", at, "the parameter `limit` of putOrder is in \"\""),
        (old, "in: query, schema: { type: integer }", at, "\"\" cannot name a setter of putOrder"),
        (
            old,
            "name: send, in: query, schema: { type: integer }",
            at,
            "\"send\" cannot name a setter of putOrder",
        ),
        (
            old,
            "name: body, in: query, schema: { type: integer }",
            at,
            "\"body\" cannot name a setter of putOrder",
        ),
        (
            old,
            "name: '[]', in: query, schema: { type: integer }",
            at,
            "\"[]\" cannot name a setter of putOrder",
        ),
        (
            old,
            "name: order_id, in: query, schema: { type: integer }",
            at,
            "two parameters are called `order_id`",
        ),
        (
            old,
            "name: order-id, in: query, schema: { type: integer }",
            at,
            "the parameters `order_id` and `order-id` would be one setter, `order_id`",
        ),
        (old, "name: limit, in: query", at, "the parameter `limit` has no schema"),
        (
            old,
            "name: limit, in: query, content: { application/json: {} }",
            at,
            "the parameter `limit` has no schema",
        ),
        (
            old,
            "name: limit, in: query, style: deepObject, schema: { type: integer }",
            at,
            "the style of `limit` is \"deepObject\"",
        ),
        (
            old,
            "name: limit, in: path, required: true, schema: { type: integer }",
            at,
            "the path parameter `limit` does not occur in `/orders/{order_id}`",
        ),
        (
            old,
            "name: limit, in: query, schema: { type: object, properties: {} }",
            "OP/parameters/1/schema",
            "an object is described inside another schema",
        ),
        (
            "in: path, required: true,",
            "in: path,",
            "OP/parameters/0",
            "the path parameter `order_id` is not required",
        ),
        (
            "in: path, required: true,",
            "in: path, required: true, style: matrix,",
            "OP/parameters/0",
            "the style of `order_id` is \"matrix\"",
        ),
        (
            "- { name: order_id, in: path, required: true, schema: { type: string } }",
            "",
            "OP",
            "`/orders/{order_id}` names `order_id`, which is no parameter",
        ),
        (
            "name: order_id, in: path, required: true,",
            "name: order_id, in: header,",
            "OP",
            "`/orders/{order_id}` names `order_id`, which is no parameter",
        ),
    ]);
}

#[test]
fn a_request_body_has_one_content_type_that_fits_its_schema() {
    let old = "requestBody: { content: { application/json: { schema: { $ref: \"#/components/schemas/Order\" } } } }";
    let at = "OP/requestBody";
    assert_refused(&[
        (old, "requestBody: {}", at, "putOrder takes 0 request content types"),
        (
            old,
            "requestBody: { content: { application/json: {}, text/plain: {} } }",
            at,
            "putOrder takes 2 request content types",
        ),
        (
            old,
            "requestBody: { content: { application/xml: { schema: {} } } }",
            at,
            "putOrder takes `application/xml`",
        ),
        (
            old,
            "requestBody: { content: { application/json: {} } }",
            at,
            "the request body of putOrder has no schema",
        ),
        (
            old,
            "requestBody: { content: { application/json: { schema: {}, encoding: {} } } }",
            at,
            "putOrder gives its body an `encoding`",
        ),
        (
            old,
            "requestBody: { content: { application/octet-stream: { schema: { type: object } } } }",
            at,
            "the body of putOrder is described as something else than `application/octet-stream`",
        ),
        (
            old,
            "requestBody: { content: { text/plain: { schema: { type: string, format: uuid } } } }",
            at,
            "the body of putOrder is described as something else than `text/plain`",
        ),
    ]);
    for new in [
        "requestBody: { content: { application/octet-stream: { schema: { type: string, format: binary } } } }",
        "requestBody: { content: { text/plain: { schema: { type: string } } } }",
        "requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object, properties: { a: {} } } } } }",
    ] {
        assert!(with(old, new).is_ok(), "{new}");
    }
}

#[test]
fn an_operation_answers_with_one_type_on_success() {
    let (old, at) = ("\"404\": { description: D }", "OP/responses");
    let answer = "content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } }";
    assert_refused(&[
        (old, "'201': {}", "OP/responses/201", "putOrder has two success types, at 200 and 201"),
        (
            old,
            "'201': { content: { application/pdf: {} } }",
            "OP/responses/201",
            "putOrder has two success types, at 200 and 201",
        ),
        (
            old,
            "'2XX': { content: { application/json: { schema: { type: string } } } }",
            "OP/responses/2XX",
            "putOrder has two success types, at 200 and 2XX",
        ),
        (
            old,
            "'400': { content: { application/json: {} } }",
            "OP/responses/400",
            "a JSON answer of putOrder has no schema",
        ),
        (
            old,
            "'400': { content: { application/json: { schema: {} }, text/html: {} } }",
            "OP/responses/400",
            "an answer of putOrder is JSON or something else",
        ),
        (old, "default: {}", "OP/responses/default", "putOrder answers with \"default\""),
        (old, "'302': {}", "OP/responses/302", "putOrder answers with \"302\""),
        (old, "'20': {}", "OP/responses/20", "putOrder answers with \"20\""),
        ("\"200\": { description: D", "\"400\": { description: D", at, "putOrder has no answer for success"),
        ("responses:", "x-responses:", at, "putOrder has no answer for success"),
    ]);
    assert!(with(old, &format!("'201': {{ {answer} }}")).is_ok());
}
