//! One wait: look, wait a little, look again; or listen instead of looking.

use std::fmt;
use std::future::IntoFuture;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use upvest_api::runtime::Operation;
use uuid::Uuid;

use super::error::{WaitError, WaitFailure};
use crate::clock::Ambient;
use crate::error::Error;
use crate::pages::Items;
use crate::retry::Backoff;
use crate::upvest::Upvest;

/// What was created a moment ago may not be found yet (PROTOCOL 7).
const APPEARANCE: Duration = Duration::from_secs(30);

type Look<'a, T> = Box<dyn Fn() -> BoxFuture<'a, Result<Option<T>, Error>> + Send + 'a>;
type Done<'a, T> = Box<dyn Fn(&T) -> bool + Send + 'a>;

/// A wait that has not begun; `.await` begins it. Dropping it is safe at any time.
#[must_use = "nothing is waited for before `.await`"]
pub struct Wait<'a, T> {
    look: Option<Look<'a, T>>,
    done: Done<'a, T>,
    about: Option<Uuid>,
    signals: Option<BoxStream<'a, Signal<T>>>,
    backoff: Backoff,
    timeout: Duration,
    ambient: Ambient,
}

/// What a stream tells a wait.
enum Signal<T> {
    /// The thing, as it is now.
    State(T),
    /// Something happened: look.
    #[cfg(feature = "webhooks")]
    Happened,
}

impl Upvest {
    /// Sends the operation that `make` makes again and again, until `done` says that its answer is the awaited one.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::AccountId) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::api::types::AccountStatus;
    ///
    /// let open = upvest
    ///     .wait_until(|| upvest.retrieve_account().account_id(id), |account| account.status == Some(AccountStatus::Open))
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn wait_until<'a, O: Operation + 'a>(
        &self,
        make: impl Fn() -> O + Send + 'a,
        done: impl Fn(&O::Output) -> bool + Send + 'a,
    ) -> Wait<'a, O::Output> {
        let look = move || {
            let operation = make();
            let look = async move {
                match operation.send().await.map_err(Error::from) {
                    Ok(answer) => Ok(Some(answer.into_inner())),
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                }
            };
            Box::pin(look) as BoxFuture<'a, _>
        };
        Wait::new(Some(Box::new(look)), Box::new(done), self.pipeline().core.ambient.clone())
    }

    /// As [`Upvest::wait_until`], for what can only be found in a list: reads the list that `list` makes until `find` finds
    /// the thing, again and again.
    pub fn wait_until_listed<'a, I: Send + 'a>(
        &self,
        list: impl Fn() -> Items<'a, I> + Send + 'a,
        find: impl Fn(&I) -> bool + Clone + Send + 'a,
        done: impl Fn(&I) -> bool + Send + 'a,
    ) -> Wait<'a, I> {
        let look = move || {
            let (mut items, find) = (list(), find.clone());
            let look = async move {
                while let Some(item) = items.try_next().await? {
                    if find(&item) {
                        return Ok(Some(item));
                    }
                }
                Ok(None)
            };
            Box::pin(look) as BoxFuture<'a, _>
        };
        Wait::new(Some(Box::new(look)), Box::new(done), self.pipeline().core.ambient.clone())
    }
}

impl<'a, T: Send + 'a> Wait<'a, T> {
    pub(super) fn new(look: Option<Look<'a, T>>, done: Done<'a, T>, ambient: Ambient) -> Self {
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10));
        let timeout = Duration::from_secs(300);
        Self { look, done, about: None, signals: None, backoff, timeout, ambient }
    }

    pub(super) fn about(mut self, id: impl Into<Uuid>) -> Self {
        self.about = Some(id.into());
        self
    }

    /// Waits at most this long. 300 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Looks by `backoff`: windows of 500 ms up to 10 s unless set.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Listens to `states` instead of looking again: each is the thing as it is at that time. It looks once at the start, and
    /// goes back to looking if the stream ends.
    pub fn fed_by(mut self, states: impl Stream<Item = T> + Send + 'a) -> Self {
        self.signals = Some(states.map(Signal::State).boxed());
        self
    }

    /// Listens to webhook events instead of looking again. Events about other things are passed over; one that names the
    /// thing without carrying it leads to one look. It looks once at the start, and goes back to looking if the stream ends.
    ///
    /// A wait by [`Upvest::wait_until`] does not know the id of its thing, and looks at every event.
    #[cfg(feature = "webhooks")]
    pub fn events(mut self, events: impl Stream<Item = crate::webhooks::Event> + Send + 'a) -> Self
    where
        T: serde::de::DeserializeOwned,
    {
        let about = self.about;
        let signals = events.filter_map(move |event| {
            let is_about = about.is_some() && event.reference().map(|object| object.id) == about;
            let signal = match event.resource() {
                Ok(state) if is_about => Some(Signal::State(state)),
                _ if is_about || about.is_none() => Some(Signal::Happened),
                _ => None,
            };
            std::future::ready(signal)
        });
        self.signals = Some(signals.boxed());
        self
    }

    async fn run(mut self) -> Result<T, WaitError<T>> {
        let mut last = None;
        let timeout = self.ambient.clock.sleep(self.timeout);
        let outcome = tokio::select! {
            biased;
            outcome = self.watch(&mut last) => outcome,
            () = timeout => Err(WaitFailure::TimedOut),
        };
        outcome.map_err(|failure| WaitError::new(failure, last))
    }

    async fn watch(&mut self, last: &mut Option<T>) -> Result<T, WaitFailure> {
        let started = self.ambient.now();
        let mut looks = 0;
        loop {
            if let Some(look) = self.look.as_ref().map(|look| look()) {
                match look.await? {
                    Some(state) if (self.done)(&state) => return Ok(state),
                    Some(state) => *last = Some(state),
                    None => self.check_appearance(started, last.is_some())?,
                }
            }
            if let Some(state) = self.pause(looks, last).await? {
                return Ok(state);
            }
            looks += 1;
        }
    }

    fn check_appearance(&self, started: Instant, was_seen: bool) -> Result<(), WaitFailure> {
        let waited = self.ambient.now().saturating_duration_since(started);
        if was_seen || waited >= APPEARANCE { Err(WaitFailure::NotFound) } else { Ok(()) }
    }

    /// Waits until it is time to look again, or the awaited state has come by itself.
    async fn pause(&mut self, looks: u32, last: &mut Option<T>) -> Result<Option<T>, WaitFailure> {
        while let Some(signals) = &mut self.signals {
            match signals.next().await {
                Some(Signal::State(state)) if (self.done)(&state) => return Ok(Some(state)),
                Some(Signal::State(state)) => *last = Some(state),
                #[cfg(feature = "webhooks")]
                Some(Signal::Happened) => return Ok(None),
                None => self.signals = None,
            }
        }
        if self.look.is_none() {
            return Err(WaitFailure::EventsEnded);
        }
        let wait = self.backoff.wait(looks, self.ambient.fraction());
        self.ambient.clock.sleep(wait).await;
        Ok(None)
    }
}

impl<'a, T: Send + 'a> IntoFuture for Wait<'a, T> {
    type Output = Result<T, WaitError<T>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<T> fmt::Debug for Wait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("about", &self.about)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
