//! Tests of the consequences of requests: statuses, events, deliveries, and everything that the sandbox does for every
//! API.

use std::time::Duration;

use serde_json::{Value, json};
use upvest_sandbox::{Command, Fault, FaultRule, Sandbox, SandboxBuilder, StartError};
use uuid::Uuid;

use crate::api::{Api, fixture, lifecycles, own, plain, spec};
use crate::endpoint::Endpoint;

/// The official description with its lifecycles.
fn official() -> SandboxBuilder {
    plain().lifecycles(lifecycles("official.yaml"))
}

async fn official_api() -> Api {
    Api::start(official(), &fixture("official-1.9.0.json")).await
}

/// Calls an operation that must succeed as described.
async fn ok(api: &Api, id: &str, path: &str, body: Option<Value>) -> Value {
    let operation = api.operation(id);
    let reply = api.call(&operation, path, body.as_ref()).await;
    assert_eq!(reply.mismatch, None, "{id}: {}", reply.text);
    assert!((200..300).contains(&reply.status), "{id}: {}", reply.text);
    reply.json()
}

async fn status(api: &Api, id: &str, path: &str) -> u16 {
    let operation = api.operation(id);
    let reply = api.call(&operation, path, None).await;
    assert_eq!(reply.mismatch, None, "{id}: {}", reply.text);
    reply.status
}

/// A user, an account group, and an account.
async fn open_account(api: &Api) -> [Value; 3] {
    let operation = api.operation("create_user");
    let user = api.body(&operation, &[].into());
    let user = ok(api, "create_user", "/users", user).await["id"].clone();
    let group = json!({ "user_id": user, "type": "PERSONAL" });
    let group = ok(api, "create_account_group", "/account_groups", Some(group)).await;
    let group = group["id"].clone();
    let account = json!({ "user_id": user, "account_group_id": group, "type": "TRADING" });
    let account = ok(api, "create_account", "/accounts", Some(account)).await["id"].clone();
    api.sandbox.advance(Duration::from_secs(1)).await;
    [user, group, account]
}

