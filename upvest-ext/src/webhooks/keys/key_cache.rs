//! A cache of fetched keys. A new key is fetched when it is first used. The number of fetches that forged key ids cause is limited.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout};

use super::fetch_keys::FetchKeys;
use crate::debug_fields::debug_fields;
use crate::detached::detached;
use crate::signing::BackendError;
use crate::signing::{KeySet, PublicKey};

/// A fetch that takes longer has failed. This is the default time of one attempt of a call.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// How long fetched keys are used, and how often keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCacheLimits {
    /// How long a key is used before the keys are fetched again, in the background. 1 h by default. A key that is no longer
    /// listed then is used for this time once more, as deliveries that it signed may still arrive.
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
pub(in crate::webhooks) type FoundKeys = Vec<Option<PublicKey>>;

#[derive(Clone)]
pub(in crate::webhooks) struct KeyCache {
    fetch: Arc<dyn FetchKeys>,
    limits: KeyCacheLimits,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    keys: Vec<CachedKey>,
    /// When the last fetch began.
    asked: Option<Instant>,
    /// The fetch in progress. It runs independently of its callers, so that none of them can cancel it.
    flight: Option<Flight>,
    /// The error of the last fetch.
    failed: Option<BackendError>,
}

type Flight = Shared<BoxFuture<'static, Option<()>>>;

struct CachedKey {
    id: String,
    /// `None` if it cannot be used.
    key: Option<PublicKey>,
    /// When the server last listed the key.
    listed: Instant,
    /// When a fetch first found that the server no longer lists the key.
    unlisted: Option<Instant>,
}

impl CachedKey {
    fn is_due(&self, limits: KeyCacheLimits) -> bool {
        self.unlisted.is_none() && self.listed.elapsed() >= limits.fresh
    }

    fn is_usable(&self, limits: KeyCacheLimits) -> bool {
        let has_ended = self
            .unlisted
            .is_some_and(|unlisted| unlisted.elapsed() >= limits.fresh);
        !has_ended && self.listed.elapsed() < limits.stale
    }
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

    /// The usable keys with this id. If one is due for renewal, the keys are fetched in the background.
    pub(in crate::webhooks) fn find(&self, id: &str) -> FoundKeys {
        let mut found = FoundKeys::new();
        let mut is_due = false;
        for cached in &self.lock().keys {
            if cached.id == id && cached.is_usable(self.limits) {
                found.push(cached.key.clone());
                is_due |= cached.is_due(self.limits);
            }
        }
        if is_due {
            drop(self.flight());
        }
        found
    }

    /// Waits for the fetch in progress, or a new one unless the last one was only just made.
    ///
    /// # Errors
    ///
    /// The error of the last fetch.
    pub(in crate::webhooks) async fn refresh(&self) -> Result<(), BackendError> {
        if let Some(flight) = self.flight()
            && flight.await.is_none()
        {
            // Its runtime was shut down, so it did not clear this itself.
            self.lock().flight = None;
        }
        self.lock().failed.clone().map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fetch in progress, or a new one if the pause since the last one is over.
    fn flight(&self) -> Option<Flight> {
        let mut state = self.lock();
        let since_asked = state.asked.map(|asked| asked.elapsed());
        // A fetch whose runtime was shut down never ends.
        if let Some(flight) = &state.flight
            && since_asked.is_some_and(|elapsed| elapsed < 2 * FETCH_TIMEOUT)
        {
            return Some(flight.clone());
        }
        if since_asked.is_some_and(|elapsed| elapsed < self.limits.pause) {
            return None;
        }
        state.asked = Some(Instant::now());
        state.failed = Some(BackendError::new("the fetch was cancelled"));
        let cache = self.clone();
        let flight = detached(async move { cache.fetch_and_settle().await }).shared();
        state.flight = Some(flight.clone());
        Some(flight)
    }

    async fn fetch_and_settle(&self) {
        let fetched = AssertUnwindSafe(self.request_keys()).catch_unwind().await;
        let fetched = fetched.unwrap_or_else(|_| Err(BackendError::new("the fetch panicked")));
        self.settle(fetched);
    }

    async fn request_keys(&self) -> Result<KeySet, BackendError> {
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
        state.keys.retain(|cached| {
            let is_listed = set.iter().any(|(id, _)| id == cached.id);
            !is_listed && cached.is_usable(self.limits)
        });
        for cached in &mut state.keys {
            cached.unlisted.get_or_insert(now);
        }
        let listed = set.iter().map(|(id, key)| CachedKey {
            id: id.to_owned(),
            key: key.cloned(),
            listed: now,
            unlisted: None,
        });
        state.keys.extend(listed);
    }
}

debug_fields!(KeyCache, |self| limits = self.limits);
