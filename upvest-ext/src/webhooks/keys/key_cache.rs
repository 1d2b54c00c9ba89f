//! A cache of fetched keys: a new key is fetched when it is first used, and forged key ids cause a bounded number of fetches.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout};

use super::fetch_keys::FetchKeys;
use super::key_set::{KeySet, SetKey};
use crate::backend_error::BackendError;
use crate::debug_fields::debug_fields;
use crate::detached::detached;
use crate::signing::PublicKey;

/// A fetch that takes longer has failed.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

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

/// The keys of an id, `None` standing for one that cannot be used; empty if there is none.
pub(in crate::webhooks) type Found = Vec<Option<PublicKey>>;

#[derive(Clone)]
pub(in crate::webhooks) struct KeyCache {
    fetch: Arc<dyn FetchKeys>,
    limits: KeyCacheLimits,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    keys: Vec<Kept>,
    /// When keys were last asked for, whatever came of it.
    asked: Option<Instant>,
    /// The fetch on its way. It belongs to no caller, so that none can break it off.
    flight: Option<Flight>,
    /// What the last fetch failed with.
    failed: Option<BackendError>,
}

type Flight = Shared<BoxFuture<'static, Option<()>>>;

struct Kept {
    key: SetKey,
    /// When the server last listed the key.
    listed: Instant,
}

impl KeyCache {
    pub(in crate::webhooks) fn new(fetch: impl FetchKeys + 'static, limits: KeyCacheLimits) -> Self {
        Self { fetch: Arc::new(fetch), limits, state: Arc::default() }
    }

    /// Finds the keys called `id`, fetching where they are unknown or too old.
    ///
    /// # Errors
    ///
    /// The failure of the last fetch, where no usable key is left over from an earlier one.
    pub(in crate::webhooks) async fn find(&self, id: &str) -> Result<Found, BackendError> {
        let fresh = self.kept(id, self.limits.fresh);
        if !fresh.is_empty() {
            return Ok(fresh);
        }
        let has_stale = !self.kept(id, self.limits.stale).is_empty();
        // A caller that has a key to go on with does not wait for a fetch that was already under way.
        if let Some((flight, is_new)) = self.flight()
            && (is_new || !has_stale)
            && flight.await.is_none()
        {
            self.lock().flight = None;
        }
        let found = self.kept(id, self.limits.stale);
        match self.lock().failed.clone() {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self, id: &str, age: Duration) -> Found {
        let state = self.lock();
        let kept = state.keys.iter().filter(|kept| kept.key.id == id && kept.listed.elapsed() < age);
        kept.map(|kept| kept.key.key.clone()).collect()
    }

    /// The fetch on its way, or a new one where one is due, and whether it is new.
    fn flight(&self) -> Option<(Flight, bool)> {
        let mut state = self.lock();
        if let Some(flight) = &state.flight {
            return Some((flight.clone(), false));
        }
        if state.asked.is_some_and(|asked| asked.elapsed() < self.limits.pause) {
            return None;
        }
        state.asked = Some(Instant::now());
        state.failed = Some(BackendError::new("the fetch did not come to its end"));
        let cache = self.clone();
        let flight = detached(async move { cache.settle(cache.ask().await) }).shared();
        state.flight = Some(flight.clone());
        Some((flight, true))
    }

    async fn ask(&self) -> Result<KeySet, BackendError> {
        let json = timeout(FETCH_TIMEOUT, self.fetch.fetch()).await.map_err(BackendError::new)??;
        KeySet::from_json(json).map_err(BackendError::new)
    }

    fn settle(&self, fetched: Result<KeySet, BackendError>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.flight = None;
        state.failed = fetched.as_ref().err().cloned();
        let Ok(set) = fetched else { return };
        // A key that is no longer listed stays good for as long as it would have without this fetch: deliveries that it
        // signed are still on their way, and a stranger's key id, which brings the fetch about, must not cut that short.
        state.keys.retain(|kept| {
            kept.listed.elapsed() < self.limits.fresh && set.keys.iter().all(|key| key.id != kept.key.id)
        });
        state.keys.extend(set.keys.into_iter().map(|key| Kept { key, listed: now }));
    }
}

debug_fields!(KeyCache, |self| limits = self.limits);
