//! Callers who share one token request, one renewal and one failure.

use std::time::Duration;

use super::support::{SECOND, list};
use crate::common::{FakeApi, Fate, Reply};
use futures_util::future::join_all;
use tokio::time::{Instant, advance, sleep};
use upvest_ext::{CallOptions, ErrorKind};

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
