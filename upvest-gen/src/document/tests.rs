use serde_json::json;

use super::{
    Operation, is_error, is_json, is_success, operations, problems_of_paths, resolve, resolve_at,
    schema_name,
};
use crate::testing::yaml;

#[test]
fn operations_come_in_the_order_of_the_paths_with_their_place() {
    let document = yaml(
        "paths: { /b: { post: { operationId: one }, get: { operationId: two }, parameters: [], summary: S }, \
         '/a/{x}': { delete: {} }, /c: null }",
    );
    let found: Vec<_> = operations(&document)
        .iter()
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
    let operations = operations(&document);
    let found: Vec<_> = operations[0]
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
}

#[test]
fn percent_encoded_references_are_followed() {
    let document = yaml(
        "
        paths: { '/orders/{id}': { get: { parameters: [{ name: id }] } } }
        components:
          schemas: { Order Line: { type: object }, a/b~c%: { type: string }, Größe: { type: number } }
        ",
    );
    for (reference, place) in [
        (
            "#/components/schemas/Order%20Line",
            "/components/schemas/Order Line",
        ),
        (
            "#/components/schemas/a~1b~0c%25",
            "/components/schemas/a~1b~0c%",
        ),
        (
            "#/components/schemas/Gr%C3%B6%C3%9Fe",
            "/components/schemas/Größe",
        ),
        ("#/components/schemas/Größe", "/components/schemas/Größe"),
        (
            "#/components%2Fschemas/Order%20Line",
            "/components/schemas/Order Line",
        ),
        (
            "#/paths/~1orders~1%7Bid%7D/get/parameters/0",
            "/paths/~1orders~1{id}/get/parameters/0",
        ),
    ] {
        let (found, _) = resolve_at(&document, &json!({ "$ref": reference }), "");
        assert_eq!(found, place, "{reference}");
    }
    for reference in [
        "#/components/schemas/Order%2",
        "#/components/schemas/%FF",
        "other.yaml#/a",
    ] {
        let value = json!({ "$ref": reference });
        assert_eq!(resolve(&document, &value), &value, "{reference}");
    }
}

#[test]
fn a_reference_to_a_component_schema_has_its_name() {
    let document = yaml("components: { schemas: { Order Line: {} }, parameters: { Order: {} } }");
    for (reference, name) in [
        ("#/components/schemas/Order Line", Some("Order Line")),
        ("#/components/schemas/Order%20Line", Some("Order Line")),
        ("#/components/schemas/Gone", None),
        ("#/components/parameters/Order", None),
    ] {
        let schema = json!({ "$ref": reference });
        assert_eq!(schema_name(&document, &schema), name, "{reference}");
    }
}

/// The operations of the paths in `text`, as `id method path at place`, and the problems.
fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let document = yaml(text);
    let lines = operations(&document)
        .iter()
        .map(|it| format!("{} {} {} at {}", it.id(), it.method, it.path, it.pointer))
        .collect();
    let problems = problems_of_paths(&document)
        .iter()
        .map(|error| format!("{}: {}", error.pointer(), error.problem()))
        .collect();
    (lines, problems)
}

