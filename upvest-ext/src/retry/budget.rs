//! A limit on the retries of all calls of a client: it prevents a retry storm during an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A bucket of tokens that all calls of a client share: a retry takes some out, a success puts some back.
///
/// A retry costs 5, one after a timeout 10. A call that succeeds at once puts 1 back, one that succeeds after a retry puts
/// back what the retry cost. With the default of 500, a server that answers nothing but 503 sees 100 retries in all.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    tokens: Arc<AtomicU32>,
    capacity: u32,
}

impl RetryBudget {
    /// A full bucket of `capacity` tokens. 0 switches retries off.
    pub fn new(capacity: u32) -> Self {
        Self { tokens: Arc::new(AtomicU32::new(capacity)), capacity }
    }

    /// What is left.
    pub fn available(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// Takes `cost` out, or nothing if there is less.
    pub(crate) fn withdraw(&self, cost: u32) -> bool {
        let take = |tokens: u32| tokens.checked_sub(cost);
        self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Puts `amount` back, up to the capacity.
    pub(crate) fn deposit(&self, amount: u32) {
        let put = |tokens: u32| {
            // A full bucket is the common case: leave the shared cache line alone.
            (tokens < self.capacity).then(|| tokens.saturating_add(amount).min(self.capacity))
        };
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, put);
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
