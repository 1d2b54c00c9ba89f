//! A limit on the retries of all calls of a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The amount that a retry takes from the budget.
const COST: u32 = 5;

/// A limit on the retries of all calls of a client, which prevents a retry storm during an outage: a bucket from which
/// a retry takes, and to which a success returns.
///
/// A retry takes 5. A call that succeeds without a retry returns 1, and one that succeeds after a retry returns 5. With
/// the default of 500, a server that always answers 503 gets 100 retries in total. Clones share one bucket.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    left: Arc<AtomicU32>,
    capacity: u32,
}

impl RetryBudget {
    /// A full bucket. 0 disables retries.
    pub fn new(capacity: u32) -> Self {
        Self {
            left: Arc::new(AtomicU32::new(capacity)),
            capacity,
        }
    }

    /// The amount that is left.
    pub fn available(&self) -> u32 {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes the cost of a retry. Returns `false` and takes nothing if not enough is left.
    pub(crate) fn withdraw(&self) -> bool {
        let take = |left: u32| left.checked_sub(COST);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Records a call that succeeded after this number of retries.
    pub(crate) fn record_success(&self, retries: u32) {
        let amount = if retries > 0 { COST } else { 1 };
        let put = |left: u32| {
            // The bucket is usually full. Not writing to it then avoids contention between threads.
            let has_room = left < self.capacity;
            has_room.then(|| left.saturating_add(amount).min(self.capacity))
        };
        let _ = self
            .left
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
    fn clones_share_a_budget_that_stays_between_zero_and_its_capacity() {
        // A retry costs 5. A success without retries adds 1; a success after a retry refunds 5, up to the maximum.
        let budget = RetryBudget::new(7);
        let clone = budget.clone();
        assert!(budget.withdraw());
        assert!(!clone.withdraw());
        assert_eq!(clone.available(), 2);
        clone.record_success(0);
        assert_eq!(budget.available(), 3);
        clone.record_success(1);
        assert_eq!(budget.available(), 7);
    }
}
