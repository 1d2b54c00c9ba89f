//! Places an order exactly once, even if the network fails: `cargo example orders`.

use std::time::Duration;

use upvest_ext::api::types::{AccountId, InstrumentId, Order, OrderCreate, OrderSide, OrderType};
use upvest_ext::{CallOptions, Error, IdempotencyKey, RetryPolicy, Upvest};
use upvest_sandbox::{Fault, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let account = AccountId::from(sandbox.open_account("1000.00").await?);
    let upvest = Upvest::from_vars(sandbox.vars())?;

    // 1. Generate a key and store it with the order before anything is sent.
    let key = IdempotencyKey::generate();
    println!("stored: buy for 250.00 EUR under the key {key}");

    // The connection breaks after Upvest has accepted the order. Without a retry, the outcome is unknown.
    sandbox
        .fail_next("createOrder", Fault::ResetAfterCommit)
        .await?;
    let once = CallOptions::new().retry(RetryPolicy::never());
    let error = match place(&upvest, account, key, once).await {
        Ok(order) => return Err(format!("{} was not to be answered", order.id).into()),
        Err(error) => error,
    };
    println!("failed: {error}");
    assert!(error.is_outcome_unknown(), "it may have happened");

    // 2. Send the same order with the same key, in this process or after a restart. The response is the same order.
    let order = place(&upvest, account, key, CallOptions::new()).await?;
    println!("answered: {} is {:?}", order.id, order.status);

    // 3. Wait for its final status, or use webhooks.
    sandbox.advance(Duration::from_secs(2)).await;
    let order = upvest
        .wait_for(upvest.retrieve_order().order_id(order.id))
        .await?;
    println!("ended: {} is {:?}", order.id, order.status);

    let orders = upvest.list_orders().account_id(account).send().await?;
    println!("there is {} order", orders.data.len());
    assert_eq!(orders.data.len(), 1);

    // An order that cannot be executed is accepted first and rejected later.
    let order = upvest
        .create_order()
        .body(order_for(account, "5000.00"))
        .send()
        .await?
        .into_inner();
    sandbox.advance(Duration::from_secs(2)).await;
    let order = upvest
        .wait_for(upvest.retrieve_order().order_id(order.id))
        .await?;
    println!("an order for 5000.00 EUR is {:?}", order.status);
    Ok(())
}

async fn place(
    upvest: &Upvest,
    account: AccountId,
    key: IdempotencyKey,
    options: CallOptions,
) -> Result<Order, Error> {
    Ok(upvest
        .with(options)
        .create_order()
        .idempotency_key(key)
        .body(order_for(account, "250.00"))
        .send()
        .await?
        .into_inner())
}

fn order_for(account: AccountId, amount: &str) -> upvest_ext::api::bodies::OrderCreateBuilder {
    OrderCreate::builder()
        .account_id(account)
        .instrument_id(InstrumentId::from(Sandbox::instrument("IE00B3XXRP09")))
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount(amount)
        .currency("EUR")
}
