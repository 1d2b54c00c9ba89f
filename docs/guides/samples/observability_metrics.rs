// region: guide
// docs/guides/samples/observability_metrics.rs
// crates: metrics, upvest-ext
use upvest_ext::{CallReport, Upvest, UpvestBuilder};

/// With the crate `metrics`, which hands on to Prometheus, OpenTelemetry and others.
fn measure(call: &CallReport) {
    let result = call
        .error
        .map_or("ok".to_owned(), |kind| format!("{kind:?}"));
    metrics::histogram!("upvest_call_seconds", "operation" => call.operation, "result" => result)
        .record(call.elapsed);
    metrics::counter!("upvest_retries").increment(u64::from(call.attempts.saturating_sub(1)));
}

fn client(builder: UpvestBuilder) -> Result<Upvest, upvest_ext::Error> {
    builder.observe(measure).build()
}
// endregion

#[tokio::test]
async fn a_measured_client_makes_calls() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let upvest = client(UpvestBuilder::from_vars(sandbox.vars())).unwrap();
    upvest.list_orders().send().await.unwrap();
}
