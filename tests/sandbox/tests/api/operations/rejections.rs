//! Requests with an error: the problem names what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::sandbox_with_household;
use crate::common::document::{Document, Operation};
use crate::common::{Api, plain};

#[tokio::test]
async fn every_operation_names_an_unknown_field() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let events = sandbox.events().len();
    let mut bodies = 0;
    let json = |operation: &&Operation| !operation.takes_form();
    for operation in api.document.operations().filter(json) {
        let Some(mut body) = household.body(&operation.id) else {
            continue;
        };
        body["curency"] = json!("EUR");
        let detail = household
            .call(&api, &operation.id)
            .body(body.clone())
            .rejected(400)
            .await;
        assert!(detail.contains("`curency`"), "{}: {detail}", operation.id);
        body.as_object_mut().unwrap().remove("curency");
        if body.get("address").is_some() {
            body["address"]["contry"] = json!("DE");
            let detail = household
                .call(&api, &operation.id)
                .body(body)
                .rejected(400)
                .await;
            assert!(
                detail.contains("`address.contry`"),
                "{}: {detail}",
                operation.id
            );
        }
        bodies += 1;
    }
    assert!(
        bodies > 20,
        "most operations that change something take a body"
    );
    let mut order = household.body("createOrder").unwrap();
    order["side"] = json!("BUYY");
    let detail = household
        .call(&api, "createOrder")
        .body(order)
        .rejected(400)
        .await;
    assert!(detail.contains("`side` is not one of"), "{detail}");
    let mut portfolio = household.body("createPortfolio").unwrap();
    portfolio["allocations"][0]["wieght"] = json!("1");
    let detail = household
        .call(&api, "createPortfolio")
        .body(portfolio)
        .rejected(400)
        .await;
    assert!(detail.contains("`allocations.0.wieght`"), "{detail}");
    assert_eq!(
        sandbox.events().len(),
        events,
        "what was rejected has changed something"
    );
}

#[tokio::test]
async fn an_unknown_id_is_not_found_and_an_invalid_one_is_named() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let events = sandbox.events().len();
    let mut unknown = 0;
    for operation in api.document.operations() {
        for wrong in operation.ids() {
            let call = |id: &str| {
                let ids = operation.ids().into_iter();
                let call = ids.fold(api.call(&operation.id), |call, name| {
                    if name == wrong {
                        call.id(name, id)
                    } else {
                        call.id(name, household.id(name))
                    }
                });
                match household.body(&operation.id) {
                    Some(body) => call.body(body),
                    None => call,
                }
            };
            let response = call(&Uuid::new_v4().to_string()).send().await;
            assert_eq!(
                response.status,
                404,
                "{}: {}",
                operation.id,
                response.text()
            );
            assert_eq!(response.kind(), "not_found");
            let detail = call("7d052811").rejected(400).await;
            assert!(
                detail.contains(&format!("`{wrong}`")),
                "{}: {detail}",
                operation.id
            );
            unknown += 1;
        }
    }
    assert!(unknown > 40, "the description has many ids in its paths");
    assert_eq!(
        sandbox.events().len(),
        events,
        "what was rejected has changed something"
    );
}

/// An id in a body is not a part of the path: 400, and the field is named.
#[tokio::test]
async fn an_unknown_id_in_a_body_is_named() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let events = sandbox.events().len();
    for operation in api.document.operations() {
        let Some(body) = household
            .body(&operation.id)
            .filter(|_| !operation.takes_form())
        else {
            continue;
        };
        for field in body
            .as_object()
            .unwrap()
            .keys()
            .filter(|field| field.ends_with("_id"))
        {
            let mut body = body.clone();
            body[field] = json!(Uuid::new_v4());
            let detail = household
                .call(&api, &operation.id)
                .body(body)
                .rejected(400)
                .await;
            assert!(
                detail.contains(&format!("`{field}`")),
                "{}: {detail}",
                operation.id
            );
        }
    }
    assert_eq!(
        sandbox.events().len(),
        events,
        "what was rejected has changed something"
    );
}

#[tokio::test]
async fn a_missing_or_invalid_field_is_named() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let events = sandbox.events().len();
    let mut spoilt_bodies = 0;
    for operation in api.document.operations() {
        let Some(schema) = operation.body_schema() else {
            continue;
        };
        let body = household.body(&operation.id);
        let body = body.unwrap_or_else(|| panic!("{} takes a body", operation.id));
        for (field, spoilt) in spoilt(api.document, schema, &body) {
            // A form has texts only.
            let is_text = |value: &Value| value.is_string();
            if operation.takes_form() && !spoilt.as_object().unwrap().values().all(is_text) {
                continue;
            }
            let detail = household
                .call(&api, &operation.id)
                .body(spoilt.clone())
                .rejected(400)
                .await;
            let named = detail.contains(&format!("`{field}`"));
            assert!(
                named,
                "{} does not name {field}: {detail} ({spoilt})",
                operation.id
            );
            spoilt_bodies += 1;
        }
    }
    assert!(spoilt_bodies > 300, "only {spoilt_bodies}");
    assert_eq!(
        sandbox.events().len(),
        events,
        "what was rejected has changed something"
    );
}

