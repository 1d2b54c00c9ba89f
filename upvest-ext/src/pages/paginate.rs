//! Extension traits for the builders of list operations.

use serde::Serialize;
use upvest_api::runtime::{List, Paginated};

use super::items::Items;
use super::page_stream::{Pages, Source};
use super::paginator::{Paginator, fetch};

/// Reads a list with pages. Implemented for the builder of every operation that has pages.
///
/// A `limit` or `offset` set on the builder is ignored. Use [`PaginateExt::page_size`] and [`PaginateExt::resume_at`] instead.
pub trait PaginateExt: Paginated<Item: Serialize> {
    /// A stream of the items of the whole list. See [`Paginator::items`].
    ///
    /// ```no_run
    /// use futures_util::{StreamExt, TryStreamExt};
    /// use upvest_ext::PaginateExt;
    ///
    /// # async fn read(upvest: upvest_ext::Upvest) -> Result<(), upvest_ext::Error> {
    /// let latest: Vec<_> = upvest.list_orders().items().take(250).try_collect().await?;
    /// # Ok(()) }
    /// ```
    fn items(self) -> Items<Self::Item> {
        Paginator::new(self).items()
    }

    /// A stream of the pages of the whole list.
    fn pages(self) -> Pages<Self::Item> {
        Paginator::new(self).pages()
    }

    /// Requests `items` per page. See [`Paginator::page_size`].
    fn page_size(self, items: u32) -> Paginator<Self> {
        Paginator::new(self).page_size(items)
    }

    /// Prefetches up to `pages` pages. See [`Paginator::prefetch`].
    fn prefetch(self, pages: usize) -> Paginator<Self> {
        Paginator::new(self).prefetch(pages)
    }

    /// Starts with the item at the index `offset`. See [`Paginator::resume_at`].
    fn resume_at(self, offset: u64) -> Paginator<Self> {
        Paginator::new(self).resume_at(offset)
    }
}

impl<T: Paginated<Item: Serialize>> PaginateExt for T {}

/// Reads a list without pages. Implemented for the builder of every list operation.
///
/// Its method borrows the builder, so that the compiler prefers [`PaginateExt::items`] for lists with pages if both traits are
/// in scope.
pub trait ListExt: List {
    /// A stream of the items of the list, which is fetched with one request when the stream is first polled.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt;
    /// use upvest_ext::{ListExt, PaginateExt, api::types::AccountId};
    ///
    /// # async fn read(upvest: upvest_ext::Upvest, account: AccountId) -> Result<(), upvest_ext::Error> {
    /// let positions: Vec<_> = upvest.list_positions().account_id(account).items().try_collect().await?;
    /// let orders: Vec<_> = upvest.list_orders().account_id(account).items().try_collect().await?;
    /// # Ok(()) }
    /// ```
    fn items(&self) -> Items<Self::Item> {
        let list = self.clone();
        let source = Source {
            operation: Self::META,
            fetch: Box::new(move |_| Box::pin(fetch(list.clone()))),
            fingerprint: |_| 0,
            limit: None,
            offset: 0,
            prefetch: 0,
        };
        Items::new(Pages::new(source), None)
    }
}

impl<T: List> ListExt for T {}
