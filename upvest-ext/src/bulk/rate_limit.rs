//! A limit on the requests of a client that learns from refusals.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::rate::Rate;
use crate::clock::Clock;

/// Spreads the requests of a client evenly over time, at a rate that it learns from the server's 429s.
///
/// It begins with 50 requests in a second and goes up until the server refuses, then stays a little below, and tries a
/// higher rate every ten seconds. Clones share one rate: give all clients with the same client id the same limit, as the
/// server counts by client id.
///
/// ```
/// use upvest_ext::bulk::RateLimit;
/// use upvest_ext::{Environment, Upvest};
///
/// let builder = Upvest::builder(Environment::Sandbox).rate_limit(RateLimit::adaptive());
/// # let _ = builder;
/// ```
#[derive(Clone)]
pub struct RateLimit(Arc<Shared>);

struct Shared {
    most: f64,
    /// Begins with the first request.
    rate: Mutex<Option<Rate>>,
}

impl RateLimit {
    /// A limit that only the server's refusals set.
    pub fn adaptive() -> Self {
        Self::with_most(f64::MAX)
    }

    /// As [`RateLimit::adaptive`], and never more than `requests` in a second, where 0 counts as 1.
    pub fn at_most(requests: u32) -> Self {
        Self::with_most(f64::from(requests.max(1)))
    }

    fn with_most(most: f64) -> Self {
        Self(Arc::new(Shared { most, rate: Mutex::new(None) }))
    }

    /// The present rate, in requests per second; `None` before the first request.
    pub fn per_second(&self) -> Option<f64> {
        self.0.rate.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Rate::per_second)
    }

    /// Waits until a request may go.
    pub(crate) async fn wait(&self, clock: &dyn Clock) {
        let wait = self.with(clock, |rate| rate.book(clock.now()));
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
    }

    /// Takes note of a 429.
    pub(crate) fn refuse(&self, clock: &dyn Clock, retry_after: Option<Duration>) {
        self.with(clock, |rate| rate.refuse(clock.now(), retry_after));
    }

    fn with<R>(&self, clock: &dyn Clock, work: impl FnOnce(&mut Rate) -> R) -> R {
        let mut rate = self.0.rate.lock().unwrap_or_else(PoisonError::into_inner);
        work(rate.get_or_insert_with(|| Rate::new(clock.now(), self.0.most)))
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("per_second", &self.per_second()).finish()
    }
}
