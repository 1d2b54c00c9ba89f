//! The most important guarantee: an order is placed exactly once despite network failures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use upvest_ext::UpvestBuilder;
use upvest_ext::api::runtime::Decimal;
use upvest_ext::api::types::{OrderCreate, OrderId, OrderSide, OrderType};
use upvest_ext::{Backoff, CallOptions, Error, PaginateExt as _, RetryBudget, RetryPolicy, Upvest};
use upvest_sandbox::{Fault, RequestRecord, Sandbox};
use uuid::Uuid;

const ORDERS: usize = 10_000;
const AT_ONCE: usize = 64;
/// Longer than an idle server takes, but shorter than [`DELAY`], so that the client gives up before the order is
/// placed.
const PATIENCE: Duration = Duration::from_millis(400);
const DELAY: u64 = 1_200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_orders_under_random_faults_are_placed_exactly_once() {
    let sandbox = Sandbox::builder()
        .seed(7)
        .event_limit(2 * ORDERS)
        .start()
        .await
        .unwrap();
    let account = sandbox.open_account("1000.00").await.unwrap();
    let upvest = client_with_many_retries(&sandbox);
    // The token is requested before there are faults, because this test is about orders.
    upvest.list_orders().send().await.unwrap();
    let before = everything_but_orders(&sandbox).await;
    let started = Instant::now();
    sandbox.random_faults(0.2, faults()).await.unwrap();

    let placed: Vec<Result<OrderId, Error>> = stream::iter(0..ORDERS)
        .map(|number| place(&upvest, account, number))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;

    sandbox.clear_faults().await;
    let stored = orders_when_all_is_quiet(&sandbox).await;
    let failures: Vec<_> = placed
        .iter()
        .filter_map(|placed| placed.as_ref().err())
        .collect();
    assert!(
        failures.is_empty(),
        "{} calls failed, such as: {}",
        failures.len(),
        failures[0]
    );
    let answered: BTreeSet<_> = placed.into_iter().flatten().collect();
    assert_eq!(
        answered.len(),
        ORDERS,
        "two calls were answered with one order"
    );
    assert_eq!(stored.len(), ORDERS, "orders were lost or placed twice");
    assert_eq!(
        stored.into_iter().collect::<BTreeSet<_>>(),
        answered,
        "other orders than those that were answered"
    );
    let announced = sandbox
        .events()
        .iter()
        .filter(|event| event.event_type == "ORDER.NEW")
        .count();
    assert_eq!(announced, ORDERS);
    assert_eq!(
        everything_but_orders(&sandbox).await,
        before,
        "something else was made"
    );
    assert_eq!(sandbox.audit(), Vec::<String>::new());
    assert_many_faults_occurred(&sandbox.requests());
    let took = started.elapsed();
    println!("{ORDERS} orders took {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(60), "it took {took:?}");
}

/// A client with up to 100 attempts, short waits and a large retry budget.
fn client_with_many_retries(sandbox: &Sandbox) -> Upvest {
    let backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(200));
    let policy = RetryPolicy::new().max_attempts(100).backoff(backoff);
    let client = UpvestBuilder::from_vars(sandbox.vars())
        .defaults(CallOptions::new().attempt_timeout(PATIENCE).retry(policy));
    client
        .retry_budget(RetryBudget::new(10_000_000))
        .build()
        .unwrap()
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::ResetBeforeCommit,
        Fault::ResetAfterCommit,
        Fault::ServerError {
            status: 503,
            html: false,
            after_commit: false,
        },
        Fault::ServerError {
            status: 504,
            html: true,
            after_commit: true,
        },
        // After a 429 without `retry-after`, the client would make all calls wait for a second.
        Fault::TooManyRequests {
            retry_after: Some(0),
        },
        Fault::Delay { millis: DELAY },
    ]
}

async fn place(upvest: &Upvest, account: Uuid, number: usize) -> Result<OrderId, Error> {
    // Each order has a different amount, so that the response to another call would be detected.
    let amount: Decimal = format!("{number}.01").parse().unwrap();
    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount(amount);
    let order = upvest.create_order().body(order).send().await?;
    assert_eq!(
        order.cash_amount,
        Some(amount),
        "the response to another call"
    );
    Ok(order.id)
}

/// Lists the orders after all delayed attempts have ended, including those that the client no longer waits for.
async fn orders_when_all_is_quiet(sandbox: &Sandbox) -> Vec<OrderId> {
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    sandbox
        .fail_next("listOrders", Fault::Delay { millis: 2 * DELAY })
        .await
        .unwrap();
    let first = upvest.list_orders().limit(1).send().await.unwrap();
    assert_eq!(
        first.meta.as_ref().and_then(|meta| meta.total),
        Some(ORDERS as u64)
    );
    let orders: Vec<_> = upvest
        .list_orders()
        .limit(100)
        .items()
        .try_collect()
        .await
        .unwrap();
    orders.into_iter().map(|order| order.id).collect()
}

/// The numbers of resources that placing orders must not change.
async fn everything_but_orders(sandbox: &Sandbox) -> Value {
    let state = reqwest::get(format!("{}/_sandbox/state", sandbox.url()))
        .await
        .unwrap()
        .json()
        .await;
    let mut state: BTreeMap<String, Value> = state.unwrap();
    for grows in ["orders", "events", "requests"] {
        state.remove(grows).unwrap();
    }
    serde_json::to_value(state).unwrap()
}

/// The test is meaningful only if many faults occurred.
fn assert_many_faults_occurred(requests: &[RequestRecord]) {
    let hit: Vec<_> = requests
        .iter()
        .filter(|request| request.operation.as_deref() == Some("createOrder"))
        .collect();
    let keys: BTreeSet<_> = hit
        .iter()
        .filter_map(|request| request.idempotency_key.as_deref())
        .collect();
    assert_eq!(
        keys.len(),
        ORDERS,
        "one key for each call, however many attempts it took"
    );
    let mut faults = BTreeMap::new();
    for request in hit.iter().filter(|request| request.fault.is_some()) {
        *faults
            .entry((request.fault.unwrap(), request.status))
            .or_insert(0_u32) += 1;
    }
    assert!(faults.values().sum::<u32>() >= 1_500, "{faults:?}");
    for fault in [
        ("reset_before_commit", None),
        ("reset_after_commit", None),
        ("server_error", Some(503)),
        ("server_error", Some(504)),
        ("too_many_requests", Some(429)),
        ("delay", Some(201)),
    ] {
        assert!(faults.contains_key(&fault), "no {fault:?} in {faults:?}");
    }
    let replayed = |fault: Option<&str>| {
        hit.iter()
            .filter(|it| it.replayed && it.fault == fault)
            .count()
    };
    assert!(
        replayed(None) > 0,
        "no attempt met an order that an earlier one had placed"
    );
    assert!(
        replayed(Some("delay")) > 0,
        "no delayed attempt came after the one that was to replace it"
    );
}