#[tokio::test]
async fn all_invalid_fields_are_named_at_once() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    let body = json!({ "account_id": household.account, "side": "HOLD", "type": "MARKET", "quantity": "1,5" });
    let detail = api.call("createOrder").body(body).rejected(400).await;
    for field in ["instrument_id", "side", "quantity"] {
        assert!(detail.contains(&format!("`{field}`")), "{field}: {detail}");
    }
    // The value may be personal data, so it must not be in the response.
    assert!(
        !detail.contains("HOLD") && !detail.contains("1,5"),
        "{detail}"
    );
}

#[tokio::test]
async fn every_operation_with_a_body_rejects_invalid_json() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    for operation in api
        .document
        .operations()
        .filter(|it| it.body_schema().is_some())
    {
        let call = household.call(&api, &operation.id);
        let media_type = operation.json["requestBody"]["content"]
            .as_object()
            .unwrap()
            .keys()
            .next()
            .unwrap();
        for (sent_as, body) in [
            (media_type.as_str(), ""),
            (media_type, "{\"a\": "),
            (media_type, "[]"),
            (media_type, "null"),
            (media_type, "\"text\""),
            ("text/plain", "{}"),
        ] {
            let mut request = call.request();
            *request.body_mut() = Some(body.into());
            request
                .headers_mut()
                .insert("content-type", sent_as.parse().unwrap());
            let response = api.send(request).await;
            api.document.check(operation, &response);
            assert_eq!(
                response.status, 400,
                "{} took {body:?} as {sent_as}",
                operation.id
            );
        }
    }
}

#[tokio::test]
async fn an_invalid_parameter_is_named() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    let mut rejected = BTreeMap::<String, u32>::new();
    for operation in api.document.operations() {
        for parameter in operation.query_parameters() {
            let name = parameter["name"].as_str().unwrap();
            let schema = api.document.resolved(&parameter["schema"]);
            for wrong in wrong_parameters(name, schema) {
                let detail = household
                    .call(&api, &operation.id)
                    .query(name, wrong)
                    .rejected(400)
                    .await;
                assert!(
                    detail.contains(&format!("`{name}`")),
                    "{} {wrong:?}: {detail}",
                    operation.id
                );
                *rejected.entry(name.to_owned()).or_default() += 1;
            }
            let twice = household
                .call(&api, &operation.id)
                .query(name, "1")
                .query(name, "1");
            let detail = twice.rejected(400).await;
            assert!(
                detail.contains(&format!("`{name}`")),
                "{}: {detail}",
                operation.id
            );
        }
    }
    for name in ["limit", "offset", "status", "type", "account_id"] {
        assert!(
            rejected.contains_key(name),
            "nothing wrong was tried for {name}"
        );
    }
}

#[tokio::test]
async fn every_path_rejects_other_methods_and_says_which_it_takes() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    let mut paths = BTreeMap::<&str, BTreeSet<&str>>::new();
    for operation in api.document.operations() {
        paths
            .entry(&operation.path)
            .or_default()
            .insert(operation.method.as_str());
    }
    for (path, methods) in paths {
        let ids = api
            .document
            .operations()
            .find(|operation| operation.path == path)
            .unwrap()
            .ids();
        let path = ids.into_iter().fold(path.to_owned(), |path, name| {
            path.replace(&format!("{{{name}}}"), &household.id(name).to_string())
        });
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if methods.contains(method) {
                continue;
            }
            let response = api
                .send(api.raw(method.parse().unwrap(), &path).build().unwrap())
                .await;
            assert_eq!(response.status, 405, "{method} {path}");
            let allowed: BTreeSet<_> = response.header("allow").unwrap().split(", ").collect();
            assert_eq!(allowed, methods, "{path}");
            if method != "HEAD" {
                assert_eq!(response.kind(), "method_not_allowed");
            }
        }
    }
}

#[tokio::test]
async fn a_path_that_the_api_does_not_have_is_not_found() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    for path in [
        "/nothing",
        "/users/",
        "/v1/users",
        "/orders/1/2/3",
        "/Users",
        "//users",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let response = api.send(api.raw(method, path).build().unwrap()).await;
            assert_eq!(response.status, 404, "{path}");
            assert_eq!(response.kind(), "not_found");
        }
    }
}

#[tokio::test]
async fn a_path_that_is_not_text_is_answered_with_a_problem() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let response = api
        .send(api.raw(Method::GET, "/users/%ff").build().unwrap())
        .await;
    assert_eq!(response.status.as_u16(), 400);
    assert_eq!(response.kind(), "invalid_request".to_owned());
    assert!(response.header("upvest-request-id").is_some());
}

