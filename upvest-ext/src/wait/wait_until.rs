//! A wait: polls a resource, or listens to events about it.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use upvest_api::runtime::Operation;
use upvest_api::{Error, ErrorKind};
use uuid::Uuid;

use crate::client::upvest::Upvest;
use crate::clock::ClockAndRng;
use crate::debug_fields::debug_fields;
use crate::pages::Items;
use crate::retry::Backoff;

/// How long a resource may not be found, as it may have been created a moment ago (PROTOCOL 7).
const APPEARANCE: Duration = Duration::from_secs(30);

type Look<T> = Box<dyn Fn() -> BoxFuture<'static, Result<Option<T>, Error>> + Send>;
type Done<T> = Box<dyn Fn(&T) -> bool + Send>;

/// A wait that `.await` starts. It can be moved into a task, and dropping it is safe at any time.
///
/// It fails with [`ErrorKind::Timeout`] if the condition is not met in time, with [`ErrorKind::NotFound`] if the resource does not
/// exist, with [`ErrorKind::Interrupted`] if the events end and there is no operation to poll, and with the error of the call if
/// polling fails after the client's retries. [`Error::last_seen`] is the latest state of the resource.
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Wait<T> {
    look: Option<Look<T>>,
    done: Done<T>,
    about: Option<Uuid>,
    /// Each item is the current state, or `None` if the resource changed and must be polled.
    signals: Option<BoxStream<'static, Option<T>>>,
    backoff: Backoff,
    timeout: Duration,
    clock_and_rng: ClockAndRng,
}

impl Upvest {
    /// Sends `operation` repeatedly until `done` returns `true` for its answer.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::AccountId) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::api::types::AccountStatus;
    ///
    /// let account = upvest.retrieve_account().account_id(id);
    /// let open = upvest.wait_until(account, |account| account.status == Some(AccountStatus::Open)).await?;
    /// # Ok(()) }
    /// ```
    pub fn wait_until<O: Operation<Output: Sync>>(
        &self,
        operation: O,
        done: impl Fn(&O::Output) -> bool + Send + 'static,
    ) -> Wait<O::Output> {
        let look = move || {
            let answer = operation.clone().send();
            async move {
                match answer.await {
                    Ok(answer) => Ok(Some(answer.into_inner())),
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                }
            }
        };
        self.wait(Some(boxed(look)), done)
    }

    /// As [`Upvest::wait_until`], for resources that can only be read in a list. Repeatedly reads the list that `list` returns up
    /// to the item for which `find` returns `true`.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::ReportId) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::PaginateExt;
    /// use upvest_ext::api::types::ReportStatus;
    ///
    /// let reports = upvest.list_reports();
    /// let is_ready = |report: &upvest_ext::api::types::Report| report.status == Some(ReportStatus::Ready);
    /// let report = upvest.wait_until_listed(move || reports.clone().items(), move |report| report.id == id, is_ready).await?;
    /// # Ok(()) }
    /// ```
    pub fn wait_until_listed<I: Send + Sync + 'static>(
        &self,
        list: impl Fn() -> Items<I> + Send + 'static,
        find: impl Fn(&I) -> bool + Clone + Send + 'static,
        done: impl Fn(&I) -> bool + Send + 'static,
    ) -> Wait<I> {
        let look = move || {
            let (mut items, find) = (list(), find.clone());
            async move {
                while let Some(item) = items.try_next().await? {
                    if find(&item) {
                        return Ok(Some(item));
                    }
                }
                Ok(None)
            }
        };
        self.wait(Some(boxed(look)), done)
    }

    pub(super) fn wait<T>(
        &self,
        look: Option<Look<T>>,
        done: impl Fn(&T) -> bool + Send + 'static,
    ) -> Wait<T> {
        Wait {
            look,
            done: Box::new(done),
            about: None,
            signals: None,
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(10)),
            timeout: Duration::from_secs(300),
            clock_and_rng: self.pipeline().core.clock_and_rng.clone(),
        }
    }
}

