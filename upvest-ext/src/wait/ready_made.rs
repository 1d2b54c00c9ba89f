//! Waits until a resource has a final status.
//!
//! The description says which statuses are final. A status that this version does not know is not final.

use upvest_api::runtime::{Operation, Settles};

use super::wait_until::Wait;
use crate::client::upvest::Upvest;
use crate::pages::Items;

impl Upvest {
    /// Waits until the resource that `operation` reads has a final status. An order, for example, is final once it is filled,
    /// cancelled or rejected.
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

    /// Waits until the resource with this id has a final status, for resources that can only be read in a list.
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
        self.wait_until_listed(list, move |item| item.id() == id, Settles::is_final)
            .about(id)
    }

    /// Waits until `events` report a final status of the resource with this id, for resources that no operation reads.
    #[cfg(feature = "webhooks")]
    pub fn wait_for_event<I: Settles + serde::de::DeserializeOwned>(
        &self,
        id: I::Id,
        events: impl futures_util::Stream<Item = crate::webhooks::Event> + Send + 'static,
    ) -> Wait<I> {
        self.wait(None, Settles::is_final).about(id).events(events)
    }
}
