//! Tokens that the server rejects with 401.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::support::{SECOND, list};
use crate::common::{FakeApi, Reply};
use futures_util::future::join_all;
use tokio::time::sleep;
use upvest_ext::{CallOptions, ErrorKind, RetryBudget, RetryPolicy};

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