fn boxed<T, F>(look: impl Fn() -> F + Send + 'static) -> Look<T>
where
    F: Future<Output = Result<Option<T>, Error>> + Send + 'static,
{
    Box::new(move || Box::pin(look()))
}

impl<T: Send + Sync + 'static> Wait<T> {
    /// Sets the id of the resource for [`Wait::events`], for waits that do not know it.
    pub fn about(mut self, id: impl Into<Uuid>) -> Self {
        self.about = Some(id.into());
        self
    }

    /// The longest time to wait. 300 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The pauses between polls. By default windows of 500 ms up to 10 s.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Listens to `states` instead of polling. Each item is the state of the resource at that time. It polls once at the start, and
    /// continues polling if the stream ends.
    pub fn fed_by(mut self, states: impl Stream<Item = T> + Send + 'static) -> Self {
        self.signals = Some(states.map(Some).boxed());
        self
    }

    /// Listens to webhook events instead of polling. Events about other resources are ignored. An event that contains only the id
    /// of the resource causes one poll. It also polls once at the start, and continues polling if the stream ends.
    ///
    /// A wait for an operation does not know the id of its resource and polls after every event. To avoid this, call
    /// [`Wait::about`] first.
    #[cfg(feature = "webhooks")]
    pub fn events(
        mut self,
        events: impl Stream<Item = crate::webhooks::Event> + Send + 'static,
    ) -> Self
    where
        T: serde::de::DeserializeOwned,
    {
        let about = self.about;
        let signals = events.filter_map(move |event| {
            let is_about = about.is_some() && event.reference().map(|object| object.id) == about;
            let signal =
                (is_about || about.is_none()).then(|| event.resource().ok().filter(|_| is_about));
            std::future::ready(signal)
        });
        self.signals = Some(signals.boxed());
        self
    }

    async fn run(mut self) -> Result<T, Error> {
        let mut last = None;
        let timeout = self.clock_and_rng.clock.sleep(self.timeout);
        let late = format!(
            "the awaited status was not reached within {:?}",
            self.timeout
        );
        let outcome = tokio::select! {
            biased;
            outcome = self.watch(&mut last) => outcome,
            () = timeout => Err(Error::new(ErrorKind::Timeout, late)),
        };
        outcome.map_err(|error| match last {
            Some(state) => error.with_last_seen(state),
            None => error,
        })
    }

    async fn watch(&mut self, last: &mut Option<T>) -> Result<T, Error> {
        let started = self.clock_and_rng.now();
        let mut looks = 0;
        loop {
            if let Some(look) = self.look.as_ref().map(|look| look()) {
                match look.await? {
                    Some(state) if (self.done)(&state) => return Ok(state),
                    Some(state) => *last = Some(state),
                    None if last.is_none() && self.clock_and_rng.now() < started + APPEARANCE => {}
                    None => {
                        return Err(Error::new(
                            ErrorKind::NotFound,
                            "the awaited resource does not exist",
                        ));
                    }
                }
            }
            if let Some(state) = self.pause(looks, last).await? {
                return Ok(state);
            }
            looks += 1;
        }
    }

    /// Waits until it is time to poll again, or returns the awaited state if the stream contains it.
    async fn pause(&mut self, looks: u32, last: &mut Option<T>) -> Result<Option<T>, Error> {
        while let Some(signals) = &mut self.signals {
            match signals.next().await {
                Some(Some(state)) if (self.done)(&state) => return Ok(Some(state)),
                Some(Some(state)) => *last = Some(state),
                Some(None) => return Ok(None),
                None => self.signals = None,
            }
        }
        if self.look.is_none() {
            let message = "the events ended before the awaited status was reached";
            return Err(Error::new(ErrorKind::Interrupted, message));
        }
        let wait = self.backoff.wait(looks, self.clock_and_rng.fraction());
        self.clock_and_rng.clock.sleep(wait).await;
        Ok(None)
    }
}

impl<T: Send + Sync + 'static> IntoFuture for Wait<T> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

debug_fields!(Wait<T>, |self| about = self.about, timeout = self.timeout);
