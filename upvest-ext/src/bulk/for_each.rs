//! The same call for many things.

use std::future::Future;

use futures_util::stream::{Stream, StreamExt as _};

/// What became of the calls of [`for_each_concurrent`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkOutcome<E> {
    /// How many succeeded.
    pub succeeded: usize,
    /// Those that failed, by their number in the stream, counted from 0, in this order.
    pub failed: Vec<(usize, E)>,
}

/// Does `call` for each of `items`, at most `limit` at a time (0 counts as 1). A failure does not stop the others.
///
/// Items are taken from the stream when there is a place for them. Give the client a [`RateLimit`](super::RateLimit) where
/// many calls are made.
///
/// ```no_run
/// use futures_util::stream;
/// use upvest_ext::api::types::OrderId;
/// use upvest_ext::bulk::for_each_concurrent;
///
/// # async fn run(upvest: upvest_ext::Upvest, orders: Vec<OrderId>) {
/// let outcome = for_each_concurrent(stream::iter(orders), 8, async |order| {
///     upvest.cancel_order().order_id(order).send().await.map_err(upvest_ext::Error::from)
/// })
/// .await;
/// for (index, error) in outcome.failed {
///     eprintln!("order {index}: {error}");
/// }
/// # }
/// ```
pub async fn for_each_concurrent<T, R, E, F>(
    items: impl Stream<Item = T>,
    limit: usize,
    mut call: impl FnMut(T) -> F,
) -> BulkOutcome<E>
where
    F: Future<Output = Result<R, E>>,
{
    let numbered = items.enumerate().map(|(index, item)| {
        let result = call(item);
        async move { (index, result.await) }
    });
    let mut results = std::pin::pin!(numbered.buffer_unordered(limit.max(1)));
    let mut outcome = BulkOutcome { succeeded: 0, failed: Vec::new() };
    while let Some((index, result)) = results.next().await {
        match result {
            Ok(_) => outcome.succeeded += 1,
            Err(error) => outcome.failed.push((index, error)),
        }
    }
    outcome.failed.sort_by_key(|(index, _)| *index);
    outcome
}
