// region: guide
// docs/guides/samples/readme_test.rs
// crates: tokio, upvest-ext, upvest-sandbox
use std::time::Duration;

use upvest_ext::Upvest;
use upvest_ext::api::types::{OrderCreate, OrderSide, OrderStatus, OrderType};
use upvest_sandbox::{Fault, Sandbox};

#[tokio::test]
async fn an_order_survives_a_connection_that_breaks() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?; // on a free port, with a clock that the test moves
    let account = sandbox.open_account("1000.00").await?;
    sandbox
        .fail_next("createOrder", Fault::ResetAfterCommit)
        .await?;

    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("250.00");
    let upvest = Upvest::from_vars(sandbox.vars())?;
    let order = upvest.create_order().body(order).send().await?;
    sandbox.advance(Duration::from_secs(2)).await;

    let orders = upvest.list_orders().send().await?.into_inner().data;
    assert_eq!(orders.len(), 1, "it was sent twice and placed once");
    assert_eq!(orders[0].id, order.id);
    assert_eq!(orders[0].status, Some(OrderStatus::Filled));
    Ok(())
}
// endregion
