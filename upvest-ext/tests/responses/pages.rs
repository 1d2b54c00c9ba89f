//! Lists as streams.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{FakeApi, Fate, Reply};
use futures_util::{Stream, StreamExt, TryStreamExt};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use upvest_ext::api::runtime::{List, Operation, OperationMeta, Page, Paginated};
use upvest_ext::api::types::{ListResponse, OrderStatus};
use upvest_ext::api::{Metadata, Response, operations};
use upvest_ext::{CallOptions, Error, ErrorKind, PaginateExt, RetryPolicy};

// ---- With a client ----

fn order(number: u64) -> serde_json::Value {
    json!({"id": format!("00000000-0000-4000-8000-{number:012}")})
}

fn query(seen: &crate::common::Seen, name: &str) -> Option<u64> {
    let (_, value) = seen
        .query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)?;
    value.parse().ok()
}

/// Answers with the requested page of a list of `total` orders.
fn orders(seen: &crate::common::Seen, total: u64) -> Reply {
    let offset = query(seen, "offset").unwrap();
    let limit = query(seen, "limit").unwrap();
    let data: Vec<_> = (offset..total.min(offset.saturating_add(limit)))
        .map(order)
        .collect();
    Reply::new(
        200,
        json!({"data": data, "meta": {"offset": offset, "total": total}}).to_string(),
    )
}

