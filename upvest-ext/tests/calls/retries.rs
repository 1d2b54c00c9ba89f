//! Retries of calls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{FakeApi, Fate, Reply, Seen};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, timeout};
use upvest_ext::api::operations::OPERATIONS;
use upvest_ext::{
    CallOptions, Error, ErrorKind, IdempotencyKey, Method, RetryBudget, RetryClass, RetryPolicy,
    Upvest,
};

const SECOND: Duration = Duration::from_secs(1);

/// The number of attempts if every response is `reply`: of a read, a write with a key, and a write without one.
const TABLE: &[(Row, [u32; 3])] = &[
    (Row::Status(301), [1, 1, 1]),
    (Row::Status(302), [1, 1, 1]),
    (Row::Status(307), [1, 1, 1]),
    (Row::Status(400), [1, 1, 1]),
    // The server rejects the token before it looks at the call, so every call is sent again with a new token.
    (Row::Status(401), [2, 2, 2]),
    (Row::Status(403), [1, 1, 1]),
    (Row::Status(404), [1, 1, 1]),
    (Row::Status(405), [1, 1, 1]),
    (Row::Status(406), [1, 1, 1]),
    (Row::Status(408), [4, 4, 1]),
    (Row::Status(409), [1, 1, 1]),
    (Row::Status(410), [1, 1, 1]),
    (Row::Status(418), [1, 1, 1]),
    (Row::Status(422), [1, 1, 1]),
    // It was not processed, so it is safe to send it again without a key too.
    (Row::Status(425), [4, 4, 4]),
    (Row::Status(426), [1, 1, 1]),
    (Row::Status(429), [4, 4, 4]),
    (Row::Status(500), [4, 1, 1]),
    (Row::Status(501), [1, 1, 1]),
    (Row::Status(502), [4, 4, 1]),
    (Row::Status(503), [4, 4, 1]),
    (Row::Status(504), [4, 4, 1]),
    (Row::Status(505), [1, 1, 1]),
    (Row::Status(599), [1, 1, 1]),
    // Nothing was sent.
    (Row::Fate(Fate::NotSent), [4, 4, 4]),
    (Row::Fate(Fate::Broken), [4, 4, 1]),
    (Row::Fate(Fate::BrokenBody), [4, 4, 1]),
    (Row::Fate(Fate::Silence), [4, 4, 1]),
];

#[derive(Clone, Copy, Debug)]
enum Row {
    Status(u16),
    Fate(Fate),
}

/// The methods, whether there is a key, and the column of the table.
const CALLS: &[(Method, bool, usize)] = &[
    (Method::GET, false, 0),
    (Method::HEAD, false, 0),
    (Method::GET, true, 0),
    (Method::POST, true, 1),
    (Method::PATCH, true, 1),
    (Method::PUT, true, 1),
    (Method::DELETE, true, 1),
    (Method::POST, false, 2),
    (Method::PATCH, false, 2),
    (Method::PUT, false, 2),
    (Method::DELETE, false, 2),
];

fn always(row: Row) -> FakeApi {
    FakeApi::new(move |_, _| match row {
        Row::Status(status) => Reply::status(status),
        Row::Fate(fate) => Reply::fate(fate),
    })
}

