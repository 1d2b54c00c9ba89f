//! Waits for a final status.

use std::time::Duration;

use crate::common::{FakeApi, Fate, Reply};
use serde_json::json;
use upvest_ext::api::types::{DirectDebit, Order, OrderId, OrderStatus, ReportStatus, Withdrawal};
use upvest_ext::{Backoff, CallOptions, Error, ErrorKind, RetryPolicy, Upvest};

const ID: &str = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";

fn id() -> OrderId {
    ID.parse().unwrap()
}

fn order(status: &str) -> Reply {
    Reply::new(200, json!({"id": ID, "status": status}).to_string())
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_the_order_does() {
    for last in ["FILLED", "CANCELLED", "REJECTED"] {
        let api =
            FakeApi::new(move |_, n| order(["NEW", "PROCESSING", "A_NEW_STATUS", last][n.min(3)]));
        let order = api
            .client()
            .wait_for(api.client().retrieve_order().order_id(id()))
            .await
            .unwrap();
        assert_eq!(order.status.unwrap().as_str(), last);
        assert_eq!(api.api_calls(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_times_out_returns_the_latest_state_of_the_order() {
    let api = FakeApi::new(|_, _| order("PROCESSING"));
    let started = tokio::time::Instant::now();
    let error = api
        .client()
        .wait_for(api.client().retrieve_order().order_id(id()))
        .timeout(Duration::from_secs(60))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.operation(), Some("retrieveOrder"));
    assert_eq!(started.elapsed(), Duration::from_secs(60));
    assert_eq!(
        error.last_seen::<Order>().unwrap().status,
        Some(OrderStatus::Processing)
    );
    assert!(
        api.api_calls() < 60,
        "{} looks in a minute",
        api.api_calls()
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_killed_in_the_middle_of_a_wait_is_an_error_and_waiting_again_gives_the_end() {
    let api = FakeApi::new(|_, n| match n {
        0 => order("PROCESSING"),
        1 => Reply::fate(Fate::Broken),
        _ => order("FILLED"),
    });
    let upvest = api.client_with(CallOptions::new().retry(RetryPolicy::never()));
    let error = upvest
        .wait_for(upvest.retrieve_order().order_id(id()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(error.operation(), Some("retrieveOrder"));
    assert_eq!(error.attempts(), 1);
    assert_eq!(
        error.last_seen::<Order>().unwrap().status,
        Some(OrderStatus::Processing)
    );
    assert_eq!(
        upvest
            .wait_for(upvest.retrieve_order().order_id(id()))
            .await
            .unwrap()
            .status,
        Some(OrderStatus::Filled)
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_may_appear_late_but_not_never() {
    let late = FakeApi::new(|_, n| {
        if n < 3 {
            Reply::status(404)
        } else {
            order("FILLED")
        }
    });
    assert!(
        late.client()
            .wait_for(late.client().retrieve_order().order_id(id()))
            .await
            .is_ok()
    );
    let never = FakeApi::new(|_, _| Reply::status(404));
    let error = never
        .client()
        .wait_for(never.client().retrieve_order().order_id(id()))
        .await
        .unwrap_err();
    assert!(error.is_not_found() && error.last_seen::<Order>().is_none());
    assert_eq!(error.operation(), Some("retrieveOrder"));
    let empty = FakeApi::new(|_, _| Reply::empty_list()).client();
    let report = empty.wait_for_item(empty.list_reports(), ID.parse().unwrap());
    assert_eq!(report.await.unwrap_err().operation(), Some("listReports"));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_missing_for_a_moment_is_waited_for() {
    let api = FakeApi::new(|_, n| match n {
        0 => order("NEW"),
        1 => Reply::status(404),
        _ => order("FILLED"),
    });
    let upvest = api.client();
    let order = upvest.wait_for(upvest.retrieve_order().order_id(id()));
    assert_eq!(order.await.unwrap().status, Some(OrderStatus::Filled));
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_an_order_may_be_missing_starts_when_it_was_last_seen() {
    let api = FakeApi::new(|_, n| match n {
        0..30 => order("NEW"),
        30 => Reply::status(404),
        _ => order("FILLED"),
    });
    let upvest = api.client();
    let started = tokio::time::Instant::now();
    let order = upvest.wait_for(upvest.retrieve_order().order_id(id()));
    assert_eq!(order.await.unwrap().status, Some(OrderStatus::Filled));
    assert!(started.elapsed() > Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_does_not_exist_is_waited_for_half_a_minute() {
    let api = FakeApi::new(|_, _| Reply::status(404));
    let upvest = api.client();
    let started = tokio::time::Instant::now();
    let order = upvest.wait_for(upvest.retrieve_order().order_id(id()));
    let every_second = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
    let error = order.backoff(every_second).await.unwrap_err();
    assert!(error.is_not_found());
    let waited = started.elapsed();
    let expected = Duration::from_secs(30)..Duration::from_secs(32);
    assert!(expected.contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn what_can_only_be_listed_is_found_on_whichever_page_it_is() {
    let api = FakeApi::new(|seen, n| {
        let first = seen.query.contains("offset=0");
        let status = if n < 4 { "PENDING" } else { "READY" };
        let rows: Vec<_> = (0..100)
            .map(|row| json!({"id": format!("00000000-0000-4000-8000-{:012}", if first { row } else { 100 + row }), "status": status}))
            .collect();
        let offset = if first { 0 } else { 100 };
        Reply::new(
            200,
            json!({"data": rows, "meta": {"offset": offset, "total": 200}}).to_string(),
        )
    });
    let report = "00000000-0000-4000-8000-000000000150".parse().unwrap();
    let upvest = api.client();
    let report = upvest
        .wait_for_item(upvest.list_reports(), report)
        .await
        .unwrap();
    assert_eq!(report.status, Some(ReportStatus::Ready));
    assert_eq!(api.api_calls(), 6, "two pages, three times");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_each_final_status() {
    async fn withdrawal(upvest: &Upvest) -> Result<Withdrawal, Error> {
        upvest
            .wait_for_item(upvest.list_withdrawals(), ID.parse().unwrap())
            .await
    }
    async fn direct_debit(upvest: &Upvest) -> Result<DirectDebit, Error> {
        upvest
            .wait_for_item(upvest.list_direct_debits(), ID.parse().unwrap())
            .await
    }
    fn upvest(status: &'static str) -> upvest_ext::Upvest {
        let list =
            json!({"data": [{"id": ID, "status": status}], "meta": {"total": 1}}).to_string();
        FakeApi::new(move |_, _| Reply::new(200, list.clone())).client()
    }
    for status in ["COMPLETED", "FAILED"] {
        let upvest = upvest(status);
        let liquidations = upvest.list_liquidations().account_id(ID);
        assert!(
            upvest
                .wait_for_item(liquidations, ID.parse().unwrap())
                .await
                .is_ok()
        );
        let rebalancings = upvest.list_rebalancing_executions().portfolio_id(ID);
        assert!(
            upvest
                .wait_for_item(rebalancings, ID.parse().unwrap())
                .await
                .is_ok()
        );
        assert!(withdrawal(&upvest).await.is_ok());
        assert!(direct_debit(&upvest).await.is_ok());
    }
    assert!(direct_debit(&upvest("REVERSED")).await.is_ok());
    for status in ["READY", "FAILED"] {
        let upvest = upvest(status);
        let report = upvest.wait_for_item(upvest.list_reports(), ID.parse().unwrap());
        assert!(report.await.is_ok());
    }
    assert!(withdrawal(&upvest("PROCESSING")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_wait_shows_nothing_of_the_thing() {
    let api = FakeApi::new(|_, _| order("PROCESSING"));
    let error = api
        .client()
        .wait_for(api.client().retrieve_order().order_id(id()))
        .await
        .unwrap_err();
    assert!(!format!("{error:?} {error}").contains("PROCESSING"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_a_backoff_pauses_between_polls() {
    let api = FakeApi::new(|_, _| order("NEW"));
    let upvest = api.client();
    let at_once = Backoff::new(Duration::ZERO, Duration::ZERO);
    let wait = upvest.wait_for(upvest.retrieve_order().order_id(id()));
    let error = wait
        .backoff(at_once)
        .timeout(Duration::from_secs(1))
        .await
        .unwrap_err();
    assert!(error.is_timeout());
    // One at once, and then one after each pause of 10 ms.
    assert_eq!(api.api_calls(), 101);
}

#[tokio::test(start_paused = true)]
async fn a_wait_does_not_send_an_operation_that_changes_something() {
    let api = FakeApi::new(|_, _| order("NEW"));
    let upvest = api.client();
    let order = upvest.create_order().body(crate::common::order());
    let error = upvest.wait_until(order, |_| false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.operation(), Some("createOrder"));
    assert_eq!(api.api_calls(), 0);
    assert_eq!(api.token_calls(), 0);
}
