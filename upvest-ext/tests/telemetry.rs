//! The log messages, spans and reports of calls and webhooks.

mod common;

use std::sync::{Arc, LazyLock, Mutex};

use common::log::Log;
use common::{FakeApi, Fate, Reply, Seen};
use tracing::Dispatch;
use tracing_subscriber::fmt::format::FmtSpan;
use upvest_ext::CallReport;

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

/// The line at the end of the span of a call. The request of its token is a call in that span.
fn closing_of_call(log: &str) -> &str {
    let is_closing = |line: &&str| line.contains("close") && !line.contains("createAccessToken");
    log.lines().find(is_closing).unwrap()
}

#[cfg(feature = "webhooks")]
#[tokio::test]
async fn a_rejected_delivery_is_logged_with_its_reason() {
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

#[cfg(feature = "webhooks")]
#[tokio::test]
async fn a_delivery_without_keys_is_logged_with_the_missing_scope() {
    use upvest_ext::webhooks::{WebhookTester, WebhookVerifier};

    let api = FakeApi::new(|_, _| Reply::status(403));
    let event = WebhookTester::event("ORDER.FILLED", serde_json::json!({}));
    let delivery = WebhookTester::new().unwrap().deliver("/webhooks", &[event]);
    let verifier = WebhookVerifier::fetching(&api.client());
    let log = logged(async {
        let error = verifier.verify(&delivery).await.unwrap_err();
        assert_eq!(error.status(), 503);
        let error = upvest_ext::Error::from(error);
        assert!(error.is_permission());
        assert!(
            error
                .hint()
                .unwrap()
                .contains("`webhooks:read` or `webhooks:admin`")
        );
    })
    .await;
    let line = log
        .lines()
        .find(|line| line.contains("webhook delivery rejected"))
        .unwrap_or_else(|| panic!("no rejection: {log}"));
    for part in [
        "cause=verifyKeys: 403 Forbidden",
        "`webhooks:read` or `webhooks:admin`",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
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
    let closing = closing_of_call(&log);
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
        log.lines()
            .filter(|line| line.contains("response received") && !line.contains("createAccessToken"))
            .count(),
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
        let closing = closing_of_call(&log);
        assert_eq!(
            closing.contains("otel.status_code=\"ERROR\""),
            expected,
            "{closing}"
        );
    }
}

/// A function for `observe`, and what it got, without the times.
fn reports() -> (
    Arc<Mutex<Vec<String>>>,
    impl Fn(&CallReport) + Send + Sync + 'static,
) {
    let reports = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&reports);
    let observe = move |report: &CallReport| {
        let status = report.status.map_or(0, |status| status.as_u16());
        let CallReport {
            operation,
            attempts,
            error,
            ..
        } = report;
        let line = format!("{operation} {attempts} {status} {error:?}");
        seen.lock().unwrap().push(line);
    };
    (reports, observe)
}

#[tokio::test(start_paused = true)]
async fn each_finished_call_and_token_request_is_reported_once() {
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
    let (reports, observe) = reports();
    let upvest = api.builder().observe(observe).build().unwrap();
    upvest.list_orders().send().await.unwrap();
    upvest.list_users().send().await.unwrap_err();
    assert_eq!(
        *reports.lock().unwrap(),
        [
            "createAccessToken 2 200 None",
            "listOrders 3 200 None",
            "listUsers 1 404 Some(NotFound)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_not_reported() {
    let api = FakeApi::new(|_, _| Reply::fate(Fate::Silence));
    let (reports, observe) = reports();
    let upvest = api.builder().observe(observe).build().unwrap();
    let second = std::time::Duration::from_secs(1);
    let dropped = tokio::time::timeout(second, upvest.list_orders().send()).await;
    assert!(dropped.is_err());
    assert_eq!(*reports.lock().unwrap(), ["createAccessToken 1 200 None"]);
}

#[tokio::test]
async fn a_panic_in_a_hook_neither_fails_nor_changes_the_call() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .observe(|_| panic!("a bug of the application"))
        .on_request(|headers| {
            headers.insert("x-half", "done".parse().unwrap());
            panic!("another bug of the application");
        })
        .build()
        .unwrap();
    upvest.list_orders().send().await.unwrap();
    upvest.list_orders().send().await.unwrap();
    let seen = api.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.header("x-half").is_empty()));
}

#[tokio::test]
async fn a_hook_adds_headers_to_each_attempt_and_cannot_change_those_of_the_sdk() {
    let api = FakeApi::new(|_, n| [Reply::status(503), Reply::order()][n].clone());
    let upvest = api
        .builder()
        .on_request(|headers| {
            headers.insert("traceparent", "00-1-2-01".parse().unwrap());
            for name in [
                "authorization",
                "signature",
                "signature-input",
                "host",
                "date",
                "digest",
            ] {
                headers.insert(name, "forged".parse().unwrap());
            }
            for name in [
                "idempotency-key",
                "content-type",
                "content-length",
                "upvest-client-id",
            ] {
                headers.remove(name);
                headers.append(name, "forged".parse().unwrap());
            }
        })
        .build()
        .unwrap();
    upvest
        .create_order()
        .body(common::order())
        .send()
        .await
        .unwrap();
    let seen = api.seen();
    assert_eq!(seen.len(), 2);
    for seen in &seen {
        assert_eq!(seen.header("traceparent"), "00-1-2-01");
        assert_eq!(seen.header("authorization"), "Bearer token-0");
        assert_eq!(seen.header("upvest-client-id"), common::CLIENT_ID);
        assert_eq!(seen.header("content-type"), "application/json");
        assert!(
            seen.headers.values().all(|value| value != "forged"),
            "{:?}",
            seen.headers
        );
    }
    let key = seen[0].header("idempotency-key");
    assert_eq!(key.len(), 36);
    assert_eq!(seen[1].header("idempotency-key"), key);
}

#[tokio::test]
async fn trace_ids_are_sent_with_a_request_and_baggage_is_not() {
    use opentelemetry::baggage::BaggageExt as _;
    use opentelemetry::propagation::TextMapCompositePropagator;
    use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
    use opentelemetry::{Context, KeyValue, global};
    use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    /// As the guide shows it. Baggage may contain personal data, so only the headers with ids are taken.
    struct TraceHeaders<'a>(&'a mut http::HeaderMap);

    impl opentelemetry::propagation::Injector for TraceHeaders<'_> {
        fn set(&mut self, name: &str, value: String) {
            let name = match name {
                "traceparent" => "traceparent",
                "tracestate" => "tracestate",
                _ => return,
            };
            if let Ok(value) = value.parse() {
                self.0.insert(name, value);
            }
        }
    }

    let api = FakeApi::new(|_, _| Reply::empty_list());
    let builder = api.builder().on_request(|headers| {
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&Context::current(), &mut TraceHeaders(headers));
        });
    });
    let upvest = builder.build().unwrap();
    upvest.list_orders().send().await.unwrap();
    assert_eq!(
        api.seen()[0].header("traceparent"),
        "",
        "without a propagator, the header is not sent"
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
    upvest.list_orders().send().await.unwrap();
    drop((attached, guard));

    let spans = exporter.get_finished_spans().unwrap();
    let span = spans
        .iter()
        .find(|span| span.name == "GET /orders")
        .unwrap();
    let seen = api.seen();
    let trace = span.span_context.trace_id();
    let id = span.span_context.span_id();
    assert_eq!(seen[1].header("traceparent"), format!("00-{trace}-{id}-01"));
    assert_eq!(seen[1].header("baggage"), "");
    assert!(!Context::current().has_active_span());
}
