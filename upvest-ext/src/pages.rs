//! Lists as streams of items or pages, which are fetched when they are needed.
//!
//! ```no_run
//! use futures_util::TryStreamExt;
//! use upvest_ext::PaginateExt;
//! use upvest_ext::api::types::OrderStatus;
//!
//! # async fn read(upvest: upvest_ext::Upvest) -> Result<(), upvest_ext::Error> {
//! let mut orders = upvest.list_orders().status(OrderStatus::Filled).items();
//! while let Some(order) = orders.try_next().await? {
//!     println!("{}", order.id);
//! }
//! # Ok(()) }
//! ```
//!
//! Guide: [Lists](crate::guide::lists). It includes a CSV export and concurrent calls.
//!
//! # The end of a list
//!
//! A list ends at the total that the server states or, without a total, at a page that is not full. If the responses
//! contradict each other, items that follow are still read:
//!
//! * If a page is not full although the total says that more items follow, the server may allow only smaller pages than
//!   were requested. The next page is requested after its last item. If that page is empty, the list has ended.
//! * After an empty page before the total, the next page is requested. Ten empty pages in a row are an error.
//! * If there are more items than the total says, the total is ignored and the list ends at a page that is not full.
//! * A page with another offset than was requested is an error, and so is a repeated page, so that no list is endless.
//!   If the server states the requested offset, only a second repetition in a row is one: as many items as a page has
//!   may have been added at the start of the list.
//!
//! These errors have the kind [`ErrorKind::Paging`]. Every error of a stream contains the
//! index of the first item that was not read ([`Error::position`](crate::Error::position)), for
//! [`PaginateExt::resume_at`].
//!
//! A total that is too low cannot be detected if it is reached exactly at the end of a page.
//!
//! # Lists that change while they are read
//!
//! Offsets are counted from the start of the list. If items are added or removed there while the list is read, later
//! items move, and an item may be returned twice or not at all.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use tokio::task::JoinHandle;
use upvest_runtime::{Error, ErrorKind, List, Page, Paginated};

use crate::debug_fields::debug_fields;
use crate::progress::{Progress, ReceivedPage};

/// The most pages that are requested ahead, as a total can be wrong.
const MAX_PREFETCHED: usize = 64;

/// Reads a list with pages. Implemented for the builder of every operation that has pages.
///
/// A `limit` or `offset` set on the builder is ignored. Use [`PaginateExt::page_size`] and [`PaginateExt::resume_at`]
/// instead.
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
    fn items(self) -> BoxStream<'static, Result<Self::Item, Error>> {
        Paginator::new(self).items()
    }

    /// A stream of the pages of the whole list. See [`Paginator::pages`].
    fn pages(self) -> BoxStream<'static, Result<Page<Self::Item>, Error>> {
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

/// Settings for reading a list with pages. Made by [`PaginateExt`].
#[must_use = "nothing is sent before the stream is polled"]
#[derive(Clone)]
pub struct Paginator<T> {
    list: T,
    /// `None` for a list without pages.
    page_size: Option<u32>,
    offset: u64,
    prefetch: usize,
    problem: Option<Error>,
}

impl<T: Paginated<Item: Serialize>> Paginator<T> {
    /// Requests `items` per page. By default the maximum of the description, which is 100 for most lists.
    ///
    /// A size outside of the description's bounds makes the stream fail with [`ErrorKind::InvalidRequest`].
    pub fn page_size(mut self, items: u32) -> Self {
        self.page_size = Some(items);
        self.problem = out_of_bounds::<T>(items);
        self
    }

    /// Requests up to `pages` pages before they are needed, 64 at most, so that at most `pages + 1` are in memory or in
    /// progress at a time. Pages are yielded in order. 0 by default.
    ///
    /// Prefetching starts after the first page, which contains the total. Nothing is prefetched of a list without a
    /// total. The requests run on tasks of their own, which end with the stream.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages.min(MAX_PREFETCHED);
        self
    }

    /// Starts with the item at the index `offset`, counted from 0, such as the [`position`](Error::position) of a
    /// stream's error.
    pub fn resume_at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// A stream of the items. Nothing is sent before it is polled. It ends after an error.
    ///
    /// A page is fetched once the previous one has been consumed, so `take(n)` fetches only the pages that it needs. If
    /// a `next()` future is dropped before it is ready, no item is lost. The stream borrows nothing, so it can be moved
    /// into a task or become the body of an HTTP response.
    pub fn items(self) -> BoxStream<'static, Result<T::Item, Error>> {
        self.into_items()
    }

    /// A stream of the pages, as [`items`](Self::items). A page contains the total of the list.
    pub fn pages(self) -> BoxStream<'static, Result<Page<T::Item>, Error>> {
        self.into_pages()
    }
}

impl<T: List<Item: Serialize>> Paginator<T> {
    /// Reads `list` with the largest pages that the description allows. A list without pages is read with one request.
    pub(crate) fn new(list: T) -> Self {
        Self {
            list,
            page_size: T::META.paging.map(|paging| paging.max_limit),
            offset: 0,
            prefetch: 0,
            problem: None,
        }
    }

