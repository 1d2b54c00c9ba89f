//! When a call is sent again, and how long it waits before that.

use std::time::Duration;

use http::StatusCode;
use upvest_runtime::{Error, ErrorKind, OperationMeta};

use crate::random::fraction;
use crate::retry_budget::RetryBudget;

/// The longest wait, so that adding it to the current time cannot overflow.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Whether a call may be sent again if the server may have received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// It changes nothing, so it may be sent any number of times.
    Safe,
    /// It changes something and has an idempotency key, so it may be sent any number of times with the same key.
    IdempotentWithKey,
    /// It changes something and has no idempotency key, so it may be sent again only if the server has not processed
    /// it.
    NotIdempotent,
}

impl RetryClass {
    /// The class of an operation.
    ///
    /// ```
    /// use upvest_ext::{RetryClass, api::operations};
    ///
    /// assert_eq!(RetryClass::of(&operations::LIST_ORDERS), RetryClass::Safe);
    /// assert_eq!(
    ///     RetryClass::of(&operations::CREATE_ORDER),
    ///     RetryClass::IdempotentWithKey
    /// );
    /// assert_eq!(
    ///     RetryClass::of(&operations::CANCEL_ORDER),
    ///     RetryClass::NotIdempotent
    /// );
    /// ```
    pub fn of(operation: &OperationMeta) -> Self {
        Self::of_request(operation, operation.idempotency_key)
    }

    /// The class of a request for this operation, which has an idempotency key or not.
    pub(crate) fn of_request(operation: &OperationMeta, has_key: bool) -> Self {
        match operation {
            _ if operation.is_safe() => Self::Safe,
            _ if has_key => Self::IdempotentWithKey,
            _ => Self::NotIdempotent,
        }
    }

    /// Whether another attempt after `failure` is safe and could succeed.
    pub(crate) fn allows(self, failure: Failure) -> bool {
        if failure.proves_no_processing() {
            return true;
        }
        match (self, failure) {
            (Self::NotIdempotent, _) => false,
            (_, Failure::NoResponse(kind)) => {
                matches!(kind, ErrorKind::Interrupted | ErrorKind::Timeout)
            }
            (class, Failure::Status(status)) => match status.as_u16() {
                408 | 502 | 503 | 504 => true,
                500 => class == Self::Safe,
                _ => false,
            },
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The response has a status that is not a success.
    Status(StatusCode),
    /// There is no response, or an incomplete one.
    NoResponse(ErrorKind),
}

impl Failure {
    /// The failure that the error of a transport describes. It may stand for a response, as the errors of a mock do.
    pub(crate) fn of(error: &Error) -> Self {
        let status = error.status().filter(|status| !status.is_success());
        let status = status.or(match error.kind() {
            ErrorKind::Authentication => Some(StatusCode::UNAUTHORIZED),
            ErrorKind::RateLimited => Some(StatusCode::TOO_MANY_REQUESTS),
            _ => None,
        });
        match (status, error.kind()) {
            (Some(status), _) => Self::Status(status),
            // A response has begun, so the server has processed the request.
            (None, ErrorKind::Connect | ErrorKind::Unprocessed) if error.status().is_some() => {
                Self::NoResponse(ErrorKind::Interrupted)
            }
            (None, kind) => Self::NoResponse(kind),
        }
    }

    /// Whether the request was certainly not processed, and may be sent again at once.
    fn proves_no_processing(self) -> bool {
        match self {
            Self::Status(status) => {
                status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::TOO_EARLY
            }
            Self::NoResponse(kind) => matches!(kind, ErrorKind::Connect | ErrorKind::Unprocessed),
        }
    }
}

/// Exponential backoff with full jitter: the wait before retry `n`, counted from 0, is a random time up to
/// `min(cap, base * 2^n)`.
///
/// Full jitter spreads the retries of many clients over the whole window, so that they do not retry at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// A backoff whose first window is `base` and whose windows never exceed `cap`, or 24 h.
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The longest wait before retry number `retry`, counted from 0.
    pub fn window(&self, retry: u32) -> Duration {
        let factor = 1_u32.checked_shl(retry).unwrap_or(u32::MAX);
        let window = self.base.saturating_mul(factor);
        window.min(self.cap).min(LONGEST_WAIT)
    }

    /// A random wait before retry number `retry`, counted from 0.
    pub(crate) fn wait(&self, retry: u32) -> Duration {
        self.window(retry).mul_f64(fraction())
    }
}

/// How often a call is attempted, and how long it waits between attempts.
///
/// Whether a call is sent again depends on its [`RetryClass`] and on what came back:
///
/// | response or failure | read | change with a key | change without a key |
/// | --- | --- | --- | --- |
/// | 401 with a token | once | once | once |
/// | 408, 502, 503, 504 | yes | yes | no |
/// | 425, 429 | yes | yes | yes |
/// | 500 | yes | no | no |
/// | any other status | no | no | no |
/// | no connection | yes | yes | yes |
/// | HTTP/2 says that the request was not processed | yes | yes | yes |
/// | the connection broke, or no response in time | yes | yes | no |
/// | a success whose body is too long or encoded | no | no | no |
///
/// A change without a key is sent again only if the server has not processed it. A 401 is repeated with a new token, as
/// the server rejects a token before it acts. A 500 is not repeated for changes: a server may have stored the failure
/// under the key, and would answer every repetition with it.
///
/// ```
/// use std::time::Duration;
/// use upvest_ext::{Backoff, RetryPolicy};
///
/// let patient = RetryPolicy::new().max_attempts(8).backoff(Backoff::new(
///     Duration::from_millis(500),
///     Duration::from_secs(30),
/// ));
/// # let _ = patient;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    backoff: Backoff,
    max_retry_after: Duration,
}

