//! Tokens: who gets one, for which scopes, and how long it is accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use http::HeaderValue;
use serde_json::{Value, json};
use upvest_ext::ErrorKind;
use upvest_ext::Upvest;
use upvest_ext::UpvestBuilder;
use upvest_sandbox::Sandbox;
use uuid::Uuid;

use super::support::{HOUR, anything, form, token, token_call};
use crate::common::household::{advance, person};
use crate::common::{Api, plain};

#[tokio::test]
async fn a_token_is_granted_for_the_requested_scopes() {
    let sandbox = Sandbox::builder().plain_http().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    let granted = token_call(&api, &sandbox, "orders:read users:admin")
        .ok()
        .await;
    assert_eq!(granted["token_type"], "bearer");
    assert_eq!(granted["expires_in"], HOUR);
    assert_eq!(granted["scope"], "orders:read users:admin");
    let token = granted["access_token"].as_str().unwrap();
    api.call("listOrders").token(Some(token)).ok().await;
    api.call("createUser")
        .token(Some(token))
        .body(person())
        .ok()
        .await;
    let again = token_call(&api, &sandbox, "orders:read").ok().await;
    assert_ne!(again["access_token"], granted["access_token"]);
}

#[tokio::test]
async fn a_token_request_with_wrong_credentials_is_rejected() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    let stranger = Uuid::new_v4().to_string();
    for (field, value) in [
        ("client_secret", "wrong-secret"),
        ("client_secret", ""),
        ("client_id", &stranger),
        ("scope", "users:read everything:admin"),
        ("scope", "users:read,users:admin"),
        ("scope", ""),
    ] {
        let response = api
            .call("createAccessToken")
            .body(form_with(&sandbox, field, value))
            .send()
            .await;
        assert_eq!(response.status.as_u16(), 401, "{field} {value}");
        assert_eq!(response.kind().as_str(), "unauthorised", "{field} {value}");
        assert!(
            value.is_empty() || !response.text().contains(value),
            "secrets and ids stay out of problems"
        );
    }
}

#[tokio::test]
async fn a_client_gets_no_token_for_a_scope_that_it_was_not_granted() {
    let sandbox = Sandbox::builder()
        .granted_scopes(["users:read"])
        .start()
        .await
        .unwrap();
    let granted = UpvestBuilder::from_vars(sandbox.vars())
        .scopes(["users:read"])
        .build()
        .unwrap();
    assert!(granted.list_users().send().await.is_ok());
    let error = Upvest::from_vars(sandbox.vars())
        .unwrap()
        .list_users()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
}

#[tokio::test]
async fn a_token_request_without_the_client_credentials_grant_is_rejected() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    for grant_type in ["password", "refresh_token", ""] {
        let form = form_with(&sandbox, "grant_type", grant_type);
        let detail = api.call("createAccessToken").body(form).rejected(400).await;
        assert!(detail.contains("`grant_type`"), "{detail}");
    }
    for field in ["grant_type", "client_id", "client_secret", "scope"] {
        let mut form = form(&sandbox, "users:read");
        form.as_object_mut().unwrap().remove(field);
        let detail = api.call("createAccessToken").body(form).rejected(400).await;
        assert!(
            detail.contains(&format!("`{field}` is missing")),
            "{detail}"
        );
    }
    let mut as_json = token_call(&api, &sandbox, "users:read").request();
    *as_json.body_mut() = Some(form(&sandbox, "users:read").to_string().into());
    as_json
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    assert_eq!(api.send(as_json).await.status, 400);
}

#[tokio::test]
async fn a_token_expires_by_the_clock_of_the_sandbox() {
    let minute = Duration::from_secs(60);
    let sandbox = Sandbox::builder()
        .plain_http()
        .token_lifetime(minute)
        .start()
        .await
        .unwrap();
    let api = Api::of(&sandbox).await;
    let granted = token_call(&api, &sandbox, "users:read").ok().await;
    assert_eq!(granted["expires_in"], 60);
    advance(&sandbox, 59).await;
    api.call("listUsers").ok().await;
    advance(&sandbox, 1).await;
    let detail = api.call("listUsers").rejected(401).await;
    assert!(detail.contains("expired"), "{detail}");
    api.call("listUsers")
        .token(granted["access_token"].as_str())
        .rejected(401)
        .await;
    token_call(&api, &sandbox, "users:read").ok().await;
}

#[tokio::test]
async fn a_revoked_token_is_rejected() {
    let sandbox = plain().start().await.unwrap();
    let before = Api::of(&sandbox).await;
    before.call("listUsers").ok().await;
    sandbox.revoke_tokens().await;
    before.call("listUsers").rejected(401).await;
    Api::of(&sandbox).await.call("listUsers").ok().await;
}

