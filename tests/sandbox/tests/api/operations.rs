//! Every operation of the description over plain HTTP: its responses, its errors, and its pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use http::Method;
use serde_json::{Value, json};
use upvest_gen::{Source, describe};
use upvest_sandbox::{Command, Sandbox};
use uuid::Uuid;

use crate::common::document::{Document, Operation};
use crate::common::household::{Household, person};
use crate::common::{Api, plain};

#[tokio::test]
async fn every_operation_succeeds_and_responds_as_described() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let operations: Vec<_> = api
        .document
        .operations()
        .map(|operation| operation.id.as_str())
        .collect();
    assert_eq!(operations.len(), 70);
    let (ends, others): (Vec<_>, Vec<_>) = operations
        .into_iter()
        .partition(|id| id.starts_with("delete") || id.starts_with("close"));
    for id in others {
        let response = household.call(&api, id).ok().await;
        // An empty list would not test the schema of its items.
        if id.starts_with("list") {
            assert!(
                !response["data"].as_array().unwrap().is_empty(),
                "{id} listed nothing"
            );
        }
    }
    for id in ends {
        assert_eq!(household.call(&api, id).ok().await, Value::Null);
    }
    let all: BTreeSet<_> = api
        .document
        .operations()
        .map(|operation| operation.id.clone())
        .collect();
    assert_eq!(api.succeeded(), all);
    assert_eq!(sandbox.audit(), [""; 0]);
}

#[tokio::test]
async fn created_resources_are_found_and_deleted_ones_are_not() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    for (create, retrieve, id) in [
        ("createUser", "retrieveUser", "user_id"),
        (
            "createUserIdentifier",
            "retrieveUserIdentifier",
            "identifier_id",
        ),
        ("createAccount", "retrieveAccount", "account_id"),
        ("createOrder", "retrieveOrder", "order_id"),
        ("createPortfolio", "retrievePortfolio", "portfolio_id"),
        (
            "createSavingsPlan",
            "retrieveSavingsPlan",
            "savings_plan_id",
        ),
        (
            "createWebhookSubscription",
            "retrieveWebhookSubscription",
            "webhook_id",
        ),
    ] {
        let made = household.call(&api, create).ok().await;
        let others = api
            .document
            .operation(retrieve)
            .ids()
            .into_iter()
            .filter(|name| *name != id);
        let call = others.fold(api.call(retrieve), |call, name| {
            call.id(name, household.id(name))
        });
        let found = call.id(id, made["id"].as_str().unwrap()).ok().await;
        assert_eq!(found, made, "{retrieve}");
        for (field, sent) in household.body(create).unwrap().as_object().unwrap() {
            assert!(
                found[field] == *sent || field == "allocations",
                "{create} lost {field}: {found}"
            );
        }
    }
    for (delete, retrieve) in [
        ("deleteSavingsPlan", "retrieveSavingsPlan"),
        ("deleteWebhookSubscription", "retrieveWebhookSubscription"),
    ] {
        household.call(&api, delete).ok().await;
        household.call(&api, retrieve).rejected(404).await;
        household.call(&api, delete).rejected(404).await;
    }
}

