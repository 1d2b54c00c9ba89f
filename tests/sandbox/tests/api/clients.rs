//! Clients with their own state: concurrent tests do not affect each other.

use std::time::Duration;

use serde_json::{Value, json};
use upvest_ext::Upvest;
use upvest_ext::UpvestBuilder;
use upvest_sandbox::{Command, Sandbox};

const OTHER: &str = "team-b";

async fn sandbox() -> Sandbox {
    Sandbox::builder()
        .client(OTHER, "secret-b")
        .start()
        .await
        .unwrap()
}

fn client(sandbox: &Sandbox, id: &str, secret: &str) -> Upvest {
    UpvestBuilder::from_vars(sandbox.vars())
        .credentials(id, secret)
        .build()
        .unwrap()
}

/// A request to the control API, by default for the first client.
async fn control(
    sandbox: &Sandbox,
    client: Option<&str>,
    name: &str,
    fields: Option<Value>,
) -> (u16, Value) {
    let http = reqwest::Client::new();
    let url = format!("{}/_sandbox/{name}", sandbox.url());
    let request = match fields {
        Some(fields) => http
            .post(url)
            .header("content-type", "application/json")
            .body(fields.to_string()),
        None => http.get(url),
    };
    let request = client.into_iter().fold(request, |request, id| {
        request.header("upvest-client-id", id)
    });
    let response = request.send().await.unwrap();
    (
        response.status().as_u16(),
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
    )
}

async fn groups(sandbox: &Sandbox, client: &str) -> usize {
    let events = control(sandbox, Some(client), "events", None).await.1;
    events
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["event_type"] == "ACCOUNT_GROUP.CREATED")
        .count()
}

#[tokio::test]
async fn each_client_has_a_state_a_clock_faults_and_logs_of_its_own() {
    let sandbox = sandbox().await;
    let first = Upvest::from_vars(sandbox.vars()).unwrap();
    let other = client(&sandbox, OTHER, "secret-b");
    let before = sandbox.now();
    sandbox
        .execute_for(OTHER, Command::Advance { seconds: 3600.0 })
        .await
        .unwrap();
    sandbox
        .execute_for(OTHER, Command::CreateAccountGroup { id: None })
        .await
        .unwrap();
    assert_eq!(
        sandbox.now(),
        before,
        "the clock of the first client has moved"
    );
    assert_eq!(groups(&sandbox, sandbox.client_id()).await, 1);
    assert_eq!(groups(&sandbox, OTHER).await, 2);

    sandbox
        .random_faults(
            1.0,
            vec![upvest_sandbox::Fault::TooManyRequests { retry_after: None }],
        )
        .await
        .unwrap();
    other.list_instruments().limit(1).send().await.unwrap();
    sandbox.clear_faults().await;
    first.list_instruments().limit(1).send().await.unwrap();
    let requests = control(&sandbox, Some(OTHER), "requests", None).await.1;
    let paths: Vec<_> = requests
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["/auth/token", "/instruments"]);
}

#[tokio::test]
async fn reset_snapshot_and_restore_affect_one_client() {
    let sandbox = sandbox().await;
    let first = sandbox.client_id();
    let make = async |client: &str| {
        sandbox
            .execute_for(client, Command::CreateAccountGroup { id: None })
            .await
            .unwrap();
    };
    make(first).await;
    make(OTHER).await;
    sandbox
        .execute_for(OTHER, Command::Snapshot { name: "two".into() })
        .await
        .unwrap();
    make(OTHER).await;
    let restored = control(&sandbox, None, "restore", Some(json!({ "name": "two" }))).await;
    assert_eq!(
        restored.0, 400,
        "the first client has another's snapshot: {}",
        restored.1
    );
    let restored = control(
        &sandbox,
        Some(OTHER),
        "restore",
        Some(json!({ "name": "two" })),
    )
    .await;
    assert_eq!(restored.0, 200, "{}", restored.1);
    assert_eq!(groups(&sandbox, first).await, 2);
    assert_eq!(groups(&sandbox, OTHER).await, 2);
    sandbox.execute_for(OTHER, Command::Reset).await.unwrap();
    assert_eq!(groups(&sandbox, first).await, 2);
    assert_eq!(groups(&sandbox, OTHER).await, 1);
}

