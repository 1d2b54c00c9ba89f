//! Tests of the effects of a failed attempt on its call and on other calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{Request, StatusCode};
use tokio::time::{Instant, sleep};
use upvest_ext::api::runtime::OperationMeta;
use upvest_ext::api::{MockTransport, builder};
use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{
    BoxFuture, ByteStream, CallOptions, Environment, Error, ErrorKind, Response, RetryPolicy,
    Transport, Upvest,
};

use crate::common::{FakeApi, Fate, Reply, order};

const SECOND: Duration = Duration::from_secs(1);

/// Never responds, and counts how often it was told of a timeout.
#[derive(Clone, Debug, Default)]
struct Silent(Arc<AtomicUsize>);

impl Transport for Silent {
    fn execute<'a>(
        &'a self,
        _: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        Box::pin(std::future::pending())
    }

    fn timed_out(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_full_attempt_timeout_drops_the_connections() {
    let expectations = [
        // The attempts take 20 s by default.
        (CallOptions::new().call_timeout(SECOND / 20), 0),
        (CallOptions::new().call_timeout(20 * SECOND), 1),
        // The last attempt has 5 s left.
        (CallOptions::new().call_timeout(26 * SECOND), 1),
        (CallOptions::new().call_timeout(50 * SECOND), 2),
    ];
    for (options, expected) in expectations {
        let silent = Silent::default();
        let url = "http://127.0.0.1:9".parse().unwrap();
        let builder = Upvest::builder(Environment::Custom(url)).transport(silent.clone());
        let upvest = builder.build().unwrap();
        let case = format!("{options:?}");
        upvest.with(options).list_orders().send().await.unwrap_err();
        assert_eq!(silent.0.load(Ordering::SeqCst), expected, "{case}");
    }
}

/// Sends the headers of a response at once and its body after a minute.
#[derive(Clone, Debug)]
struct SlowBody;

impl Transport for SlowBody {
    fn execute<'a>(
        &'a self,
        _: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let body = stream::once(async {
            sleep(60 * SECOND).await;
            Ok(Bytes::from_static(br#"{"data": []}"#))
        });
        let response = http::Response::new(ByteStream::new(body.boxed()));
        Box::pin(std::future::ready(Ok(response.into())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_as_long_as_the_attempt() {
    let patient = CallOptions::new()
        .attempt_timeout(120 * SECOND)
        .call_timeout(120 * SECOND);
    let upvest = Upvest::from_transport(SlowBody).with(patient);
    let started = Instant::now();
    upvest.list_orders().send().await.unwrap();
    assert_eq!(started.elapsed(), 60 * SECOND);
}

/// Sends the headers of an error at once, and its body never. Counts how often it is told of a timeout.
#[derive(Clone, Debug, Default)]
struct StalledError(Arc<AtomicUsize>);

impl Transport for StalledError {
    fn execute<'a>(
        &'a self,
        _: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let body = stream::pending::<Result<Bytes, Error>>();
        let mut response = http::Response::new(ByteStream::new(body));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Box::pin(std::future::ready(Ok(response.into())))
    }

    fn timed_out(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_body_stalls_costs_the_connection_and_keeps_its_status() {
    let stalled = StalledError::default();
    let upvest = Upvest::from_transport(stalled.clone());
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(stalled.0.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_transport_is_retried_according_to_its_kind() {
    let kinds = [
        (ErrorKind::Configuration, false),
        (ErrorKind::InvalidRequest, false),
        (ErrorKind::Connect, false),
        (ErrorKind::Unprocessed, false),
        (ErrorKind::Authentication, false),
        (ErrorKind::Permission, false),
        (ErrorKind::NotFound, false),
        (ErrorKind::Conflict, false),
        (ErrorKind::Rejected, false),
        (ErrorKind::RateLimited, false),
        (ErrorKind::Interrupted, true),
        (ErrorKind::Timeout, true),
        (ErrorKind::Server, true),
        (ErrorKind::Decode, true),
        (ErrorKind::Io, true),
    ];
    for (kind, is_unknown) in kinds {
        let error = Error::new(kind, "made by the test");
        let mock = MockTransport::new().fail::<builder::CreateOrder>(error);
        let call = Upvest::from_transport(mock).create_order().body(order());
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.is_outcome_unknown(), is_unknown, "{kind}");
    }
}

/// Fails with the errors that it is given, in turn, and succeeds after them.
#[derive(Clone, Debug)]
struct Failing {
    api: FakeApi,
    kind: ErrorKind,
    failed: Arc<AtomicUsize>,
}

impl Transport for Failing {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let is_token = request.uri().path() == "/auth/token";
        if !is_token && self.failed.fetch_add(1, Ordering::SeqCst) == 0 {
            let error = Error::new(self.kind, "made by the test");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.api.execute(request, operation)
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_stands_for_a_401_or_429_is_treated_as_one() {
    for (kind, tokens, pause) in [
        (ErrorKind::Authentication, 2, Duration::ZERO),
        (ErrorKind::RateLimited, 1, SECOND),
    ] {
        let api = FakeApi::new(|_, _| Reply::order());
        let failing = Failing {
            api: api.clone(),
            kind,
            failed: Arc::default(),
        };
        let upvest = api.builder().transport(failing).build().unwrap();
        let started = Instant::now();
        upvest.create_order().body(order()).send().await.unwrap();
        assert_eq!(api.token_calls(), tokens, "{kind}");
        assert_eq!(api.api_calls(), 1, "{kind}");
        assert!(started.elapsed() >= pause, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_has_only_the_retry_after_of_its_own_attempt() {
    let api = FakeApi::new(|_, n| match n {
        0 => Reply::status(503).header("retry-after", "2"),
        _ => Reply::fate(Fate::Silence),
    });
    let hasty = CallOptions::new().call_timeout(5 * SECOND);
    let call = api.client_with(hasty).create_order().body(order());
    let error = call.send().await.unwrap_err();
    assert!(error.is_timeout() && error.is_outcome_unknown());
    assert_eq!(error.attempts(), 2);
    assert_eq!(error.retry_after(), None);
}

/// Hangs from its third signature on.
#[derive(Clone, Debug, Default)]
struct HangingSigner(Arc<AtomicUsize>);

impl SignRequest for HangingSigner {
    fn sign<'a>(&'a self, _: &'a mut Request<Bytes>) -> BoxFuture<'a, Result<(), SigningError>> {
        if self.0.fetch_add(1, Ordering::SeqCst) < 2 {
            return Box::pin(std::future::ready(Ok(())));
        }
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_time_for_another_attempt_keeps_its_failure() {
    let api = FakeApi::new(|_, _| Reply::status(503));
    let builder = api.builder().signer(HangingSigner::default());
    let hasty = CallOptions::new().call_timeout(5 * SECOND);
    let upvest = builder.defaults(hasty).build().unwrap();
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 503);
    assert_eq!(error.attempts(), 1);
    assert_eq!(api.api_calls(), 1);
    // An error that is not one of time is that of the attempt that it prevented.
    let api = FakeApi::with_tokens(
        |_, n| match n {
            0 => Reply::token("t", 10),
            _ => Reply::status(403),
        },
        |_, _| Reply::status(503).after(8 * SECOND),
    );
    let options = CallOptions::new().retry(RetryPolicy::new());
    let upvest = api.client_with(options);
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
}
