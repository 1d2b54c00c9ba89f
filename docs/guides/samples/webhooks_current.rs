use upvest_tests::inbox;

// region: guide
// docs/guides/samples/webhooks_current.rs
// crates: upvest-ext
use inbox::Failure;
use upvest_ext::Upvest;
use upvest_ext::api::types::{Order, OrderId};
use upvest_ext::webhooks::Event;

/// The order of an event, as it is now.
async fn current_order(upvest: &Upvest, event: &Event) -> Result<Order, Failure> {
    let order = event.reference().ok_or("the object has no id")?;
    let order = upvest.retrieve_order().order_id(OrderId::from(order.id));
    Ok(order.send().await?.into_inner())
}
// endregion

#[tokio::test]
async fn an_order_is_as_it_is_now_and_not_as_it_was_delivered() {
    use std::time::Duration;

    use upvest_ext::api::types::{AccountId, OrderStatus};
    use upvest_ext::webhooks::WebhookTester;
    use upvest_sandbox::Sandbox;

    use crate::orders_place::place_order;

    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let account = AccountId::from(sandbox.open_account("1000.00").await.unwrap());
    let placed = place_order(&upvest, account).await;
    let object = serde_json::to_value(&placed).unwrap();
    let event = WebhookTester::event("ORDER.NEW", object);
    let event = Event::decode(event.to_string().as_bytes()).unwrap();
    sandbox.advance(Duration::from_secs(2)).await;

    let now = current_order(&upvest, &event).await.unwrap();
    assert_eq!(now.status, Some(OrderStatus::Filled));
    let fetched = event.fetch(&upvest).await.unwrap();
    let delivered: Order = fetched.resource().unwrap();
    assert_eq!(delivered.status, Some(OrderStatus::New));
}
