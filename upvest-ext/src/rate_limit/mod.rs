//! A limit on the requests of a client that learns from refusals.

mod rate;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rate::Rate;

use crate::clock::Clock;
use crate::debug_fields::debug_fields;
#[cfg(feature = "redis")]
use crate::stores::SharedRate;

/// Spreads the requests of a client evenly over time, at a rate that it learns from the server's 429s.
///
/// It begins with 50 requests in a second and goes up, while requests have to wait for their turn, until the server refuses
/// or the ceiling is reached. Then it stays a little below, and tries a higher rate every ten seconds. Clones share one rate:
/// give all clients with the same client id the same limit, as the server counts by client id.
///
/// A call whose turn would come after its deadline fails at once with [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited),
/// and one that is dropped while it waits leaves its place to the next.
///
/// ```
/// use upvest_ext::{Environment, RateLimit, Upvest};
///
/// let builder = Upvest::builder(Environment::Sandbox).rate_limit(RateLimit::adaptive());
/// # let _ = builder;
/// ```
///
/// For many calls, bound those under way too, by `buffer_unordered`:
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
    /// Held by the request whose turn is next. The others wait for it in the order in which they came.
    line: tokio::sync::Mutex<()>,
    /// How many requests wait, the one whose turn is next included.
    waiting: AtomicU32,
    /// Begins with the first request.
    rate: Mutex<Option<Rate>>,
    /// A rate that replicas share. While it cannot be reached, `rate` is kept to.
    #[cfg(feature = "redis")]
    replicas: Option<SharedRate>,
}

impl RateLimit {
    /// A limit that the server's refusals set, with a ceiling of 1,000 requests in a second.
    pub fn adaptive() -> Self {
        Self::at_most(1000)
    }

    /// As [`RateLimit::adaptive`], with a ceiling of `requests` in a second, where 0 counts as 1.
    pub fn at_most(requests: u32) -> Self {
        Self(Arc::new(Shared {
            most: f64::from(requests.max(1)),
            line: tokio::sync::Mutex::default(),
            waiting: AtomicU32::default(),
            rate: Mutex::default(),
            #[cfg(feature = "redis")]
            replicas: None,
        }))
    }

    /// A limit that several processes share, of which this one keeps to its own `share` while the others cannot be reached.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(share: u32, shared: SharedRate) -> Self {
        let (line, waiting, rate) = Default::default();
        Self(Arc::new(Shared { most: f64::from(share), line, waiting, rate, replicas: Some(shared) }))
    }

    /// The present rate, in requests per second; `None` before the first request. Of a limit that replicas share, it is what
    /// this one keeps to while Redis is away.
    pub fn per_second(&self) -> Option<f64> {
        self.0.rate.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Rate::per_second)
    }

    /// Waits until a request may go. `false`, at once, where that would be after `deadline`.
    pub(crate) async fn wait(&self, clock: &dyn Clock, deadline: Instant) -> bool {
        let place = Place::behind(&self.0.waiting);
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.0.replicas {
            return self.wait_for_shared(shared, place.ahead, clock, deadline).await;
        }
        if self.with(clock, |rate| rate.turn(place.ahead)) >= deadline {
            return false;
        }
        let _first = self.0.line.lock().await;
        self.wait_as_first(place.ahead > 0, clock, deadline).await
    }

    async fn wait_as_first(&self, mut has_waited: bool, clock: &dyn Clock, deadline: Instant) -> bool {
        while let Some(wait) = self.with(clock, |rate| rate.take(clock.now(), has_waited)) {
            if clock.now() + wait >= deadline {
                return false;
            }
            has_waited = true;
            clock.sleep(wait).await;
        }
        true
    }

    /// Only the first in line asks for a shared turn: those who give up in the line have taken none.
    #[cfg(feature = "redis")]
    async fn wait_for_shared(
        &self,
        shared: &SharedRate,
        ahead: u32,
        clock: &dyn Clock,
        deadline: Instant,
    ) -> bool {
        let left = || deadline.saturating_duration_since(clock.now());
        if Duration::from_secs(1) * ahead / shared.per_second() >= left() {
            return false;
        }
        let _first = tokio::select! {
            biased;
            first = self.0.line.lock() => first,
            () = clock.sleep(left()) => return false,
        };
        match shared.take(left()).await {
            Ok(Some(Duration::ZERO)) => true,
            Ok(Some(wait)) => {
                clock.sleep(wait).await;
                true
            }
            Ok(None) => false,
            Err(_) => self.wait_as_first(ahead > 0, clock, deadline).await,
        }
    }

    /// Takes note of a 429.
    #[cfg_attr(not(feature = "redis"), expect(clippy::unused_async, reason = "nobody else is told"))]
    pub(crate) async fn refuse(&self, clock: &dyn Clock, retry_after: Option<Duration>) {
        let pause = self.with(clock, |rate| rate.refuse(clock.now(), retry_after));
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.0.replicas {
            shared.refuse(pause).await;
        }
        #[cfg(not(feature = "redis"))]
        let _ = pause;
    }

    fn with<R>(&self, clock: &dyn Clock, work: impl FnOnce(&mut Rate) -> R) -> R {
        let mut rate = self.0.rate.lock().unwrap_or_else(PoisonError::into_inner);
        work(rate.get_or_insert_with(|| Rate::new(clock.now(), self.0.most)))
    }
}

/// A place in the line, given back when it is dropped.
struct Place<'a> {
    waiting: &'a AtomicU32,
    ahead: u32,
}

impl<'a> Place<'a> {
    fn behind(waiting: &'a AtomicU32) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

debug_fields!(RateLimit, |self| per_second = self.per_second());
