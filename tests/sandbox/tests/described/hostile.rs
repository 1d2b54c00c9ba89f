//! Descriptions that are odd, wrong or circular. The sandbox serves what it can, and never fails in front of a user.

use serde_json::{Value, json};
use upvest_sandbox::Sandbox;

use crate::api::plain;

/// A sandbox for a description with these paths and schemas.
async fn serve(paths: Value, schemas: Value) -> Sandbox {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.json");
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Odd", "version": "1" },
        "paths": paths,
        "components": { "schemas": schemas },
    });
    std::fs::write(&file, document.to_string()).unwrap();
    plain().description(&file).start().await.unwrap()
}

async fn status(sandbox: &Sandbox, method: &str, path: &str, body: Option<Value>) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let method: http::Method = method.parse().unwrap();
    let mut request = http.request(method, format!("{}{path}", sandbox.url()));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let status = request.send().await.unwrap().status().as_u16();
    assert_eq!(sandbox.audit(), [""; 0], "{path}");
    status
}

/// An operation whose response has this schema.
fn get(schema: &Value) -> Value {
    let content = json!({ "application/json": { "schema": schema } });
    json!({ "get": { "responses": { "200": { "description": "", "content": content } } } })
}

#[tokio::test]
async fn schemas_that_contain_themselves_are_served() {
    let node = json!({ "type": "object", "required": ["child"], "properties": { "child": { "$ref": "#/components/schemas/Node" } } });
    let schemas = json!({ "Node": node, "Loop": { "$ref": "#/components/schemas/Loop" } });
    let paths = json!({
        "/nodes": get(&json!({ "type": "array", "items": { "$ref": "#/components/schemas/Node" } })),
        "/loop": get(&json!({ "$ref": "#/components/schemas/Loop" })),
        "/missing": get(&json!({ "$ref": "#/components/schemas/Missing" })),
    });
    let sandbox = serve(paths, schemas).await;
    for path in ["/nodes", "/loop", "/missing"] {
        assert_eq!(status(&sandbox, "GET", path, None).await, 200, "{path}");
    }
}

#[tokio::test]
async fn alternatives_that_contain_their_whole_are_served() {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut schemas = json!({});
    let mut alternatives = Vec::new();
    for at in 0..20 {
        let name = format!("Pet{at}");
        let own = json!({ "properties": { "mother": reference("Pet") } });
        schemas[&name] = json!({ "allOf": [reference("Pet"), own] });
        alternatives.push(reference(&name));
    }
    schemas["Pet"] = json!({
        "properties": { "id": { "type": "string", "readOnly": true }, "name": { "type": "string" } },
        "required": ["id", "name"],
        "anyOf": alternatives,
    });
    let content = json!({ "application/json": { "schema": reference("Pet") } });
    let mut paths = json!({ "/pets/{id}": get(&reference("Pet")) });
    paths["/pets"]["post"] = json!({
        "requestBody": { "content": content },
        "responses": { "201": { "description": "", "content": content } },
    });
    let sandbox = serve(paths, schemas).await;
    let body = json!({ "name": "Tom" });
    let created = status(&sandbox, "POST", "/pets", Some(body)).await;
    assert!(created < 500, "{created}");
}

#[tokio::test]
async fn schemas_that_nothing_matches_are_served() {
    let paths = json!({
        "/pattern": get(&json!({ "type": "string", "pattern": "(?=x)y" })),
        "/broken": get(&json!({ "type": "string", "pattern": "[" })),
        "/bounds": get(&json!({ "type": "integer", "minimum": 5, "maximum": 1, "multipleOf": 0 })),
        "/length": get(&json!({ "type": "string", "minLength": 9_999_999_999_u64 })),
        "/many": get(&json!({ "type": "array", "minItems": 9_999_999_999_u64, "items": {} })),
        "/wrong": get(&json!({ "type": 7, "enum": "x", "required": {}, "properties": [] })),
        "/false": get(&json!(false)),
        "/none": get(&json!({ "enum": [] })),
    });
    let sandbox = serve(paths.clone(), json!({})).await;
    for path in paths.as_object().unwrap().keys() {
        assert_eq!(status(&sandbox, "GET", path, None).await, 200, "{path}");
    }
}

