//! A limit on the retries of all calls of a client, which prevents a retry storm during an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A token bucket that all calls of a client share: a retry removes tokens, a success returns tokens.
///
/// A retry costs 5 tokens, or 10 after a timeout. A call that succeeds at the first attempt returns 1, and one that succeeds after
/// a retry returns the cost of the retry. With the default of 500 tokens, a server that always answers 503 gets 100 retries in
/// total.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    tokens: Arc<AtomicU32>,
    capacity: u32,
}

impl RetryBudget {
    /// A full bucket of `capacity` tokens. 0 disables retries.
    pub fn new(capacity: u32) -> Self {
        Self {
            tokens: Arc::new(AtomicU32::new(capacity)),
            capacity,
        }
    }

    /// The number of tokens left.
    pub fn available(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// Removes `cost` tokens, or none if there are fewer.
    pub(crate) fn withdraw(&self, cost: u32) -> bool {
        let take = |tokens: u32| tokens.checked_sub(cost);
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Returns `amount` tokens, up to the capacity.
    pub(crate) fn deposit(&self, amount: u32) {
        let put = |tokens: u32| {
            // The bucket is usually full. Not writing to it then avoids contention between threads.
            (tokens < self.capacity).then(|| tokens.saturating_add(amount).min(self.capacity))
        };
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, put);
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_never_overdrawn_nor_overfilled_and_its_clones_share_it() {
        let budget = RetryBudget::new(12);
        let clone = budget.clone();
        assert!(budget.withdraw(10));
        assert!(!clone.withdraw(5));
        assert_eq!(clone.available(), 2);
        clone.deposit(100);
        assert_eq!(budget.available(), 12);
    }
}
