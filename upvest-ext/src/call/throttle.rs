//! After a 429, all calls of a client wait.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use upvest_api::{Error, ErrorKind};

use crate::clock::ClockAndRng;

/// The pause after a 429 without `retry-after`.
pub(crate) const UNSTATED: Duration = Duration::from_secs(1);

/// The longest pause. A server that asks for more is asked again after this time, so that one wrong header does not stop a client
/// for a day.
const LONGEST: Duration = Duration::from_secs(60);

/// After a pause, waiting calls are sent at random times within this period instead of all at once.
const SPREAD: Duration = Duration::from_millis(500);

/// The pause that the server asked for, shared by all calls of a client. It counts requests by client id, so a call that was
/// not rejected yet would be rejected next.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    until: Mutex<Option<Instant>>,
}

impl Throttle {
    /// Records that the server answered with 429 at the time `now`.
    pub(crate) fn pause(&self, now: Instant, retry_after: Option<Duration>) {
        let pause = retry_after.unwrap_or(UNSTATED).min(LONGEST);
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Some(now + pause));
    }

    /// Waits until no pause is left. Another 429 may extend the pause meanwhile.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RateLimited`] immediately, if the pause ends after `deadline`.
    pub(crate) async fn wait(&self, time: &ClockAndRng, deadline: Instant) -> Result<(), Error> {
        while let Some(until) = self.paused_until(time.now()) {
            let now = time.now();
            let Some(left) = deadline.checked_duration_since(until) else {
                let message = "the server asked for a pause that ends after the call's deadline";
                let pause = until.saturating_duration_since(now);
                return Err(Error::new(ErrorKind::RateLimited, message).with_retry_after(pause));
            };
            // A call with little time left uses at most half of it for the jitter.
            let release = until + SPREAD.min(left / 2).mul_f64(time.fraction());
            time.clock
                .sleep(release.saturating_duration_since(now))
                .await;
        }
        Ok(())
    }

    fn paused_until(&self, now: Instant) -> Option<Instant> {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.take_if(|until| *until <= now);
        *until
    }
}