#[tokio::test]
async fn paths_that_overlap_or_are_odd_are_served() {
    let item = get(&json!({ "type": "object", "properties": { "id": { "type": "string" } } }));
    let paths = json!({
        "/": item, "/a/{x}": item, "/a/{y}": item, "/a/{x}/b": item, "/a/{y}/c": item,
        "/a/b/{x}": item, "/f/{name}.{kind}": item, "/{any}": item, "/open/{": item,
        "/_sandbox": item, "/a//b": item, "/ü/{é}": item, "/a/*": item, "/a/:id": item,
        "/n": { "get": 7, "put": { "responses": 5 }, "parameters": "x", "trace": {} },
    });
    let sandbox = serve(paths, json!({})).await;
    for path in [
        "/a/1",
        "/a/1/b",
        "/a/1/c",
        "/a/b/1",
        "/f/x.pdf",
        "/any",
        "/_sandbox",
        "/a//b",
    ] {
        assert_eq!(status(&sandbox, "GET", path, None).await, 200, "{path}");
    }
    assert_eq!(status(&sandbox, "PUT", "/n", Some(json!({}))).await, 204);
}

#[tokio::test]
async fn bodies_of_any_kind_are_answered() {
    let any = json!({ "application/json": { "schema": {} } });
    let post = json!({ "post": {
        "requestBody": { "content": any },
        "responses": { "201": { "description": "", "content": any } },
    } });
    let things = json!({ "/things": post, "/things/{id}": get(&json!({})) });
    let sandbox = serve(things, json!({})).await;
    for body in [
        json!(null),
        json!([1, [2]]),
        json!("text"),
        json!(1.5),
        json!({ "id": {} }),
    ] {
        assert_eq!(status(&sandbox, "POST", "/things", Some(body)).await, 201);
    }
    assert_eq!(status(&sandbox, "GET", "/things/none", None).await, 404);
    assert_eq!(status(&sandbox, "DELETE", "/things", None).await, 405);
}

#[tokio::test]
async fn a_page_at_the_largest_offset_is_empty() {
    let page = json!({ "type": "object", "properties": {
        "meta": { "type": "object", "properties": { "page": { "type": "integer" }, "total_pages": { "type": "integer" } } },
        "data": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" } } } },
    } });
    let mut list = get(&page);
    list["get"]["parameters"] = json!(["limit", "offset"].map(
        |name| json!({ "name": name, "in": "query", "schema": { "type": "integer", "minimum": 0 } })
    ));
    let sandbox = serve(json!({ "/things": list }), json!({})).await;
    for query in [
        "offset=18446744073709551615&limit=1",
        "offset=18446744073709551615&limit=18446744073709551615",
        "offset=0&limit=0",
    ] {
        let path = format!("/things?{query}");
        assert_eq!(status(&sandbox, "GET", &path, None).await, 200, "{path}");
    }
}

/// The text of the problem that a request with this body has.
async fn problem_of(sandbox: &Sandbox, path: &str, body: &Value) -> String {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{path}", sandbox.url());
    let response = http.post(url).json(body).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let problem: Value = response.json().await.unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_problem_names_only_the_first_of_many_invalid_values() {
    let kind = json!({ "type": "string", "enum": ["A", "B"] });
    let thing =
        json!({ "type": "object", "properties": { "kinds": { "type": "array", "items": kind } } });
    let content = json!({ "application/json": { "schema": thing } });
    let responses = json!({ "201": { "description": "", "content": content } });
    let post = json!({ "post": { "requestBody": { "content": content }, "responses": responses } });
    let sandbox = serve(json!({ "/things": post }), json!({})).await;
    let unknown: Value = (0..50_000).map(|at| (format!("f{at}"), json!(1))).collect();
    for (body, problem) in [
        (unknown, "is not a field"),
        (json!({ "kinds": vec!["C"; 50_000] }), "is not one of"),
        (json!({ "x".repeat(1_000_000): 1 }), ""),
    ] {
        let detail = problem_of(&sandbox, "/things", &body).await;
        assert!(detail.len() <= 4096, "{}", detail.len());
        assert!(detail.matches(problem).count() >= 10, "{detail}");
    }
}
