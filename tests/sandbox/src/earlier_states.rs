//! Earlier states of a client, for reads that are stale.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

/// The maximum number of states that are kept.
const MAX_STATES: i32 = 64;

/// Earlier states, oldest first. They are kept as JSON, as states are rarely read.
#[derive(Default)]
pub(crate) struct EarlierStates(VecDeque<EarlierState>);

struct EarlierState {
    /// The time of the change that replaced this state.
    until: DateTime<Utc>,
    state: Arc<[u8]>,
}

impl EarlierStates {
    /// Keeps the state before a change at `now`, unless one was kept shortly before. `reach` is how far reads go back.
    pub(crate) fn keep(
        &mut self,
        now: DateTime<Utc>,
        reach: TimeDelta,
        state: impl FnOnce() -> Vec<u8>,
    ) {
        let pause = reach / MAX_STATES;
        if self.0.back().is_some_and(|last| now < last.until + pause) {
            return;
        }
        while self.0.front().is_some_and(|it| it.until <= now - reach) {
            self.0.pop_front();
        }
        self.0.push_back(EarlierState {
            until: now,
            state: state().into(),
        });
    }

    /// The state at `time`. `None` if nothing has changed since.
    pub(crate) fn at(&self, time: DateTime<Utc>) -> Option<Arc<[u8]>> {
        let mut states = self.0.iter();
        let found = states.find(|it| it.until > time)?;
        Some(Arc::clone(&found.state))
    }
}

impl fmt::Debug for EarlierStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The states contain personal data.
        f.debug_tuple("EarlierStates").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_states_are_kept_however_many_changes_there_are() {
        let mut states = EarlierStates::default();
        let start = DateTime::UNIX_EPOCH;
        let reach = TimeDelta::seconds(10);
        let at = |step: i64| start + TimeDelta::milliseconds(step * 10);
        for step in 0..100_000 {
            states.keep(at(step), reach, || step.to_string().into_bytes());
        }
        assert!(states.0.len() <= 65, "{}", states.0.len());
        let seen = states.at(at(99_999) - reach).unwrap();
        let seen: i64 = std::str::from_utf8(&seen).unwrap().parse().unwrap();
        // There is a state every 10 ms, so the one of 10 s ago is 1,000 steps old. What is kept may be newer than that
        // by a sixty-fourth of the 10 s: 15 steps.
        assert!((98_999..99_015).contains(&seen), "{seen}");
        // The present is not an earlier state.
        assert_eq!(states.at(at(99_999)), None);
    }
}
