// region: guide
// docs/guides/samples/orders_place.rs
// crates: upvest-ext
use upvest_ext::api::types::{AccountId, Order, OrderCreate, OrderSide, OrderType};
use upvest_ext::{Error, IdempotencyKey, Upvest};

/// `key` was stored with the order. Call it until it returns an order, or an error that says that there is no order.
async fn place(
    upvest: &Upvest,
    key: IdempotencyKey,
    account: AccountId,
    amount: &str,
) -> Result<Order, Error> {
    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id("425bd29b-36f9-82a9-9a31-3b15530e7014")
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount(amount)
        .currency("EUR");
    let call = upvest.create_order().idempotency_key(key).body(order);
    Ok(call.send().await?.into_inner())
}
// endregion

/// Places an order, for the tests of other samples.
pub(crate) async fn place_order(upvest: &Upvest, account: AccountId) -> Order {
    let key = IdempotencyKey::generate();
    place(upvest, key, account, "250.00").await.unwrap()
}

#[tokio::test]
async fn an_order_is_placed_once_for_its_key() {
    use upvest_sandbox::{Fault, Sandbox};

    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let account = AccountId::from(sandbox.open_account("1000.00").await.unwrap());
    let key = IdempotencyKey::generate();
    let fault = Fault::ResetAfterCommit;
    sandbox.fail_next("createOrder", fault).await.unwrap();
    let first = place(&upvest, key, account, "250.00").await.unwrap();
    let again = place(&upvest, key, account, "250.00").await.unwrap();
    assert_eq!(first.id, again.id);
}
