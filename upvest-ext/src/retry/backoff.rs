//! How long to wait before another try.

use std::time::Duration;

/// Exponential backoff with full jitter: the wait before retry `n`, counted from 0, is a random time up to `min(cap, base * 2^n)`.
///
/// Full jitter spreads the retries of many clients over the whole window, so that they do not retry at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// A backoff whose first window is `base` and whose windows never exceed `cap`.
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The longest wait before retry number `retry`, counted from 0.
    pub fn window(&self, retry: u32) -> Duration {
        let factor = 1_u32.checked_shl(retry).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// The wait before retry number `retry`, where `fraction` in `[0, 1)` was drawn at random.
    pub fn wait(&self, retry: u32, fraction: f64) -> Duration {
        self.window(retry).mul_f64(fraction.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ClockAndRng;

    #[test]
    fn ten_thousand_waits_stay_in_their_window_and_spread_evenly_over_it() {
        let backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(15));
        let clock_and_rng = ClockAndRng::default();
        for retry in [0, 1, 3, 5, 6, 20, 31, 32, u32::MAX] {
            let window = backoff.window(retry);
            let expected = (0.25 * 2_f64.powf(f64::from(retry))).min(15.0);
            assert!(
                (window.as_secs_f64() - expected).abs() < 1e-9,
                "retry {retry}: {window:?}"
            );
            let waits: Vec<_> = (0..10_000)
                .map(|_| backoff.wait(retry, clock_and_rng.fraction()))
                .collect();
            assert!(waits.iter().all(|wait| *wait <= window));
            let mean = waits.iter().sum::<Duration>().as_secs_f64() / 10_000.0;
            let off = (mean / (window.as_secs_f64() / 2.0) - 1.0).abs();
            assert!(
                off < 0.03,
                "retry {retry}: the mean is {off:.4} off half the window"
            );
        }
    }
}
