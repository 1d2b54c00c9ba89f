//! A value that one request fetches for all who wait for it, and that is renewed in the background.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use upvest_runtime::{Error, ErrorKind};

/// A failed request is remembered for no longer than this, whatever its `retry-after` asks for.
const LONGEST_MEMORY: Duration = Duration::from_secs(60);
/// A request ends by itself at its limit. One that takes longer than this beyond it runs on a runtime that stands still.
const GRACE: Duration = Duration::from_secs(1);

/// A fetched value.
#[derive(Clone)]
pub(crate) struct Lease<T> {
    pub(crate) value: T,
    /// From then on it is renewed in the background.
    pub(crate) renew_at: Instant,
    /// From then on it is not used.
    pub(crate) good_until: Instant,
}

/// The request for a value.
pub(crate) type Fetch<T> = BoxFuture<'static, Result<Lease<T>, Error>>;

/// The request in progress. It yields `None` if its task panicked or its runtime was shut down.
type Flight<T> = Shared<BoxFuture<'static, Option<Result<Lease<T>, Error>>>>;

/// The shortest times between the starts of two requests.
#[derive(Clone, Copy)]
pub(crate) struct Pauses {
    pub(crate) after_success: Duration,
    /// If the server did not say how long to wait.
    pub(crate) after_failure: Duration,
    /// After a renewal that failed. Nobody waits for it, as the value before it is still good.
    pub(crate) between_renewals: Duration,
}

/// The value, its request in progress, and its last failure. Used for the access token and for the keys of webhooks.
pub(crate) struct Refreshing<T> {
    pauses: Pauses,
    /// The longest time for a request.
    longest_request: Duration,
    state: Mutex<State<T>>,
}

struct State<T> {
    lease: Option<Lease<T>>,
    flight: Option<Flight<T>>,
    task: Option<AbortHandle>,
    /// When the last request started.
    started: Option<Instant>,
    failed: Option<Error>,
    next_request: Option<Instant>,
    next_renewal: Option<Instant>,
}

/// What a caller finds.
enum Found<T> {
    Value(T),
    Flight {
        flight: Flight<T>,
        /// Until when to wait for it.
        until: Instant,
    },
    /// No request may start yet. With the error of the last one, if it failed.
    Pause(Option<Error>),
}

