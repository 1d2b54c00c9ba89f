//! The log messages, spans and metrics of calls and webhooks.
#![cfg(feature = "tracing")]

mod common;

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use common::log::Log;
use common::{FakeApi, Fate, Reply, Seen};
use tracing::Dispatch;
use tracing_subscriber::fmt::format::FmtSpan;
use upvest_ext::{Measurement, RetryPolicy};

/// Keeps a second subscriber alive. With a single one, `tracing` caches for the whole process that nobody listens,
/// if a test on another thread says so.
static LISTENERS: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Dispatch::new(tracing_subscriber::registry())));

/// The log of `run`, at the level DEBUG.
async fn logged(run: impl Future<Output = ()>) -> String {
    LazyLock::force(&LISTENERS);
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
async fn a_refused_delivery_is_logged_with_its_reason() {
    use upvest_ext::webhooks::WebhookTester;

    let tester = WebhookTester::new().unwrap();
    let event = WebhookTester::event("ORDER.FILLED", serde_json::json!({ "name": "CANARY" }));
    let verifier = tester.verifier();
    let log = logged(async {
        let mut forged = tester.deliver("/webhooks", &[event]);
        forged.headers_mut().remove("signature");
        verifier.verify(&forged).await.unwrap_err();
    })
    .await;
    let line = log
        .lines()
        .find(|line| line.contains("webhook delivery rejected"))
        .unwrap_or_else(|| panic!("no rejection: {log}"));
    for part in ["WARN", "has no signature", "reason="] {
        assert!(line.contains(part), "{part} is not in {line}");
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
        api.client()
            .retrieve_order()
            .order_id(id)
            .send()
            .await
            .unwrap_err();
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
    assert_eq!(
        log.lines().filter(|line| line.contains("answer")).count(),
        2
    );
    assert!(log.contains("retrying") && log.contains("r-5"));
    assert!(!log.contains(id), "ids are no names");
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_failed_call_has_the_status_of_an_error_and_that_of_a_good_one_none() {
    for (status, expected) in [(404, true), (200, false)] {
        let api = FakeApi::new(move |_, _| match status {
            200 => Reply::empty_list(),
            other => Reply::status(other),
        });
        let log = logged(async { drop(api.client().list_orders().send().await) }).await;
        let closing = log.lines().find(|line| line.contains("close")).unwrap();
        assert_eq!(
            closing.contains("otel.status_code=\"ERROR\""),
            expected,
            "{closing}"
        );
    }
}

/// The measurements that a metrics hook got, without the durations.
fn kept() -> (
    Arc<Mutex<Vec<String>>>,
    impl Fn(&Measurement) + Send + Sync + 'static,
) {
    let kept = Arc::<Mutex<Vec<String>>>::default();
    let hook = Arc::clone(&kept);
    (kept, move |measured: &Measurement| {
        hook.lock().unwrap().push(match measured {
            Measurement::Call {
                operation,
                attempts,
                status,
                error,
                ..
            } => {
                format!("call {operation} {attempts} {status:?} {error:?}")
            }
            Measurement::Attempt {
                operation, status, ..
            } => format!("attempt {operation} {status:?}"),
            Measurement::TokenRequest {
                status, succeeded, ..
            } => format!("token {status:?} {succeeded}"),
            other => format!("{other:?}"),
        });
    })
}

#[tokio::test(start_paused = true)]
async fn each_call_attempt_and_token_request_is_measured() {
    let token = |_: &Seen, n: usize| {
        if n == 0 {
            Reply::status(503)
        } else {
            Reply::token("t", 1799)
        }
    };
    let api = FakeApi::with_tokens(token, |_, n| match n {
        0 => Reply::fate(Fate::Broken),
        1 => Reply::status(503),
        2 => Reply::empty_list(),
        _ => Reply::status(404),
    });
    let (kept, hook) = kept();
    let upvest = api.builder().metrics(hook).build().unwrap();
    upvest.list_orders().send().await.unwrap();
    upvest.list_users().send().await.unwrap_err();
    assert_eq!(
        *kept.lock().unwrap(),
        [
            "token Some(503) false",
            "token None true",
            "attempt listOrders None",
            "attempt listOrders Some(503)",
            "attempt listOrders Some(200)",
            "call listOrders 3 Some(200) None",
            "attempt listUsers Some(404)",
            "call listUsers 1 Some(404) Some(NotFound)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_measured_with_the_time_it_took() {
    let api = FakeApi::new(|_, _| Reply::empty_list().after(Duration::from_secs(3600)));
    let slowest = Arc::new(Mutex::new(Duration::ZERO));
    let seen = Arc::clone(&slowest);
    let builder = api
        .builder()
        .timeout(Duration::from_secs(7))
        .retry(RetryPolicy::never());
    let builder = builder.metrics(move |measured| {
        if let Measurement::Attempt {
            duration,
            status: None,
            ..
        } = measured
        {
            *seen.lock().unwrap() = *duration;
        }
    });
    builder
        .build()
        .unwrap()
        .list_orders()
        .send()
        .await
        .unwrap_err();
    assert_eq!(slowest.lock().unwrap().as_secs(), 7);
}

#[tokio::test]
async fn a_metrics_hook_that_panics_costs_no_call() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .metrics(|_| panic!("a bug of the application"))
        .build()
        .unwrap();
    upvest.list_orders().send().await.unwrap();
}

#[cfg(feature = "opentelemetry")]
#[tokio::test]
async fn the_ids_of_the_trace_go_along_with_a_request_and_baggage_does_not() {
    use opentelemetry::baggage::BaggageExt as _;
    use opentelemetry::propagation::TextMapCompositePropagator;
    use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
    use opentelemetry::{Context, KeyValue, global};
    use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    let api = FakeApi::new(|_, _| Reply::empty_list());
    api.client().list_orders().send().await.unwrap();
    assert_eq!(
        api.seen()[0].header("traceparent"),
        "",
        "without a propagator, nothing is sent"
    );

    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ]));
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    LazyLock::force(&LISTENERS);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let guard = tracing_subscriber::registry().with(layer).set_default();
    let context = Context::current_with_baggage(vec![KeyValue::new("customer", "CANARY")]);
    let attached = context.attach();
    api.client().list_orders().send().await.unwrap();
    drop((attached, guard));

    let spans = exporter.get_finished_spans().unwrap();
    let span = spans
        .iter()
        .find(|span| span.name == "GET /orders")
        .unwrap();
    let seen = api.seen();
    let (trace, id) = (span.span_context.trace_id(), span.span_context.span_id());
    assert_eq!(seen[1].header("traceparent"), format!("00-{trace}-{id}-01"));
    assert_eq!(seen[1].header("baggage"), "");
    assert!(!Context::current().has_active_span());
}
