//! Deduplication: each event is handled once, however often it is delivered.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use uuid::Uuid;

use crate::backend_error::BackendError;
use crate::clock::{OsRandom, random_uuid};

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimResult {
    /// The caller must handle the event: it is new, it failed before, or an earlier claim has expired.
    Ours {
        /// Identifies this claim: random, and new each time.
        claim: Uuid,
        /// The number of this attempt, starting at 1.
        attempt: u32,
    },
    /// The event was already handled.
    Done,
    /// Another caller is handling the event.
    Busy,
}

/// Remembers which events were handled. Servers that receive the same deliveries share one store.
///
/// `event` is the event's id, or a digest of its text if it could not be decoded. `claim` is the id in [`ClaimResult::Ours`]. A
/// claim that has expired and was replaced by another caller's must have no effect.
pub trait DedupStore: Send + Sync {
    /// Claims an event for handling and counts the attempt. This is atomic, so that only one of several callers gets the event.
    ///
    /// The claim must expire by itself, because the caller may stop before it reports a result. It must last
    /// longer than the slowest handler runs.
    fn claim<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<ClaimResult, BackendError>>;

    /// Marks the event as handled. Does nothing if `claim` is not the event's current claim.
    fn done<'a>(&'a self, event: &'a str, claim: Uuid) -> BoxFuture<'a, Result<(), BackendError>>;

    /// Ends the claim after a failure, so that the next delivery can try again. Does nothing if `claim` is not the event's current
    /// claim.
    fn failed<'a>(&'a self, event: &'a str, claim: Uuid)
    -> BoxFuture<'a, Result<(), BackendError>>;
}

/// Remembers the latest events in memory. Sufficient for a single server that may handle an event again after a restart.
#[derive(Debug)]
pub struct MemoryDedupStore {
    capacity: usize,
    lease: Duration,
    events: Mutex<Events>,
}

#[derive(Debug, Default)]
struct Events {
    states: HashMap<Box<str>, State>,
    /// Oldest first.
    order: VecDeque<Box<str>>,
}

#[derive(Debug)]
struct State {
    attempts: u32,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Busy { claim: Uuid, since: Instant },
    Failed,
    Done,
}

impl State {
    fn is_busy(&self, lease: Duration) -> bool {
        matches!(self.progress, Progress::Busy { since, .. } if since.elapsed() < lease)
    }
}

impl Default for MemoryDedupStore {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl MemoryDedupStore {
    /// Remembers the latest `capacity` events, at least one. Each takes about 150 bytes. [`Default`] remembers 100,000.
    ///
    /// An event that is being handled is never forgotten. If all of them are being handled, the claim of a new event fails.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            lease: Duration::from_secs(60),
            events: Mutex::default(),
        }
    }

    /// How long a claim is valid. Afterwards the event can be claimed again. 60 s by default. It must be longer than the slowest
    /// handler runs, because only the holder of the latest claim can mark an event as handled.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    fn claim_now(&self, event: &str) -> Result<ClaimResult, BackendError> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if !events.states.contains_key(event) {
            events.make_room(self.capacity, self.lease)?;
            events.order.push_back(event.into());
            events.states.insert(
                event.into(),
                State {
                    attempts: 0,
                    progress: Progress::Failed,
                },
            );
        }
        let Some(state) = events.states.get_mut(event) else {
            return Ok(ClaimResult::Busy);
        };
        if matches!(state.progress, Progress::Done) {
            return Ok(ClaimResult::Done);
        }
        if state.is_busy(self.lease) {
            return Ok(ClaimResult::Busy);
        }
        let claim = random_uuid(&OsRandom);
        state.progress = Progress::Busy {
            claim,
            since: Instant::now(),
        };
        state.attempts = state.attempts.saturating_add(1);
        Ok(ClaimResult::Ours {
            claim,
            attempt: state.attempts,
        })
    }

    fn end(&self, event: &str, ours: Uuid, progress: Progress) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = events.states.get_mut(event)
            && matches!(state.progress, Progress::Busy { claim, .. } if claim == ours)
        {
            state.progress = progress;
        }
    }
}

impl Events {
    /// Drops the oldest entries that are not being handled, until there are fewer than `capacity`.
    fn make_room(&mut self, capacity: usize, lease: Duration) -> Result<(), BackendError> {
        for _ in 0..=self.order.len() {
            if self.states.len() < capacity {
                return Ok(());
            }
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if self
                .states
                .get(&oldest)
                .is_some_and(|state| state.is_busy(lease))
            {
                self.order.push_back(oldest);
            } else {
                self.states.remove(&oldest);
            }
        }
        Err(BackendError::new(
            "the store is full; give it a larger capacity",
        ))
    }
}

impl DedupStore for MemoryDedupStore {
    fn claim<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<ClaimResult, BackendError>> {
        let claimed = self.claim_now(event);
        Box::pin(async move { claimed })
    }

    fn done<'a>(&'a self, event: &'a str, claim: Uuid) -> BoxFuture<'a, Result<(), BackendError>> {
        self.end(event, claim, Progress::Done);
        Box::pin(async { Ok(()) })
    }

    fn failed<'a>(
        &'a self,
        event: &'a str,
        claim: Uuid,
    ) -> BoxFuture<'a, Result<(), BackendError>> {
        self.end(event, claim, Progress::Failed);
        Box::pin(async { Ok(()) })
    }
}