#[tokio::test]
async fn the_sdk_requests_a_new_token_if_the_old_one_expired_or_was_revoked() {
    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    upvest.list_users().send().await.unwrap();
    for end in ["expiry", "revocation"] {
        let seen = sandbox.requests().len();
        if end == "expiry" {
            advance(&sandbox, HOUR).await;
        } else {
            sandbox.revoke_tokens().await;
        }
        upvest
            .list_users()
            .send()
            .await
            .unwrap_or_else(|error| panic!("after {end}: {error}"));
        let requests = sandbox.requests().into_iter().skip(seen);
        let calls: Vec<_> = requests
            .map(|it| (it.operation.unwrap(), it.status.unwrap()))
            .collect();
        let expected = [
            ("listUsers", 401),
            ("createAccessToken", 200),
            ("listUsers", 200),
        ];
        assert_eq!(
            calls,
            expected.map(|(operation, status)| (operation.to_owned(), status)),
            "{end}"
        );
    }
}

#[tokio::test]
async fn every_operation_needs_its_scope_and_no_other() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    let all = api.document.json.pointer(
        "/components/securitySchemes/oauth2ClientCredentials/flows/clientCredentials/scopes",
    );
    let all: BTreeSet<_> = all
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut guarded = 0;
    for operation in api
        .document
        .operations()
        .filter(|operation| operation.id != "createAccessToken")
    {
        let needed: BTreeSet<_> = operation.scopes().into_iter().collect();
        assert!(
            !needed.is_empty() && needed.is_subset(&all),
            "{}: {needed:?}",
            operation.id
        );
        let others: Vec<_> = all.difference(&needed).copied().collect();
        let token = token(&api, &sandbox, &others.join(" ")).await;
        let response = anything(&api, &operation.id)
            .token(Some(&token))
            .send()
            .await;
        assert_eq!(response.status, 403, "{} without {needed:?}", operation.id);
        assert_eq!(response.kind(), "forbidden");
        assert!(
            needed.iter().any(|scope| response.detail().contains(scope)),
            "{}",
            response.detail()
        );

        let scopes: Vec<_> = needed.into_iter().collect();
        let token = self::token(&api, &sandbox, &scopes.join(" ")).await;
        let response = anything(&api, &operation.id)
            .token(Some(&token))
            .send()
            .await;
        assert!(
            ![401, 403].contains(&response.status.as_u16()),
            "{} with {scopes:?}",
            operation.id
        );
        guarded += 1;
    }
    assert_eq!(guarded, 69);
}

#[tokio::test]
async fn every_operation_rejects_an_unknown_token() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    for operation in api
        .document
        .operations()
        .filter(|operation| operation.id != "createAccessToken")
    {
        for call in [
            anything(&api, &operation.id),
            anything(&api, &operation.id).token(Some("sandbox_at_of_no_one")),
            anything(&api, &operation.id).token(Some("")),
            anything(&api, &operation.id).header("authorization", "Basic dXNlcjpwYXNz"),
            anything(&api, &operation.id).header("authorization", "sandbox_at_of_no_one"),
        ] {
            let response = call.send().await;
            assert_eq!(response.status, 401, "{}", operation.id);
            assert_eq!(response.kind(), "unauthorised");
            assert!(
                !response.text().contains("of_no_one"),
                "tokens stay out of problems"
            );
        }
    }
}

#[tokio::test]
async fn a_call_without_its_client_id_is_rejected() {
    let sandbox = Sandbox::builder().signatures(false).start().await.unwrap();
    let api = Api::of(&sandbox).await;
    for operation in api
        .document
        .operations()
        .filter(|operation| operation.id != "createAccessToken")
    {
        let response = anything(&api, &operation.id).send().await;
        assert_eq!(response.status, 400, "{}", operation.id);
        assert_eq!(response.kind(), "missing_client_id", "{}", operation.id);
        assert!(response.detail().contains("upvest-client-id"));
    }
    api.call("listUsers")
        .header("upvest-client-id", sandbox.client_id())
        .ok()
        .await;
    api.call("listUsers")
        .header("upvest-client-id", Uuid::new_v4())
        .rejected(401)
        .await;
    // If a client id is sent, it must be right, even if none is required.
    let lenient = Sandbox::builder().plain_http().start().await.unwrap();
    let api = Api::of(&lenient).await;
    api.call("listUsers").ok().await;
    api.call("listUsers")
        .header("upvest-client-id", Uuid::new_v4())
        .rejected(401)
        .await;
}

#[tokio::test]
async fn requests_over_the_limit_get_a_429_with_retry_after() {
    let sandbox = plain().throttle(2).start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut accepted = 0;
    let mut rejected = 0;
    for _ in 0..20 {
        let response = api.call("listInstruments").send().await;
        if response.status == 429 {
            rejected += 1;
            assert_eq!(response.kind(), "too_many_requests");
            assert_eq!(response.header("retry-after"), Some("1"));
        } else {
            accepted += 1;
            assert_eq!(response.status, 200);
        }
    }
    assert!(
        accepted >= 2 && rejected >= 1,
        "{accepted} accepted, {rejected} rejected"
    );
}

fn form_with(sandbox: &Sandbox, field: &str, value: &str) -> Value {
    let mut form = form(sandbox, "users:read");
    form[field] = json!(value);
    form
}
