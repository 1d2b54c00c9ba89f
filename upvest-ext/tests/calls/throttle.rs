//! After a 429, all calls of a client wait.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{FakeApi, Reply};
use futures_util::future::join_all;
use tokio::time::{Instant, advance, sleep};
use upvest_ext::api::types::ListResponse;
use upvest_ext::api::{MockTransport, builder};
use upvest_ext::{CallOptions, Error, ErrorKind, RetryPolicy, Upvest};

const SECOND: Duration = Duration::from_secs(1);

/// A server that answers the first request with 429 and `headers`, and records when the others came.
struct Throttling {
    api: FakeApi,
    arrivals: Arc<Mutex<Vec<Instant>>>,
}

impl Throttling {
    fn new(retry_after: Option<&'static str>) -> Self {
        let arrivals = Arc::<Mutex<Vec<_>>>::default();
        let seen = Arc::clone(&arrivals);
        let api = FakeApi::new(move |_, n| {
            if n > 0 {
                seen.lock().unwrap().push(Instant::now());
                return Reply::empty_list();
            }
            let mut reply = Reply::status(429);
            let header = retry_after.map(|value| ("retry-after", value.to_owned()));
            reply.headers.extend(header);
            reply
        });
        Self { api, arrivals }
    }

    /// A client whose first call was rejected with 429.
    async fn throttled_client(&self) -> Upvest {
        let upvest = self.api.client();
        let once = CallOptions::new().retry(RetryPolicy::never());
        let error = upvest.with(once).list_orders().send().await.unwrap_err();
        assert!(error.is_rate_limited());
        upvest
    }

    fn arrivals(&self) -> Vec<Instant> {
        self.arrivals.lock().unwrap().clone()
    }
}

