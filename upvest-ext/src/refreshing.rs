//! A value that one request fetches for all who wait for it, and that is renewed in the background.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::Instrument as _;
use upvest_runtime::{Error, ErrorKind};

/// A failed request is remembered for no longer than this, whatever its `retry-after` asks for.
const LONGEST_MEMORY: Duration = Duration::from_secs(60);
/// A renewal that failed is tried again after so many times the pause, as nobody waits for it.
const RENEWAL_FACTOR: u32 = 5;

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

/// The request in progress. It yields `None` if its task panicked or its runtime has ended.
type Flight<T> = Shared<BoxFuture<'static, Option<Result<Lease<T>, Error>>>>;

/// The shortest time between the end of one request and the start of the next.
#[derive(Clone, Copy)]
pub(crate) struct Pauses {
    pub(crate) after_success: Duration,
    /// If the server did not say how long to wait.
    pub(crate) after_failure: Duration,
    /// After a request without a response in time.
    pub(crate) after_silence: Duration,
}

/// The value, its request in progress, and its last failure. Used for the access token and for the keys of webhooks.
pub(crate) struct Refreshing<T> {
    pauses: Pauses,
    state: Mutex<State<T>>,
}

struct State<T> {
    lease: Option<Lease<T>>,
    flight: Option<Flight<T>>,
    task: Option<AbortHandle>,
    failed: Option<Error>,
    quiet_until: Option<Instant>,
    no_renewal_until: Option<Instant>,
}

/// What a caller finds.
enum Found<T> {
    Value(T),
    Flight(Flight<T>),
    /// No request may start yet. With the error of the last one, if it failed.
    Pause(Option<Error>),
}

impl<T: Clone + Send + Sync + 'static> Refreshing<T> {
    pub(crate) fn new(pauses: Pauses) -> Arc<Self> {
        let state = State {
            lease: None,
            flight: None,
            task: None,
            failed: None,
            quiet_until: None,
            no_renewal_until: None,
        };
        Arc::new(Self {
            pauses,
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
        // The second round is for a request whose task panicked, or whose runtime has ended.
        for _ in 0..2 {
            let flight = match self.find(&fits, &fetch) {
                Found::Value(value) => return Ok(Some(value)),
                Found::Pause(Some(error)) => return Err(error),
                Found::Pause(None) => return Ok(None),
                Found::Flight(flight) => flight,
            };
            if let Some(fetched) = flight.clone().await {
                return fetched.map(|lease| Some(lease.value).filter(|value| fits(value)));
            }
            let is_broken = |current: &mut Flight<T>| current.ptr_eq(&flight);
            self.lock().flight.take_if(is_broken);
        }
        let message =
            "the request ended without a result, as its task panicked or its runtime was shut down";
        Err(Error::new(ErrorKind::Interrupted, message))
    }

    /// Whether the current value fits.
    pub(crate) fn has(&self, fits: impl Fn(&T) -> bool) -> bool {
        self.lock().usable(fits).is_some()
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
    ) -> Found<T> {
        let mut state = self.lock();
        let usable = state.usable(fits);
        let is_due = match &usable {
            Some(lease) => lease.renew_at <= Instant::now() && state.may_renew(),
            None => state.may_request(),
        };
        if is_due && state.flight.is_none() {
            let old = state.lease.as_ref().map(|lease| lease.value.clone());
            self.start(&mut state, fetch(old));
        }
        match (usable, &state.flight) {
            (Some(lease), _) => Found::Value(lease.value),
            (None, Some(flight)) => Found::Flight(flight.clone()),
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
        state.task = Some(task.abort_handle());
        state.flight = Some(task.map(Result::ok).boxed().shared());
    }

    fn settle(&self, fetched: &Result<Lease<T>, Error>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.flight = None;
        state.task = None;
        match fetched {
            Ok(lease) => {
                state.lease = Some(lease.clone());
                state.failed = None;
                state.quiet_until = Some(now + self.pauses.after_success);
                state.no_renewal_until = None;
            }
            Err(error) => {
                let pause = self.pause_after(error);
                let renewal_pause = pause.max(self.pauses.after_failure * RENEWAL_FACTOR);
                state.failed = Some(error.clone());
                state.quiet_until = Some(now + pause);
                state.no_renewal_until = Some(now + renewal_pause);
            }
        }
    }

    fn pause_after(&self, error: &Error) -> Duration {
        let own = if error.is_timeout() {
            self.pauses.after_silence
        } else {
            self.pauses.after_failure
        };
        error.retry_after().unwrap_or(own).min(LONGEST_MEMORY)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> State<T> {
    fn usable(&self, fits: impl Fn(&T) -> bool) -> Option<Lease<T>> {
        let lease = self.lease.as_ref()?;
        let is_usable = Instant::now() < lease.good_until && fits(&lease.value);
        is_usable.then(|| lease.clone())
    }

    fn may_request(&self) -> bool {
        self.quiet_until.is_none_or(|until| until <= Instant::now())
    }

    fn may_renew(&self) -> bool {
        let is_over = |until: Instant| until <= Instant::now();
        self.may_request() && self.no_renewal_until.is_none_or(is_over)
    }
}

impl<T> Drop for Refreshing<T> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &state.task {
            task.abort();
        }
    }
}