impl<T: Clone + Send + Sync + 'static> Refreshing<T> {
    /// An empty cell, for requests that end by themselves after `request_limit`.
    pub(crate) fn new(pauses: Pauses, request_limit: Duration) -> Arc<Self> {
        let state = State {
            lease: None,
            flight: None,
            task: None,
            started: None,
            failed: None,
            next_request: None,
            next_renewal: None,
        };
        Arc::new(Self {
            pauses,
            longest_request: request_limit + GRACE,
            state: Mutex::new(state),
        })
    }

    /// The current value if it `fits`, or else that of a request. `None` if that does not fit either.
    ///
    /// A value that fits is returned at once, even if its renewal is due, runs or failed. `fetch` gets the value before.
    pub(crate) async fn get(
        self: &Arc<Self>,
        fits: impl Fn(&T) -> bool,
        fetch: impl Fn(Option<T>) -> Fetch<T>,
    ) -> Result<Option<T>, Error> {
        // The second round is for a request whose task panicked, or whose runtime has ended or stands still. It does not wait for
        // a pause.
        for is_second in [false, true] {
            let (flight, until) = match self.find(&fits, &fetch, is_second) {
                Found::Value(value) => return Ok(Some(value)),
                Found::Pause(Some(error)) => return Err(error),
                Found::Pause(None) => return Ok(None),
                Found::Flight { flight, until } => (flight, until),
            };
            if let Ok(Some(fetched)) = timeout_at(until, flight).await {
                return fetched.map(|lease| Some(lease.value).filter(|value| fits(value)));
            }
        }
        Err(broken())
    }

    /// The current value, without a request.
    pub(crate) fn peek(&self) -> Option<T> {
        let lease = self.lock().usable(|_| true);
        lease.map(|lease| lease.value)
    }

    /// Drops the current value if `is_bad`.
    pub(crate) fn discard(&self, is_bad: impl Fn(&T) -> bool) {
        self.lock().lease.take_if(|lease| is_bad(&lease.value));
    }

    /// Finds the value, and starts a request if one is due.
    fn find(
        self: &Arc<Self>,
        fits: impl Fn(&T) -> bool,
        fetch: impl Fn(Option<T>) -> Fetch<T>,
        is_second: bool,
    ) -> Found<T> {
        let now = Instant::now();
        let mut state = self.lock();
        let was_broken = state.drop_broken_flight(now, self.longest_request);
        let usable = state.usable(fits);
        let is_past = |time: Option<Instant>| time.is_none_or(|time| time <= now);
        let is_due = match &usable {
            Some(lease) => lease.renew_at <= now && is_past(state.next_renewal),
            None => is_second || was_broken || is_past(state.next_request),
        };
        if is_due && state.flight.is_none() {
            let old = state.lease.as_ref().map(|lease| lease.value.clone());
            self.start(&mut state, fetch(old));
        }
        match (usable, &state.flight) {
            (Some(lease), _) => Found::Value(lease.value),
            (None, Some(flight)) => Found::Flight {
                flight: flight.clone(),
                until: state.started.unwrap_or(now) + self.longest_request,
            },
            (None, None) => Found::Pause(state.failed.clone()),
        }
    }

    /// Runs the request on a task of its own, so that a caller who gives up does not take it from the others. It ends with the last
    /// owner of this value.
    fn start(self: &Arc<Self>, state: &mut State<T>, fetch: Fetch<T>) {
        let cell = Arc::downgrade(self);
        let work = async move {
            let fetched = fetch.await;
            if let Some(cell) = cell.upgrade() {
                cell.settle(&fetched);
            }
            fetched
        };
        let task = tokio::spawn(work.in_current_span());
        let now = Instant::now();
        state.task = Some(task.abort_handle());
        state.flight = Some(task.map(Result::ok).boxed().shared());
        state.started = Some(now);
        // What holds if the request never settles.
        state.failed = Some(broken());
        state.next_request = Some(now + self.pauses.after_failure);
        state.next_renewal = Some(now + self.pauses.between_renewals);
    }

    fn settle(&self, fetched: &Result<Lease<T>, Error>) {
        let mut state = self.lock();
        state.flight = None;
        state.task = None;
        match fetched {
            Ok(lease) => {
                let pause = self.pauses.after_success;
                state.lease = Some(lease.clone());
                state.failed = None;
                state.next_request = state.started.map(|started| started + pause);
                state.next_renewal = None;
            }
            Err(error) => {
                state.failed = Some(error.clone());
                if let Some(wait) = error.retry_after() {
                    // It makes the pauses longer, never shorter.
                    let next = Some(Instant::now() + wait.min(LONGEST_MEMORY));
                    state.next_request = state.next_request.max(next);
                    state.next_renewal = state.next_renewal.max(next);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> State<T> {
    /// A task that ended without settling has panicked, or its runtime was shut down. One that takes too long runs on a runtime that
    /// stands still, such as one of a single thread between two `block_on`. Returns whether there was one.
    fn drop_broken_flight(&mut self, now: Instant, longest: Duration) -> bool {
        let is_stuck = self.started.is_some_and(|started| now >= started + longest);
        let is_broken = |task: &AbortHandle| task.is_finished() || is_stuck;
        let Some(task) = self.task.take_if(|task| is_broken(task)) else {
            return false;
        };
        // So that it does not settle later, in place of the next one.
        task.abort();
        self.flight.take().is_some()
    }

    fn usable(&self, fits: impl Fn(&T) -> bool) -> Option<Lease<T>> {
        let lease = self.lease.as_ref()?;
        let is_usable = Instant::now() < lease.good_until && fits(&lease.value);
        is_usable.then(|| lease.clone())
    }
}

fn broken() -> Error {
    let message =
        "the request ended without a result, as its task panicked or its runtime was shut down";
    Error::new(ErrorKind::Interrupted, message)
}

impl<T> Drop for Refreshing<T> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &state.task {
            task.abort();
        }
    }
}