#[test]
fn a_path_item_that_is_a_reference_has_the_operations_of_its_target() {
    let (operations, problems) = read(
        "
        paths:
          /a: { $ref: '#/components/pathItems/Shared%20Item' }
          /b: { $ref: '#/paths/~1c' }
          /c: { get: { operationId: listC } }
          /d: { $ref: '#/components/pathItems/Chain' }
          x-note: { $ref: '#/nowhere' }
        components:
          pathItems:
            Shared Item: { get: { operationId: getShared }, put: {} }
            Chain: { $ref: '#/components/pathItems/Shared%20Item' }
        ",
    );
    assert_eq!(
        operations,
        [
            "getShared get /a at /components/pathItems/Shared Item/get",
            "putA put /a at /components/pathItems/Shared Item/put",
            "getB get /b at /paths/~1c/get",
            "listC get /c at /paths/~1c/get",
            "getD get /d at /components/pathItems/Shared Item/get",
            "putD put /d at /components/pathItems/Shared Item/put",
        ]
    );
    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_path_item_that_cannot_be_read_is_a_problem_with_its_path() {
    let (operations, problems) = read(
        "
        paths:
          /dangling: { $ref: '#/components/pathItems/Gone' }
          /external: { $ref: 'other.yaml#/paths/~1orders', get: { operationId: own } }
          /circle: { $ref: '#/paths/~1circle' }
          /number: { $ref: 7 }
          /list: { $ref: '#/tags' }
          /text: orders
          /empty:
        tags: []
        ",
    );
    assert_eq!(operations, ["own get /external at /paths/~1external/get"]);
    assert_eq!(
        problems,
        [
            "/paths/~1dangling: the operations of `/dangling` are missing: the target of `#/components/pathItems/Gone` does not exist",
            "/paths/~1external: the operations of `/external` are missing: the reference `other.yaml#/paths/~1orders` points outside of the document",
            "/paths/~1circle: the operations of `/circle` are missing: the reference is circular",
            "/paths/~1number: the operations of `/number` are missing: 7 is not a reference",
            "/tags: the operations of `/list` are missing: a list is not a path item",
            "/paths/~1text: the operations of `/text` are missing: a text is not a path item",
        ]
    );
}

#[test]
fn operations_without_an_id_have_names_of_their_own() {
    let (operations, problems) = read(
        "
        paths:
          /a/: { get: {} }
          /a: { get: {}, put: { operationId: getA3 } }
          /A: { get: {} }
          /b: { get: { operationId: same } }
          /c: { get: { operationId: same } }
        ",
    );
    assert_eq!(
        operations,
        [
            "getA get /a/ at /paths/~1a~1/get",
            "getA2 get /a at /paths/~1a/get",
            "getA3 put /a at /paths/~1a/put",
            "getA4 get /A at /paths/~1A/get",
            "same get /b at /paths/~1b/get",
            "same get /c at /paths/~1c/get",
        ]
    );
    assert_eq!(problems, [""; 0]);
}

#[test]
fn members_beside_a_reference_are_added_to_its_target() {
    let text = "
        paths:
          /a:
            $ref: '#/components/pathItems/Item'
            parameters: [{ name: x, in: query, n: 1 }, { name: own, in: query, n: 2 }]
            post: { operationId: own }
            patch: { operationId: ownPatch }
        components:
          pathItems:
            Item:
              parameters: [{ name: x, in: query, n: 3 }, { name: shared, in: query, n: 4 }]
              get: { parameters: [{ name: own, in: query, n: 5 }] }
              patch: { operationId: hidden }
        ";
    let (found, problems) = read(text);
    assert_eq!(
        found,
        [
            "getA get /a at /components/pathItems/Item/get",
            "own post /a at /paths/~1a/post",
            "ownPatch patch /a at /paths/~1a/patch",
        ]
    );
    assert_eq!(
        problems,
        [
            "/paths/~1a/patch: `/a` has `patch` here and in `/components/pathItems/Item`, to which it refers"
        ]
    );
    let document = yaml(text);
    let numbers = |operation: &Operation<'_>| -> Vec<i64> {
        let parameters = operation.parameters(&document);
        parameters
            .iter()
            .filter_map(|(_, it)| it["n"].as_i64())
            .collect()
    };
    let operations = operations(&document);
    assert_eq!(numbers(&operations[0]), [4, 1, 5]);
    assert_eq!(numbers(&operations[1]), [4, 1, 2]);
}

#[test]
fn a_member_that_looks_like_a_method_is_a_problem() {
    let (_, problems) = read(
        "paths: { /a: { GET: {}, query: {}, x-own: {}, summary: S, servers: [], parameters: [], get: {} } }",
    );
    assert_eq!(
        problems,
        [
            "/paths/~1a/GET: `GET` of `/a` is not a method of OpenAPI",
            "/paths/~1a/query: `query` of `/a` is not a method of OpenAPI",
        ]
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
            assert_eq!(operations(&document)[0].id(), id, "{path} {operation_id}");
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
        assert_eq!(is_success(status), success, "{status}");
        assert_eq!(is_error(status), error, "{status}");
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
