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
/// A request ends by itself at its limit. If it has not ended this much later, its runtime stands still.
const GRACE: Duration = Duration::from_secs(1);

/// A value that expires.
#[derive(Clone)]
pub(crate) struct Expiring<T> {
    pub(crate) value: T,
    /// From then on it is renewed in the background.
    pub(crate) renew_at: Instant,
    /// From then on it is not used.
    pub(crate) good_until: Instant,
}

/// A request for a value.
pub(crate) type ValueRequest<T> = BoxFuture<'static, Result<Expiring<T>, Error>>;

/// The result of the request in progress, for all who wait for it. `None` if its task panicked or its runtime was shut
/// down.
type PendingResult<T> = Shared<BoxFuture<'static, Option<Result<Expiring<T>, Error>>>>;

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
    /// The longest time that a request can take.
    longest_request: Duration,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Option<Expiring<T>>,
    pending: Option<PendingResult<T>>,
    task: Option<AbortHandle>,
    /// When the last request started.
    started: Option<Instant>,
    last_error: Option<Error>,
    next_request: Option<Instant>,
    next_renewal: Option<Instant>,
}

/// What a caller finds.
enum Found<T> {
    Value(T),
    Request {
        result: PendingResult<T>,
        /// Until when to wait for it.
        until: Instant,
    },
    /// No request may start yet. With the error of the last one, if it failed.
    Pause(Option<Error>),
}

impl<T: Clone + Send + Sync + 'static> Refreshing<T> {
    /// No value yet. Each request ends by itself after `request_limit`.
    pub(crate) fn new(pauses: Pauses, request_limit: Duration) -> Arc<Self> {
        let state = State {
            value: None,
            pending: None,
            task: None,
            started: None,
            last_error: None,
            next_request: None,
            next_renewal: None,
        };
        Arc::new(Self {
            pauses,
            longest_request: request_limit + GRACE,
            state: Mutex::new(state),
        })
    }

    /// Returns the current value if it `fits`, or requests another one. `None` if that does not fit either.
    ///
    /// A value that fits is returned at once, even if its renewal is due, in progress or failed. `request` receives the
    /// previous value.
    pub(crate) async fn get(
        self: &Arc<Self>,
        fits: impl Fn(&T) -> bool,
        request: impl Fn(Option<T>) -> ValueRequest<T>,
    ) -> Result<Option<T>, Error> {
        // The second round is for a request whose task panicked, or whose runtime has ended or stands still. It does
        // not wait for a pause.
        for ignores_pause in [false, true] {
            let (result, until) = match self.find_or_start(&fits, &request, ignores_pause) {
                Found::Value(value) => return Ok(Some(value)),
                Found::Pause(Some(error)) => return Err(error),
                Found::Pause(None) => return Ok(None),
                Found::Request { result, until } => (result, until),
            };
            if let Ok(Some(result)) = timeout_at(until, result).await {
                let value = result?.value;
                return Ok(Some(value).filter(|value| fits(value)));
            }
        }
        Err(broken())
    }

    /// The current value, without a request.
    pub(crate) fn peek(&self) -> Option<T> {
        let current = self.lock().usable(|_| true);
        current.map(|current| current.value)
    }

    /// Drops the current value if `is_bad`.
    pub(crate) fn discard(&self, is_bad: impl Fn(&T) -> bool) {
        self.lock().value.take_if(|current| is_bad(&current.value));
    }

    /// Finds the value, and starts a request if one is due.
    fn find_or_start(
        self: &Arc<Self>,
        fits: impl Fn(&T) -> bool,
        request: impl Fn(Option<T>) -> ValueRequest<T>,
        ignores_pause: bool,
    ) -> Found<T> {
        let now = Instant::now();
        let mut state = self.lock();
        let was_broken = state.drop_broken_request(now, self.longest_request);
        let usable = state.usable(fits);
        let is_past = |time: Option<Instant>| time.is_none_or(|time| time <= now);
        let is_due = match &usable {
            Some(current) => current.renew_at <= now && is_past(state.next_renewal),
            None => ignores_pause || was_broken || is_past(state.next_request),
        };
        if is_due && state.pending.is_none() {
            let before = state.value.as_ref().map(|before| before.value.clone());
            self.start(&mut state, request(before));
        }
        match (usable, &state.pending) {
            (Some(current), _) => Found::Value(current.value),
            (None, Some(result)) => Found::Request {
                result: result.clone(),
                until: state.started.unwrap_or(now) + self.longest_request,
            },
            (None, None) => Found::Pause(state.last_error.clone()),
        }
    }

    /// Runs the request on a task of its own, so that a caller who gives up does not take it from the others. The task
    /// ends with the last owner of this value.
    fn start(self: &Arc<Self>, state: &mut State<T>, request: ValueRequest<T>) {
        let owner = Arc::downgrade(self);
        let work = async move {
            let result = request.await;
            if let Some(owner) = owner.upgrade() {
                owner.record(&result);
            }
            result
        };
        let task = tokio::spawn(work.in_current_span());
        let now = Instant::now();
        state.task = Some(task.abort_handle());
        state.pending = Some(task.map(Result::ok).boxed().shared());
        state.started = Some(now);
        // What holds if the request never ends.
        state.last_error = Some(broken());
        state.next_request = Some(now + self.pauses.after_failure);
        state.next_renewal = Some(now + self.pauses.between_renewals);
    }

    /// Records the result of the request in progress.
    fn record(&self, result: &Result<Expiring<T>, Error>) {
        let mut state = self.lock();
        state.pending = None;
        state.task = None;
        match result {
            Ok(value) => {
                let pause = self.pauses.after_success;
                state.value = Some(value.clone());
                state.last_error = None;
                state.next_request = state.started.map(|started| started + pause);
                state.next_renewal = None;
            }
            Err(error) => {
                state.last_error = Some(error.clone());
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
    /// Drops a request that cannot end any more: its task panicked, its runtime was shut down, or its runtime stands
    /// still, as one of a single thread does between two `block_on`. Returns whether there was one.
    fn drop_broken_request(&mut self, now: Instant, longest: Duration) -> bool {
        let is_overdue = self.started.is_some_and(|started| now >= started + longest);
        let is_broken = |task: &AbortHandle| task.is_finished() || is_overdue;
        let Some(task) = self.task.take_if(|task| is_broken(task)) else {
            return false;
        };
        // So that it does not record its result later, in place of the next one.
        task.abort();
        self.pending.take().is_some()
    }

    fn usable(&self, fits: impl Fn(&T) -> bool) -> Option<Expiring<T>> {
        let current = self.value.as_ref()?;
        let is_usable = Instant::now() < current.good_until && fits(&current.value);
        is_usable.then(|| current.clone())
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
