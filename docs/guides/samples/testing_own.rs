// region: guide
// docs/guides/samples/testing_own.rs
// crates: serde_json, upvest-sandbox
use std::path::Path;

use serde_json::json;
use upvest_sandbox::{Command, CommandError, Sandbox, StartError};

/// Upvest's own description, from the clone of this repository.
async fn start(sdk: &Path) -> Result<Sandbox, StartError> {
    Sandbox::builder()
        .description(sdk.join("tests/fixtures/official/official-1.9.0.json"))
        .overlay(sdk.join("spec/official-overlay.yaml"))
        .lifecycles(sdk.join("tests/sandbox/lifecycles/official.yaml"))
        .start()
        .await
}

/// A report of a user, which no call creates, and the end of an order that would otherwise be filled.
async fn prepare(sandbox: &Sandbox, user: &str, order: &str) -> Result<(), CommandError> {
    let report = Command::Seed {
        table: "reports".to_owned(),
        count: None, // one
        fields: json!({ "user_id": user }).as_object().cloned(),
    };
    sandbox.execute(report).await?;
    sandbox.set_status(order, "CANCELLED").await
}
// endregion

#[tokio::test]
async fn the_sandbox_seeds_a_report_of_a_user_and_cancels_an_order() {
    use serde_json::Value;
    use upvest_ext::{Method, Upvest};

    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sandbox = start(&sdk).await.unwrap();
    let user = sandbox.seed("users", 1).await.unwrap().remove(0);
    let order = sandbox.seed("orders", 1).await.unwrap().remove(0);
    prepare(&sandbox, &user, &order).await.unwrap();
    let events = sandbox.events();
    let mut types = events.iter().map(|event| event.event_type);
    assert!(types.any(|event_type| event_type == "ORDER.CANCELLED"));

    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let reports = upvest.request(Method::GET, ["users", &*user, "reports"]);
    let reports = reports.send_json::<Value>().await.unwrap().into_inner();
    let owners: Vec<_> = reports["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["user_id"])
        .collect();
    assert_eq!(owners, [&user]);
}
