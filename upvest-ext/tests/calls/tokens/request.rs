//! The token request: its form, its retries, its errors, and signers that hang.

use super::support::{HangingSigner, SECOND, list};
use crate::common::{CLIENT_ID, FakeApi, Fate, Reply};
use futures_util::future::join_all;
use tokio::time::{Instant, advance, sleep};
use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{BoxFuture, CallOptions, ErrorKind, RetryBudget, RetryPolicy, Unredacted};

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
            // An id that is not valid is not reported.
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