#[tokio::test(start_paused = true)]
async fn every_order_comes_once_with_the_filters_of_the_builder() {
    let api = FakeApi::new(|seen, _| orders(seen, 250));
    let upvest = api.client();
    let all: Vec<_> = upvest
        .list_orders()
        .status(OrderStatus::Filled)
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        all.iter()
            .map(|order| order.id)
            .collect::<HashSet<_>>()
            .len(),
        250
    );
    assert_eq!(api.api_calls(), 3);
    assert!(
        api.seen()
            .iter()
            .all(|seen| seen.query.contains("status=FILLED"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_without_pages_is_read_by_send() {
    let api = FakeApi::new(|_, _| {
        Reply::new(
            200,
            r#"{"data": [{"id": "00000000-0000-4000-8000-000000000001"}]}"#,
        )
    });
    let upvest = api.client();
    let positions = upvest
        .list_positions()
        .account_id("6e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11");
    assert_eq!(positions.send().await.unwrap().data.len(), 1);
    assert_eq!(api.api_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_page_size_outside_of_the_bounds_is_rejected_and_nothing_is_sent() {
    let api = FakeApi::new(|seen, _| orders(seen, 250));
    let upvest = api.client();
    for size in [0, 101] {
        let error = upvest
            .list_orders()
            .page_size(size)
            .items()
            .try_next()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("1 to 100"), "{error:?}");
    }
    assert_eq!(api.api_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_killed_in_the_middle_of_a_page_leaves_the_position_and_resuming_gives_the_rest() {
    let api = FakeApi::new(|seen, n| {
        if n == 2 {
            Reply::fate(Fate::BrokenBody)
        } else {
            orders(seen, 50)
        }
    });
    let upvest = api.client_with(CallOptions::new().retry(RetryPolicy::never()));
    let mut read = Vec::new();
    let mut items = upvest.list_orders().page_size(10).items();
    let error = loop {
        match items.next().await.unwrap() {
            Ok(order) => read.push(order.id),
            Err(error) => break error,
        }
    };
    assert!(items.next().await.is_none());
    assert_eq!(error.position(), Some(20));
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let rest = upvest
        .list_orders()
        .page_size(10)
        .resume_at(error.position().unwrap())
        .items();
    read.extend(
        rest.map_ok(|order| order.id)
            .try_collect::<Vec<_>>()
            .await
            .unwrap(),
    );
    assert_eq!(read.len(), 50);
    assert_eq!(read.iter().collect::<HashSet<_>>().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn all_sixteen_operations_that_page_are_streams_of_the_largest_pages() {
    async fn check<T: PaginateExt<Item: serde::Serialize>>(list: T) {
        assert!(list.items().next().await.is_none(), "{}", T::META.name);
    }
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api.client();
    check(upvest.list_users()).await;
    check(upvest.list_accounts()).await;
    check(upvest.list_instruments()).await;
    check(upvest.list_orders()).await;
    check(upvest.list_portfolios()).await;
    check(upvest.list_savings_plans()).await;
    check(upvest.list_direct_debits()).await;
    check(upvest.list_mandates()).await;
    check(upvest.list_withdrawals()).await;
    check(upvest.list_fee_configurations()).await;
    check(upvest.list_reports()).await;
    check(upvest.list_treasury_reports()).await;
    check(
        upvest
            .list_transactions()
            .account_id("6e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11"),
    )
    .await;
    check(upvest.list_securities_transfers()).await;
    check(upvest.list_account_transfers()).await;
    check(upvest.list_corporate_actions()).await;
    assert_eq!(api.api_calls(), 16);
    assert!(
        api.seen()
            .iter()
            .all(|seen| query(seen, "limit") == Some(100))
    );
}

#[test]
fn streams_are_send_and_unpin() {
    fn check<T: Stream + Send + Unpin>(_: &T) {}
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async { api.client() });
    check(&upvest.list_orders().items());
    check(&upvest.list_orders().prefetch(2).pages());
}

// ---- With a mock list ----

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Total {
    Right,
    Missing,
    Wrong(u64),
}

#[derive(Clone, Debug)]
struct Server {
    /// The rows. `None` is a row that the server omits from its page.
    rows: Vec<Option<u64>>,
    cap: u64,
    total: Total,
    states_offset: bool,
    /// From this request on, `offset` is ignored.
    ignores_offset_from: usize,
    latency: Duration,
    calls: Arc<AtomicUsize>,
    held: Arc<Held>,
}

impl Server {
    fn of(rows: impl IntoIterator<Item = u64>) -> Self {
        Self {
            rows: rows.into_iter().map(Some).collect(),
            cap: u64::MAX,
            total: Total::Right,
            states_offset: true,
            ignores_offset_from: usize::MAX,
            latency: Duration::ZERO,
            calls: Arc::default(),
            held: Arc::default(),
        }
    }

    fn list(&self) -> ListThings {
        ListThings {
            server: self.clone(),
            offset: 0,
            limit: 20,
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn answer(&self, asked: u64, limit: u32) -> ListResponse<Thing> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let offset = if call >= self.ignores_offset_from {
            0
        } else {
            asked
        };
        let size = u64::from(limit).min(self.cap);
        let rows = self
            .rows
            .iter()
            .skip(usize::try_from(offset).unwrap())
            .take(usize::try_from(size).unwrap());
        let data: Vec<_> = rows.flatten().map(|id| Thing { id: *id }).collect();
        let mut meta = json!({});
        match self.total {
            Total::Right => meta["total_count"] = self.rows.len().into(),
            Total::Wrong(total) => meta["total"] = total.into(),
            Total::Missing => {}
        }
        if self.states_offset {
            meta["offset"] = offset.into();
        }
        serde_json::from_value(json!({"data": data, "meta": meta})).unwrap()
    }
}

#[derive(Clone)]
struct ListThings {
    server: Server,
    offset: u64,
    limit: u32,
}

impl Operation for ListThings {
    const META: &'static OperationMeta = &operations::LIST_ORDERS;
    type Output = (ListResponse<Thing>, Arc<Held>);

    async fn send(self) -> Result<Response<Self::Output>, Error> {
        tokio::time::sleep(self.server.latency).await;
        let listing = self.server.answer(self.offset, self.limit);
        let output = (listing, Arc::clone(&self.server.held));
        Ok(Response::new(
            output,
            http::HeaderMap::new(),
            Metadata::new(http::StatusCode::OK),
        ))
    }
}

impl List for ListThings {
    type Item = Counted;

    fn page((listing, held): Self::Output) -> Page<Counted> {
        let page = Arc::new(PageTicket::new(held));
        let meta = listing.meta;
        let items: Vec<_> = listing.data;
        // A `Page` can only be made from a `ListResponse`, whose items are then replaced.
        let mut counted: ListResponse<Counted> =
            serde_json::from_value(json!({"data": [], "meta": meta})).unwrap();
        counted.data = items
            .into_iter()
            .map(|thing| Counted {
                id: thing.id,
                page: Some(Arc::clone(&page)),
            })
            .collect();
        counted.into()
    }

    fn with_page(self, offset: u64, limit: u32) -> Self {
        Self {
            offset,
            limit,
            ..self
        }
    }
}

impl Paginated for ListThings {}

/// An item. Its page is counted until all its items are dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counted {
    id: u64,
    #[serde(skip)]
    #[expect(dead_code, reason = "it is only held")]
    page: Option<Arc<PageTicket>>,
}

/// The number of pages in memory, and its maximum.
#[derive(Debug, Default)]
struct Held(Mutex<(usize, usize)>);

#[derive(Debug)]
struct PageTicket(Arc<Held>);

impl PageTicket {
    fn new(held: Arc<Held>) -> Self {
        let mut count = held.0.lock().unwrap();
        count.0 += 1;
        count.1 = count.1.max(count.0);
        drop(count);
        Self(held)
    }
}

impl Drop for PageTicket {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().0 -= 1;
    }
}

/// All items of a stream. Panics after `most` items, as the stream is then considered endless.
async fn read(
    stream: impl Stream<Item = Result<Counted, Error>>,
    most: usize,
) -> (Vec<u64>, Option<Error>) {
    let mut ids = Vec::new();
    let mut stream = std::pin::pin!(stream);
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => ids.push(item.id),
            Err(error) => {
                assert!(
                    stream.next().await.is_none(),
                    "a stream ends after an error"
                );
                return (ids, Some(error));
            }
        }
        assert!(ids.len() <= most, "endless");
    }
    (ids, None)
}

/// Whether the error says that the server ignored `offset` or repeated a page.
fn is_repetition(error: &Error) -> bool {
    error.kind() == ErrorKind::Paging && !error.to_string().contains("empty pages")
}

#[derive(Clone, Copy, Debug)]
enum Oddity {
    None,
    /// The server allows only smaller pages than requested.
    Cap(u64),
    /// Whole pages of rows are omitted, so that pages in the middle are empty.
    Holes(u64),
    NoTotal,
    TotalTooHigh(u64),
    TotalTooLow(u64),
    Repeats(usize),
}

fn oddity() -> impl Strategy<Value = Oddity> {
    prop_oneof![
        Just(Oddity::None),
        (1..40_u64).prop_map(Oddity::Cap),
        any::<u64>().prop_map(Oddity::Holes),
        Just(Oddity::NoTotal),
        (1..5_000_u64).prop_map(Oddity::TotalTooHigh),
        Just(Oddity::TotalTooHigh(u64::MAX / 2)),
        (0..300_u64).prop_map(Oddity::TotalTooLow),
        (1..6_usize).prop_map(Oddity::Repeats),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_item_comes_once_or_an_error_does_and_no_more_is_asked_than_needed(
        count in 0..300_u64, size in 1..60_u32, prefetch in 0..5_usize, states_offset: bool, oddity in oddity(),
    ) {
        let mut server = Server::of(0..count);
        server.states_offset = states_offset;
        let page = u64::from(size);
        let pages = |size: u64| usize::try_from(count.div_ceil(size).max(1)).unwrap();
        let mut needed = pages(page);
        match oddity {
            Oddity::TotalTooLow(total) if total < count => server.total = Total::Wrong(total),
            Oddity::None | Oddity::TotalTooLow(_) => {}
            Oddity::Cap(cap) => {
                server.cap = cap;
                needed = pages(cap.min(page));
            }
            Oddity::Holes(which) => {
                for (index, row) in server.rows.iter_mut().enumerate() {
                    let index = index as u64 / page;
                    // Every eighth page has rows, so that there are never ten empty pages in a row.
                    if !index.is_multiple_of(8) && which >> (index % 64) & 1 == 1 {
                        *row = None;
                    }
                }
            }
            Oddity::NoTotal => {
                server.total = Total::Missing;
                needed = usize::try_from(count / page).unwrap() + 1;
            }
            Oddity::TotalTooHigh(excess) => {
                server.total = Total::Wrong(count + excess);
            }
            Oddity::Repeats(from) => server.ignores_offset_from = from,
        }
        let there: Vec<_> = server.rows.iter().flatten().copied().collect();
        let stream = server.list().page_size(size).prefetch(prefetch).items();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (ids, error) = runtime.block_on(read(stream, 300));
        match oddity {
            Oddity::Repeats(from) if from < needed => {
                prop_assert!(error.is_some_and(|error| is_repetition(&error)));
                prop_assert!(there.starts_with(&ids));
            }
            // After a full last page, a total that is far too high looks like empty pages.
            Oddity::TotalTooHigh(_) => {
                prop_assert_eq!(ids, there);
                let full = count.is_multiple_of(page);
                prop_assert!(full || error.is_none());
                needed += if full { 10 } else { 1 };
            }
            // A total that is reached at the end of a page cannot be detected as wrong.
            Oddity::TotalTooLow(total) if total < count && total > 0 && total.is_multiple_of(page) => {
                prop_assert_eq!(ids, &there[..usize::try_from(total).unwrap()]);
                needed = usize::try_from(total / page).unwrap();
            }
            Oddity::TotalTooLow(total) if total < count => {
                prop_assert_eq!(ids, there);
                prop_assert!(error.is_none());
                needed = usize::try_from(count / page).unwrap() + 1;
            }
            _ => {
                prop_assert_eq!(ids, there);
                prop_assert!(error.is_none());
            }
        }
        let calls = server.calls();
        prop_assert!(calls <= needed + prefetch, "{calls} requests where {needed} are needed");
        if prefetch == 0 && !matches!(oddity, Oddity::TotalTooHigh(_) | Oddity::Repeats(_)) {
            prop_assert_eq!(calls, needed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn prefetch_is_three_times_as_fast_and_holds_no_more_than_its_pages_and_one() {
    async fn run(prefetch: usize) -> (Duration, usize) {
        let server = Server {
            latency: Duration::from_millis(20),
            ..Server::of(0..10_000)
        };
        let started = tokio::time::Instant::now();
        let mut items = server.list().prefetch(prefetch).items();
        let mut count = 0;
        while let Some(item) = items.try_next().await.unwrap() {
            assert_eq!(item.id, count, "in order");
            count += 1;
        }
        assert_eq!(count, 10_000);
        assert_eq!(server.calls(), 100);
        (started.elapsed(), server.held.0.lock().unwrap().1)
    }
    let (one_by_one, held) = run(0).await;
    assert_eq!(held, 1);
    let (ahead, held) = run(4).await;
    println!("{one_by_one:?} one by one, {ahead:?} with prefetch(4), at most {held} pages held");
    assert!(ahead * 3 <= one_by_one, "{ahead:?} against {one_by_one:?}");
    assert!(held <= 5, "{held} pages held");
}

#[tokio::test(start_paused = true)]
async fn no_more_pages_are_requested_ahead_than_was_set() {
    for prefetch in [0, 1, 3] {
        let server = Server::of(0..1_000);
        let mut items = server.list().page_size(10).prefetch(prefetch).items();
        for page in 1..=5 {
            for _ in 0..10 {
                items.try_next().await.unwrap().unwrap();
            }
            // The requests run on their own tasks.
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(server.calls(), page + prefetch);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pages_requested_ahead_are_dropped_after_a_short_page() {
    // The second page has only half of its items, so the third one starts at 15 and not at 20.
    let api = FakeApi::new(|seen, _| {
        let offset = query(seen, "offset").unwrap();
        let length = if offset == 10 { 5 } else { 10 };
        let data: Vec<_> = (offset..30.min(offset + length)).map(order).collect();
        let list = json!({"data": data, "meta": {"total": 30}});
        Reply::new(200, list.to_string())
    });
    let list = api.client().list_orders().page_size(10).prefetch(2);
    let all: Vec<_> = list.items().try_collect().await.unwrap();
    let ids: Vec<_> = all.iter().map(|order| json!({ "id": order.id })).collect();
    let expected: Vec<_> = (0..30).map(order).collect();
    assert_eq!(ids, expected);
}

#[tokio::test(start_paused = true)]
async fn requests_ahead_end_with_the_stream() {
    let server = Server {
        latency: Duration::from_secs(1),
        ..Server::of(0..1_000)
    };
    let mut items = server.list().page_size(10).prefetch(3).items();
    items.try_next().await.unwrap().unwrap();
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 3);
    drop(items);
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn take_fetches_no_page_that_it_does_not_need() {
    let server = Server::of(0..1_000);
    for (take, calls) in [(0, 0), (1, 1), (10, 1), (11, 2), (30, 3)] {
        let before = server.calls();
        let stream = server.list().page_size(10).items().take(take);
        assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap().len(), take);
        assert_eq!(server.calls() - before, calls, "{take} items");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_stream_is_polled() {
    let server = Server::of(0..100);
    let items = server.list().prefetch(3).items();
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(items);
    assert_eq!(server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_next_that_is_given_up_loses_nothing() {
    let server = Server {
        latency: Duration::from_millis(20),
        ..Server::of(0..95)
    };
    for prefetch in [0, 3] {
        let mut items = server.list().page_size(10).prefetch(prefetch).items();
        let mut ids = Vec::new();
        let mut given_up = 0;
        loop {
            match tokio::time::timeout(Duration::from_millis(7), items.try_next()).await {
                Ok(Ok(Some(item))) => ids.push(item.id),
                Ok(Ok(None)) => break,
                Ok(Err(error)) => panic!("{error}"),
                Err(_) => given_up += 1,
            }
        }
        assert!(given_up > 0);
        assert_eq!(ids, (0..95).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn pages_and_items_are_two_views_of_one_list() {
    let server = Server::of(0..25);
    let sizes: Vec<_> = server
        .list()
        .page_size(10)
        .pages()
        .map_ok(|page| page.items.len())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(sizes, [10, 10, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_resumes_at_a_checkpoint() {
    let server = Server::of(0..25);
    let mut items = server.list().page_size(10).items();
    for _ in 0..13 {
        items.try_next().await.unwrap();
    }
    let rest = server.list().page_size(10).resume_at(13).items();
    let ids: Vec<_> = rest.map_ok(|item| item.id).try_collect().await.unwrap();
    assert_eq!(ids, (13..25).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_offset_is_told_from_its_meta_and_without_one_from_its_items() {
    for states_offset in [true, false] {
        let server = Server {
            ignores_offset_from: 0,
            states_offset,
            total: Total::Missing,
            ..Server::of(0..1_000)
        };
        let (ids, error) = read(server.list().page_size(10).items(), 1_000).await;
        let error = error.unwrap();
        assert_eq!(ids.len(), 10);
        assert_eq!(error.position(), Some(10));
        assert!(is_repetition(&error));
        assert!(
            error.to_string().starts_with("listOrders: the server"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefetched_page_that_fails_ends_the_stream_in_its_place() {
    let api = FakeApi::new(|seen, _| match query(seen, "offset") {
        Some(300) => Reply::status(404),
        _ => orders(seen, 1000),
    });
    let upvest = api.client();
    let mut items = upvest.list_orders().page_size(100).prefetch(5).items();
    for _ in 0..300 {
        items.try_next().await.unwrap().unwrap();
    }
    let error = items.try_next().await.unwrap_err();
    assert_eq!(error.position(), Some(300));
    assert!(items.try_next().await.unwrap().is_none());
    drop(items);
    tokio::task::yield_now().await;
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn each_error_of_a_list_names_its_operation_and_the_position() {
    let api = FakeApi::new(|seen, _| {
        let offset = query(seen, "offset");
        assert_ne!(offset, Some(300), "the task of this page is to panic");
        orders(seen, 1000)
    });
    let upvest = api.client();
    let list = upvest.list_orders().resume_at(100).prefetch(5);
    let panicked = list.page_size(100).items().try_collect::<Vec<_>>().await;
    let list = upvest.list_orders().resume_at(300).page_size(0);
    let wrong_size = list.items().try_collect::<Vec<_>>().await;
    for result in [panicked, wrong_size] {
        let error = result.unwrap_err();
        assert_eq!(error.operation(), Some("listOrders"), "{error}");
        assert_eq!(error.position(), Some(300), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_resumed_past_its_end_is_empty() {
    let api = FakeApi::new(|seen, _| orders(seen, 250));
    let upvest = api.client();
    for offset in [250, 251, 10_000, u64::MAX] {
        let list = upvest.list_orders().resume_at(offset).prefetch(5);
        let orders: Vec<_> = list.items().try_collect().await.unwrap();
        assert!(orders.is_empty(), "{offset}");
    }
    assert_eq!(api.api_calls(), 4);
}
