// region: guide
// docs/guides/samples/orders_wait.rs
// crates: upvest-ext
use std::time::Duration;

use upvest_ext::api::types::{OrderId, OrderStatus};
use upvest_ext::{Error, Upvest};

async fn is_filled(upvest: &Upvest, id: OrderId) -> Result<bool, Error> {
    let call = upvest.retrieve_order().order_id(id);
    let order = upvest
        .wait_for(call)
        .timeout(Duration::from_secs(60))
        .await?;
    // The other final statuses are `Rejected` and `Cancelled`.
    Ok(order.status == Some(OrderStatus::Filled))
}
// endregion

#[tokio::test]
async fn a_filled_order_ends_the_wait() {
    use upvest_ext::api::types::AccountId;
    use upvest_sandbox::Sandbox;

    use crate::orders_place::place_order;

    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let account = AccountId::from(sandbox.open_account("1000.00").await.unwrap());
    let order = place_order(&upvest, account).await;
    sandbox.advance(Duration::from_secs(2)).await;
    assert!(is_filled(&upvest, order.id).await.unwrap());
}
