//! Idempotency keys: a repeated request gets the first response again and has no effect.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use upvest_sandbox::{Sandbox, SandboxBuilder};
use uuid::Uuid;

use crate::common::household::{Household, ISIN, advance, person};
use crate::common::{Api, plain};

const DAY: u64 = 24 * 3_600;

#[tokio::test]
async fn a_repetition_gets_the_same_bytes_and_creates_nothing() {
    let (sandbox, api) = keyed().await;
    let household = Household::found(&sandbox, &api).await;
    for operation in with_key(&api) {
        let key = Uuid::new_v4().to_string();
        let first = household.call(&api, operation).key(Some(&key)).send().await;
        assert_eq!(first.status, 201, "{operation}: {}", first.text());
        let events = sandbox.events().len();
        for _ in 0..3 {
            let again = household.call(&api, operation).key(Some(&key)).send().await;
            assert_eq!(again.status, first.status, "{operation}");
            assert_eq!(&again.body, &first.body, "{operation}");
            assert_eq!(again.header("content-type"), first.header("content-type"));
            // The response is the same, but the request id is new.
            assert_ne!(
                again.header("upvest-request-id"),
                first.header("upvest-request-id")
            );
        }
        assert_eq!(sandbox.events().len(), events, "{operation} was done again");
        let replayed: Vec<_> = sandbox
            .requests()
            .iter()
            .rev()
            .take(4)
            .map(|it| it.replayed)
            .collect();
        assert_eq!(replayed, [true, true, true, false], "{operation}");
    }
}

#[tokio::test]
async fn a_repetition_gets_the_first_response_after_a_change() {
    let (sandbox, api) = keyed().await;
    let account = sandbox.open_account("1000.00").await.unwrap();
    let order = json!({ "account_id": account, "instrument_id": Sandbox::instrument(ISIN), "side": "BUY",
        "type": "MARKET", "cash_amount": "250.00" });
    let [order_key, user_key] = [(); 2].map(|()| Uuid::new_v4().to_string());
    let place = || {
        api.call("createOrder")
            .body(order.clone())
            .key(Some(&order_key))
    };
    let placed = place().send().await;
    let register = || api.call("createUser").body(person()).key(Some(&user_key));
    let registered = register().send().await;

    advance(&sandbox, 2).await;
    let order_id = crate::common::id_of(&placed.json());
    let order = api
        .call("retrieveOrder")
        .id("order_id", order_id)
        .ok()
        .await;
    assert_eq!(order["status"], "FILLED");
    let user = api
        .call("updateUser")
        .id("user_id", crate::common::id_of(&registered.json()));
    user.body(json!({ "first_name": "Erik" })).ok().await;

    let again = place().send().await;
    let as_first = placed;
    assert_eq!(again.status, as_first.status);
    assert_eq!(again.text(), as_first.text());
    let again = register().send().await;
    let as_first = registered;
    assert_eq!(again.status, as_first.status);
    assert_eq!(again.text(), as_first.text());
    assert_eq!(total(&api, "listOrders").await, 1);
    // The user of the account, and this one.
    assert_eq!(total(&api, "listUsers").await, 2);
}

#[tokio::test]
async fn concurrent_calls_with_one_key_create_one_user() {
    let (sandbox, api) = keyed().await;
    let key = Uuid::new_v4().to_string();
    let calls = (0..50).map(|_| api.call("createUser").body(person()).key(Some(&key)).made());
    let ids = join_all(calls).await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(total(&api, "listUsers").await, 1);
    assert_eq!(
        sandbox
            .requests()
            .iter()
            .filter(|request| !request.replayed)
            .count(),
        2,
        "one createUser and one listUsers"
    );
}