#[tokio::test]
async fn an_accept_header_without_an_available_media_type_is_rejected() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let events = sandbox.events().len();
    let answers = |operation: &&Operation| operation.media_types().contains(&"application/json");
    for operation in api.document.operations().filter(answers) {
        for accept in [
            "text/html",
            "image/*",
            "application/xml, text/plain;q=0.5",
            "application/json;q=0",
        ] {
            let response = household
                .call(&api, &operation.id)
                .header("accept", accept)
                .send()
                .await;
            assert_eq!(response.status, 406, "{} as {accept}", operation.id);
            assert_eq!(response.kind(), "not_acceptable");
        }
    }
    assert_eq!(
        sandbox.events().len(),
        events,
        "what was rejected has changed something"
    );
    for accept in [
        "*/*",
        "application/*",
        "text/html, application/json;q=0.1",
        "application/json",
    ] {
        api.call("listUsers").header("accept", accept).ok().await;
    }
}

#[tokio::test]
async fn a_problem_is_problem_json_unless_only_json_is_accepted() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let call = || api.call("retrieveUser").id("user_id", Uuid::new_v4());
    let problem = call().send().await;
    assert_eq!(problem.status.as_u16(), 404);
    assert_eq!(
        problem.header("content-type"),
        Some("application/problem+json")
    );
    for (accept, expected) in [
        (
            "application/json, application/problem+json",
            "application/problem+json",
        ),
        ("*/*", "application/problem+json"),
        ("application/*;q=0.5", "application/problem+json"),
        ("application/json", "application/json"),
        ("application/json;q=0.9, text/html", "application/json"),
    ] {
        let problem = call().header("accept", accept).send().await;
        assert_eq!(
            problem.header("content-type"),
            Some(expected),
            "to {accept}"
        );
    }
}

/// All ways to make one field of a valid body invalid, with the name of the field in the problem: a missing
/// required field, a wrong type, or a value that is not allowed.
fn spoilt(document: &Document, schema: &Value, body: &Value) -> Vec<(String, Value)> {
    let schema = document.resolved(schema);
    let mut all = Vec::new();
    let mut spoil =
        |place: &str, schema: &Value, value: Option<&Value>, put: &dyn Fn(Value) -> Value| {
            all.extend(
                wrong_values(document.resolved(schema)).map(|wrong| (place.to_owned(), put(wrong))),
            );
            if let Some(value) = value {
                let inner = spoilt(document, schema, value).into_iter();
                all.extend(inner.map(|(field, value)| (format!("{place}.{field}"), put(value))));
            }
        };
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        spoil(name, schema, body.get(name), &|value| {
            let mut body = body.clone();
            body[name] = value;
            body
        });
    }
    for (at, item) in body.as_array().into_iter().flatten().enumerate() {
        spoil(&at.to_string(), &schema["items"], Some(item), &|value| {
            let mut body = body.clone();
            body[at] = value;
            body
        });
    }
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let mut body = body.clone();
        body.as_object_mut()
            .unwrap()
            .remove(name)
            .expect("what is required is there");
        all.push((name.to_owned(), body));
    }
    all
}

/// Values that a schema does not allow.
fn wrong_values(schema: &Value) -> impl Iterator<Item = Value> {
    let mut wrong = match schema["type"].as_str() {
        Some("string") => vec![Value::Null, json!(12), json!(["text"]), json!({})],
        Some("array") => vec![Value::Null, json!("text"), json!({})],
        Some("object") => vec![Value::Null, json!("text"), json!([])],
        other => panic!("this test has no wrong values for schema type {other:?}: add some"),
    };
    if !schema["enum"].is_null() {
        wrong.extend([json!("NO_SUCH_VALUE"), json!("")]);
    }
    if !schema["pattern"].is_null() {
        wrong.extend([json!("?"), json!("de"), json!("")]);
    }
    wrong.extend(match schema["format"].as_str() {
        None => vec![],
        Some("uuid") => vec![json!("7d052811"), json!("")],
        Some("date") => vec![
            json!("2026-02-30"),
            json!("10.12.1990"),
            json!("1990-12-10T00:00:00Z"),
        ],
        Some("decimal") => vec![
            json!("1,5"),
            json!("1e3"),
            json!("+1"),
            json!(" 1"),
            json!(".5"),
        ],
        Some("email") => vec![json!("nobody"), json!("")],
        Some("uri") => vec![json!("hook"), json!("not a url")],
        Some(other) => panic!("no body had the format {other} before"),
    });
    wrong.into_iter()
}

fn wrong_parameters(name: &str, schema: &Value) -> Vec<&'static str> {
    match (name, schema["format"].as_str()) {
        ("limit", _) => vec!["0", "101", "-1", "1.5", "ten", "", "9999999999999999999999"],
        ("offset", _) => vec!["-1", "1.5", "ten", "", "0x10", "1e3"],
        (_, Some("uuid")) => vec!["7d052811", ""],
        _ if !schema["enum"].is_null() => vec!["NO_SUCH_VALUE", ""],
        // Any text will do.
        _ => vec![],
    }
}
