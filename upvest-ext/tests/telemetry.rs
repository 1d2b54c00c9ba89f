//! What a call leaves in the log.
#![cfg(feature = "tracing")]

mod common;

use common::log::Log;
use common::{FakeApi, Reply};
use tracing_subscriber::fmt::format::FmtSpan;

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_and_an_attempt_an_event_with_the_names_of_opentelemetry() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    let api = FakeApi::new(|_, n| match n {
        0 => Reply::status(503),
        _ => Reply::status(404).header("upvest-request-id", "r-5"),
    });
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    api.client().retrieve_order().order_id(id).send().await.unwrap_err();
    drop(guard);

    let log = log.text();
    let closing = log.lines().find(|line| line.contains("close")).unwrap();
    for field in [
        "upvest.call",
        "otel.name=GET /orders/{order_id}",
        "http.request.method=\"GET\"",
        "url.template=\"/orders/{order_id}\"",
        "server.address=\"127.0.0.1\"",
        "upvest.operation=\"retrieve_order\"",
        "http.request.resend_count=1",
        "http.response.status_code=404",
        "error.type=NotFound",
    ] {
        assert!(closing.contains(field), "{field} is not in {closing}");
    }
    assert_eq!(log.lines().filter(|line| line.contains("answer")).count(), 2);
    assert!(log.contains("trying again") && log.contains("r-5"));
    assert!(!log.contains(id), "ids are no names");
}
