//! A limit on the request rate of a client, which adapts to the server's limit.

mod rate;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rate::Rate;

use crate::clock::Clock;
use crate::debug_fields::debug_fields;

/// Spreads the requests of a client evenly over time, at a rate that adapts to the server's 429 answers.
///
/// It starts with 50 requests per second. While requests have to wait for their turn, the rate rises until the server answers 429
/// or the maximum is reached. Then it stays a little below, and tries a higher rate every ten seconds. Clones share one rate:
/// give the same limit to all clients with the same client id, as the server counts requests by client id.
///
/// A call whose turn would come after its deadline fails immediately with
/// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited). If a waiting call is dropped, the next one takes its turn.
///
/// ```
/// use upvest_ext::{Environment, RateLimit, Upvest};
///
/// let builder = Upvest::builder(Environment::Sandbox).rate_limit(RateLimit::adaptive());
/// # let _ = builder;
/// ```
///
/// For many calls, limit the number of concurrent ones too, with `buffer_unordered`:
///
/// ```no_run
/// use futures_util::stream::{self, StreamExt};
/// use upvest_ext::api::types::OrderId;
///
/// # async fn run(upvest: upvest_ext::Upvest, orders: Vec<OrderId>) {
/// let cancel = |order| {
///     let call = upvest.cancel_order().order_id(order);
///     async move { (order, call.send().await) }
/// };
/// let mut results = stream::iter(orders).map(cancel).buffer_unordered(8);
/// while let Some((order, result)) = results.next().await {
///     if let Err(error) = result {
///         eprintln!("order {order}: {error}");
///     }
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct RateLimit(Arc<Shared>);

struct Shared {
    most: f64,
    /// Held by the request whose turn is next. The others wait for the lock in the order of their arrival.
    line: tokio::sync::Mutex<()>,
    /// The number of waiting requests, including the one whose turn is next.
    waiting: AtomicU32,
    /// Created by the first request.
    rate: Mutex<Option<Rate>>,
}

impl RateLimit {
    /// A limit that adapts to the server's 429 answers, with a maximum of 1,000 requests per second.
    pub fn adaptive() -> Self {
        Self::at_most(1000)
    }

    /// As [`RateLimit::adaptive`], with a maximum of `requests` per second. 0 counts as 1.
    pub fn at_most(requests: u32) -> Self {
        Self(Arc::new(Shared {
            most: f64::from(requests.max(1)),
            line: tokio::sync::Mutex::default(),
            waiting: AtomicU32::default(),
            rate: Mutex::default(),
        }))
    }

    /// The current rate in requests per second, or `None` before the first request.
    pub fn per_second(&self) -> Option<f64> {
        self.0
            .rate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(Rate::per_second)
    }

    /// Waits until a request may be sent. Returns `false` immediately if that would be after `deadline`.
    pub(crate) async fn wait(&self, clock: &dyn Clock, deadline: Instant) -> bool {
        let place = Place::behind(&self.0.waiting);
        if self.with(clock, |rate| rate.turn(place.ahead)) >= deadline {
            return false;
        }
        let _first = self.0.line.lock().await;
        self.wait_as_first(place.ahead > 0, clock, deadline).await
    }

    async fn wait_as_first(
        &self,
        mut has_waited: bool,
        clock: &dyn Clock,
        deadline: Instant,
    ) -> bool {
        while let Some(wait) = self.with(clock, |rate| rate.take(clock.now(), has_waited)) {
            if clock.now() + wait >= deadline {
                return false;
            }
            has_waited = true;
            clock.sleep(wait).await;
        }
        true
    }

    /// Lowers the rate after a 429.
    pub(crate) fn refuse(&self, clock: &dyn Clock, retry_after: Option<Duration>) {
        self.with(clock, |rate| rate.refuse(clock.now(), retry_after));
    }

    fn with<R>(&self, clock: &dyn Clock, work: impl FnOnce(&mut Rate) -> R) -> R {
        let mut rate = self.0.rate.lock().unwrap_or_else(PoisonError::into_inner);
        work(rate.get_or_insert_with(|| Rate::new(clock.now(), self.0.most)))
    }
}

/// A place in the line, which is released when it is dropped.
struct Place<'a> {
    waiting: &'a AtomicU32,
    ahead: u32,
}

impl<'a> Place<'a> {
    fn behind(waiting: &'a AtomicU32) -> Self {
        Self {
            waiting,
            ahead: waiting.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

debug_fields!(RateLimit, |self| per_second = self.per_second());
