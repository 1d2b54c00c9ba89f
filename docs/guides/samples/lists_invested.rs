// region: guide
// docs/guides/samples/lists_invested.rs
// crates: futures-util, upvest-ext
use futures_util::TryStreamExt as _;
use upvest_ext::api::types::{Decimal, OrderStatus};
use upvest_ext::{PaginateExt as _, Upvest};

async fn invested(upvest: &Upvest) -> Result<Decimal, upvest_ext::Error> {
    let mut orders = upvest
        .list_orders()
        .status(OrderStatus::Filled)
        .page_size(100)
        .prefetch(2)
        .items();
    let mut sum = Decimal::ZERO;
    while let Some(order) = orders.try_next().await? {
        sum += order.cash_amount.unwrap_or_default();
    }
    Ok(sum)
}
// endregion

#[tokio::test]
async fn the_amounts_of_all_orders_are_added() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    assert_eq!(invested(&upvest).await.unwrap(), Decimal::ZERO);
}
