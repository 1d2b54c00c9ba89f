//! The tokens in use: one for each set of scopes, and at most one request for each on its way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::task::JoinSet;
use upvest_api::Error;

use super::access_token::AccessToken;
use super::request::TokenRequest;
use super::scopes::Scopes;
use crate::retry::Backoff;
use crate::telemetry::CallSpan;

/// The pauses between background renewals that fail. Calls do not wait for them: they have a token that works.
const RENEWAL_PAUSE: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(15));

type Fetched = Result<Arc<AccessToken>, Error>;
type Flight = Shared<BoxFuture<'static, Fetched>>;

/// Hands out tokens. All callers that wait for the same token share one request, its success as well as its failure.
#[derive(Debug)]
pub(crate) struct TokenCache {
    request: Arc<TokenRequest>,
    slots: Mutex<HashMap<Scopes, Arc<Slot>>>,
}

impl TokenCache {
    pub(crate) fn new(request: TokenRequest) -> Self {
        Self { request: Arc::new(request), slots: Mutex::default() }
    }

    /// A token that is good for a while yet: at once where there is one, else by a request.
    pub(crate) async fn get(&self, scopes: &Scopes) -> Fetched {
        let slot = self.slot(scopes);
        let (number, flight) = {
            let mut state = slot.lock();
            let now = self.request.ambient.now();
            if let Some(token) = state.usable(now) {
                if state.should_renew(now) {
                    self.renew(&slot, &mut state, scopes);
                }
                return Ok(token);
            }
            self.join(&mut state, scopes)
        };
        let fetched = flight.await;
        self.settle(&slot, number, &fetched);
        fetched
    }

    /// Drops `refused`, which the server answered with 401, unless another token has taken its place already.
    pub(crate) async fn refuse(&self, scopes: &Scopes, refused: &Arc<AccessToken>) {
        {
            let slot = self.slot(scopes);
            let mut state = slot.lock();
            if state.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, refused)) {
                state.token = None;
            }
            state.refused = Some(Arc::clone(refused));
        }
        self.request.forget(scopes, refused).await;
    }

    fn slot(&self, scopes: &Scopes) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(scopes) {
            return Arc::clone(slot);
        }
        Arc::clone(slots.entry(scopes.clone()).or_default())
    }

    /// The request on its way, or a new one.
    ///
    /// No task drives it: whoever waits polls it, and when the last one is gone, so is the request.
    fn join(&self, state: &mut State, scopes: &Scopes) -> (u64, Flight) {
        if let Some(flight) = state.flight.as_ref().and_then(WeakShared::upgrade) {
            return (state.number, flight);
        }
        let request = Arc::clone(&self.request);
        let (scopes, refused) = (scopes.clone(), state.refused.clone());
        let flight = async move { request.fetch(&scopes, refused.as_deref()).await }.boxed().shared();
        state.number += 1;
        state.flight = flight.downgrade();
        (state.number, flight)
    }

    /// Fetches the next token in the background, on a task that ends with the client.
    fn renew(&self, slot: &Arc<Slot>, state: &mut State, scopes: &Scopes) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (number, flight) = self.join(state, scopes);
        let (slot, request) = (Arc::downgrade(slot), Arc::clone(&self.request));
        while state.background.try_join_next().is_some() {}
        state.background.spawn_on(
            async move {
                let fetched = flight.await;
                if let Some(slot) = Weak::upgrade(&slot) {
                    slot.settle(&request, number, &fetched);
                }
            },
            &runtime,
        );
    }

    fn settle(&self, slot: &Slot, number: u64, fetched: &Fetched) {
        slot.settle(&self.request, number, fetched);
    }
}

/// What is known of one set of scopes.
#[derive(Debug, Default)]
struct Slot(Mutex<State>);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what flight `number` brought. The first of its waiters does it, for all.
    fn settle(&self, request: &TokenRequest, number: u64, fetched: &Fetched) {
        let mut state = self.lock();
        if state.number != number || state.flight.take().is_none() {
            return;
        }
        let error = match fetched {
            Ok(token) => {
                state.token = Some(Arc::clone(token));
                state.failures = 0;
                state.renew_after = None;
                return;
            }
            Err(error) => error,
        };
        // Between half the window and all of it, so that a fleet of clients does not come back together.
        let window = RENEWAL_PAUSE.window(state.failures);
        let pause = window.mul_f64(0.5 + request.ambient.fraction() / 2.0);
        state.failures = state.failures.saturating_add(1);
        state.renew_after = Some(request.ambient.now() + pause);
        CallSpan::token_not_renewed(error.status().map(|status| status.as_u16()), pause);
    }
}

#[derive(Default)]
struct State {
    token: Option<Arc<AccessToken>>,
    /// The last token that the server refused: a store may still hold it.
    refused: Option<Arc<AccessToken>>,
    /// The request on its way, as long as somebody waits for it.
    flight: Option<WeakShared<BoxFuture<'static, Fetched>>>,
    /// Counts the requests, so that a late waiter does not take note of an old one.
    number: u64,
    /// How many renewals failed in a row, and when the next may begin.
    failures: u32,
    renew_after: Option<Instant>,
    background: JoinSet<()>,
}

impl State {
    fn usable(&self, now: Instant) -> Option<Arc<AccessToken>> {
        self.token.clone().filter(|token| token.is_usable(now))
    }

    fn should_renew(&self, now: Instant) -> bool {
        let due = self.token.as_ref().is_some_and(|token| token.is_due(now));
        let paused = self.renew_after.is_some_and(|after| now < after);
        let flying = self.flight.as_ref().and_then(WeakShared::upgrade).is_some();
        due && !paused && !flying
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("token", &self.token)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}
