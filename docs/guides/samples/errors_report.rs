// region: guide
// docs/guides/samples/errors_report.rs
// crates: upvest-ext
use upvest_ext::Error;

/// The text for the log and for an operator. It contains no personal data and no secrets.
fn report(error: &Error) -> String {
    let mut lines = vec![format!("{error}")];
    lines.extend(error.hint().map(|hint| format!("hint: {hint}")));
    lines.extend(
        error
            .request_id()
            .map(|id| format!("request id, for Upvest's support: {id}")),
    );
    lines.extend(
        error
            .idempotency_key()
            .map(|key| format!("idempotency key: {key}")),
    );
    lines.join("\n")
}
// endregion

#[tokio::test]
async fn a_report_has_the_status_and_the_request_id() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let upvest = upvest_ext::Upvest::from_vars(sandbox.vars()).unwrap();
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let call = upvest.retrieve_order().order_id(id).send().await;
    let report = report(&call.unwrap_err());
    assert!(report.starts_with("retrieveOrder: 404"), "{report}");
    assert!(report.contains("request id"), "{report}");
}
