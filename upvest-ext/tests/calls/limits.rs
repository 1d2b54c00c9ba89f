//! Nothing waits for ever, nothing grows without a bound, and a call that is dropped holds nothing.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::time::{Instant, advance};
use upvest_ext::{
    Backoff, ByteStream, CallOptions, ErrorKind, PaginateExt as _, RetryPolicy, Upvest,
};

use crate::common::{FakeApi, Fate, Reply, order};

const SECOND: Duration = Duration::from_secs(1);

/// A body of which nothing comes after its first bytes.
fn stalled() -> ByteStream {
    let first = stream::iter([Ok(Bytes::from_static(b"0123"))]);
    ByteStream::new(first.chain(stream::pending()))
}

#[tokio::test(start_paused = true)]
async fn every_reader_of_a_body_that_stalls_is_given_up() {
    let started = Instant::now();
    assert!(stalled().bytes().await.unwrap_err().is_timeout());
    assert_eq!(started.elapsed(), 20 * SECOND);
    let mut chunks = stalled();
    chunks.try_next().await.unwrap();
    assert!(chunks.try_next().await.unwrap_err().is_timeout());
    assert!(chunks.try_next().await.unwrap().is_none());
    let short = stalled().idle_limit(3 * SECOND);
    assert!(short.bytes().await.unwrap_err().is_timeout());
    assert_eq!(started.elapsed(), 43 * SECOND);
}

#[cfg(feature = "files")]
#[tokio::test(start_paused = true)]
async fn a_file_that_stalls_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.pdf");
    let error = stalled().write_to(&path).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(!path.exists());
}

async fn list(upvest: &Upvest) -> Result<(), upvest_ext::Error> {
    upvest.list_orders().send().await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_fails_is_asked_again_after_two_seconds() {
    let api = FakeApi::with_tokens(|_, _| Reply::status(401), |_, _| Reply::empty_list());
    let upvest = api.client();
    for _ in 0..100 {
        assert_eq!(list(&upvest).await.unwrap_err().kind(), ErrorKind::Token);
        advance(SECOND / 10).await;
    }
    assert_eq!(api.token_calls(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_fails_is_asked_again_after_its_retry_after() {
    let api = FakeApi::with_tokens(
        |_, _| Reply::status(401).header("retry-after", "30"),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    for _ in 0..59 {
        list(&upvest).await.unwrap_err();
        advance(SECOND).await;
    }
    assert_eq!(api.token_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_error_names_a_token_endpoint_that_does_not_answer() {
    let api = FakeApi::with_tokens(
        |_, _| Reply::fate(Fate::Silence),
        |_, _| Reply::empty_list(),
    );
    let error = list(&api.client()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    let expected = "listOrders: no access token: no response from the token endpoint";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn prefetching_without_a_limit_sends_no_more_than_the_list_has_pages() {
    for total in [Some(105), None] {
        let api = FakeApi::new(move |seen, _| {
            let mut pairs = seen.query.split('&');
            let offset = pairs.find_map(|pair| pair.strip_prefix("offset="));
            let offset: u64 = offset.unwrap().parse().unwrap();
            let ids = offset..(offset + 10).min(105);
            let row = |id| serde_json::json!({"id": format!("00000000-0000-4000-8000-{id:012}")});
            let data: Vec<_> = ids.map(row).collect();
            let page = serde_json::json!({"data": data, "meta": {"total": total}});
            Reply::new(200, page.to_string())
        });
        let upvest = api.client();
        let list = upvest.list_orders().page_size(10).prefetch(usize::MAX);
        let orders: Vec<_> = list.items().try_collect().await.unwrap();
        assert_eq!(orders.len(), 105);
        assert_eq!(api.api_calls(), 11);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_total_does_not_prefetch_without_a_bound() {
    let api = FakeApi::new(|_, n| {
        let id = format!("00000000-0000-4000-8000-{n:012}");
        let page =
            serde_json::json!({"data": [{"id": id}], "meta": {"total": u64::MAX, "limit": 1}});
        Reply::new(200, page.to_string())
    });
    let upvest = api.client();
    let mut items = upvest.list_orders().prefetch(usize::MAX).items();
    items.try_next().await.unwrap();
    items.try_next().await.unwrap();
    drop(items);
    tokio::time::sleep(SECOND).await;
    assert!(api.api_calls() <= 70, "{} requests", api.api_calls());
}

#[tokio::test(start_paused = true)]
async fn settings_without_a_bound_do_no_harm() {
    let api = FakeApi::new(|seen, n| match n {
        0 => Reply::status(503),
        _ if seen.path == "/orders" => Reply::empty_list(),
        _ => Reply::order(),
    });
    let endless = CallOptions::new()
        .attempt_timeout(Duration::MAX)
        .call_timeout(Duration::MAX)
        .retry(
            RetryPolicy::new()
                .max_attempts(u32::MAX)
                .max_retry_after(Duration::MAX)
                .backoff(Backoff::new(Duration::MAX, Duration::MAX)),
        );
    let upvest = api.client_with(endless);
    // The wait of a day may outlast the deadline, which is a day too.
    drop(list(&upvest).await);
    let far = upvest.list_orders().resume_at(u64::MAX).items();
    let orders: Vec<_> = far.try_collect().await.unwrap();
    assert!(orders.is_empty());
    let status = upvest
        .retrieve_order()
        .order_id("5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11");
    let wait = upvest.wait_until(status, |_| false).timeout(Duration::MAX);
    assert!(
        tokio::time::timeout(SECOND, wait.into_future())
            .await
            .is_err()
    );
}

/// Polls a future up to `polls` times, with time in between, and drops it.
async fn poll_and_drop(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let mut context = Context::from_waker(Waker::noop());
        if future.as_mut().poll(&mut context).is_ready() {
            return;
        }
        advance(Duration::from_millis(50)).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_after_any_poll_holds_nothing() {
    for polls in 1..=200 {
        let api = FakeApi::with_tokens(
            |_, n| Reply::token(&format!("token-{n}"), 1799).after(SECOND),
            |_, n| match n {
                0 => Reply::status(503).after(SECOND),
                1 => Reply::status(429).header("retry-after", "1"),
                2 => Reply::status(401).after(SECOND),
                _ => Reply::order().after(SECOND),
            },
        );
        let upvest = api.client();
        poll_and_drop(polls, upvest.create_order().body(order()).send()).await;
        // Another call is not held up, and nothing of the dropped one remains.
        let other = upvest.create_order().body(order()).send();
        tokio::time::timeout(30 * SECOND, other)
            .await
            .unwrap()
            .unwrap();
        let tasks = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        assert_eq!(tasks, 0, "after {polls} polls");
    }
}
