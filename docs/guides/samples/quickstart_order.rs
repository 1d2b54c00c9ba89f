// region: guide
// docs/guides/samples/quickstart_order.rs
// crates: tokio, upvest-ext, upvest-sandbox
use std::time::Duration;

use upvest_ext::Upvest;
use upvest_ext::api::types::{AccountId, OrderCreate, OrderSide, OrderStatus, OrderType};
use upvest_sandbox::Sandbox;

#[tokio::main] // `#[tokio::test]` in your tests
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let account = AccountId::from(sandbox.open_account("1000.00").await?);

    let upvest = Upvest::from_vars(sandbox.vars())?; // elsewhere: Upvest::from_env()?
    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("250.00")
        .currency("EUR");
    let order = upvest.create_order().body(order).send().await?.into_inner();

    sandbox.advance(Duration::from_secs(2)).await; // the market takes 2 s
    let order = upvest.retrieve_order().order_id(order.id).send().await?;
    assert_eq!(order.status, Some(OrderStatus::Filled));
    Ok(())
}
// endregion

#[test]
fn the_order_is_filled() {
    main().unwrap();
}
