//! An extension trait for the builders of list operations.

use serde::Serialize;
use upvest_api::runtime::Paginated;

use super::items::Items;
use super::page_stream::Pages;
use super::paginator::Paginator;

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
