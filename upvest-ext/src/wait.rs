//! Waits for a final status, such as that of an order, without a loop in your code.
//!
//! ```no_run
//! # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::OrderId) -> Result<(), upvest_ext::Error> {
//! use std::time::Duration;
//!
//! let order = upvest
//!     .wait_for(upvest.retrieve_order().order_id(id))
//!     .timeout(Duration::from_secs(600))
//!     .await?;
//! println!("{:?}", order.status);
//! # Ok(()) }
//! ```
//!
//! [`Error::last_seen`](crate::Error::last_seen) of a failed wait is the latest state. Waiting again continues
//! from there:
//!
//! ```no_run
//! # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::OrderId) {
//! use upvest_ext::api::types::Order;
//!
//! if let Err(error) = upvest.wait_for(upvest.retrieve_order().order_id(id)).await
//!     && let Some(order) = error.last_seen::<Order>()
//! {
//!     println!("{error}; last seen as {:?}", order.status);
//! }
//! # }
//! ```
//!
//! Guide: [Orders without doubt](crate::guide::orders), from placing an order to its final status.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};
use upvest_runtime::{Error, ErrorKind, GeneratedClient, List, Operation, OperationMeta, Settles};

use crate::client::UpvestFor;
use crate::debug_fields::debug_fields;
use crate::pages::Paginator;
use crate::retry::Backoff;

/// How long a wait goes on if the resource is not found. It may have been created a moment ago (PROTOCOL 7), or have
/// moved to another page of a list while the list was read.
const NOT_FOUND_GRACE: Duration = Duration::from_secs(30);

/// The shortest pause between two polls, so that a wait without a backoff does not send without a pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

type Poll<T> = Box<dyn Fn() -> BoxFuture<'static, Result<Option<T>, Error>> + Send>;
type Condition<T> = Box<dyn Fn(&T) -> bool + Send>;

/// A wait that `.await` starts. It can be moved into a task, and dropping it is safe at any time.
///
/// It fails with [`ErrorKind::Timeout`] if the condition is not met in time, with [`ErrorKind::NotFound`] if the
/// resource does not exist, and with the error of the call if polling fails after the client's retries.
/// [`Error::last_seen`] is the latest state of the resource.
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Wait<T> {
    operation: &'static OperationMeta,
    poll: Poll<T>,
    is_met: Condition<T>,
    backoff: Backoff,
    timeout: Duration,
}

impl<C: GeneratedClient> UpvestFor<C> {
    /// Waits until the resource that `operation` reads has a final status. An order, for example, is final once it is
    /// filled, cancelled or rejected.
    ///
    /// The description says which statuses are final. A status that this version does not know is not final.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::OrderId) -> Result<(), upvest_ext::Error> {
    /// let order = upvest
    ///     .wait_for(upvest.retrieve_order().order_id(id))
    ///     .await?;
    /// println!("{:?}", order.status);
    /// # Ok(()) }
    /// ```
    pub fn wait_for<O>(&self, operation: O) -> Wait<O::Output>
    where
        O: Operation<Output: Settles>,
    {
        self.wait_until(operation, Settles::is_final)
    }

    /// Sends `operation` repeatedly until `is_met` returns `true` for its value.
    ///
    /// The operation must only read. With another one, the wait fails with [`ErrorKind::InvalidRequest`] and sends
    /// nothing.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::AccountId) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::api::types::AccountStatus;
    ///
    /// let account = upvest.retrieve_account().account_id(id);
    /// let open = upvest
    ///     .wait_until(account, |account| {
    ///         account.status == Some(AccountStatus::Open)
    ///     })
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn wait_until<O: Operation<Output: Sync>>(
        &self,
        operation: O,
        is_met: impl Fn(&O::Output) -> bool + Send + 'static,
    ) -> Wait<O::Output> {
        wait(O::META, move || retrieve(operation.clone()), is_met)
    }

    /// Waits until the item of `list` with this id has a final status, for resources that can only be read in a list.
    /// Each poll reads the pages of the list up to the item.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::ReportId) -> Result<(), upvest_ext::Error> {
    /// let report = upvest.wait_for_item(upvest.list_reports(), id).await?;
    /// println!("{:?}", report.status);
    /// # Ok(()) }
    /// ```
    pub fn wait_for_item<O, I>(&self, list: O, id: I::Id) -> Wait<I>
    where
        O: List<Item = I>,
        I: Settles + Serialize,
    {
        let poll = move || find(list.clone(), id);
        wait(O::META, poll, Settles::is_final)
    }
}

fn wait<T, F>(
    operation: &'static OperationMeta,
    poll: impl Fn() -> F + Send + 'static,
    is_met: impl Fn(&T) -> bool + Send + 'static,
) -> Wait<T>
where
    F: Future<Output = Result<Option<T>, Error>> + Send + 'static,
{
    Wait {
        operation,
        poll: Box::new(move || Box::pin(poll())),
        is_met: Box::new(is_met),
        backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(10)),
        timeout: Duration::from_secs(300),
    }
}

/// The value of `operation`, or `None` if the resource does not exist.
async fn retrieve<O: Operation>(operation: O) -> Result<Option<O::Output>, Error> {
    if !O::META.is_safe() {
        let message = "the operation must be read-only, because a wait sends it repeatedly";
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    match operation.send().await {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The item with this id. Items after it are not requested.
async fn find<O, I>(list: O, id: I::Id) -> Result<Option<I>, Error>
where
    O: List<Item = I>,
    I: Settles + Serialize,
{
    let mut items = Paginator::new(list).into_items();
    while let Some(item) = items.try_next().await? {
        if item.id() == id {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

impl<T: Send + Sync + 'static> Wait<T> {
    /// The longest time to wait. 300 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The pauses between polls. By default windows of 500 ms up to 10 s. Each is at least 10 ms.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    async fn run(mut self) -> Result<T, Error> {
        let mut last = None;
        let late = self.late();
        let outcome = timeout(self.timeout, self.poll_until_met(&mut last)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(late));
        outcome.map_err(|error| {
            let operation = self.operation.id.into();
            let error = error.with_context(|context| context.operation = Some(operation));
            match last {
                Some(state) => error.with_last_seen(state),
                None => error,
            }
        })
    }

    fn late(&self) -> Error {
        let message = format!(
            "the awaited status was not reached within {:?}",
            self.timeout
        );
        Error::new(ErrorKind::Timeout, message)
    }

    async fn poll_until_met(&mut self, last: &mut Option<T>) -> Result<T, Error> {
        let mut seen = Instant::now();
        let mut polls = 0;
        loop {
            match (self.poll)().await? {
                Some(state) if (self.is_met)(&state) => return Ok(state),
                Some(state) => {
                    *last = Some(state);
                    seen = Instant::now();
                }
                None if seen.elapsed() < NOT_FOUND_GRACE => {}
                None => {
                    let message = "the awaited resource does not exist";
                    return Err(Error::new(ErrorKind::NotFound, message));
                }
            }
            sleep(self.backoff.wait(polls).max(SHORTEST_PAUSE)).await;
            polls += 1;
        }
    }
}

impl<T: Send + Sync + 'static> IntoFuture for Wait<T> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

debug_fields!(Wait<T>, |self| timeout = self.timeout);
