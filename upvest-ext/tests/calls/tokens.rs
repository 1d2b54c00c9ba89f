//! Tokens: shared requests, renewal in the background, and rejected tokens.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{CLIENT_ID, FakeApi, Fate, Reply, Seen};
use futures_util::future::join_all;
use tokio::time::{Instant, advance, sleep};
use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{
    BoxFuture, CallOptions, Error, ErrorKind, RetryBudget, RetryPolicy, Unredacted, Upvest,
};

const SECOND: Duration = Duration::from_secs(1);

async fn list(upvest: &Upvest) -> Result<(), Error> {
    upvest.list_orders().send().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_on_a_cold_cache_share_one_token_request() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 1799).after(2 * SECOND),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    let results = join_all((0..1000).map(|_| list(&upvest))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(api.token_calls(), 1);
    assert_eq!(api.api_calls(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_one_failed_token_request_and_all_learn_of_it_at_once() {
    // A rejection is final. Other failures are tried three times, with waits of at most 250 and 500 ms.
    for (reply, status, asked) in [
        (Reply::status(503), Some(503), 3),
        (Reply::status(401), Some(401), 1),
        (Reply::fate(Fate::Broken), None, 3),
    ] {
        let reply = reply.after(2 * SECOND);
        let api = FakeApi::with_tokens(move |_, _| reply.clone(), |_, _| Reply::empty_list());
        let upvest = api.client();
        let started = Instant::now();
        let results =
            join_all((0..1000).map(|_| async { (list(&upvest).await, started.elapsed()) })).await;
        assert_eq!(api.token_calls(), asked);
        assert_eq!(api.api_calls(), 0);
        for (result, elapsed) in results {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Token);
            assert_eq!(error.status().map(|status| status.as_u16()), status);
            assert_eq!(error.operation(), Some("listOrders"));
            let longest = 2 * SECOND * u32::try_from(asked).unwrap() + SECOND * 3 / 4;
            assert!(elapsed <= longest, "{elapsed:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_come_while_a_token_is_on_its_way_share_it() {
    // Callers on their own tasks that arrive one after another during the request.
    let api = FakeApi::with_tokens(
        |_, _| Reply::token("t", 1799).after(2 * SECOND),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    let tasks: Vec<_> = (0..1000)
        .map(|n| {
            let upvest = upvest.clone();
            tokio::spawn(async move {
                sleep(Duration::from_millis(n)).await;
                list(&upvest).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(api.token_calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_on_many_threads_share_one_token_request() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api.client();
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let upvest = upvest.clone();
            tokio::spawn(async move { list(&upvest).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(api.token_calls(), 1);
    assert_eq!(api.api_calls(), 1000);
}

#[tokio::test(start_paused = true)]
async fn over_an_hour_renewals_add_no_latency() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 1799).after(2 * SECOND),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3600) {
        let before = Instant::now();
        list(&upvest).await.unwrap();
        assert_eq!(
            before.elapsed(),
            Duration::ZERO,
            "after {:?}",
            started.elapsed()
        );
        sleep(SECOND).await;
    }
    // 80 % of 1,799 s is 1,439 s, so an hour takes the first token and two renewals.
    assert_eq!(api.token_calls(), 3);
    let last = api.seen().pop().unwrap();
    assert_eq!(last.header("authorization"), "Bearer token-2");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_five_minutes_inside_the_renewal_window_fails_no_call() {
    let down = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&down);
    let api = FakeApi::with_tokens(
        move |_, n| {
            let down = seen.load(Ordering::SeqCst);
            let reply = if down {
                Reply::status(503)
            } else {
                Reply::token(&format!("token-{n}"), 1799)
            };
            reply.after(2 * SECOND)
        },
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1900) {
        let elapsed = started.elapsed().as_secs();
        down.store((1430..1730).contains(&elapsed), Ordering::SeqCst);
        let before = Instant::now();
        list(&upvest).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO, "after {elapsed} s");
        sleep(SECOND).await;
    }
    let calls = api.token_calls();
    assert!(
        (10..70).contains(&calls),
        "{calls} token requests, paced while the endpoint is down"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_with_less_than_fifteen_seconds_to_live_is_not_sent() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 100),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    advance(86 * SECOND).await;
    list(&upvest).await.unwrap();
    assert_eq!(api.seen()[1].header("authorization"), "Bearer token-1");
}

#[tokio::test(start_paused = true)]
async fn the_lifetime_of_a_token_starts_at_its_request() {
    let slow = |_: &Seen, n| Reply::token(&format!("token-{n}"), 60).after(20 * SECOND);
    let api = FakeApi::with_tokens(slow, |_, _| Reply::empty_list());
    let upvest = api.client();
    list(&upvest).await.unwrap();
    // 46 seconds after the request, less than fifteen are left.
    sleep(26 * SECOND).await;
    list(&upvest).await.unwrap();
    let seen = api.seen();
    assert_eq!(seen[0].header("authorization"), "Bearer token-0");
    assert_eq!(seen[1].header("authorization"), "Bearer token-1");
}

#[tokio::test(start_paused = true)]
async fn a_token_with_a_lifetime_of_ten_seconds_is_used() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 10),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    for _ in 0..3 {
        list(&upvest).await.unwrap();
    }
    assert_eq!(api.token_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_with_an_absurd_lifetime_is_used() {
    for expires_in in [0, u64::MAX] {
        let api = FakeApi::with_tokens(
            move |_, _| Reply::token("t", expires_in),
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        list(&upvest).await.unwrap();
        list(&upvest).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_parallel_401s_cause_one_token_request_and_one_replay_each() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 1799).after(SECOND),
        |seen, _| match seen.header("authorization") {
            "Bearer token-0" => Reply::status(401).after(SECOND),
            _ => Reply::empty_list().after(SECOND),
        },
    );
    let upvest = api.client();
    let results = join_all((0..100).map(|_| list(&upvest))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(api.token_calls(), 2);
    assert_eq!(api.api_calls(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_late_401_for_an_old_token_does_not_drop_the_new_one() {
    // The first call is rejected only after the second has obtained a new token.
    let api = FakeApi::new(|seen, n| match (seen.header("authorization"), n) {
        ("Bearer token-0", 0) => Reply::status(401).after(10 * SECOND),
        ("Bearer token-0", _) => Reply::status(401),
        _ => Reply::empty_list(),
    });
    let upvest = api.client();
    let (slow, quick) = tokio::join!(list(&upvest), async {
        sleep(SECOND).await;
        list(&upvest).await
    });
    slow.unwrap();
    quick.unwrap();
    assert_eq!(api.token_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_401_is_final_and_says_what_is_likely_wrong() {
    let api = FakeApi::new(|_, _| Reply::status(401));
    let error = list(&api.client()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.attempts(), 2);
    assert!(error.is_authentication() && error.hint().unwrap().contains("signing key"));
    assert_eq!(api.token_calls(), 2);

    let api =
        FakeApi::new(|_, _| Reply::status(401).header("date", "Sun, 06 Nov 1994 08:49:37 GMT"));
    let error = list(&api.client()).await.unwrap_err();
    assert!(
        error.hint().unwrap().contains("clock"),
        "{:?}",
        error.hint()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_replaces_its_token_once_however_late_the_next_401_is() {
    // Each 401 comes after 4 s: too late for the second one to show that the token is not the cause.
    let api = FakeApi::new(|_, _| Reply::status(401).after(4 * SECOND));
    let error = list(&api.client()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.attempts(), 2);
    assert_eq!(api.token_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_request_reports_status_and_code_and_never_the_servers_text() {
    let problem = r#"{"type": "https://docs.upvest.co/errors/unauthorised", "title": "Unauthorised", "status": 401, "detail": "scope not granted", "request_id": "r-1"}"#;
    let oauth = r#"{"error": "invalid_scope", "error_description": "scope not granted"}"#;
    let prose = r#"{"error": "scope not granted", "title": "scope not granted"}"#;
    let html = "<html>scope not granted</html>";
    for (body, code) in [
        (problem, Some("unauthorised")),
        (oauth, Some("invalid_scope")),
        (prose, None),
        (html, None),
    ] {
        let api = FakeApi::with_tokens(
            move |_, _| Reply::new(401, body).header("upvest-request-id", "the secret & more"),
            |_, _| Reply::empty_list(),
        );
        let error = list(&api.client()).await.unwrap_err();
        assert!(error.request_id().is_none_or(|id| id == "r-1"));
        let problem = error.problem().unwrap();
        assert_eq!(problem.status, Some(401));
        assert_eq!(problem.code(), code);
        assert!(!Unredacted(&error).to_string().contains("scope not granted"));
        assert!(!format!("{error} {error:?} {problem:?}").contains("scope not granted"));
        assert!(
            error
                .to_string()
                .starts_with("listOrders: no access token: 401 "),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("client id and secret"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_or_an_id_that_contains_the_secret_is_not_shown() {
    // It has only characters that a code can have, and the server may change their case.
    const SECRET: &str = "hushhush";
    let reply = Reply::new(400, r#"{"error": "no_client_hushhush"}"#);
    let reply = reply.header("upvest-request-id", "1-HUSHHUSH-2");
    let api = FakeApi::with_tokens(move |_, _| reply.clone(), |_, _| Reply::empty_list());
    let builder = api.builder().credentials(CLIENT_ID, SECRET);
    let error = list(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 400);
    let shown = format!("{error} {error:?} {:?}", error.request_id());
    assert!(!shown.to_lowercase().contains(SECRET), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn the_token_request_is_a_form_with_the_credentials_and_without_a_token() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .scopes(["orders:read", "orders:admin"])
        .build()
        .unwrap();
    list(&upvest).await.unwrap();
    let request = api.seen_tokens().remove(0);
    let form = String::from_utf8(request.body.clone()).unwrap();
    assert_eq!(
        form,
        format!(
            "client_id={CLIENT_ID}&client_secret=the+secret+%26+its+100%25+odd+signs&grant_type=client_credentials&scope=orders%3Aadmin+orders%3Aread"
        )
    );
    assert_eq!(
        request.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(request.header("upvest-client-id"), CLIENT_ID);
    assert_eq!(request.header("accept"), "application/json");
    assert!(request.headers.get("authorization").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_token_request_ends_at_its_timeout() {
    let api = FakeApi::with_tokens(
        |_, n| {
            if n == 0 {
                Reply::fate(Fate::Silence)
            } else {
                Reply::token("t", 1799)
            }
        },
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    let waiting = tokio::time::timeout(SECOND, join_all((0..10).map(|_| list(&upvest)))).await;
    assert!(waiting.is_err());
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert_eq!(tasks(), 1);
    assert_eq!(api.token_calls(), 1);
    sleep(20 * SECOND).await;
    assert_eq!(tasks(), 0);
    list(&upvest).await.unwrap();
    assert_eq!(api.token_calls(), 2);
}

/// A signer whose first `hangs` signatures of token requests never finish. API requests are signed immediately.
#[derive(Clone, Debug, Default)]
struct HangingSigner {
    hangs: usize,
    calls: Arc<AtomicUsize>,
}

impl HangingSigner {
    fn hanging_for(hangs: usize) -> Self {
        Self {
            hangs,
            calls: Arc::default(),
        }
    }

    fn call<T: Send + 'static>(&self, result: T) -> Pin<Box<dyn Future<Output = T> + Send>> {
        if self.calls.fetch_add(1, Ordering::SeqCst) < self.hangs {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(result))
    }
}

impl SignRequest for HangingSigner {
    fn sign<'a>(
        &'a self,
        request: &'a mut http::Request<bytes::Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        if request.uri().path() == "/auth/token" {
            self.call(Ok(()))
        } else {
            Box::pin(async { Ok(()) })
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_succeed_after_the_signer_hung_in_one_token_request() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .signer(HangingSigner::hanging_for(1))
        .build()
        .unwrap();
    // New callers arrive all the time. They must not extend the life of the request that hangs.
    let calls: Vec<_> = (0..100)
        .map(|number| {
            let upvest = upvest.clone();
            tokio::spawn(async move {
                sleep(number * SECOND * 9 / 10).await;
                let started = Instant::now();
                (list(&upvest).await, started.elapsed())
            })
        })
        .collect();
    for call in calls {
        let (result, elapsed) = call.await.unwrap();
        result.unwrap();
        // The attempt that hangs is given up after 10 s, and the next one succeeds.
        assert!(elapsed <= 20 * SECOND, "{elapsed:?}");
    }
    // The request that hung was never sent.
    assert_eq!(api.token_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_always_hangs_is_tried_twice_by_each_who_waits() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .signer(HangingSigner::hanging_for(usize::MAX))
        .build()
        .unwrap();
    let started = Instant::now();
    for result in join_all((0..10).map(|_| list(&upvest))).await {
        let error = result.unwrap_err();
        assert!(
            error.kind() == ErrorKind::Token && error.is_transient(),
            "{error:?}"
        );
        assert!(error.to_string().contains("signer"), "{error}");
    }
    assert_eq!(started.elapsed(), 40 * SECOND);
    assert_eq!(api.token_calls(), 0);
}

#[derive(Debug)]
struct Panicking;

impl SignRequest for Panicking {
    fn sign<'a>(
        &'a self,
        _: &'a mut http::Request<bytes::Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        panic!("the driver of the hardware module has a bug")
    }
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_panics_fails_only_the_waiting_calls() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api.builder().signer(Panicking).build().unwrap();
    for _ in 0..3 {
        for result in join_all((0..10).map(|_| list(&upvest))).await {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Token);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_is_given_up_before_the_token_expires() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let signer = HangingSigner {
        hangs: 1,
        calls: Arc::new(AtomicUsize::new(1)),
    };
    let upvest = api.builder().signer(signer.clone()).build().unwrap();
    list(&upvest).await.unwrap();
    advance(1500 * SECOND).await;
    signer.calls.store(0, Ordering::SeqCst);
    for _ in 0..3600 {
        list(&upvest).await.unwrap();
        sleep(SECOND).await;
    }
    // After 1,500 s, the hanging request takes 20 s, and then there is one every 1,439 s.
    assert_eq!(api.token_calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn one_503_of_the_token_endpoint_fails_none_of_200_waiting_calls() {
    for broken in [
        Reply::status(503),
        Reply::status(500),
        Reply::fate(Fate::Broken),
        Reply::fate(Fate::NotSent),
    ] {
        let api = FakeApi::with_tokens(
            move |_, n| {
                if n < 2 {
                    broken.clone().after(SECOND)
                } else {
                    Reply::token("t", 1799)
                }
            },
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        let results = join_all((0..200).map(|_| list(&upvest))).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(api.token_calls(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn retries_of_the_token_request_obey_policy_and_budget() {
    let down = || FakeApi::with_tokens(|_, _| Reply::status(503), |_, _| Reply::empty_list());
    let api = down();
    list(&api.client_with(CallOptions::new().retry(RetryPolicy::never())))
        .await
        .unwrap_err();
    assert_eq!(api.token_calls(), 1);
    let api = down();
    let budget = RetryBudget::new(5);
    list(&api.builder().retry_budget(budget.clone()).build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(api.token_calls(), 2);
    assert_eq!(budget.available(), 0);
    // Longer than the attempt timeout, which includes everything.
    let slow = |_: &crate::common::Seen, _| Reply::status(503).header("retry-after", "25");
    let api = FakeApi::with_tokens(slow, |_, _| Reply::empty_list());
    let error = list(&api.client()).await.unwrap_err();
    assert_eq!(api.token_calls(), 1);
    assert_eq!(error.retry_after(), Some(25 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_does_not_end_its_token_request() {
    let api = FakeApi::with_tokens(
        |_, _| Reply::token("t", 1799).after(3 * SECOND),
        |_, _| Reply::empty_list(),
    );
    let hasty = api.client().with(CallOptions::new().call_timeout(SECOND));
    let mut failed = 0;
    for _ in 0..50 {
        if let Err(error) = list(&hasty).await {
            assert_eq!(error.kind(), ErrorKind::Timeout);
            failed += 1;
        }
    }
    // The token arrives after 3 s, and each call waits for 1 s.
    assert_eq!(failed, 3);
    assert_eq!(api.token_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_persistent_401_does_not_multiply_token_requests() {
    let is_repaired = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&is_repaired);
    let api = FakeApi::new(move |seen, _| {
        let new = !["Bearer token-0", "Bearer token-1"].contains(&seen.header("authorization"));
        if new && works.load(Ordering::SeqCst) {
            Reply::empty_list()
        } else {
            Reply::status(401)
        }
    });
    let upvest = api.client();
    for _ in 0..100 {
        let error = list(&upvest).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
    }
    assert_eq!(api.token_calls(), 2);
    assert_eq!(api.api_calls(), 101);
    let results = join_all((0..100).map(|_| list(&upvest))).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(api.token_calls(), 2);
    // The pause is short.
    is_repaired.store(true, Ordering::SeqCst);
    sleep(3 * SECOND).await;
    list(&upvest).await.unwrap();
    assert_eq!(api.token_calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_with_a_fraction_or_in_quotes_is_read_and_an_empty_token_rejected() {
    // Each is valid for an hour, so it is renewed after 48 minutes.
    for (expires_in, lives) in [
        ("3600", true),
        ("3600.0", true),
        ("3.6e3", true),
        (r#""3600""#, true),
        (r#""3600.0""#, true),
        ("null", false),
        ("-3600", false),
        (r#""an hour""#, false),
        (r#""NaN""#, false),
        ("{}", false),
    ] {
        let body = format!(r#"{{"access_token": "t", "expires_in": {expires_in}}}"#);
        let api = FakeApi::with_tokens(
            move |_, _| Reply::new(200, body.clone()),
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        list(&upvest).await.unwrap();
        advance(2879 * SECOND).await;
        list(&upvest).await.unwrap();
        sleep(SECOND).await;
        assert_eq!(api.token_calls() == 1, lives, "{expires_in}");
    }
    for token in ["", "  "] {
        let api = FakeApi::with_tokens(
            move |_, _| Reply::token(token, 3600),
            |_, _| Reply::empty_list(),
        );
        let error = list(&api.client()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token);
        assert_eq!(api.api_calls(), 0);
        assert!(error.to_string().contains("empty"), "{error}");
    }
}

#[test]
fn a_token_request_whose_runtime_has_ended_is_made_again_on_another() {
    let api = FakeApi::with_tokens(
        |_, n| {
            if n == 0 {
                Reply::fate(Fate::Silence)
            } else {
                Reply::token("t", 1799)
            }
        },
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    runtime()
        .block_on(async { tokio::time::timeout(SECOND, list(&upvest)).await })
        .unwrap_err();
    runtime().block_on(list(&upvest)).unwrap();
    assert_eq!(api.token_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_take_the_request_from_the_others() {
    let api = FakeApi::with_tokens(
        |_, _| Reply::token("t", 1799).after(3 * SECOND),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    let hasty = upvest.with(CallOptions::new().call_timeout(SECOND));
    let started = Instant::now();
    let (first, second) = tokio::join!(list(&hasty), list(&upvest));
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Timeout);
    second.unwrap();
    assert_eq!(api.token_calls(), 1);
    assert_eq!(started.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_in_the_background_ends_with_the_client() {
    let api = FakeApi::with_tokens(
        |_, n| {
            if n == 0 {
                Reply::token("t", 1799)
            } else {
                Reply::fate(Fate::Silence)
            }
        },
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    advance(1500 * SECOND).await;
    list(&upvest).await.unwrap();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert_eq!(tasks(), 1);
    drop(upvest);
    tokio::task::yield_now().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_late_401_of_an_old_token_does_not_fail_a_call_while_another_is_good() {
    // Two tokens are rejected one after the other. A call with the first one learns of it only after the second was
    // rejected.
    let api = FakeApi::new(|seen, n| match (seen.header("authorization"), n) {
        ("Bearer token-0", 0) => Reply::status(401).after(6 * SECOND),
        ("Bearer token-1", 2) => Reply::empty_list(),
        ("Bearer token-0" | "Bearer token-1", _) => Reply::status(401),
        _ => Reply::empty_list(),
    });
    let upvest = api.client();
    let (slow, quick) = tokio::join!(list(&upvest), async {
        sleep(SECOND).await;
        list(&upvest).await.unwrap();
        sleep(4 * SECOND).await;
        list(&upvest).await
    });
    quick.unwrap();
    slow.unwrap();
    assert_eq!(api.token_calls(), 3);
}

/// Rejects the first token always, and the second one from its `uses`-th use on.
fn revoking_two_tokens(uses: usize) -> FakeApi {
    let second = AtomicUsize::new(0);
    FakeApi::new(move |seen, _| match seen.header("authorization") {
        "Bearer token-0" => Reply::status(401),
        "Bearer token-1" if second.fetch_add(1, Ordering::SeqCst) >= uses => Reply::status(401),
        _ => Reply::empty_list(),
    })
}

#[tokio::test(start_paused = true)]
async fn a_token_revoked_soon_after_the_one_before_is_replaced_if_it_was_accepted() {
    let api = revoking_two_tokens(1);
    let upvest = api.client();
    list(&upvest).await.unwrap();
    list(&upvest).await.unwrap();
    assert_eq!(api.token_calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_rejected_soon_after_the_one_before_is_not_replaced_if_none_was_accepted() {
    let api = revoking_two_tokens(0);
    let upvest = api.client();
    list(&upvest).await.unwrap_err();
    list(&upvest).await.unwrap_err();
    assert_eq!(api.token_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_with_a_short_lifetime_is_renewed_in_the_background() {
    for life in [10, 30, 60, 75, 120] {
        let api = FakeApi::with_tokens(
            move |_, n| Reply::token(&format!("token-{n}"), life).after(SECOND / 20),
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        list(&upvest).await.unwrap();
        for _ in 0..4000 {
            let started = Instant::now();
            list(&upvest).await.unwrap();
            assert_eq!(started.elapsed(), Duration::ZERO, "a life of {life} s");
            sleep(SECOND / 10).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_repetition_after_a_401_is_no_retry() {
    let api = FakeApi::new(|_, n| match n {
        0 | 1 | 6 => Reply::status(503),
        3 | 5 => Reply::status(401),
        _ => Reply::empty_list(),
    });
    let budget = RetryBudget::new(20);
    let upvest = api.builder().retry_budget(budget.clone()).build().unwrap();
    list(&upvest).await.unwrap();
    assert_eq!(api.api_calls(), 3);
    assert_eq!(budget.available(), 15);
    // The call and its token request have succeeded without a retry.
    list(&upvest).await.unwrap();
    assert_eq!(api.api_calls(), 5);
    assert_eq!(budget.available(), 17);
    sleep(10 * SECOND).await;
    let twice = CallOptions::new().retry(RetryPolicy::new().max_attempts(2));
    list(&upvest.with(twice)).await.unwrap();
    assert_eq!(api.api_calls(), 8);
    assert_eq!(budget.available(), 18);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_the_pause_after_a_failure_gets_its_error() {
    let api = FakeApi::with_tokens(|_, _| Reply::status(403), |_, _| Reply::empty_list());
    let upvest = api.client();
    for _ in 0..3 {
        let error = list(&upvest).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token);
        assert_eq!(error.status().unwrap().as_u16(), 403);
    }
    assert_eq!(api.token_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_token_request_is_remembered_for_a_minute_at_most() {
    let api = FakeApi::with_tokens(
        |_, _| Reply::status(503).header("retry-after", "3600"),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap_err();
    advance(59 * SECOND).await;
    list(&upvest).await.unwrap_err();
    assert_eq!(api.token_calls(), 1);
    advance(SECOND).await;
    list(&upvest).await.unwrap_err();
    assert_eq!(api.token_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_zero_does_not_end_the_pause_of_the_token_endpoint() {
    let api = FakeApi::with_tokens(
        |_, _| Reply::status(401).header("retry-after", "0"),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    for _ in 0..100 {
        list(&upvest).await.unwrap_err();
        advance(SECOND / 10).await;
    }
    assert_eq!(api.token_calls(), 5);
}