async fn list(upvest: &Upvest) -> Result<(), upvest_ext::Error> {
    upvest.list_orders().send().await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn after_a_429_all_calls_wait_for_its_retry_after_or_a_second() {
    let pauses = [
        (Some("7"), 7 * SECOND),
        (None, SECOND),
        (Some("soon"), SECOND),
        (Some("0"), Duration::ZERO),
        (Some("86400"), 60 * SECOND),
    ];
    for (retry_after, pause) in pauses {
        let server = Throttling::new(retry_after);
        let upvest = server.throttled_client().await;
        let started = Instant::now();
        let policy = RetryPolicy::new().max_retry_after(60 * SECOND);
        let options = CallOptions::new().retry(policy);
        let patient = upvest.with(options.call_timeout(100 * SECOND));
        let calls = join_all((0..50).map(|_| list(&patient))).await;
        assert!(calls.iter().all(Result::is_ok));
        let waits = server.arrivals().into_iter().map(|at| at - started);
        let waits: Vec<_> = waits.collect();
        assert_eq!(waits.len(), 50);
        let last = pause + SECOND / 2 + Duration::from_millis(2);
        for wait in &waits {
            assert!(*wait >= pause, "{wait:?} is before {pause:?}");
            assert!(*wait <= last, "{wait:?} is after {last:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_are_not_released_at_the_same_moment() {
    let server = Throttling::new(Some("2"));
    let upvest = server.throttled_client().await;
    join_all((0..100).map(|_| list(&upvest))).await;
    let arrivals = server.arrivals();
    let first = arrivals.iter().min().unwrap();
    let last = arrivals.iter().max().unwrap();
    assert!(*last - *first > SECOND / 5, "{:?}", *last - *first);
    let mut different = arrivals.clone();
    different.sort();
    different.dedup();
    assert!(different.len() > 50, "{} moments", different.len());
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_comes_before_the_end_of_the_pause_fails_at_once() {
    let server = Throttling::new(Some("10"));
    let upvest = server.throttled_client().await;
    let started = Instant::now();
    let hasty = upvest.with(CallOptions::new().call_timeout(9 * SECOND));
    let error = list(&hasty).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.is_transient());
    assert!(!error.is_outcome_unknown());
    assert!(error.retry_after().unwrap() <= 10 * SECOND);
    assert_eq!(server.api.api_calls(), 1);
    // With a little more time the call is sent, and ends before its deadline.
    let calm = upvest.with(CallOptions::new().call_timeout(Duration::from_millis(10_100)));
    list(&calm).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(10_100));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_a_429_without_retry_after_waits_a_second() {
    let server = Throttling::new(None);
    let upvest = server.api.client();
    let started = Instant::now();
    list(&upvest).await.unwrap();
    assert!(started.elapsed() >= SECOND, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_429_that_is_final_keeps_its_status_and_problem() {
    let server = Throttling::new(Some("5"));
    let upvest = server.api.client();
    let hasty = upvest.with(CallOptions::new().call_timeout(SECOND));
    let error = list(&hasty).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 429);
    assert_eq!(error.retry_after(), Some(5 * SECOND));
}

/// Returns how long it takes until a call is sent that starts after `pause`. Two other calls start at once and are
/// rejected with 429: the first after a second (`retry-after: {later}`), the second at once (`retry-after: {at_once}`).
async fn sent_after_two_429s(
    at_once: &'static str,
    later: &'static str,
    pause: Duration,
) -> Duration {
    let api = FakeApi::new(move |_, n| match n {
        1 => Reply::status(429)
            .header("retry-after", later)
            .after(SECOND),
        2 => Reply::status(429).header("retry-after", at_once),
        _ => Reply::empty_list(),
    });
    let upvest = api.client();
    // With a token, the next calls are sent in order.
    list(&upvest).await.unwrap();
    let once = upvest.with(CallOptions::new().retry(RetryPolicy::never()));
    let started = Instant::now();
    let waiting = async {
        sleep(pause).await;
        list(&upvest).await
    };
    let (slow, fast, waiting) = tokio::join!(list(&once), list(&once), waiting);
    assert!(slow.unwrap_err().is_rate_limited());
    assert!(fast.unwrap_err().is_rate_limited());
    waiting.unwrap();
    let seen = api.seen();
    assert_eq!(seen.len(), 4);
    seen[3].at - started
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_obeys_a_429_that_comes_meanwhile() {
    let sent = sent_after_two_429s("2", "10", Duration::ZERO).await;
    assert!(sent >= 11 * SECOND, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_later_429_does_not_shorten_a_pause() {
    let sent = sent_after_two_429s("10", "2", 2 * SECOND).await;
    assert!(sent >= 10 * SECOND, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_over_delays_no_call() {
    let server = Throttling::new(Some("5"));
    let upvest = server.throttled_client().await;
    advance(5 * SECOND).await;
    let started = Instant::now();
    list(&upvest).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_that_is_dropped_does_not_delay_others() {
    let server = Throttling::new(Some("3"));
    let upvest = server.throttled_client().await;
    let waiting = tokio::time::timeout(SECOND, list(&upvest)).await;
    assert!(waiting.is_err());
    list(&upvest).await.unwrap();
    assert_eq!(server.arrivals().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_429_of_the_token_endpoint_makes_all_calls_wait_too() {
    let api = FakeApi::with_tokens(
        |_, _| Reply::status(429).header("retry-after", "40"),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap_err();
    let asked = api.token_calls();
    let hasty = upvest.with(CallOptions::new().call_timeout(30 * SECOND));
    for _ in 0..100 {
        let error = list(&hasty).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }
    assert_eq!(api.token_calls(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_another_call_caused_does_not_hide_the_failure_of_a_call() {
    let api = FakeApi::new(|seen, _| {
        if seen.query.contains("limit=1") {
            Reply::status(503).after(SECOND)
        } else {
            Reply::status(429).header("retry-after", "30")
        }
    });
    let upvest = api.client();
    let failing = upvest.with(CallOptions::new().call_timeout(5 * SECOND));
    let throttled = upvest.with(CallOptions::new().retry(RetryPolicy::never()));
    let (error, _) = futures_util::join!(failing.list_orders().limit(1).send(), list(&throttled));
    assert_eq!(error.unwrap_err().status().unwrap().as_u16(), 503);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_longer_than_a_policy_allows_fails_its_calls_at_once() {
    let server = Throttling::new(Some("45"));
    let upvest = server.throttled_client().await;
    let started = Instant::now();
    for policy in [RetryPolicy::new(), RetryPolicy::never()] {
        let upvest = upvest.with(CallOptions::new().retry(policy));
        let error = list(&upvest).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry_after(), Some(45 * SECOND));
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    let patient = RetryPolicy::never().max_retry_after(60 * SECOND);
    let patient = upvest.with(CallOptions::new().retry(patient));
    list(&patient).await.unwrap();
    assert!(started.elapsed() >= 45 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_client_over_a_transport_of_a_test_does_not_pause() {
    let throttled = Error::new(ErrorKind::RateLimited, "too many requests");
    let mock = MockTransport::new()
        .fail::<builder::ListOrders>(throttled)
        .respond::<builder::ListOrders>(ListResponse::new(Vec::new()));
    let upvest = Upvest::from_transport(mock);
    let started = Instant::now();
    assert!(list(&upvest).await.unwrap_err().is_rate_limited());
    list(&upvest).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}