    pub(crate) fn into_items(self) -> BoxStream<'static, Result<T::Item, Error>> {
        let pages = self.into_pages();
        let items = pages.map_ok(|page| stream::iter(page.items).map(Ok));
        items.try_flatten().boxed()
    }

    fn into_pages(self) -> BoxStream<'static, Result<Page<T::Item>, Error>> {
        if let Some(problem) = self.problem {
            let error = failed_at::<T>(problem, self.offset);
            return stream::iter([Err(error)]).boxed();
        }
        let reading = Reading {
            progress: Progress::new(self.offset, self.page_size.unwrap_or(u32::MAX)),
            settings: self,
            requested: VecDeque::new(),
        };
        let pages = stream::try_unfold(Some(reading), async |reading| match reading {
            Some(reading) => reading.next_page().await.map(Some),
            None => Ok(None),
        });
        pages.boxed()
    }
}

/// The error for a page size that the description does not allow.
fn out_of_bounds<T: List>(items: u32) -> Option<Error> {
    let paging = T::META.paging?;
    let least = paging.min_limit.max(1);
    let most = paging.max_limit;
    if (least..=most).contains(&items) {
        return None;
    }
    let message = format!("a page has {least} to {most} items, not {items}");
    Some(Error::new(ErrorKind::InvalidRequest, message))
}

/// The error of the stream if the page at `offset` cannot be read.
fn failed_at<T: List>(error: Error, offset: u64) -> Error {
    error.with_context(|context| {
        context.operation = Some(T::META.id.into());
        context.position = Some(offset);
    })
}

type PageFuture<I> = BoxFuture<'static, Result<Page<I>, Error>>;

/// A page that was requested before it is needed.
struct PrefetchedPage<I> {
    offset: u64,
    page: Task<Page<I>>,
}

/// A list that is being read.
struct Reading<T: List> {
    settings: Paginator<T>,
    progress: Progress,
    requested: VecDeque<PrefetchedPage<T::Item>>,
}

impl<T: List<Item: Serialize>> Reading<T> {
    /// The next page, and what reads those after it, if there are any.
    async fn next_page(mut self) -> Result<(Page<T::Item>, Option<Self>), Error> {
        let offset = self.progress.next();
        let at_offset = |error| failed_at::<T>(error, offset);
        let page = match self.requested.pop_front() {
            Some(prefetched) if prefetched.offset == offset => prefetched.page.output().await,
            // The prefetched pages start elsewhere, as the page before them was shorter than expected.
            _ => {
                self.requested.clear();
                self.request(offset).await
            }
        };
        let page = page.map_err(at_offset)?;
        let goes_on = self.record(&page).map_err(at_offset)?;
        if !goes_on {
            return Ok((page, None));
        }
        self.prefetch();
        Ok((page, Some(self)))
    }

    /// Records a page and returns whether the list continues after it.
    fn record(&mut self, page: &Page<T::Item>) -> Result<bool, Error> {
        let goes_on = self.progress.advance(ReceivedPage {
            items: page.items.len() as u64,
            total: page.total,
            offset: page.offset,
            limit: page.limit,
            fingerprint: fingerprint(&page.items),
        });
        if self.settings.page_size.is_none() {
            return Ok(false);
        }
        goes_on.map_err(|rule| Error::new(ErrorKind::Paging, rule.to_string()))
    }

    fn request(&self, offset: u64) -> PageFuture<T::Item> {
        let list = self.settings.list.clone();
        let list = match self.settings.page_size {
            Some(size) => list.with_page(offset, size),
            None => list,
        };
        async move { Ok(T::page(list.send().await?.into_inner())) }.boxed()
    }

    /// Starts requests for pages that are not needed yet.
    fn prefetch(&mut self) {
        // After a page with fewer items than `limit`, the offsets of the next pages are uncertain.
        let total = self
            .progress
            .total()
            .filter(|_| !self.progress.is_in_doubt());
        while self.requested.len() < self.settings.prefetch {
            let next = match self.requested.back() {
                Some(last) => last.offset.saturating_add(self.progress.limit()),
                None => self.progress.next(),
            };
            if total.is_none_or(|total| next >= total) {
                return;
            }
            self.requested.push_back(PrefetchedPage {
                offset: next,
                page: Task(tokio::spawn(self.request(next))),
            });
        }
    }
}

/// A task that ends when this is dropped.
struct Task<T>(JoinHandle<Result<T, Error>>);

impl<T> Task<T> {
    async fn output(mut self) -> Result<T, Error> {
        (&mut self.0).await.unwrap_or_else(|ended| {
            let message = "the request of a prefetched page ended without a result";
            Err(Error::new(ErrorKind::Interrupted, message).with_source(ended))
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A hash that identifies a page: of its first item, its last item and their number.
fn fingerprint<I: Serialize>(items: &[I]) -> u64 {
    let mut hasher = Hashing(DefaultHasher::new());
    items.len().hash(&mut hasher.0);
    for item in items.first().into_iter().chain(items.last()) {
        // This cannot fail, as the items were read from JSON.
        let _ = serde_json::to_writer(&mut hasher, item);
    }
    hasher.0.finish()
}

struct Hashing(DefaultHasher);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

debug_fields!(
    Paginator<T>,
    |self| page_size = self.page_size,
    offset = self.offset,
    prefetch = self.prefetch
);