#[tokio::test]
async fn an_update_changes_only_the_fields_in_its_body() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    for (update, retrieve) in [
        ("updateUser", "retrieveUser"),
        ("updateUserIdentifier", "retrieveUserIdentifier"),
        ("updateAccount", "retrieveAccount"),
        ("updatePortfolio", "retrievePortfolio"),
        ("updateSavingsPlan", "retrieveSavingsPlan"),
        ("updateWebhookSubscription", "retrieveWebhookSubscription"),
    ] {
        let before = household.call(&api, retrieve).ok().await;
        let update_body = household.body(update).unwrap();
        let answered = household.call(&api, update).ok().await;
        let after = household.call(&api, retrieve).ok().await;
        assert_eq!(answered, after, "{update}");
        for (field, value) in after.as_object().unwrap() {
            match update_body.get(field) {
                Some(sent) => assert_eq!(value, sent, "{update} did not set {field}"),
                // These resources exist as a consequence of the others.
                None if ["updated_at", "next_execution_date"].contains(&field.as_str()) => {}
                None => assert_eq!(*value, before[field], "{update} changed {field}"),
            }
        }
        assert_eq!(
            household.call(&api, update).body(json!({})).ok().await,
            after,
            "an empty {update}"
        );
    }
}

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
async fn files_have_their_media_types() {
    let (sandbox, api, household) = sandbox_with_household().await;
    let pdf = household
        .call(&api, "retrieveFile")
        .header("accept", "application/pdf")
        .send()
        .await;
    assert_eq!(pdf.header("content-type"), Some("application/pdf"));
    assert!(pdf.body.starts_with(b"%PDF-"));
    let stored = Command::StoreFile {
        content: "a,b\n1,2\n".to_owned(),
        media_type: None,
    };
    let stored = sandbox.execute(stored).await.unwrap();
    let id = stored["id"].as_str().unwrap();
    let file = api.call("retrieveFile").id("file_id", id).send().await;
    assert_eq!(
        file.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(file.text(), "a,b\n1,2\n");
    // The `accept` headers of generated clients and of browsers.
    for accept in [
        "application/json",
        "application/pdf",
        "text/html",
        "application/pdf;q=0",
    ] {
        let file = api
            .call("retrieveFile")
            .id("file_id", id)
            .header("accept", accept)
            .send()
            .await;
        assert_eq!(file.status.as_u16(), 200, "as {accept}");
        assert_eq!(file.text().as_str(), "a,b\n1,2\n", "as {accept}");
    }
    let excluded = "*/*, application/octet-stream;q=0";
    let none = api
        .call("retrieveFile")
        .id("file_id", id)
        .header("accept", excluded)
        .send()
        .await;
    assert_eq!(none.status.as_u16(), 406);
    assert_eq!(none.kind(), "not_acceptable".to_owned());
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
async fn filters_select_the_matching_items() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    let orders = async |name: &str, value: &str| {
        let page = api.call("listOrders").query(name, value).ok().await;
        assert_eq!(
            page["meta"]["total"],
            page["data"].as_array().unwrap().len()
        );
        page["data"].as_array().unwrap().clone()
    };
    let filled = orders("status", "FILLED").await;
    assert!(!filled.is_empty() && filled.iter().all(|order| order["status"] == "FILLED"));
    let of_account = orders("account_id", &household.account.to_string()).await;
    let account = household.account.to_string();
    assert!(
        !of_account.is_empty()
            && of_account
                .iter()
                .all(|order| order["account_id"] == account.as_str())
    );
    assert_eq!(
        orders("account_id", &household.other_account.to_string()).await,
        [Value::Null; 0]
    );

    let by_isin = api
        .call("listInstruments")
        .query("isin", "US0378331005")
        .ok()
        .await;
    assert_eq!(by_isin["meta"]["total"], 1);
    assert_eq!(by_isin["data"][0]["type"], "EQUITY");
    let by_type = api
        .call("listInstruments")
        .query("type", "EQUITY")
        .ok()
        .await;
    assert_eq!(by_type["data"], by_isin["data"]);
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

#[tokio::test]
async fn pages_together_contain_every_item_once() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut made = Vec::new();
    for _ in 0..105 {
        made.push(
            api.call("createUser")
                .body(person())
                .made()
                .await
                .to_string(),
        );
    }
    let page = async |offset: u64, limit: u64| {
        let call = api
            .call("listUsers")
            .query("offset", offset)
            .query("limit", limit);
        let page = call.ok().await;
        let ids = page["data"].as_array().unwrap().iter();
        let ids: Vec<_> = ids
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect();
        let meta = json!({ "offset": offset, "limit": limit, "count": ids.len(), "total": 105 });
        assert_eq!(page["meta"], meta);
        ids
    };
    for limit in [1, 7, 20, 35, 100] {
        let mut seen = Vec::new();
        loop {
            let ids = page(seen.len() as u64, limit).await;
            if ids.is_empty() {
                break;
            }
            seen.extend(ids);
        }
        assert_eq!(seen, made, "in pages of {limit}");
    }
    assert_eq!(page(0, 100).await.len(), 100);
    assert_eq!(page(104, 100).await.len(), 1);
    // New items are at the end of the list, so that they do not move others to another page.
    assert_eq!(page(100, 5).await, made[100..]);
}

#[tokio::test]
async fn every_paged_list_has_defaults_and_is_empty_past_its_end() {
    let (_sandbox, api, household) = sandbox_with_household().await;
    let lists: Vec<_> = api
        .document
        .operations()
        .filter(|operation| operation.is_paged())
        .collect();
    assert!(lists.len() > 10);
    for operation in lists {
        let first = household.call(&api, &operation.id).ok().await;
        let meta = &first["meta"];
        let total = meta["total"].as_u64().unwrap();
        assert_eq!(&meta["offset"], &json!(0), "{}", operation.id);
        assert_eq!(&meta["limit"], &json!(20), "{}", operation.id);
        assert_eq!(
            meta["count"],
            first["data"].as_array().unwrap().len(),
            "{}",
            operation.id
        );
        assert_eq!(meta["count"], total.min(20), "{}", operation.id);
        for offset in [total, total + 1, 1_000_000, u64::MAX] {
            let page = household
                .call(&api, &operation.id)
                .query("offset", offset)
                .ok()
                .await;
            assert_eq!(page["data"], json!([]), "{}", operation.id);
            let meta = json!({ "offset": offset, "limit": 20, "count": 0, "total": total });
            assert_eq!(page["meta"], meta, "{}", operation.id);
        }
        let last = household
            .call(&api, &operation.id)
            .query("offset", total - 1)
            .query("limit", 100);
        assert_eq!(last.ok().await["meta"]["count"], 1, "{}", operation.id);
    }
}

/// The sandbox must not use the generated types, as it is used to test them.
#[test]
fn the_sandbox_never_names_the_generated_types() {
    let mut files = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files += 1;
                for (number, line) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
                    let names = !is_doc_comment(line) && names_generated_types(line);
                    assert!(!names, "{}:{number}: {line}", path.display());
                }
            }
        }
    }
    assert!(
        files > 40,
        "found only {files} source files: is the folder right?"
    );
}

