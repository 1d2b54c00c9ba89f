//! Remembers events, so that each is handled once however often it is delivered.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What the methods of [`SeenEvents`] return.
pub type SeenFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SeenError>> + Send + 'a>>;

/// The store of seen events failed. The delivery is answered so that Upvest sends it again.
#[derive(Debug, thiserror::Error)]
#[error("the store of seen events failed")]
pub struct SeenError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SeenError {
    /// Wraps whatever went wrong, such as an error of a database.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// What is known of an event at the moment it comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claimed {
    /// It is ours to handle: it is new, or failed before, or whoever had it gave no news for too long.
    Ours {
        /// 1 for the first try.
        attempt: u32,
    },
    /// It has been handled. There is nothing to do.
    Done,
    /// Somebody else is handling it right now.
    Busy,
}

/// A store of the events that were handled. Several servers that take the same deliveries share one.
///
/// `event` is the event's id, or a digest of its text where it could not be read.
pub trait SeenEvents: Send + Sync {
    /// Takes an event for handling, in one atomic step, so that of several callers one gets it.
    ///
    /// The claim must lapse by itself after a while: the caller may die before it says how it went.
    fn claim<'a>(&'a self, event: &'a str) -> SeenFuture<'a, Claimed>;

    /// The event was handled: never again.
    fn done<'a>(&'a self, event: &'a str) -> SeenFuture<'a, ()>;

    /// The event could not be handled: the next delivery may try.
    fn failed<'a>(&'a self, event: &'a str) -> SeenFuture<'a, ()>;
}

/// Remembers the last events in memory: enough for one server that may handle an event again after a restart.
#[derive(Debug)]
pub struct SeenInMemory {
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
    Busy(Instant),
    Failed,
    Done,
}

impl Default for SeenInMemory {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl SeenInMemory {
    /// Remembers the last `capacity` events, at least one: about 150 bytes each. [`Default`] remembers 100,000.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), lease: Duration::from_secs(60), events: Mutex::default() }
    }

    /// How long a claim holds without news, after which the event may be handled again. 60 s by default.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    fn claim_now(&self, event: &str) -> Claimed {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = events.states.get_mut(event) {
            match state.progress {
                Progress::Done => return Claimed::Done,
                Progress::Busy(since) if since.elapsed() < self.lease => return Claimed::Busy,
                Progress::Busy(_) | Progress::Failed => {}
            }
            state.progress = Progress::Busy(Instant::now());
            state.attempts = state.attempts.saturating_add(1);
            return Claimed::Ours { attempt: state.attempts };
        }
        while events.states.len() >= self.capacity {
            let Some(oldest) = events.order.pop_front() else { break };
            events.states.remove(&oldest);
        }
        events.order.push_back(event.into());
        events.states.insert(event.into(), State { attempts: 1, progress: Progress::Busy(Instant::now()) });
        Claimed::Ours { attempt: 1 }
    }

    fn set(&self, event: &str, progress: Progress) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = events.states.get_mut(event) {
            state.progress = progress;
        }
    }
}

impl SeenEvents for SeenInMemory {
    fn claim<'a>(&'a self, event: &'a str) -> SeenFuture<'a, Claimed> {
        let claimed = self.claim_now(event);
        Box::pin(async move { Ok(claimed) })
    }

    fn done<'a>(&'a self, event: &'a str) -> SeenFuture<'a, ()> {
        self.set(event, Progress::Done);
        Box::pin(async { Ok(()) })
    }

    fn failed<'a>(&'a self, event: &'a str) -> SeenFuture<'a, ()> {
        self.set(event, Progress::Failed);
        Box::pin(async { Ok(()) })
    }
}