#[tokio::test]
async fn another_request_under_the_same_key_is_a_conflict() {
    let (sandbox, api) = keyed().await;
    let household = Household::found(&sandbox, &api).await;
    let key = Uuid::new_v4().to_string();
    let first = household
        .call(&api, "createUser")
        .key(Some(&key))
        .send()
        .await;
    let events = sandbox.events().len();

    let mut other_body = person();
    other_body["first_name"] = json!("Erik");
    let other_body = api
        .call("createUser")
        .body(other_body)
        .key(Some(&key))
        .send()
        .await;
    assert_eq!(other_body.status.as_u16(), 409);
    assert_eq!(other_body.kind().as_str(), "conflict");
    for operation in with_key(&api)
        .into_iter()
        .filter(|operation| *operation != "createUser")
    {
        let other = household.call(&api, operation).key(Some(&key)).send().await;
        assert_eq!(other.status, 409, "{operation}: {}", other.text());
        assert_eq!(other.kind(), "conflict");
    }
    // The same operation for another resource.
    let order = |portfolio: Uuid| {
        let call = api
            .call("triggerPortfolioRebalancing")
            .id("portfolio_id", portfolio);
        call.key(Some("f2f1ba9c-6f0d-4a33-8d0e-3a4b9c0a7a10"))
    };
    let other_portfolio = household.call(&api, "createPortfolio").made().await;
    let events_since = sandbox.events().len() - events;
    order(household.portfolio).made().await;
    order(other_portfolio).rejected(409).await;
    assert!(
        events_since > 0 && sandbox.events().len() == events + events_since + 1,
        "a conflict did something"
    );
    // After a conflict, the key still belongs to the first request.
    let again = household
        .call(&api, "createUser")
        .key(Some(&key))
        .send()
        .await;
    assert_eq!(again.status, first.status);
    assert_eq!(again.body, first.body);
}

#[tokio::test]
async fn a_missing_key_is_rejected_by_every_operation_that_has_one() {
    let (sandbox, api) = keyed().await;
    let household = Household::found(&sandbox, &api).await;
    let operations = with_key(&api);
    assert_eq!(operations.len(), 13);
    let events = sandbox.events().len();
    for operation in &operations {
        let response = household.call(&api, operation).key(None).send().await;
        assert_eq!(response.status, 400, "{operation}");
        assert_eq!(response.kind(), "missing_idempotency_key", "{operation}");
        assert!(response.detail().contains("idempotency-key"));
    }
    assert_eq!(
        sandbox.events().len(),
        events,
        "a rejected call created an event"
    );
    for operation in api
        .document
        .operations()
        .filter(|operation| !operation.takes_idempotency_key())
    {
        if !operation.id.starts_with("delete") && !operation.id.starts_with("close") {
            household.call(&api, &operation.id).key(None).ok().await;
        }
    }
}

#[tokio::test]
async fn no_key_is_required_if_that_is_disabled() {
    let sandbox = with_keys(plain())
        .idempotency_keys(false)
        .start()
        .await
        .unwrap();
    let api = Api::of(&sandbox).await;
    let household = Household::found(&sandbox, &api).await;
    let users = total(&api, "listUsers").await;
    for operation in with_key(&api) {
        household.call(&api, operation).key(None).made().await;
    }
    household.call(&api, "createUser").key(None).made().await;
    assert_eq!(
        total(&api, "listUsers").await,
        users + 2,
        "without a key, every call creates a user"
    );
    // If one is sent although it is not required, it has the usual effect.
    let key = Uuid::new_v4().to_string();
    let twice = [(); 2].map(|()| household.call(&api, "createUser").key(Some(&key)).made());
    let twice = join_all(twice).await;
    assert_eq!(twice[0], twice[1]);
    household
        .call(&api, "createOrder")
        .key(Some(&key))
        .rejected(409)
        .await;
}

#[tokio::test]
async fn a_key_that_is_not_a_uuid_is_rejected() {
    let (_sandbox, api) = keyed().await;
    for key in [
        "",
        "1",
        "order-4711",
        "f2f1ba9c-6f0d-4a33-8d0e-3a4b9c0a7a1",
        "g2f1ba9c-6f0d-4a33-8d0e-3a4b9c0a7a10",
    ] {
        let detail = api
            .call("createUser")
            .body(person())
            .key(Some(key))
            .rejected(400)
            .await;
        assert!(detail.contains("idempotency-key"), "{key:?}: {detail}");
    }
    assert_eq!(total(&api, "listUsers").await, 0);
}

