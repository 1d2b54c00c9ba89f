//! The token cache: one token for each set of scopes, and at most one request for it at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::oneshot;
use upvest_api::{Error, ErrorKind};

use super::access_token::AccessToken;
use super::request::TokenRequest;
use super::scopes::Scopes;
use crate::call::telemetry::CallSpan;
use crate::debug_fields::debug_fields;
use crate::detached::detached;
use crate::retry::Backoff;

/// The pauses between background renewals that fail. Calls do not wait for them, as they have a valid token.
const RENEWAL_PAUSE: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(15));

/// How long no new token is requested after a newly issued one was rejected.
const REFUSAL_PAUSE: Duration = Duration::from_secs(3);

type Fetched = Result<Arc<AccessToken>, Error>;
type Flight = Shared<BoxFuture<'static, Option<Fetched>>>;

/// Caches tokens. All callers that wait for the same token share one request and its result, even if it fails.
#[derive(Debug)]
pub(crate) struct TokenCache {
    request: Arc<TokenRequest>,
    /// A list, because there are so few that comparing is faster than hashing.
    slots: Mutex<Vec<(Scopes, Arc<Slot>)>>,
}

impl TokenCache {
    pub(crate) fn new(request: TokenRequest) -> Self {
        Self {
            request: Arc::new(request),
            slots: Mutex::default(),
        }
    }

    /// Returns a usable token, from the cache or by a request.
    pub(crate) async fn get(&self, scopes: &Scopes) -> Fetched {
        let slot = self.slot(scopes);
        // The second attempt is for a request that timed out, or whose runtime was shut down.
        for _ in 0..2 {
            let flight = {
                let mut state = slot.lock();
                let now = self.request.clock_and_rng.now();
                if let Some(token) = state.usable(now) {
                    if state.should_renew(now) {
                        drop(self.join(&slot, &mut state, scopes));
                    }
                    return Ok(token);
                }
                self.join(&slot, &mut state, scopes)
            };
            if let Some(fetched) = flight.clone().await {
                return fetched;
            }
            slot.lock()
                .flight
                .take_if(|(broken, _)| broken.ptr_eq(&flight));
        }
        Err(Error::new(
            ErrorKind::Token,
            "there was no response in time: the token endpoint or the signer hangs, or the signer panicked",
        ))
    }

    /// Drops `refused`, which the server answered with 401, unless it was already replaced. Returns whether
    /// the call may be sent again with a new token. It may not if it was sent again before (`again`), or if that happened to any
    /// call a moment ago.
    pub(crate) fn refuse(&self, scopes: &Scopes, refused: &Arc<AccessToken>, again: bool) -> bool {
        let slot = self.slot(scopes);
        let mut state = slot.lock();
        let now = self.request.clock_and_rng.now();
        if again {
            state.refused_until = Some(now + REFUSAL_PAUSE);
        }
        if state.refused_until.is_some_and(|until| now < until) {
            return false;
        }
        state.token.take_if(|token| Arc::ptr_eq(token, refused));
        true
    }

    fn slot(&self, scopes: &Scopes) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = slots.iter().find(|(of, _)| of == scopes) {
            return Arc::clone(slot);
        }
        let slot = Arc::<Slot>::default();
        slots.push((scopes.clone(), Arc::clone(&slot)));
        slot
    }

    /// The request in progress, or a new one. It is cancelled when the client is dropped, but not when a caller gives up.
    fn join(&self, slot: &Arc<Slot>, state: &mut State, scopes: &Scopes) -> Flight {
        if let Some((flight, _)) = &state.flight {
            return flight.clone();
        }
        let request = Arc::clone(&self.request);
        let slot = Arc::downgrade(slot);
        let scopes = scopes.clone();
        let (client, gone) = oneshot::channel::<()>();
        let flight = detached(async move {
            let fetched = tokio::select! {
                fetched = request.fetch(&scopes) => fetched,
                _ = gone => None,
            };
            if let Some(slot) = slot.upgrade() {
                slot.settle(&request, fetched.as_ref());
            }
            fetched
        });
        let flight = flight.map(Option::flatten).boxed().shared();
        state.flight = Some((flight.clone(), client));
        flight
    }
}

/// The state of one set of scopes.
#[derive(Debug, Default)]
struct Slot(Mutex<State>);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the result of the request; `None` if it timed out.
    fn settle(&self, request: &TokenRequest, fetched: Option<&Fetched>) {
        let mut state = self.lock();
        state.flight = None;
        if let Some(Ok(token)) = fetched {
            state.token = Some(Arc::clone(token));
            state.failures = 0;
            state.renew_after = None;
            return;
        }
        // Between half the window and the whole window, so that many clients do not retry at the same time.
        let window = RENEWAL_PAUSE.window(state.failures);
        let pause = window.mul_f64(0.5 + request.clock_and_rng.fraction() / 2.0);
        state.failures = state.failures.saturating_add(1);
        state.renew_after = Some(request.clock_and_rng.now() + pause);
        let status = fetched.and_then(|fetched| fetched.as_ref().err()?.status());
        CallSpan::token_not_renewed(status.map(|status| status.as_u16()), pause);
    }
}

#[derive(Default)]
struct State {
    token: Option<Arc<AccessToken>>,
    /// Until then, calls that are answered with 401 are not sent again, because a new token was rejected too.
    refused_until: Option<Instant>,
    /// The request in progress. Dropping the sender, with the client, cancels it.
    flight: Option<(Flight, oneshot::Sender<()>)>,
    /// The number of renewals that failed in a row.
    failures: u32,
    renew_after: Option<Instant>,
}

impl State {
    fn usable(&self, now: Instant) -> Option<Arc<AccessToken>> {
        self.token.clone().filter(|token| token.is_usable(now))
    }

    fn should_renew(&self, now: Instant) -> bool {
        let due = self.token.as_ref().is_some_and(|token| token.is_due(now));
        let paused = self.renew_after.is_some_and(|after| now < after);
        due && !paused
    }
}

debug_fields!(State, |self| token = self.token, failures = self.failures);
