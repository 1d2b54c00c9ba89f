// region: guide
// docs/guides/samples/testing_own.rs
// crates: upvest-sandbox
use std::path::Path;

use upvest_sandbox::{CommandError, Sandbox, StartError};

/// Upvest's own description, from the clone of this repository.
async fn start(sdk: &Path) -> Result<Sandbox, StartError> {
    Sandbox::builder()
        .description(sdk.join("tests/fixtures/official/official-1.9.0.json"))
        .overlay(sdk.join("spec/official-overlay.yaml"))
        .lifecycles(sdk.join("tests/sandbox/lifecycles/official.yaml"))
        .start()
        .await
}

/// A report that no call creates, and the end of an order that would otherwise be filled.
async fn prepare(sandbox: &Sandbox, order: &str) -> Result<Vec<String>, CommandError> {
    sandbox.set_status(order, "CANCELLED").await?;
    sandbox.seed("reports", 1).await
}
// endregion

#[tokio::test]
async fn the_sandbox_seeds_resources_and_sets_their_status() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sandbox = start(&sdk).await.unwrap();
    let orders = sandbox.seed("orders", 1).await.unwrap();
    let reports = prepare(&sandbox, &orders[0]).await.unwrap();
    assert_eq!(reports.len(), 1);
    let events = sandbox.events();
    let mut types = events.iter().map(|event| event.event_type);
    assert!(types.any(|event_type| event_type == "ORDER.CANCELLED"));
}
