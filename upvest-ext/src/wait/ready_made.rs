//! The waits that most programs need: until a thing is in a state that it does not leave any more.
//!
//! Which states these are is part of the description. A status that this version does not know is waited through.

use upvest_api::runtime::{Operation, Settles};

use super::wait_until::Wait;
use crate::client::upvest::Upvest;
use crate::pages::Items;

impl Upvest {
    /// Waits until the thing that `operation` reads is in a final state: an order, for example, until it is filled, cancelled or
    /// rejected.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::OrderId) -> Result<(), upvest_ext::Error> {
    /// let order = upvest.wait_for(upvest.retrieve_order().order_id(id)).await?;
    /// println!("{:?}", order.status);
    /// # Ok(()) }
    /// ```
    pub fn wait_for<O>(&self, operation: O) -> Wait<O::Output>
    where
        O: Operation<Output: Settles>,
    {
        self.wait_until(operation, Settles::is_final)
    }

    /// Waits until the thing with this id is in a final state, where it can only be found in a list.
    ///
    /// ```no_run
    /// # async fn wait(upvest: upvest_ext::Upvest, id: upvest_ext::api::types::ReportId) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::PaginateExt;
    ///
    /// let reports = upvest.list_reports();
    /// let report = upvest.wait_for_item(move || reports.clone().items(), id).await?;
    /// # Ok(()) }
    /// ```
    pub fn wait_for_item<I: Settles>(
        &self,
        list: impl Fn() -> Items<I> + Send + 'static,
        id: I::Id,
    ) -> Wait<I> {
        self.wait_until_listed(list, move |item| item.id() == id, Settles::is_final).about(id)
    }

    /// Waits until `events` tell that the thing with this id is in a final state, for what no operation reads.
    #[cfg(feature = "webhooks")]
    pub fn wait_for_event<I: Settles + serde::de::DeserializeOwned>(
        &self,
        id: I::Id,
        events: impl futures_util::Stream<Item = crate::webhooks::Event> + Send + 'static,
    ) -> Wait<I> {
        self.wait(None, Settles::is_final).about(id).events(events)
    }
}
