use super::{is_error, is_json, is_success, operations, resolve, schema_name};
use crate::testing::yaml;

#[test]
fn operations_come_in_the_order_of_the_paths_with_their_place() {
    let document = yaml(
        "paths: { /b: { post: { operationId: one }, get: { operationId: two }, parameters: [], summary: S }, \
         '/a/{x}': { delete: {} }, /c: null }",
    );
    let found: Vec<_> = operations(&document)
        .map(|o| (o.pointer.clone(), o.method, o.id()))
        .collect();
    let expected = [
        ("/paths/~1b/get", "get", "two"),
        ("/paths/~1b/post", "post", "one"),
        ("/paths/~1a~1{x}/delete", "delete", "deleteAByX"),
    ];
    assert_eq!(
        found,
        expected.map(|(at, method, id)| (at.to_owned(), method, id.to_owned()))
    );
}

#[test]
fn a_parameter_of_the_operation_replaces_that_of_the_path() {
    let document = yaml(
        "
        paths:
          /a:
            parameters: [{ name: x, in: query, n: 1 }, { name: y, in: query, n: 2 }]
            get: { parameters: [{ $ref: '#/components/parameters/X' }, { name: y, in: header, n: 4 }] }
        components: { parameters: { X: { name: x, in: query, n: 3 } } }
        ",
    );
    let operation = operations(&document).next().unwrap();
    let found: Vec<_> = operation
        .parameters(&document)
        .into_iter()
        .map(|(at, p)| (at, p["n"].as_i64().unwrap()))
        .collect();
    let expected = [
        ("/paths/~1a/parameters/1", 2),
        ("/components/parameters/X", 3),
        ("/paths/~1a/get/parameters/1", 4),
    ];
    assert_eq!(found, expected.map(|(at, n)| (at.to_owned(), n)));
}

#[test]
fn references_are_followed_and_circles_end() {
    let document = yaml(
        "a: { $ref: '#/b' }\nb: { $ref: '#/c' }\nc: { x: 1 }\nd: { $ref: '#/d' }\ne: { $ref: '#/none' }",
    );
    assert_eq!(resolve(&document, &document["a"]), &yaml("x: 1"));
    assert_eq!(resolve(&document, &document["d"]), &document["d"]);
    assert_eq!(resolve(&document, &document["e"]), &document["e"]);
    assert_eq!(
        schema_name(&yaml("$ref: '#/components/schemas/Order'")),
        Some("Order")
    );
    assert_eq!(
        schema_name(&yaml("$ref: '#/components/parameters/Order'")),
        None
    );
}

#[test]
fn an_operation_without_an_id_is_named_after_its_method_and_path() {
    for (path, method, id) in [
        ("/orders", "get", "getOrders"),
        ("/orders/{order_id}", "delete", "deleteOrdersByOrderId"),
        (
            "/orders/{order_id}/executions",
            "get",
            "getOrdersByOrderIdExecutions",
        ),
        ("/auth/token", "post", "postAuthToken"),
        ("/", "get", "get"),
        ("/é", "get", "getÉ"),
    ] {
        for operation_id in ["null", "7", "''", "'-'"] {
            let document = yaml(&format!(
                "paths: {{ '{path}': {{ {method}: {{ operationId: {operation_id} }} }} }}"
            ));
            assert_eq!(
                operations(&document).next().unwrap().id(),
                id,
                "{path} {operation_id}"
            );
        }
    }
}

#[test]
fn statuses_and_media_types_are_told_apart() {
    for (status, success, error) in [
        ("200", true, false),
        ("2XX", true, false),
        ("404", false, true),
        ("5XX", false, true),
        ("302", false, false),
        ("default", false, false),
        ("4é", false, true),
        ("", false, false),
    ] {
        assert_eq!(
            (is_success(status), is_error(status)),
            (success, error),
            "{status}"
        );
    }
    for media_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json",
        "application/hal+json",
    ] {
        assert!(is_json(media_type), "{media_type}");
    }
    for media_type in [
        "text/plain",
        "application/jsonp",
        "application/octet-stream",
        "json",
        "",
    ] {
        assert!(!is_json(media_type), "{media_type}");
    }
}