fn is_doc_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("///") || line.starts_with("//!")
}

fn names_generated_types(line: &str) -> bool {
    let from_ext = line.split("upvest_ext::{").nth(1).unwrap_or_default();
    line.contains("upvest_api")
        || line.contains("upvest_ext::api")
        || from_ext
            .split([',', '}'])
            .any(|item| item.trim() == "api" || item.trim().starts_with("api::"))
}

#[tokio::test]
async fn every_status_beyond_the_description_is_listed() {
    let sandbox = plain().start().await.unwrap();
    let served = Api::nobody(&sandbox).await.document;
    let spec = source("../../spec/upvest-investment-api.yaml");
    let vendored = describe(&spec, None).unwrap();
    let overlaid = describe(&spec, Some(&source("../../spec/overlay.yaml"))).unwrap();
    let overlaid = Source::new("the description", overlaid.to_string());
    let listed = describe(&overlaid, Some(&source("statuses.yaml"))).unwrap();
    let overlaid = describe(&overlaid, None).unwrap();
    for operation in served.operations() {
        let statuses = |document: &Value| -> BTreeSet<String> {
            let method = operation.method.as_str().to_ascii_lowercase();
            let responses = document["paths"][&operation.path][method]["responses"].as_object();
            responses.unwrap().keys().cloned().collect()
        };
        let described = statuses(&vendored);
        let answered = statuses(served.json);
        // The first overlay contains facts about the API. Only the second may add statuses.
        assert_eq!(statuses(&overlaid), described, "{}", operation.id);
        assert_eq!(answered, statuses(&listed), "{}", operation.id);
        for status in answered.difference(&described) {
            assert!(
                may_be_added(operation, status),
                "{} may not answer {status}",
                operation.id
            );
        }
    }
}

/// The package contains the description with both overlays applied, so that its users need not build the generator.
#[test]
fn the_prepared_description_is_that_of_the_workspace() {
    let spec = source("../../spec/upvest-investment-api.yaml");
    let described = describe(&spec, Some(&source("../../spec/overlay.yaml"))).unwrap();
    let described = Source::new("the description", described.to_string());
    let served = describe(&described, Some(&source("statuses.yaml")))
        .unwrap()
        .to_string();
    assert_is_prepared("description.json", &served);
}

/// The package contains the lifecycles in JSON, so that its users need not build a parser of YAML.
#[test]
fn the_prepared_lifecycles_are_those_of_the_file_in_yaml() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lifecycles/vendored.yaml");
    let yaml = fs::read_to_string(path).unwrap();
    let lifecycles: Value = serde_saphyr::from_str(&yaml).unwrap();
    let lifecycles = serde_json::to_string_pretty(&lifecycles).unwrap();
    assert_is_prepared("lifecycles.json", &lifecycles);
}

/// Compares a file of the package with what it is made from.
fn assert_is_prepared(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_DESCRIPTION").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let prepared = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        prepared == expected,
        "{name}: run this test again with UPDATE_DESCRIPTION=1, and look at what changes"
    );
}

/// The problem types of PROTOCOL 5, with the requests that cause them.
fn may_be_added(operation: &Operation, status: &str) -> bool {
    match status {
        "400" | "406" | "429" | "500" | "502" | "503" | "504" => true,
        "403" => operation.id != "createAccessToken",
        "404" => !operation.ids().is_empty(),
        "409" => operation.method != Method::GET && operation.id != "createAccessToken",
        _ => false,
    }
}

fn source(name: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    Source::new(name, fs::read_to_string(path).unwrap())
}

async fn sandbox_with_household() -> (Sandbox, Api, Household) {
    let sandbox = plain().start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let household = Household::found(&sandbox, &api).await;
    (sandbox, api, household)
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
        other => panic!("no body had a field of type {other:?} before"),
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
