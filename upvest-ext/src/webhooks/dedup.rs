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
    /// The caller handles the event: it is new, or it failed before, or an earlier claim has expired.
    Ours {
        /// Identifies this claim: random, and new each time.
        claim: Uuid,
        /// 1 for the first try.
        attempt: u32,
    },
    /// The event was handled before.
    Done,
    /// Another caller is handling the event.
    Busy,
}

/// A store of the events that were handled. Several servers that take the same deliveries share one.
///
/// `event` is the event's id, or a digest of its text where it could not be read. `claim` is what [`ClaimResult::Ours`] holds: a
/// claim that has lapsed and been taken over by another caller must change nothing.
pub trait DedupStore: Send + Sync {
    /// Takes an event for handling, in one atomic step, so that of several callers one gets it. Counts the attempt.
    ///
    /// The claim must lapse by itself after a while: the caller may die before it says how it went. That while must be
    /// longer than the slowest handler takes.
    fn claim<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<ClaimResult, BackendError>>;

    /// The event was handled: never again. Does nothing if `claim` is not the event's current one.
    fn done<'a>(&'a self, event: &'a str, claim: Uuid) -> BoxFuture<'a, Result<(), BackendError>>;

    /// The event could not be handled: the next delivery may try. Does nothing if `claim` is not the event's current one.
    fn failed<'a>(&'a self, event: &'a str, claim: Uuid) -> BoxFuture<'a, Result<(), BackendError>>;
}

/// Remembers the last events in memory: enough for one server that may handle an event again after a restart.
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
    /// Remembers the last `capacity` events, at least one: about 150 bytes each. [`Default`] remembers 100,000.
    ///
    /// An event that is being handled is never forgotten. While all are, a new one is put off: its claim is an error.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), lease: Duration::from_secs(60), events: Mutex::default() }
    }

    /// How long a claim holds, after which the event may be handled again. 60 s by default. Must be longer than the slowest
    /// handler takes: only the holder of the last claim can say that an event is done.
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
            events.states.insert(event.into(), State { attempts: 0, progress: Progress::Failed });
        }
        let Some(state) = events.states.get_mut(event) else { return Ok(ClaimResult::Busy) };
        if matches!(state.progress, Progress::Done) {
            return Ok(ClaimResult::Done);
        }
        if state.is_busy(self.lease) {
            return Ok(ClaimResult::Busy);
        }
        let claim = random_uuid(&OsRandom);
        state.progress = Progress::Busy { claim, since: Instant::now() };
        state.attempts = state.attempts.saturating_add(1);
        Ok(ClaimResult::Ours { claim, attempt: state.attempts })
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
            let Some(oldest) = self.order.pop_front() else { break };
            if self.states.get(&oldest).is_some_and(|state| state.is_busy(lease)) {
                self.order.push_back(oldest);
            } else {
                self.states.remove(&oldest);
            }
        }
        Err(BackendError::new("as many events are being handled as the store has room for"))
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

    fn failed<'a>(&'a self, event: &'a str, claim: Uuid) -> BoxFuture<'a, Result<(), BackendError>> {
        self.end(event, claim, Progress::Failed);
        Box::pin(async { Ok(()) })
    }
}
