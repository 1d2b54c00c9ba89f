//! The clock, which is advanced by the test or runs by itself.

use std::time::Duration;

use chrono::TimeDelta;
use upvest_ext::Upvest;
use upvest_ext::api::types::{OrderCreate, OrderSide, OrderStatus, OrderType};
use upvest_sandbox::Sandbox;
use uuid::Uuid;

fn order(account: Uuid) -> upvest_ext::api::bodies::OrderCreateBuilder {
    OrderCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("100.00")
}

#[tokio::test]
async fn the_clock_stands_still_until_it_is_advanced() {
    let sandbox = Sandbox::start().await.unwrap();
    let account = sandbox.open_account("1000").await.unwrap();
    let order = Upvest::from_vars(sandbox.vars())
        .unwrap()
        .create_order()
        .body(order(account))
        .send()
        .await
        .unwrap()
        .into_inner();
    let before = sandbox.now();
    assert_eq!(sandbox.now(), before);
    sandbox.advance(Duration::from_millis(1999)).await;
    assert_eq!(sandbox.now() - before, TimeDelta::milliseconds(1999));
    let read = async || {
        Upvest::from_vars(sandbox.vars())
            .unwrap()
            .retrieve_order()
            .order_id(order.id)
            .send()
            .await
            .unwrap()
            .into_inner()
    };
    assert_eq!(read().await.status, Some(OrderStatus::Processing));
    sandbox.advance(Duration::from_millis(1)).await;
    assert_eq!(read().await.status, Some(OrderStatus::Filled));
}

#[tokio::test]
async fn the_clock_runs_by_itself_with_a_speed() {
    let sandbox = Sandbox::builder().speed(1000.0).start().await.unwrap();
    let account = sandbox.open_account("1000").await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let order = upvest
        .create_order()
        .body(order(account))
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        upvest
            .wait_for(upvest.retrieve_order().order_id(order.id))
            .await
            .unwrap()
            .status,
        Some(OrderStatus::Filled)
    );
    let events = sandbox.events();
    assert!(
        events
            .iter()
            .any(|event| event.event_type == "ORDER.FILLED" && event.about == Uuid::from(order.id))
    );
}

#[tokio::test]
async fn advancing_a_year_makes_a_valuation_for_each_day() {
    let sandbox = Sandbox::start().await.unwrap();
    let account = sandbox.open_account("1000").await.unwrap();
    sandbox.advance(Duration::from_secs(365 * 86_400)).await;
    let valuations = Upvest::from_vars(sandbox.vars())
        .unwrap()
        .list_valuations()
        .account_id(account)
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    assert_eq!(valuations.len(), 365);
}

#[tokio::test]
async fn two_concurrent_advances_add_up() {
    let sandbox = Sandbox::start().await.unwrap();
    // Nothing listens on this port, so each attempt lets the other task run.
    sandbox.subscribe("http://127.0.0.1:1/hook").await.unwrap();
    sandbox.create_account_group().await.unwrap();
    let before = sandbox.now();
    let hour = || sandbox.advance(Duration::from_secs(3600));
    tokio::join!(hour(), hour());
    assert_eq!(sandbox.now() - before, TimeDelta::hours(2));
}