fn order(user: &Value, account: &Value) -> Value {
    json!({
        "user_id": user,
        "account_id": account,
        "cash_amount": "250.00",
        "currency": "EUR",
        "side": "BUY",
        "instrument_id": "IE00B3XXRP09",
        "instrument_id_type": "ISIN",
        "order_type": "MARKET",
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Does what a bank does with Upvest: onboards a user, opens an account, buys, receives the events, reads the
/// resources, and pays out.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_flow_runs_from_onboarding_to_payout() {
    let api = official_api().await;
    let endpoint = Endpoint::start().await;
    let hook = json!({ "title": "All", "url": endpoint.url() });
    let hook = ok(&api, "create_webhook", "/webhooks", Some(hook)).await;
    let hook = format!("/webhooks/{}", text(&hook["id"]));
    ok(
        &api,
        "update_webhook",
        &hook,
        Some(json!({ "enabled": true })),
    )
    .await;

    let [user, group, account] = open_account(&api).await;
    let path = format!("/users/{}", text(&user));
    assert_eq!(
        ok(&api, "retrieve_user", &path, None).await["status"],
        "ACTIVE"
    );
    let path = format!("/accounts/{}", text(&account));
    assert_eq!(
        ok(&api, "retrieve_account", &path, None).await["status"],
        "ACTIVE"
    );

    let placed = ok(&api, "place_order", "/orders", Some(order(&user, &account))).await;
    assert_eq!(&placed["status"], &json!("NEW"));
    assert_eq!(&placed["cash_amount"], &json!("250.00"));
    api.sandbox.advance(Duration::from_secs(2)).await;
    let path = format!("/orders/{}", text(&placed["id"]));
    assert_eq!(
        ok(&api, "retrieve_order", &path, None).await["status"],
        "FILLED"
    );
    let of_order: Vec<_> = endpoint
        .events()
        .into_iter()
        .filter(|event| event.event_type.as_str().starts_with("ORDER."))
        .map(|event| event.event_type.as_str().to_owned())
        .collect();
    assert_eq!(of_order, ["ORDER.NEW", "ORDER.PROCESSING", "ORDER.FILLED"]);

    let path = format!("/accounts/{}/orders", text(&account));
    let orders = ok(&api, "list_account_orders", &path, None).await;
    assert_eq!(orders["data"][0]["id"], placed["id"]);
    let path = format!("/accounts/{}/positions", text(&account));
    let positions = ok(&api, "list_positions", &path, None).await;
    assert_eq!(positions["data"][0]["account_id"], account);
    let path = format!("/transactions/cash?account_group_id={}", text(&group));
    let transactions = ok(&api, "list_cash_transactions", &path, None).await;
    assert!(!transactions["data"].as_array().unwrap().is_empty());

    let ids = [("user_id", &user), ("account_group_id", &group)];
    let mut ids = ids
        .map(|(name, id)| (name.to_owned(), text(id).to_owned()))
        .into();
    let operation = api.operation("create_reference_account");
    let body = api.body(&operation, &ids);
    let path = "/payments/reference_accounts";
    let reference = ok(&api, "create_reference_account", path, body).await;
    let reference = text(&reference["id"]).to_owned();
    ids.insert("reference_account_id".to_owned(), reference);
    let operation = api.operation("create_cash_withdrawal");
    let body = api.body(&operation, &ids);
    let payout = ok(
        &api,
        "create_cash_withdrawal",
        "/payments/withdrawals",
        body,
    )
    .await;
    api.sandbox.advance(Duration::from_secs(2)).await;
    let path = format!("/payments/withdrawals/{}", text(&payout["id"]));
    let payout = ok(&api, "retrieve_cash_withdrawal", &path, None).await;
    assert_eq!(payout["status"], "CONFIRMED");
}

#[tokio::test]
async fn a_delete_follows_the_lifecycle_of_its_table() {
    let api = official_api().await;
    let [user, _, account] = open_account(&api).await;
    let placed = ok(&api, "place_order", "/orders", Some(order(&user, &account))).await;
    let path = format!("/orders/{}", text(&placed["id"]));
    assert_eq!(status(&api, "cancel_order", &path).await, 202);
    assert_eq!(
        ok(&api, "retrieve_order", &path, None).await["status"],
        "CANCELLED"
    );
    api.sandbox.advance(Duration::from_secs(10)).await;
    assert_eq!(
        ok(&api, "retrieve_order", &path, None).await["status"],
        "CANCELLED"
    );
    let again = status(&api, "cancel_order", &path).await;
    assert!((400..500).contains(&again), "{again}");
}

#[tokio::test]
async fn without_lifecycles_events_are_named_after_what_happened() {
    let api = Api::start(plain(), &fixture("official-1.9.0.json")).await;
    let [_, _, account] = open_account(&api).await;
    let path = format!("/accounts/{}", text(&account));
    ok(
        &api,
        "update_account",
        &path,
        Some(json!({ "name": "New" })),
    )
    .await;
    assert_eq!(status(&api, "account_closure", &path).await, 202);
    assert_eq!(
        ok(&api, "retrieve_account", &path, None).await["status"],
        "CLOSING"
    );
    api.sandbox.advance(Duration::from_secs(1)).await;
    assert_eq!(
        ok(&api, "retrieve_account", &path, None).await["status"],
        "CLOSED"
    );
    let events = api.sandbox.events();
    let about: Vec<_> = events
        .iter()
        .filter(|event| event.about.to_string() == text(&account))
        .map(|event| event.event_type)
        .collect();
    assert_eq!(
        about,
        [
            "ACCOUNT.CREATED",
            "ACCOUNT.UPDATED",
            "ACCOUNT.UPDATED",
            "ACCOUNT.CLOSED"
        ]
    );
}

#[tokio::test]
async fn any_event_can_be_triggered_and_fits_its_schema() {
    let api = official_api().await;
    let types = api.event_schemas();
    assert!(types.len() > 60, "found {}", types.len());
    for (event_type, schema) in types {
        let event = api.sandbox.trigger(&event_type).await.unwrap();
        let object: Value = serde_json::from_str(event.object.get()).unwrap();
        let error = api.mismatch(&schema, &object);
        assert_eq!(error, None, "{event_type}: {object}");
    }
    assert!(api.sandbox.trigger("ORDER.EATEN").await.is_err());
}

#[tokio::test]
async fn a_fee_collection_copies_the_account_group_id_of_its_account() {
    let api = official_api().await;
    let [_, group, account] = open_account(&api).await;
    let fee = json!({
        "account_id": account,
        "type": "SERVICE_FEE",
        "collection_amount": "1.00",
        "currency": "EUR",
        "period_start": "2026-01-01",
        "period_end": "2026-01-31",
    });
    let fee = ok(
        &api,
        "create_fee_collection",
        "/fees/collections",
        Some(fee),
    )
    .await;
    assert_eq!(fee["account_group_id"], group);
    let path = format!(
        "/fees/collections?account_id={}&account_group_id={}",
        text(&account),
        text(&group)
    );
    let fees = ok(&api, "list_fee_collections", &path, None).await;
    assert_eq!(fees["data"][0]["id"], fee["id"]);
}

#[tokio::test]
async fn unknown_ids_in_requests_are_rejected() {
    let api = official_api().await;
    let [user, ..] = open_account(&api).await;
    let nobody = json!(Uuid::new_v4().to_string());
    let operation = api.operation("place_order");
    for (body, field) in [
        (order(&user, &nobody), "account_id"),
        (order(&nobody, &nobody), "user_id"),
    ] {
        let reply = api.call(&operation, "/orders", Some(&body)).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert_eq!(reply.mismatch, None, "{}", reply.text);
        assert!(reply.text.contains(field), "{}", reply.text);
    }
    let nobody = text(&nobody);
    for (id, path) in [
        ("retrieve_user", format!("/users/{nobody}")),
        ("list_user_accounts", format!("/users/{nobody}/accounts")),
        ("list_positions", format!("/accounts/{nobody}/positions")),
        ("offboard_user", format!("/users/{nobody}")),
    ] {
        assert_eq!(status(&api, id, &path).await, 404, "{id}");
    }
}

/// The vendored description as if it were a user's own, with the file of its lifecycles and without rules.
async fn vendored_api() -> Api {
    let builder = plain().overlay(spec("overlay.yaml"));
    let builder = builder.lifecycles(lifecycles("vendored.yaml"));
    Api::start(builder, &spec("upvest-investment-api.yaml")).await
}

async fn new_user(api: &Api) -> String {
    let person = api.body(&api.operation("createUser"), &[].into());
    let user = ok(api, "createUser", "/users", person).await;
    text(&user["id"]).to_owned()
}

#[tokio::test]
async fn requests_change_a_status_only_as_its_lifecycle_allows() {
    let api = vendored_api().await;
    let user = new_user(&api).await;
    let account = json!({ "user_id": user, "account_group_id": Uuid::new_v4() });
    let account = ok(&api, "createAccount", "/accounts", Some(account)).await["id"].clone();
    let plan = json!({ "account_id": account, "instrument_id": Uuid::new_v4(), "cash_amount": "10.00",
        "currency": "EUR", "frequency": "WEEKLY" });
    let plan = ok(&api, "createSavingsPlan", "/savings_plans", Some(plan)).await;
    assert_eq!(plan["status"], "ACTIVE");
    let path = format!("/savings_plans/{}", text(&plan["id"]));
    let change_plan = async |body: Value| {
        let operation = api.operation("updateSavingsPlan");
        let reply = api.call(&operation, &path, Some(&body)).await;
        (reply.status, reply.text)
    };
    for change in [
        json!({ "cash_amount": "20.00" }),
        json!({ "status": "PAUSED" }),
        json!({ "status": "ACTIVE" }),
    ] {
        assert_eq!(change_plan(change).await.0, 200);
    }
    let cancel = Command::SetStatus {
        table: None,
        id: text(&plan["id"]).to_owned(),
        status: "CANCELLED".to_owned(),
    };
    api.sandbox.execute(cancel).await.unwrap();
    for change in [
        json!({ "status": "ACTIVE" }),
        json!({ "cash_amount": "30.00" }),
    ] {
        let (status, problem) = change_plan(change).await;
        assert!(status >= 400 && problem.contains("CANCELLED"), "{problem}");
    }
    assert_eq!(status(&api, "deleteSavingsPlan", &path).await, 204);
    assert_eq!(status(&api, "retrieveSavingsPlan", &path).await, 404);
    let events = api.sandbox.events();
    let types: Vec<_> = events.iter().map(|event| event.event_type).collect();
    let of_plan = types
        .iter()
        .filter_map(|it| it.strip_prefix("SAVINGS_PLAN."));
    let expected = ["CREATED", "UPDATED", "PAUSED", "RESUMED", "CANCELLED"];
    assert_eq!(of_plan.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn creating_an_identifier_sends_an_event_about_its_user() {
    let api = vendored_api().await;
    let user = new_user(&api).await;
    let path = format!("/users/{user}/identifiers");
    let identifier = json!({ "type": "NATIONAL_ID", "value": "1" });
    ok(&api, "createUserIdentifier", &path, Some(identifier)).await;
    let events = api.sandbox.events();
    // The lifecycle file names this event of the user for new identifiers.
    let last = events.last().unwrap();
    assert_eq!(last.event_type, "USER.DATA_CHANGED");
    assert_eq!(last.about.to_string(), user);
}

#[tokio::test]
async fn only_the_rows_in_lifecycles_exist_at_the_start() {
    let api = vendored_api().await;
    for (id, path, count) in [
        ("listFeeConfigurations", "/fee_configurations", 2),
        ("listReports", "/reports", 0),
    ] {
        let list = ok(&api, id, path, None).await;
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{path}");
    }
}

#[tokio::test]
async fn a_status_is_set_by_hand() {
    let api = official_api().await;
    let [_, _, account] = open_account(&api).await;
    let set = |id: &str, status: &str| Command::SetStatus {
        table: Some("accounts".to_owned()),
        id: id.to_owned(),
        status: status.to_owned(),
    };
    let id = text(&account);
    api.sandbox.execute(set(id, "LOCKED")).await.unwrap();
    let path = format!("/accounts/{id}");
    assert_eq!(
        ok(&api, "retrieve_account", &path, None).await["status"],
        "LOCKED"
    );
    assert_eq!(
        api.sandbox.events().last().unwrap().event_type,
        "ACCOUNT.LOCKED"
    );
    let wrong = api.sandbox.execute(set(id, "EATEN")).await.unwrap_err();
    assert!(wrong.to_string().contains("PENDING_APPROVAL"), "{wrong}");
    let none = api
        .sandbox
        .execute(set("none", "LOCKED"))
        .await
        .unwrap_err();
    assert!(none.to_string().contains("no resource"), "{none}");
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_response() {
    let api = official_api().await;
    let [user, _, account] = open_account(&api).await;
    let key = Uuid::new_v4().to_string();
    let body = order(&user, &account);
    let operation = api.operation("place_order");
    let first = api.call_with_key(&operation, "/orders", &body, &key).await;
    let second = api.call_with_key(&operation, "/orders", &body, &key).await;
    assert_eq!(first.status, 202);
    assert_eq!(&first.text, &second.text);
    let path = format!("/accounts/{}/orders", text(&account));
    let orders = ok(&api, "list_account_orders", &path, None).await;
    assert_eq!(orders["meta"]["total_count"], 1);
}

#[tokio::test]
async fn a_list_is_filtered_by_the_default_of_a_parameter() {
    let builder = official().overlay(spec("official-overlay.yaml"));
    let api = Api::start(builder, &fixture("official-1.9.0.json")).await;
    let [user, _, account] = open_account(&api).await;
    let placed = ok(&api, "place_order", "/orders", Some(order(&user, &account))).await;
    let path = format!("/accounts/{}/orders", text(&account));
    let listed = async |query: &str| {
        let path = format!("{path}{query}");
        let orders = ok(&api, "list_account_orders", &path, None).await;
        let orders = orders["data"].as_array().unwrap().clone();
        let ids = orders.into_iter().map(|order| order["id"].clone());
        ids.collect::<Vec<_>>()
    };
    let id = placed["id"].clone();
    assert_eq!(listed("").await, [Value::Null; 0], "the default is FILLED");
    assert_eq!(listed("?status=NEW").await, std::slice::from_ref(&id));
    api.sandbox.advance(Duration::from_secs(5)).await;
    assert_eq!(listed("").await, [id]);
}

/// A description of tasks with a state, whose list has these parameters.
async fn tasks(parameters: Value) -> Api {
    let task = json!({
        "type": "object",
        "required": ["id", "state", "weight"],
        "properties": {
            "id": { "type": "string" },
            "state": { "enum": ["OPEN", "DONE", "LOST"] },
            "weight": { "type": "integer" },
        },
    });
    let list = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Task" } });
    let answer = |schema: &Value| json!({ "description": "", "content": { "application/json": { "schema": schema } } });
    let id =
        json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Tasks", "version": "1" },
        "paths": {
            "/tasks": { "get": {
                "operationId": "listTasks",
                "parameters": parameters,
                "responses": { "200": answer(&list) },
            } },
            "/tasks/{id}": { "get": {
                "operationId": "getTask",
                "parameters": [id],
                "responses": { "200": answer(&list["items"]) },
            } },
        },
        "components": { "schemas": { "Task": task } },
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tasks.json");
    std::fs::write(&file, document.to_string()).unwrap();
    Api::start(plain(), &file).await
}

fn seed_of(table: &str, count: usize, fields: &Value) -> Command {
    Command::Seed {
        table: table.to_owned(),
        count: Some(count),
        fields: fields.as_object().cloned(),
    }
}

#[tokio::test]
async fn a_default_filters_only_if_all_of_its_values_are_of_the_field() {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    for (name, kind, default, found) in [
        ("state", json!({ "type": "string" }), json!("OPEN"), 1),
        ("state", json!({ "type": "string" }), json!("ALL"), 3),
        ("state", json!({ "type": "string" }), json!(""), 3),
        ("states", texts.clone(), json!("OPEN,DONE"), 2),
        ("states", texts.clone(), json!(["OPEN", "DONE"]), 2),
        ("states", texts.clone(), json!("OPEN,ANY"), 3),
        ("states", texts, json!([]), 3),
        ("weight", json!({ "type": "integer" }), json!(0), 3),
    ] {
        let mut schema = kind;
        schema["default"] = default;
        let api = tasks(json!([{ "name": name, "in": "query", "schema": schema }])).await;
        for state in ["OPEN", "DONE", "LOST"] {
            let fields = json!({ "state": state, "weight": 7 });
            api.sandbox
                .execute(seed_of("tasks", 1, &fields))
                .await
                .unwrap();
        }
        let listed = ok(&api, "listTasks", "/tasks", None).await;
        assert_eq!(listed.as_array().unwrap().len(), found, "{name}: {schema}");
    }
}

#[tokio::test]
async fn a_seed_that_the_schema_does_not_allow_is_rejected() {
    let api = tasks(json!([])).await;
    let taken = seed_of("tasks", 1, &json!({ "id": "taken", "state": "OPEN" }));
    api.sandbox.execute(taken).await.unwrap();
    for (field, count, fields) in [
        ("colour", 1, json!({ "colour": "red" })),
        ("weight", 1, json!({ "state": "OPEN", "weight": "secret" })),
        ("state", 1, json!({ "state": "secret" })),
        ("id", 1, json!({ "id": "taken" })),
        ("id", 2, json!({ "id": "twice" })),
    ] {
        let seed = api.sandbox.execute(seed_of("tasks", count, &fields)).await;
        let error = seed.unwrap_err().to_string();
        assert!(error.contains(&format!("`{field}`")), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let listed = ok(&api, "listTasks", "/tasks", None).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_table_that_was_seeded_gets_no_other_rows() {
    let api = official_api().await;
    let [user, ..] = open_account(&api).await;
    let [other, ..] = open_account(&api).await;
    let of_user = json!({ "user_id": user });
    let seed = Command::Seed {
        table: "reports".to_owned(),
        count: Some(2),
        fields: of_user.as_object().cloned(),
    };
    api.sandbox.execute(seed).await.unwrap();
    for (owner, count) in [(user, 2), (other, 0)] {
        let path = format!("/users/{}/reports", text(&owner));
        let reports = ok(&api, "list_reports", &path, None).await;
        assert_eq!(reports["data"].as_array().unwrap().len(), count);
    }
}

#[tokio::test]
async fn an_account_with_cash_needs_the_built_in_description() {
    let api = official_api().await;
    let error = api.sandbox.open_account("100.00").await.unwrap_err();
    assert!(error.to_string().contains("`seed`"), "{error}");
}

#[tokio::test]
async fn a_body_that_fits_no_alternative_names_the_field_and_the_alternative() {
    let api = official_api().await;
    let operation = api.operation("create_user");
    let mut body = api.body(&operation, &[].into()).unwrap();
    body["address"]["city"] = json!("");
    let rejected = api.call(&operation, "/users", Some(&body)).await;
    assert_eq!(rejected.status, 400);
    assert!(rejected.text.contains("address.city"), "{}", rejected.text);

    let mut body = api.body(&operation, &[].into()).unwrap();
    body["fatca"] = json!({});
    let rejected = api.call(&operation, "/users", Some(&body)).await;
    assert_eq!(rejected.status, 400);
    let text = &rejected.text;
    assert!(
        text.contains("`fatca` is not a field of this body"),
        "{text}"
    );
    assert!(text.contains("User (BYOL) - Create - Request"), "{text}");
}

#[tokio::test]
async fn faults_apply_to_every_operation() {
    let api = official_api().await;
    let fault = Fault::ServerError {
        status: 503,
        html: false,
        after_commit: false,
    };
    api.sandbox.fail_next("list_users", fault).await.unwrap();
    assert_eq!(status(&api, "list_users", "/users").await, 503);
    assert_eq!(status(&api, "list_users", "/users").await, 200);
    let unknown = api.sandbox.fail_next("eat_users", Fault::InvalidJson).await;
    assert!(unknown.is_err());
}

#[tokio::test]
async fn tokens_scopes_and_signatures_are_checked() {
    let builder = official().granted_scopes(["users:read"]);
    let api = Api::start(builder, &fixture("official-1.9.0.json")).await;
    assert_eq!(status(&api, "list_users", "/users").await, 200);
    assert_eq!(status(&api, "list_webhooks", "/webhooks").await, 403);
    api.sandbox.revoke_tokens().await;
    assert_eq!(status(&api, "list_users", "/users").await, 401);
    let builder = official().signatures(true);
    let api = Api::start(builder, &fixture("official-1.9.0.json")).await;
    assert_eq!(status(&api, "list_users", "/users").await, 401);
}

#[tokio::test]
async fn seeds_are_made_on_the_first_read_and_by_hand() {
    let api = official_api().await;
    let list = async || ok(&api, "list_instruments", "/instruments", None).await;
    let first = list().await;
    assert_eq!(first["data"].as_array().unwrap().len(), 3);
    assert_eq!(list().await, first);
    let seed = Command::Seed {
        table: "instruments".to_owned(),
        count: Some(2),
        fields: json!({ "isin": "DE0007164600" }).as_object().cloned(),
    };
    api.sandbox.execute(seed).await.unwrap();
    let more = list().await;
    assert_eq!(more["data"].as_array().unwrap().len(), 5);
    assert_eq!(more["data"][4]["isin"], "DE0007164600");
    let path = "/instruments/isin:DE0007164600";
    let found = ok(&api, "retrieve_instrument", path, None).await;
    assert_eq!(found["isin"], "DE0007164600");
    let path = "/instruments/isin:DE0000000001";
    assert_eq!(status(&api, "retrieve_instrument", path).await, 404);
}

#[tokio::test]
async fn a_response_has_the_media_type_that_is_asked_for() {
    let api = official_api().await;
    let [user, ..] = open_account(&api).await;
    let path = format!("/users/{}/reports", text(&user));
    let reports = ok(&api, "list_reports", &path, None).await;
    let path = format!("/reports/{}", text(&reports["data"][0]["id"]));
    for (accept, media_type) in [
        ("application/pdf", "application/pdf"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
    ] {
        let given = api.media_type(&path, accept).await;
        assert_eq!(given, media_type, "{accept}");
    }
}

#[tokio::test]
async fn a_loaded_state_continues_where_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let api = official_api().await;
    let [user, _, account] = open_account(&api).await;
    let placed = ok(&api, "place_order", "/orders", Some(order(&user, &account))).await;
    api.sandbox.save(&file).unwrap();
    let builder = official().load(&file);
    let api = Api::start(builder, &fixture("official-1.9.0.json")).await;
    let path = format!("/orders/{}", text(&placed["id"]));
    api.sandbox.advance(Duration::from_secs(2)).await;
    assert_eq!(
        ok(&api, "retrieve_order", &path, None).await["status"],
        "FILLED"
    );
}

#[tokio::test]
async fn a_lifecycle_that_does_not_match_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lifecycles.yaml");
    for (lifecycles, named) in [
        ("ordres: {}", "ordres"),
        ("shipments: { first: EATEN }", "EATEN"),
        ("shipments: { created: shipment.eaten }", "shipment.eaten"),
        (
            "shipments: { steps: [{ from: WAITING, to: DISPATCHED, after: -1 }] }",
            "after",
        ),
        ("shipments: { frist: WAITING }", "frist"),
        (
            "shipments: { steps: [{ from: WAITING, to: WAITING, after: 0 }] }",
            "after",
        ),
        (
            "shipments: { steps: [{ from: WAITING, to: DISPATCHED }, { from: WAITING, to: DELIVERED }] }",
            "two steps",
        ),
        ("shipments: [", "YAML"),
    ] {
        std::fs::write(&file, lifecycles).unwrap();
        let builder = plain().description(own("shop.yaml")).lifecycles(&file);
        let error = builder.start().await.unwrap_err();
        assert!(matches!(error, StartError::Description(_)), "{error:?}");
        assert!(
            chain(&error).contains(named),
            "{lifecycles}: {}",
            chain(&error)
        );
    }
}

#[tokio::test]
async fn a_file_that_is_no_description_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.yaml");
    for text in [
        "",
        "a: [",
        "openapi: 2.0.0",
        "openapi: 3.1.0\npaths: {}",
        "openapi: 3.1.0\npaths: { orders: { get: {} } }",
    ] {
        std::fs::write(&file, text).unwrap();
        let error = Sandbox::builder().description(&file).start().await;
        assert!(error.is_err(), "{text}");
    }
    let missing = Sandbox::builder().description(folder.path().join("none"));
    assert!(missing.start().await.is_err());
    let alone = Sandbox::builder().lifecycles(lifecycles("official.yaml"));
    assert!(alone.start().await.is_err());
}

fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(chain).unwrap_or_default();
    format!("{error}: {source}")
}

#[tokio::test]
async fn a_stale_read_of_a_described_resource_returns_old_data() {
    let api = official_api().await;
    let [user, _, account] = open_account(&api).await;
    let rule = FaultRule {
        operation: None,
        times: None,
        fault: Fault::StaleRead { seconds: 5 },
    };
    api.sandbox.add_fault(rule).await.unwrap();
    let placed = ok(&api, "place_order", "/orders", Some(order(&user, &account))).await;
    let path = format!("/orders/{}", text(&placed["id"]));
    assert_eq!(status(&api, "retrieve_order", &path).await, 404);
    api.sandbox.advance(Duration::from_secs(5)).await;
    let seen = ok(&api, "retrieve_order", &path, None).await;
    assert_eq!(seen["status"], "NEW");
    api.sandbox.advance(Duration::from_secs(5)).await;
    let seen = ok(&api, "retrieve_order", &path, None).await;
    assert_eq!(seen["status"], "FILLED");
}