#[tokio::test]
async fn hyphens_and_capitals_do_not_make_another_key() {
    let (_sandbox, api) = keyed().await;
    let key = Uuid::new_v4();
    let forms = [
        key.hyphenated().to_string(),
        key.simple().to_string(),
        key.to_string().to_uppercase(),
    ];
    let mut ids = Vec::new();
    for form in &forms {
        ids.push(
            api.call("createUser")
                .body(person())
                .key(Some(form))
                .made()
                .await,
        );
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn a_rejected_request_changes_nothing_and_its_key_can_be_used() {
    let (sandbox, api) = keyed().await;
    let key = Uuid::new_v4().to_string();
    let account = sandbox.open_account("1000.00").await.unwrap();
    let order = |account: Uuid, side: &str| {
        let body = json!({ "account_id": account, "instrument_id": Sandbox::instrument(ISIN), "side": side,
            "type": "MARKET", "cash_amount": "250.00" });
        api.call("createOrder").body(body).key(Some(&key))
    };
    order(account, "HOLD").rejected(400).await;
    order(Uuid::new_v4(), "BUY").rejected(400).await;
    let nowhere = api
        .call("triggerPortfolioRebalancing")
        .id("portfolio_id", Uuid::new_v4());
    nowhere.key(Some(&key)).rejected(404).await;
    order(account, "BUY")
        .token(Some("of no one"))
        .rejected(401)
        .await;
    let placed = order(account, "BUY").made().await;
    assert_eq!(order(account, "BUY").made().await, placed);
    assert_eq!(total(&api, "listOrders").await, 1);
}

#[tokio::test]
async fn spaces_and_the_order_of_fields_do_not_make_another_body() {
    let (_sandbox, api) = keyed().await;
    let key = Uuid::new_v4().to_string();
    let person = person();
    let fields = person.as_object().unwrap().iter();
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    let reversed: Vec<String> = fields.iter().rev().cloned().collect();
    let texts = [fields.join(","), fields.join(" , "), reversed.join(",")];
    for text in texts {
        let mut request = api
            .call("createUser")
            .body(Value::Null)
            .key(Some(&key))
            .request();
        let body = format!("{{{text}}}");
        *request.body_mut() = Some(body.clone().into());
        assert_eq!(api.send(request).await.status, 201, "{body}");
    }
    assert_eq!(total(&api, "listUsers").await, 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_24_hours() {
    let (sandbox, api) = keyed().await;
    let key = Uuid::new_v4().to_string();
    let register = || api.call("createUser").body(person()).key(Some(&key)).made();
    let first = register().await;
    advance(&sandbox, DAY - 1).await;
    assert_eq!(register().await, first);
    // A repetition does not extend the lifetime of the key.
    advance(&sandbox, 1).await;
    let second = register().await;
    assert_ne!(second, first);
    assert_eq!(total(&api, "listUsers").await, 2);
    advance(&sandbox, DAY - 1).await;
    assert_eq!(register().await, second);
    advance(&sandbox, 1).await;
    let changed = api
        .call("createUser")
        .body(other_person())
        .key(Some(&key))
        .made()
        .await;
    assert!(![first, second].contains(&changed));
}

#[tokio::test]
async fn a_key_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let key = Uuid::new_v4().to_string();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let mut builder = with_keys(plain()).save(&file);
        if file.exists() {
            builder = builder.load(&file);
        }
        let sandbox = builder.start().await.unwrap();
        let api = Api::of(&sandbox).await;
        answers.push(
            api.call("createUser")
                .body(person())
                .key(Some(&key))
                .send()
                .await
                .text(),
        );
        api.call("createUser")
            .body(other_person())
            .key(Some(&key))
            .rejected(409)
            .await;
        assert_eq!(total(&api, "listUsers").await, 1);
        sandbox.stop().await.unwrap();
    }
    assert_eq!(answers[0], answers[1]);
}

/// The operations of the description that take an idempotency key.
fn with_key(api: &Api) -> Vec<&'static str> {
    let operations = api
        .document
        .operations()
        .filter(|operation| operation.takes_idempotency_key());
    operations.map(|operation| operation.id.as_str()).collect()
}

async fn keyed() -> (Sandbox, Api) {
    let sandbox = with_keys(plain()).start().await.unwrap();
    let api = Api::of(&sandbox).await;
    (sandbox, api)
}

/// A sandbox that requires keys, as is the default.
fn with_keys(builder: SandboxBuilder) -> SandboxBuilder {
    builder
        .idempotency_keys(true)
        .token_lifetime(Duration::from_secs(7 * DAY))
}

async fn total(api: &Api, list: &str) -> u64 {
    api.call(list).ok().await["meta"]["total"].as_u64().unwrap()
}

fn other_person() -> Value {
    let mut person = person();
    person["last_name"] = json!("Gabler");
    person
}
