//! The adaptive rate, as a calculation on times that the caller passes in.

use std::time::{Duration, Instant};

/// The rate at the start, in requests per second. It doubles every second until the first 429.
const START: f64 = 50.0;
const SLOWEST: f64 = 0.1;
/// After a 429, the rate is multiplied by this.
const BACK: f64 = 0.94;
/// After the first 429, the rate is multiplied by this: the average of the last second of a rate that doubles every second.
const FIRST_BACK: f64 = 0.72;
/// How long the rate stays the same after a 429 before it grows again.
const HOLD: Duration = Duration::from_secs(10);
/// The growth per second after the first 429.
const GROWTH: f64 = 1.01;
/// The pause after a 429, as a server that throttles one request usually throttles the next.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A request that is late by up to this much does not delay the next ones, as timers are not exact.
const SLACK: Duration = Duration::from_millis(10);
/// Further 429s within this time do not lower the rate again, as their requests were sent before it was lowered.
const DEAF: Duration = Duration::from_secs(1);

/// A request rate, and when the next request may be sent.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: f64,
    most: f64,
    next: Instant,
    /// The time of the last growth. It is in the future while the rate must not grow.
    grown: Instant,
    refused: Option<Instant>,
}

impl Rate {
    pub(super) fn new(now: Instant, most: f64) -> Self {
        Self {
            per_second: START.min(most),
            most,
            next: now,
            grown: now,
            refused: None,
        }
    }

    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }

    /// When a request may be sent that has `ahead` others before it.
    pub(super) fn turn(&self, ahead: u32) -> Instant {
        self.next + self.interval().saturating_mul(ahead)
    }

    /// Takes a turn, or returns how long the request has to wait for it. The rate grows only while requests have to wait.
    pub(super) fn take(&mut self, now: Instant, has_waited: bool) -> Option<Duration> {
        let wait = self.next.saturating_duration_since(now);
        if !wait.is_zero() {
            return Some(wait);
        }
        if has_waited {
            self.grow(now);
        }
        self.next = self.next.max(now.checked_sub(SLACK).unwrap_or(now)) + self.interval();
        None
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.per_second)
    }

    /// Lowers the rate after a 429 and returns the pause, which is at least the server's `retry-after`.
    pub(super) fn refuse(&mut self, now: Instant, retry_after: Option<Duration>) -> Duration {
        let is_first = self.refused.is_none();
        let pause = if is_first { FIRST_PAUSE } else { PAUSE };
        let wait = retry_after.unwrap_or(pause).clamp(pause, LONGEST_PAUSE);
        self.next = self.next.max(now + wait);
        if self
            .refused
            .is_some_and(|refused| now.saturating_duration_since(refused) < DEAF)
        {
            return wait;
        }
        let back = if is_first { FIRST_BACK } else { BACK };
        self.per_second = (self.per_second * back).max(SLOWEST);
        self.refused = Some(now);
        self.grown = now + HOLD;
        wait
    }

    fn grow(&mut self, now: Instant) {
        let used = now
            .saturating_duration_since(self.grown)
            .min(self.interval().max(SLACK));
        if !used.is_zero() {
            let factor: f64 = if self.refused.is_some() { GROWTH } else { 2.0 };
            self.per_second = (self.per_second * factor.powf(used.as_secs_f64())).min(self.most);
            self.grown = now;
        }
    }
}
