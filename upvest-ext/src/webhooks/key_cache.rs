//! Fetched keys, kept for a while: a new key is found at once, and nobody can make us fetch without end.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::fetch_keys::{FetchKeys, FetchKeysError};
use super::key_set::{KeySet, SetKey};
use crate::signing::PublicKey;

/// How long fetched keys are used, and how often keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCacheLimits {
    /// How long a key is good without asking again. 1 h by default.
    pub fresh: Duration,
    /// How long a key is good while keys cannot be fetched. 24 h by default.
    pub stale: Duration,
    /// The least time between two fetches, whatever the reason. 10 s by default.
    pub pause: Duration,
}

impl Default for KeyCacheLimits {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(60 * 60),
            stale: Duration::from_secs(24 * 60 * 60),
            pause: Duration::from_secs(10),
        }
    }
}

/// The keys of an id, `None` standing for one that cannot be used; empty where there is none.
pub(super) type Found = Vec<Option<PublicKey>>;

pub(super) struct KeyCache {
    fetch: Box<dyn FetchKeys>,
    limits: KeyCacheLimits,
    state: Mutex<State>,
    /// Held by the one caller that fetches.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Vec<Kept>,
    /// When keys were last asked for, whatever came of it.
    asked: Option<Instant>,
    /// Whether nothing came of it.
    failed: bool,
}

struct Kept {
    key: SetKey,
    /// When the server last listed the key.
    listed: Instant,
}

impl KeyCache {
    pub(super) fn new(fetch: Box<dyn FetchKeys>, limits: KeyCacheLimits) -> Self {
        Self { fetch, limits, state: Mutex::default(), flight: tokio::sync::Mutex::default() }
    }

    /// Finds the keys called `id`, fetching where they are unknown or too old.
    ///
    /// # Errors
    ///
    /// The failure of the last fetch, where no usable key is left over from an earlier one.
    pub(super) async fn find(&self, id: &str) -> Result<Found, FetchKeysError> {
        let fresh = self.kept(id, self.limits.fresh);
        if !fresh.is_empty() {
            return Ok(fresh);
        }
        let stale = self.kept(id, self.limits.stale);
        let flight = if stale.is_empty() {
            self.flight.lock().await
        } else {
            // Somebody is fetching already, and there is a key to go on with.
            match self.flight.try_lock() {
                Ok(flight) => flight,
                Err(_) => return Ok(stale),
            }
        };
        let fetched = if self.may_ask() { self.ask().await } else { self.last() };
        drop(flight);
        let found = self.kept(id, self.limits.stale);
        match fetched {
            Err(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    fn kept(&self, id: &str, age: Duration) -> Found {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = state.keys.iter().filter(|kept| kept.key.id == id && kept.listed.elapsed() < age);
        kept.map(|kept| kept.key.key.clone()).collect()
    }

    fn may_ask(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let may = state.asked.is_none_or(|asked| asked.elapsed() >= self.limits.pause);
        if may {
            state.asked = Some(Instant::now());
            state.failed = true;
        }
        may
    }

    fn last(&self) -> Result<(), FetchKeysError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failed {
            Err(FetchKeysError::new("the last try failed and the next is not due yet"))
        } else {
            Ok(())
        }
    }

    async fn ask(&self) -> Result<(), FetchKeysError> {
        let json = self.fetch.fetch().await?;
        let set = KeySet::from_json(json).map_err(FetchKeysError::new)?;
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A key that is no longer listed stays good for as long as it would have without this fetch: deliveries that it
        // signed are still on their way, and a stranger's key id, which brings the fetch about, must not cut that short.
        let State { keys, failed, .. } = &mut *state;
        *failed = false;
        keys.retain(|kept| {
            kept.listed.elapsed() < self.limits.fresh && set.keys.iter().all(|key| key.id != kept.key.id)
        });
        keys.extend(set.keys.into_iter().map(|key| Kept { key, listed: now }));
        Ok(())
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").field("limits", &self.limits).finish_non_exhaustive()
    }
}
