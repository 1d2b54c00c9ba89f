//! A cache of fetched keys. A new key is fetched when it is first used. The number of fetches that forged key ids cause is limited.

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
    /// How long a key is used before it is fetched again. 1 h by default.
    pub fresh: Duration,
    /// How long a key is used while keys cannot be fetched. 24 h by default.
    pub stale: Duration,
    /// The shortest time between two fetches. 10 s by default.
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

/// The keys with one id. `None` stands for a key that cannot be used. Empty if the id is unknown.
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
    /// When the last fetch began.
    asked: Option<Instant>,
    /// The fetch in progress. It runs independently of its callers, so that none of them can cancel it.
    flight: Option<Flight>,
    /// The error of the last fetch.
    failed: Option<BackendError>,
}

type Flight = Shared<BoxFuture<'static, Option<()>>>;

struct Kept {
    key: SetKey,
    /// When the server last listed the key.
    listed: Instant,
}

impl KeyCache {
    pub(in crate::webhooks) fn new(
        fetch: impl FetchKeys + 'static,
        limits: KeyCacheLimits,
    ) -> Self {
        Self {
            fetch: Arc::new(fetch),
            limits,
            state: Arc::default(),
        }
    }

    /// Returns the keys with this id. Fetches keys if it is unknown or its keys are too old.
    ///
    /// # Errors
    ///
    /// The error of the last fetch, if there is no usable key from an earlier one.
    pub(in crate::webhooks) async fn find(&self, id: &str) -> Result<Found, BackendError> {
        let fresh = self.kept(id, self.limits.fresh);
        if !fresh.is_empty() {
            return Ok(fresh);
        }
        let has_stale = !self.kept(id, self.limits.stale).is_empty();
        // A caller that has a stale key does not wait for a fetch that another caller started.
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
        let kept = state
            .keys
            .iter()
            .filter(|kept| kept.key.id == id && kept.listed.elapsed() < age);
        kept.map(|kept| kept.key.key.clone()).collect()
    }

    /// The fetch in progress, or a new one if one is due. The flag says whether it is new.
    fn flight(&self) -> Option<(Flight, bool)> {
        let mut state = self.lock();
        if let Some(flight) = &state.flight {
            return Some((flight.clone(), false));
        }
        if state
            .asked
            .is_some_and(|asked| asked.elapsed() < self.limits.pause)
        {
            return None;
        }
        state.asked = Some(Instant::now());
        state.failed = Some(BackendError::new("the fetch was cancelled"));
        let cache = self.clone();
        let flight = detached(async move { cache.settle(cache.ask().await) }).shared();
        state.flight = Some(flight.clone());
        Some((flight, true))
    }

    async fn ask(&self) -> Result<KeySet, BackendError> {
        let json = timeout(FETCH_TIMEOUT, self.fetch.fetch())
            .await
            .map_err(BackendError::new)??;
        KeySet::from_json(json).map_err(BackendError::new)
    }

    fn settle(&self, fetched: Result<KeySet, BackendError>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.flight = None;
        state.failed = fetched.as_ref().err().cloned();
        let Ok(set) = fetched else { return };
        // A key that is no longer listed stays valid as long as it would have without this fetch. Deliveries that it
        // signed may still arrive, and a forged key id, which triggers a fetch, must not invalidate it early.
        state.keys.retain(|kept| {
            kept.listed.elapsed() < self.limits.fresh
                && set.keys.iter().all(|key| key.id != kept.key.id)
        });
        state
            .keys
            .extend(set.keys.into_iter().map(|key| Kept { key, listed: now }));
    }
}

debug_fields!(KeyCache, |self| limits = self.limits);