#[tokio::test(start_paused = true)]
async fn each_status_is_retried_as_often_as_the_table_allows() {
    for (row, expected) in TABLE {
        for (method, keyed, column) in CALLS {
            let api = always(*row);
            let options = CallOptions::new().attempt_timeout(5 * SECOND);
            let mut request = api.client().with(options).request(method.clone(), ["x"]);
            if *keyed {
                request = request.idempotency_key(IdempotencyKey::generate());
            }
            let error = request.send().await.unwrap_err();
            let attempts = api.seen().len();
            let case = format!("{row:?} {method} keyed={keyed}");
            assert_eq!(attempts, expected[*column] as usize, "{case}: {error}");
            assert_eq!(error.attempts(), expected[*column], "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_generated_operations_follow_the_same_table() {
    for (row, expected) in TABLE {
        let read = always(*row);
        let keyed = always(*row);
        let never = always(*row);
        let options = || CallOptions::new().attempt_timeout(5 * SECOND);
        read.client()
            .with(options())
            .list_orders()
            .send()
            .await
            .unwrap_err();
        keyed
            .client()
            .with(options())
            .create_order()
            .body(crate::common::order())
            .send()
            .await
            .unwrap_err();
        let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
        never
            .client()
            .with(options())
            .cancel_order()
            .order_id(id)
            .send()
            .await
            .unwrap_err();
        let made = [read, keyed, never].map(|api| u32::try_from(api.api_calls()).unwrap());
        assert_eq!(made, *expected, "{row:?}");
    }
}

#[test]
fn the_class_of_every_operation_is_reviewed() {
    let classes: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| {
            format!(
                "{:?} {} {} {}",
                RetryClass::of(operation),
                operation.name,
                operation.method,
                operation.path
            )
        })
        .collect();
    assert_eq!(classes.len(), 70);
    insta::assert_snapshot!(classes.join("\n"));
}

/// A server that places one order for each key, but does not answer properly.
#[derive(Clone, Default)]
struct Exchange {
    orders: Arc<Mutex<HashMap<String, usize>>>,
    placed: Arc<AtomicUsize>,
}

impl Exchange {
    fn place(&self, seen: &Seen) {
        let mut orders = self.orders.lock().unwrap();
        let key = match seen.header("idempotency-key") {
            "" => format!("unkeyed {}", orders.len()),
            key => key.to_owned(),
        };
        orders
            .entry(key)
            .or_insert_with(|| self.placed.fetch_add(1, Ordering::SeqCst));
    }

    fn placed(&self) -> usize {
        self.placed.load(Ordering::SeqCst)
    }

    /// An API on which a request meets a random fault three times out of four.
    fn api(&self, seed: u64) -> FakeApi {
        let exchange = self.clone();
        let random = Mutex::new(StdRng::seed_from_u64(seed));
        FakeApi::new(move |seen, _| {
            let (fault, commits) = {
                let mut random = random.lock().unwrap();
                (random.random_range(0..12), random.random_bool(0.5))
            };
            let (reply, may_commit) = match fault {
                0 => (Reply::fate(Fate::NotSent), false),
                1 => (Reply::fate(Fate::Broken), true),
                2 => (Reply::fate(Fate::BrokenBody), true),
                3 => (Reply::fate(Fate::Silence), true),
                4 => (Reply::status(502), true),
                5 => (Reply::status(503).header("retry-after", "1"), true),
                6 => (Reply::status(504), true),
                7 => (Reply::status(500), true),
                8 => (Reply::status(429), false),
                _ => (Reply::order(), true),
            };
            if may_commit && (commits || reply.status == 201) {
                exchange.place(seen);
            }
            reply
        })
    }
}

async fn place(upvest: &Upvest, key: IdempotencyKey) -> Result<(), Error> {
    upvest
        .create_order()
        .idempotency_key(key)
        .body(crate::common::order())
        .send()
        .await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_commits_and_drops_a_thousand_times_has_a_thousand_orders() {
    let exchange = Exchange::default();
    let mut resumed = 0;
    for run in 1..=1000 {
        let api = exchange.api(run as u64);
        let upvest = api.client();
        // As recommended: the key is stored before the call, and a failed call is sent again with it, even by the
        // next process.
        let stored = IdempotencyKey::generate().to_string();
        while place(&upvest, stored.parse().unwrap()).await.is_err() {
            resumed += 1;
        }
        assert_eq!(exchange.placed(), run);
    }
    assert_eq!(exchange.placed(), 1000);
    assert!(
        resumed > 50,
        "only {resumed} calls failed, so this has not tested much"
    );
}

#[tokio::test(start_paused = true)]
async fn keys_made_by_the_client_order_once_too() {
    let exchange = Exchange::default();
    for run in 0..1000 {
        let before = exchange.placed();
        let result = exchange
            .api(run)
            .client()
            .create_order()
            .body(crate::common::order())
            .send()
            .await;
        let placed = exchange.placed() - before;
        match result {
            Ok(_) => assert_eq!(placed, 1),
            Err(error) => assert!(
                placed == 0 || placed == 1 && error.is_outcome_unknown(),
                "{error}"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_key_an_error_that_claims_nothing_happened_is_right() {
    let exchange = Exchange::default();
    let mut unknown = 0;
    let mut known = 0;
    for run in 0..1000 {
        let before = exchange.placed();
        let twice = CallOptions::new().retry(RetryPolicy::new().max_attempts(2));
        let result = exchange
            .api(run)
            .client_with(twice)
            .request(Method::POST, ["unkeyed"])
            .json(&1)
            .send()
            .await;
        let placed = exchange.placed() - before;
        match result {
            Ok(_) => assert_eq!(placed, 1),
            Err(error) if error.is_outcome_unknown() => unknown += usize::from(placed <= 1),
            Err(error) => {
                assert_eq!(placed, 0, "{error}");
                known += 1;
            }
        }
    }
    assert!(unknown > 100 && known > 10, "{unknown} {known}");
}

#[tokio::test(start_paused = true)]
async fn a_call_never_outlasts_its_deadline() {
    let slow = [
        Reply::fate(Fate::Silence),
        Reply::status(503),
        Reply::status(503).after(700 * SECOND / 1000),
        Reply::status(429).header("retry-after", "2"),
        Reply::empty_list().after(100 * SECOND),
        Reply::fate(Fate::NotSent).after(SECOND),
    ];
    let patient = RetryPolicy::new().max_attempts(1000);
    for millis in [0, 1, 130, 999, 2500, 7777] {
        let deadline = Duration::from_millis(millis);
        for token in [
            Reply::token("t", 1799),
            Reply::token("t", 1799).after(SECOND),
            Reply::fate(Fate::Silence),
        ] {
            for reply in &slow {
                let case = format!("{deadline:?} {token:?} {reply:?}");
                let token = token.clone();
                let reply = reply.clone();
                let api =
                    FakeApi::with_tokens(move |_, _| token.clone(), move |_, _| reply.clone());
                let upvest = api.client_with(CallOptions::new().retry(patient));
                let started = Instant::now();
                let options = CallOptions::new()
                    .call_timeout(deadline)
                    .attempt_timeout(400 * SECOND);
                upvest.with(options).list_orders().send().await.unwrap_err();
                assert!(
                    started.elapsed() <= deadline + Duration::from_millis(50),
                    "{case}: {:?}",
                    started.elapsed()
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_already_sends_nothing_and_one_without_an_end_is_fine() {
    let api = FakeApi::new(|_, n| {
        if n == 0 {
            Reply::status(503)
        } else {
            Reply::empty_list()
        }
    });
    let upvest = api.client();
    upvest.list_orders().send().await.unwrap();
    let late = CallOptions::new().call_timeout(Duration::ZERO);
    let error = upvest.with(late).list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.attempts(), 0);
    assert_eq!(api.api_calls(), 2);
    let api = FakeApi::new(|_, n| {
        if n == 0 {
            Reply::status(503)
        } else {
            Reply::empty_list()
        }
    });
    let endless = CallOptions::new()
        .call_timeout(Duration::MAX)
        .attempt_timeout(Duration::MAX);
    let response = api
        .client()
        .with(endless)
        .list_orders()
        .send()
        .await
        .unwrap();
    assert_eq!(response.metadata().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_by_the_deadline_may_have_happened() {
    let api = FakeApi::new(|_, _| Reply::fate(Fate::Silence));
    let options = CallOptions::new().call_timeout(SECOND);
    let result = api
        .client()
        .with(options)
        .create_order()
        .body(crate::common::order())
        .send()
        .await;
    let error = result.unwrap_err();
    assert!(error.is_timeout() && error.is_outcome_unknown());
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.elapsed(), Some(SECOND));
    assert!(error.hint().unwrap().contains("same `idempotency_key()`"));

    let api = FakeApi::with_tokens(|_, _| Reply::fate(Fate::Silence), |_, _| Reply::order());
    let options = CallOptions::new().call_timeout(SECOND);
    let result = api
        .client()
        .with(options)
        .create_order()
        .body(crate::common::order())
        .send()
        .await;
    assert!(
        !result.unwrap_err().is_outcome_unknown(),
        "no token, so nothing was sent"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_leaves_no_task_and_sends_nothing_more() {
    for millis in [0, 1, 500, 1500, 2500, 10_000] {
        let api = FakeApi::with_tokens(
            |_, _| Reply::token("t", 1799).after(SECOND),
            |_, n| {
                if n % 2 == 0 {
                    Reply::status(503).after(SECOND)
                } else {
                    Reply::fate(Fate::Silence)
                }
            },
        );
        let upvest = api.client();
        assert!(
            timeout(Duration::from_millis(millis), upvest.list_orders().send())
                .await
                .is_err()
        );
        let sent = api.api_calls();
        tokio::time::sleep(Duration::from_secs(600)).await;
        // A dropped call does not end its token request, as other calls may wait for it.
        assert_eq!(api.token_calls(), 1, "dropped after {millis} ms");
        assert_eq!(api.api_calls(), sent, "dropped after {millis} ms");
        assert_eq!(
            tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks(),
            0
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_cause_a_retry_storm() {
    let api = always(Row::Status(503));
    let upvest = api.client();
    for _ in 0..10_000 {
        upvest.list_orders().send().await.unwrap_err();
    }
    let extra = api.api_calls() - 10_000;
    assert!(extra <= 100 + 100, "{extra} extra attempts");
    assert_eq!(extra, 100, "500 tokens at 5 each");
    let error = upvest.list_orders().send().await.unwrap_err();
    assert!(
        error
            .hint()
            .unwrap()
            .contains("the retry budget is used up")
    );
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_share_the_budget_too() {
    let api = always(Row::Status(503));
    let upvest = api.client();
    futures_util::future::join_all((0..10_000).map(|_| upvest.list_orders().send())).await;
    assert_eq!(api.api_calls() - 10_000, 100);
}

#[tokio::test(start_paused = true)]
async fn a_success_refills_the_budget() {
    let api = FakeApi::new(|_, n| {
        if n % 2 == 0 {
            Reply::status(503)
        } else {
            Reply::empty_list()
        }
    });
    let budget = RetryBudget::new(5);
    let upvest = api.builder().retry_budget(budget.clone()).build().unwrap();
    for _ in 0..100 {
        upvest.list_orders().send().await.unwrap();
    }
    assert_eq!(api.api_calls(), 200);
    assert_eq!(budget.available(), 5);
}

#[tokio::test(start_paused = true)]
async fn retries_wait_as_long_as_the_policy_says() {
    // The longest waits are 250, 500 and 1000 ms. After a 429 all calls wait for 1 to 1.5 s.
    for (status, bounds) in [
        (503, [(0, 250), (0, 500), (0, 1000)]),
        (429, [(1000, 1500), (1000, 1500), (1000, 1500)]),
    ] {
        let api = always(Row::Status(status));
        api.client().list_orders().send().await.unwrap_err();
        let times: Vec<_> = api.seen().iter().map(|seen| seen.at).collect();
        let waits: Vec<_> = times
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_millis())
            .collect();
        assert_eq!(waits.len(), 3);
        for (wait, (least, most)) in waits.iter().zip(bounds) {
            assert!((least..=most + 2).contains(wait), "{status}: {waits:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    for (value, date) in [
        ("7", None),
        (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            Some("Sun, 06 Nov 1994 08:49:30 GMT"),
        ),
    ] {
        let api = FakeApi::new(move |_, n| match (n, date) {
            (0, None) => Reply::status(503).header("retry-after", value),
            (0, Some(date)) => Reply::status(429)
                .header("retry-after", value)
                .header("date", date),
            _ => Reply::empty_list(),
        });
        let response = api
            .client()
            .list_orders()
            .send()
            .await
            .unwrap()
            .metadata()
            .clone();
        assert_eq!(response.attempts, 2);
        assert_eq!(response.elapsed.as_secs(), 7);
    }
    let api = FakeApi::new(|_, _| Reply::status(503).header("retry-after", "31"));
    let error = api.client().list_orders().send().await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.elapsed(), Some(Duration::ZERO));
    assert_eq!(error.retry_after(), Some(31 * SECOND));
    assert!(error.hint().unwrap().contains("retry_after()"));
}

#[tokio::test(start_paused = true)]
async fn a_policy_can_be_set_for_the_client_and_for_a_call() {
    let api = always(Row::Status(503));
    let upvest = api.client_with(CallOptions::new().retry(RetryPolicy::new().max_attempts(2)));
    let count = async |upvest: &Upvest| upvest.list_orders().send().await.unwrap_err().attempts();
    assert_eq!(count(&upvest).await, 2);
    assert_eq!(
        count(&upvest.with(CallOptions::new().retry(RetryPolicy::never()))).await,
        1
    );
    assert_eq!(
        count(&upvest.with(CallOptions::new().retry(RetryPolicy::new().max_attempts(6)))).await,
        6
    );
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempt_that_may_have_happened_is_not_forgotten() {
    let api = FakeApi::new(|_, n| {
        if n == 0 {
            Reply::fate(Fate::Broken)
        } else {
            Reply::status(403)
        }
    });
    let error = api
        .client()
        .create_order()
        .body(crate::common::order())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert_eq!(error.attempts(), 2);
    assert!(
        error.is_outcome_unknown(),
        "the first attempt may have been carried out"
    );
}
