//! After a 429, all calls of a client wait.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use upvest_runtime::{Error, ErrorKind};

use crate::random::fraction;

/// The pause after a 429 without `retry-after`.
const UNSTATED: Duration = Duration::from_secs(1);
/// The longest pause. A server that asks for more is asked again after this time, so that one wrong header does not
/// stop a client for a day.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// After a pause, waiting calls are sent at random times within this period instead of all at once.
const SPREAD: Duration = Duration::from_millis(500);

/// The pause that the server asked for, shared by all calls of a client. The server counts the requests of a client id,
/// so it would reject the next call too.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    until: Mutex<Option<Instant>>,
}

impl Throttle {
    /// Records that the server answered with 429.
    pub(crate) fn pause(&self, retry_after: Option<Duration>) {
        let pause = retry_after.unwrap_or(UNSTATED).min(MAX_PAUSE);
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Some(Instant::now() + pause));
    }

    /// Waits until no pause is left. Another 429 may extend the pause meanwhile.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RateLimited`] immediately, if the pause ends after `deadline`, or takes longer than `longest`.
    pub(crate) async fn wait(&self, deadline: Instant, longest: Duration) -> Result<(), Error> {
        while let Some(until) = self.paused_until() {
            let pause = until.saturating_duration_since(Instant::now());
            if pause > longest {
                let message = "the server asked for a longer pause than the retry policy allows";
                return Err(rate_limited(message, pause));
            }
            let Some(left) = deadline.checked_duration_since(until) else {
                let message = "the server asked for a pause that ends after the call's deadline";
                return Err(rate_limited(message, pause));
            };
            // A call with little time left uses at most half of it for the jitter.
            let spread = SPREAD.min(left / 2);
            sleep_until(until + spread.mul_f64(fraction())).await;
        }
        Ok(())
    }

    fn paused_until(&self) -> Option<Instant> {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.take_if(|until| *until <= Instant::now());
        *until
    }
}

fn rate_limited(message: &'static str, pause: Duration) -> Error {
    Error::new(ErrorKind::RateLimited, message)
        .with_context(|context| context.retry_after = Some(pause))
}