#[tokio::test]
async fn a_client_is_created_and_deleted_while_the_sandbox_runs() {
    let sandbox = Sandbox::start().await.unwrap();
    let made = control(&sandbox, None, "create_client", Some(json!({})))
        .await
        .1;
    let id = made["client_id"].as_str().unwrap();
    let secret = made["client_secret"].as_str().unwrap();
    let upvest = client(&sandbox, id, secret);
    upvest.list_instruments().limit(1).send().await.unwrap();
    assert_eq!(
        control(&sandbox, None, "clients", None).await.1,
        json!([sandbox.client_id(), id])
    );
    for wrong in [id, "", "a b", "a:b", sandbox.client_id()] {
        let rejected = control(
            &sandbox,
            None,
            "create_client",
            Some(json!({ "client_id": wrong })),
        )
        .await;
        assert_eq!(rejected.0, 400, "`{wrong}` was made: {}", rejected.1);
    }
    let deleted = control(
        &sandbox,
        None,
        "delete_client",
        Some(json!({ "client_id": id })),
    )
    .await;
    assert_eq!(deleted.0, 200, "{}", deleted.1);
    for gone in [id, sandbox.client_id()] {
        let rejected = control(
            &sandbox,
            None,
            "delete_client",
            Some(json!({ "client_id": gone })),
        )
        .await;
        assert_eq!(rejected.0, 400, "`{gone}` was deleted: {}", rejected.1);
    }
    let rejected = control(&sandbox, Some(id), "state", None).await;
    assert_eq!(rejected.0, 400);
    assert!(
        rejected.1["error"]
            .as_str()
            .unwrap()
            .contains("create_client"),
        "{}",
        rejected.1
    );
    let error = upvest.list_instruments().limit(1).send().await.unwrap_err();
    assert_eq!(error.status(), Some(http::StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn a_client_cannot_use_tokens_or_resources_of_another() {
    let sandbox = sandbox().await;
    let account = sandbox.open_account("10.00").await.unwrap();
    let other = client(&sandbox, OTHER, "secret-b");
    let error = other
        .retrieve_account()
        .account_id(account)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(http::StatusCode::NOT_FOUND));
    let wrong = client(&sandbox, OTHER, "sandbox-secret");
    wrong.list_instruments().send().await.unwrap_err();

    let token = sandbox.execute(Command::IssueToken).await.unwrap();
    let plain = reqwest::Client::new().get(format!("{}/instruments", sandbox.url()));
    let plain = plain
        .bearer_auth(token["access_token"].as_str().unwrap())
        .header("upvest-client-id", OTHER);
    assert_eq!(plain.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn without_the_header_the_token_identifies_the_client() {
    let sandbox = Sandbox::builder()
        .plain_http()
        .client(OTHER, "secret-b")
        .start()
        .await
        .unwrap();
    sandbox
        .execute_for(OTHER, Command::CreateAccountGroup { id: None })
        .await
        .unwrap();
    let http = reqwest::Client::new();
    let form = "grant_type=client_credentials&client_id=team-b&client_secret=secret-b&scope=instruments%3Aread";
    let request = http
        .post(format!("{}/auth/token", sandbox.url()))
        .body(form);
    let response = request
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await
        .unwrap();
    let token: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let token = token["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("{token}"));
    let listed = http
        .get(format!("{}/instruments", sandbox.url()))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.status(), 200);
    let requests = control(&sandbox, Some(OTHER), "requests", None).await.1;
    let paths: Vec<_> = requests
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains(&"/instruments"), "{paths:?}");
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.path != "/instruments")
    );
}

#[tokio::test]
async fn the_states_of_all_clients_are_saved_and_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let sandbox = sandbox().await;
    sandbox
        .execute_for(OTHER, Command::CreateAccountGroup { id: None })
        .await
        .unwrap();
    sandbox.save(&file).unwrap();
    let loaded = Sandbox::builder().load(&file).start().await.unwrap();
    assert_eq!(groups(&loaded, loaded.client_id()).await, 1);
    assert_eq!(groups(&loaded, OTHER).await, 2);
    client(&loaded, OTHER, "secret-b")
        .list_instruments()
        .limit(1)
        .send()
        .await
        .unwrap();
    // A secret in the settings replaces the saved one.
    let loaded = Sandbox::builder()
        .client(OTHER, "another")
        .load(&file)
        .start()
        .await
        .unwrap();
    assert_eq!(groups(&loaded, OTHER).await, 2);
    client(&loaded, OTHER, "another")
        .list_instruments()
        .limit(1)
        .send()
        .await
        .unwrap();
    let error = Sandbox::builder()
        .client("a b", "secret")
        .start()
        .await
        .unwrap_err();
    assert!(format!("{error:?}").contains("letters"), "{error:?}");
}

#[tokio::test]
async fn going_offline_affects_all_clients_and_the_last_timer_wins() {
    let sandbox = sandbox().await;
    let offline = |seconds| Command::SetOffline {
        offline: true,
        seconds: Some(seconds),
    };
    sandbox.execute_for(OTHER, offline(0.05)).await.unwrap();
    sandbox.execute(offline(600.0)).await.unwrap();
    // Longer than the first timer.
    tokio::time::sleep(Duration::from_millis(200)).await;
    reqwest::get(sandbox.url()).await.unwrap_err();
    sandbox
        .execute_for(OTHER, Command::ClearFaults)
        .await
        .unwrap();
    reqwest::get(sandbox.url()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_commands_that_create_the_same_client_fails() {
    let sandbox = Sandbox::start().await.unwrap();
    let make = || {
        control(
            &sandbox,
            None,
            "create_client",
            Some(json!({ "client_id": OTHER })),
        )
    };
    let (a, b, c, d) = tokio::join!(make(), make(), make(), make());
    assert_eq!(
        [a, b, c, d]
            .iter()
            .filter(|response| response.0 == 200)
            .count(),
        1
    );
    let twice = Sandbox::builder()
        .client(OTHER, "one")
        .client(OTHER, "two")
        .start()
        .await
        .unwrap_err();
    assert!(format!("{twice:?}").contains("already"), "{twice:?}");
}
