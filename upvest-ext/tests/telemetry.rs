//! What a call leaves in the log.
#![cfg(feature = "tracing")]

mod common;

use common::log::Log;
use common::{FakeApi, Reply};
use tracing_subscriber::fmt::format::FmtSpan;

/// Writes what `run` logs, down to DEBUG.
async fn logged(run: impl Future<Output = ()>) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    run.await;
    drop(guard);
    log.text()
}

#[cfg(feature = "webhooks")]
#[tokio::test]
async fn a_refused_delivery_and_a_failing_unknown_or_given_up_event_are_logged_with_their_reasons() {
    use upvest_ext::BoxFuture;
    use upvest_ext::webhooks::{
        DeadLetter, DeadLetterSink, EventType, HandlerError, WebhookHandler, WebhookTester,
    };

    struct Shelf;
    impl DeadLetterSink for Shelf {
        fn park(&self, _: DeadLetter) -> BoxFuture<'_, Result<(), HandlerError>> {
            Box::pin(async { Ok(()) })
        }
    }
    let tester = WebhookTester::new().unwrap();
    let event =
        |kind| WebhookTester::event(kind, serde_json::json!({ "id": uuid::Uuid::nil(), "name": "CANARY" }));
    let (failing, unknown) = (event("ORDER.FILLED"), event("COMET.SEEN"));
    let handler = WebhookHandler::new(tester.verifier())
        .on(EventType::OrderFilled, async |_| Err("the ledger says no".into()))
        .dead_letter_after(2, Shelf);
    let log = logged(async {
        let delivery = tester.deliver("/webhooks", &[failing.clone(), unknown.clone()]);
        for _ in 0..2 {
            handler.handle(&delivery.received()).await;
        }
        let mut forged = delivery.clone();
        forged.headers.remove("signature");
        handler.handle(&forged.received()).await;
    })
    .await;
    for (message, parts) in [
        (
            "webhook event failed",
            [failing["id"].as_str().unwrap(), "event.type=\"ORDER.FILLED\"", "the ledger says no"],
        ),
        ("kept as a dead letter", [failing["id"].as_str().unwrap(), "attempt=2", "the ledger says no"]),
        ("webhook event ignored", [unknown["id"].as_str().unwrap(), "COMET.SEEN", "no handler"]),
        ("webhook delivery refused", ["WARN", "carries no signature", "reason="]),
    ] {
        let line =
            log.lines().find(|line| line.contains(message)).unwrap_or_else(|| panic!("no {message}: {log}"));
        assert!(parts.iter().all(|part| line.contains(part)), "{parts:?} are not in {line}");
    }
    assert!(!log.contains("CANARY"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_and_an_attempt_an_event_with_the_names_of_opentelemetry() {
    let api = FakeApi::new(|_, n| match n {
        0 => Reply::status(503),
        _ => Reply::status(404).header("upvest-request-id", "r-5"),
    });
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let log = logged(async {
        api.client().retrieve_order().order_id(id).send().await.unwrap_err();
    })
    .await;
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
