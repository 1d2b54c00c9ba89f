// region: guide
// docs/guides/samples/lists_look_up.rs
// crates: futures-util, governor, upvest-ext
use std::num::NonZeroU32;

use futures_util::{StreamExt as _, stream};
use governor::{Quota, RateLimiter};
use upvest_ext::api::types::{Order, OrderId};
use upvest_ext::{Error, Response, Upvest};

const PER_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

async fn look_up(upvest: &Upvest, ids: Vec<OrderId>) -> Vec<(OrderId, Result<Order, Error>)> {
    let limiter = RateLimiter::direct(Quota::per_second(PER_SECOND));
    let calls = ids.into_iter().map(async |id| {
        limiter.until_ready().await;
        let order = upvest.retrieve_order().order_id(id).send().await;
        (id, order.map(Response::into_inner))
    });
    stream::iter(calls).buffer_unordered(16).collect().await
}
// endregion

#[tokio::test]
async fn each_id_has_its_own_result() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let unknown = OrderId::new(uuid::Uuid::nil());
    let results = look_up(&upvest, vec![unknown; 3]).await;
    assert_eq!(results.len(), 3);
    for (_, order) in results {
        assert!(order.unwrap_err().is_not_found());
    }
}
