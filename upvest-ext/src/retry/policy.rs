//! The retry policy: its settings, and the decision after a failed attempt.

use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::backoff::Backoff;
use super::budget::RetryBudget;
use super::class::{AttemptFailure, RetryClass};
use crate::call::http_send::Interruption;

const RETRY_COST: u32 = 5;
const TIMEOUT_RETRY_COST: u32 = 10;

/// How often a call is attempted, and how long it waits between attempts.
///
/// Whether a call may be retried at all depends on its operation, see [`RetryClass`].
///
/// ```
/// use std::time::Duration;
/// use upvest_ext::{Backoff, RetryPolicy};
///
/// let patient = RetryPolicy::new()
///     .max_attempts(8)
///     .backoff(Backoff::new(Duration::from_millis(500), Duration::from_secs(30)));
/// # let _ = patient;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    backoff: Backoff,
    throttled: Backoff,
    max_retry_after: Duration,
}

impl RetryPolicy {
    /// 4 attempts, a backoff of 250 ms (1 s after a 429) up to 15 s, and waits for a `retry-after` of up to 30 s.
    pub const fn new() -> Self {
        let cap = Duration::from_secs(15);
        Self {
            max_attempts: 4,
            backoff: Backoff::new(Duration::from_millis(250), cap),
            throttled: Backoff::new(Duration::from_secs(1), cap),
            max_retry_after: Duration::from_secs(30),
        }
    }

    /// One attempt. A call that is answered with 401 is still sent once more, with a new token.
    pub const fn never() -> Self {
        Self::new().max_attempts(1)
    }

    /// The maximum number of attempts, including the first. 0 counts as 1.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The waits before retries.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The waits before retries after a 429.
    #[must_use]
    pub const fn backoff_when_throttled(mut self, backoff: Backoff) -> Self {
        self.throttled = backoff;
        self
    }

    /// The longest `retry-after` to wait for. If the server asks for more, the call fails immediately, and
    /// [`Error::retry_after`](crate::Error::retry_after) returns the requested time.
    #[must_use]
    pub const fn max_retry_after(mut self, limit: Duration) -> Self {
        self.max_retry_after = limit;
        self
    }

    /// The same policy with at most this number of attempts.
    pub(crate) fn capped(self, attempts: u32) -> Self {
        self.max_attempts(self.max_attempts.min(attempts))
    }

    /// Decides whether to retry after a failed attempt. A retry is paid from `budget`.
    pub(crate) fn decide(&self, attempt: &Try, budget: &RetryBudget, fraction: f64) -> Decision {
        if !attempt.class.allows(attempt.failure) {
            return Decision::GiveUp(GiveUpReason::Final);
        }
        if attempt.made >= self.max_attempts {
            return Decision::GiveUp(GiveUpReason::Attempts);
        }
        let asked = attempt.retry_after.unwrap_or_default();
        if asked > self.max_retry_after {
            return Decision::GiveUp(GiveUpReason::RetryAfter);
        }
        let wait = self
            .backoff_after(attempt.failure)
            .wait(attempt.made.saturating_sub(1), fraction)
            .max(asked);
        if wait >= attempt.left {
            return Decision::GiveUp(GiveUpReason::Deadline);
        }
        let cost = cost(attempt.failure);
        if !budget.withdraw(cost) {
            return Decision::GiveUp(GiveUpReason::Budget);
        }
        Decision::Again { wait, cost }
    }

    fn backoff_after(&self, failure: AttemptFailure) -> &Backoff {
        match failure {
            AttemptFailure::Answered(StatusCode::TOO_MANY_REQUESTS) => &self.throttled,
            _ => &self.backoff,
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// A failed attempt, as the decision needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try {
    pub(crate) class: RetryClass,
    pub(crate) failure: AttemptFailure,
    /// The `retry-after` of the answer.
    pub(crate) retry_after: Option<Duration>,
    /// The number of attempts so far, including this one.
    pub(crate) made: u32,
    /// The time until the call's deadline.
    pub(crate) left: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Again { wait: Duration, cost: u32 },
    GiveUp(GiveUpReason),
}

/// Why a call was not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

fn cost(failure: AttemptFailure) -> u32 {
    match failure {
        AttemptFailure::Interrupted(Interruption::Timeout | Interruption::ConnectTimeout) => {
            TIMEOUT_RETRY_COST
        }
        _ => RETRY_COST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(retry_after: Option<u64>, made: u32, left: u64) -> Try {
        Try {
            class: RetryClass::Safe,
            failure: AttemptFailure::Answered(StatusCode::TOO_MANY_REQUESTS),
            retry_after: retry_after.map(Duration::from_secs),
            made,
            left: Duration::from_secs(left),
        }
    }

    fn decide(attempt: Try) -> Decision {
        RetryPolicy::new().decide(&attempt, &RetryBudget::default(), 0.5)
    }

    fn again(millis: u64) -> Decision {
        Decision::Again {
            wait: Duration::from_millis(millis),
            cost: RETRY_COST,
        }
    }

    #[test]
    fn retry_after_is_a_lower_bound_up_to_its_limit() {
        assert_eq!(decide(throttled(None, 1, 60)), again(500));
        assert_eq!(decide(throttled(Some(7), 1, 60)), again(7000));
        assert_eq!(decide(throttled(Some(1), 3, 60)), again(2000));
        assert_eq!(
            decide(throttled(Some(31), 1, 60)),
            Decision::GiveUp(GiveUpReason::RetryAfter)
        );
    }

    #[test]
    fn a_wait_that_would_outlast_the_deadline_is_not_begun() {
        assert_eq!(
            decide(throttled(Some(7), 1, 7)),
            Decision::GiveUp(GiveUpReason::Deadline)
        );
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        assert_eq!(
            decide(throttled(None, 4, 60)),
            Decision::GiveUp(GiveUpReason::Attempts)
        );
    }

    #[test]
    fn a_retry_after_a_timeout_costs_twice_as_much() {
        let failure = AttemptFailure::Interrupted(Interruption::Timeout);
        let budget = RetryBudget::new(14);
        let attempt = Try {
            failure,
            ..throttled(None, 1, 60)
        };
        let policy = RetryPolicy::new();
        assert!(matches!(
            policy.decide(&attempt, &budget, 0.0),
            Decision::Again { cost: 10, .. }
        ));
        assert_eq!(
            policy.decide(&attempt, &budget, 0.0),
            Decision::GiveUp(GiveUpReason::Budget)
        );
        assert_eq!(budget.available(), 4);
    }
}