impl RetryPolicy {
    /// 4 attempts, a backoff of 250 ms up to 15 s, and waits for a `retry-after` of up to 30 s.
    pub const fn new() -> Self {
        Self {
            max_attempts: 4,
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(15)),
            max_retry_after: Duration::from_secs(30),
        }
    }

    /// One attempt. A call that is answered with 401 is still sent once more, with a new token. Before its attempt, a
    /// call waits for the end of the pause that a 429 has started, as all calls do.
    pub const fn never() -> Self {
        Self::new().max_attempts(1)
    }

    /// The maximum number of attempts, including the first. 0 counts as 1.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The waits before retries. After a 429 all calls of the client wait for its `retry-after`, or else for 1 s.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The longest `retry-after` to wait for, also for the pause that a 429 of another call has started. If the server
    /// asks for more, the call fails immediately, and [`Error::retry_after`](crate::Error::retry_after) returns the
    /// requested time.
    pub const fn max_retry_after(mut self, limit: Duration) -> Self {
        self.max_retry_after = limit;
        self
    }

    /// The same policy with at most this number of attempts.
    pub(crate) fn at_most(self, attempts: u32) -> Self {
        self.max_attempts(self.max_attempts.min(attempts))
    }

    /// The longest `retry-after` to wait for.
    pub(crate) fn longest_retry_after(&self) -> Duration {
        self.max_retry_after
    }

    /// The wait before the next attempt, or why there is none. A retry is paid from `budget`.
    pub(crate) fn next(
        &self,
        attempt: &Attempt,
        budget: &RetryBudget,
    ) -> Result<Duration, GiveUpReason> {
        if !attempt.class.allows(attempt.failure) {
            return Err(GiveUpReason::Final);
        }
        if attempt.retries.saturating_add(1) >= self.max_attempts {
            return Err(GiveUpReason::Attempts);
        }
        let requested_wait = attempt.retry_after.unwrap_or_default();
        if requested_wait > self.max_retry_after {
            return Err(GiveUpReason::RetryAfter);
        }
        let backoff = self.backoff.wait(attempt.retries);
        let wait = backoff.max(requested_wait);
        if wait >= attempt.left {
            return Err(GiveUpReason::Deadline);
        }
        if budget.withdraw() {
            Ok(wait)
        } else {
            Err(GiveUpReason::Budget)
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// A failed attempt, as the policy needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) class: RetryClass,
    pub(crate) failure: Failure,
    /// The `retry-after` of the response.
    pub(crate) retry_after: Option<Duration>,
    /// The number of retries before this attempt. The repetition after a 401 is not a retry.
    pub(crate) retries: u32,
    /// The time until the call's deadline.
    pub(crate) left: Duration,
}

/// Why a call is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GiveUpReason {
    /// A retry would be unsafe, or could not succeed.
    Final,
    /// The maximum number of attempts was reached.
    Attempts,
    /// The wait would have ended after the deadline.
    Deadline,
    /// The retry budget is used up.
    Budget,
    /// The `retry-after` is longer than the policy allows.
    RetryAfter,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(retry_after: Option<u64>, retries: u32, left: u64) -> Attempt {
        Attempt {
            class: RetryClass::Safe,
            failure: Failure::Status(StatusCode::SERVICE_UNAVAILABLE),
            retry_after: retry_after.map(Duration::from_secs),
            retries,
            left: Duration::from_secs(left),
        }
    }

    fn next(attempt: &Attempt) -> Result<Duration, GiveUpReason> {
        RetryPolicy::new().next(attempt, &RetryBudget::default())
    }

    #[test]
    fn ten_thousand_waits_stay_in_their_window_and_spread_evenly_over_it() {
        let backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(15));
        for retry in [0, 1, 3, 5, 6, 20, 31, 32, u32::MAX] {
            let window = backoff.window(retry);
            let expected = (0.25 * 2_f64.powf(f64::from(retry))).min(15.0);
            assert!(
                (window.as_secs_f64() - expected).abs() < 1e-9,
                "retry {retry}: {window:?}"
            );
            let waits: Vec<_> = (0..10_000).map(|_| backoff.wait(retry)).collect();
            assert!(waits.iter().all(|wait| *wait <= window));
            let mean = waits.iter().sum::<Duration>().as_secs_f64() / 10_000.0;
            let off = (mean / (window.as_secs_f64() / 2.0) - 1.0).abs();
            assert!(
                off < 0.03,
                "retry {retry}: the mean is {off:.4} off half the window"
            );
        }
    }

    #[test]
    fn a_backoff_without_bounds_waits_for_a_day_at_most() {
        let endless = Backoff::new(Duration::MAX, Duration::MAX);
        for retry in [0, 1, u32::MAX] {
            assert!(endless.wait(retry) <= LONGEST_WAIT);
        }
    }

    #[test]
    fn retry_after_is_a_lower_bound_up_to_its_limit() {
        assert!(next(&attempt(None, 0, 60)).unwrap() <= Duration::from_millis(250));
        assert_eq!(next(&attempt(Some(7), 0, 60)), Ok(Duration::from_secs(7)));
        assert_eq!(
            next(&attempt(Some(31), 0, 60)),
            Err(GiveUpReason::RetryAfter)
        );
    }

    #[test]
    fn a_wait_that_would_outlast_the_deadline_is_not_begun() {
        assert_eq!(next(&attempt(Some(7), 0, 7)), Err(GiveUpReason::Deadline));
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        assert_eq!(next(&attempt(None, 3, 60)), Err(GiveUpReason::Attempts));
    }
}
