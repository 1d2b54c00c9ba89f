//! How a rate is learned from 429s: arithmetic on times that the caller passes in.

use std::time::{Duration, Instant};

/// Doubles each second until the first refusal.
const START: f64 = 50.0;
const SLOWEST: f64 = 0.1;
/// After a refusal: this much of the rate that was too high.
const BACK: f64 = 0.94;
/// After the first one: what a rate that doubles each second has been in the last second, on average.
const FIRST_BACK: f64 = 0.72;
/// How long a rate that works is kept before a higher one is tried.
const HOLD: Duration = Duration::from_secs(10);
/// By how much the rate grows each second when a higher one is tried.
const GROWTH: f64 = 1.01;
/// A server that throttles one request usually throttles the next; the first time, the rate was far too high.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How late a request may go without the next ones being late too: timers are only so exact.
const SLACK: Duration = Duration::from_millis(10);
/// Requests that were sent before the rate went down may still be refused: they do not lower it again.
const DEAF: Duration = Duration::from_secs(1);

/// A rate of requests, and when the next may go.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: f64,
    most: f64,
    next: Instant,
    /// Up to when the rate has grown; in the future while it is held.
    grown: Instant,
    refused: Option<Instant>,
}

impl Rate {
    pub(super) fn new(now: Instant, most: f64) -> Self {
        Self { per_second: START.min(most), most, next: now, grown: now, refused: None }
    }

    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }

    /// When a request may go that has `ahead` others before it.
    pub(super) fn turn(&self, ahead: u32) -> Instant {
        self.next + self.interval().saturating_mul(ahead)
    }

    /// Lets a request go, or returns how long it has to wait. The rate grows only while requests have to wait.
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

    /// Takes note of a refusal, and of how long the server asked to wait. Returns the pause.
    pub(super) fn refuse(&mut self, now: Instant, retry_after: Option<Duration>) -> Duration {
        let is_first = self.refused.is_none();
        let pause = if is_first { FIRST_PAUSE } else { PAUSE };
        let wait = retry_after.unwrap_or(pause).clamp(pause, LONGEST_PAUSE);
        self.next = self.next.max(now + wait);
        if self.refused.is_some_and(|refused| now.saturating_duration_since(refused) < DEAF) {
            return wait;
        }
        let back = if is_first { FIRST_BACK } else { BACK };
        self.per_second = (self.per_second * back).max(SLOWEST);
        self.refused = Some(now);
        self.grown = now + HOLD;
        wait
    }

    fn grow(&mut self, now: Instant) {
        let used = now.saturating_duration_since(self.grown).min(self.interval().max(SLACK));
        if !used.is_zero() {
            let factor: f64 = if self.refused.is_some() { GROWTH } else { 2.0 };
            self.per_second = (self.per_second * factor.powf(used.as_secs_f64())).min(self.most);
            self.grown = now;
        }
    }
}
