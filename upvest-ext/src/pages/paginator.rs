//! The settings for reading a list.

use std::future::ready;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use serde::Serialize;
use upvest_api::runtime::{List, Page, Paginated};
use upvest_api::{Error, ErrorKind};

use super::items::Items;
use super::page_stream::{Pages, Source};
use crate::debug_fields::debug_fields;

/// Settings for reading a list with pages. Made by [`PaginateExt`](super::PaginateExt).
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

    /// A stream of the items.
    pub(crate) fn into_items(self) -> Items<T::Item> {
        Items::new(self.into_pages())
    }

    fn into_pages(self) -> Pages<T::Item> {
        let Self {
            list,
            page_size,
            offset,
            prefetch,
            problem,
        } = self;
        Pages::new(Source {
            operation: T::META,
            fetch: Box::new(move |offset| match (&problem, page_size) {
                (Some(problem), _) => Box::pin(ready(Err(problem.clone()))),
                (None, Some(limit)) => Box::pin(fetch(list.clone().at(offset, limit))),
                (None, None) => Box::pin(fetch(list.clone())),
            }),
            fingerprint,
            limit: page_size,
            offset,
            prefetch,
        })
    }
}

impl<T: Paginated<Item: Serialize>> Paginator<T> {
    /// Requests `items` per page. By default the maximum of the description, which is 100 for most lists.
    ///
    /// A size outside of the description's bounds makes the stream fail with [`ErrorKind::InvalidRequest`].
    pub fn page_size(mut self, items: u32) -> Self {
        let bounds = T::META
            .paging
            .map(|paging| paging.min_limit.max(1)..=paging.max_limit);
        self.problem = bounds
            .filter(|bounds| !bounds.contains(&items))
            .map(|bounds| {
                let message = format!(
                    "a page has {} to {} items, not {items}",
                    bounds.start(),
                    bounds.end()
                );
                Error::new(ErrorKind::InvalidRequest, message).with_operation(T::META.id)
            });
        self.page_size = Some(items);
        self
    }

    /// Requests up to `pages` pages before they are needed, so that at most `pages + 1` are in memory or in progress at a time.
    /// Pages are yielded in order. 0 by default.
    ///
    /// Prefetching starts after the first page, which contains the total, and makes progress only while the stream is polled.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages;
        self
    }

    /// Starts with the item at the index `offset`, counted from 0: the `position()` of a stream or of its error.
    pub fn resume_at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// A stream of the items.
    pub fn items(self) -> Items<T::Item> {
        self.into_items()
    }

    /// A stream of the pages.
    pub fn pages(self) -> Pages<T::Item> {
        self.into_pages()
    }
}

/// Sends a list request.
async fn fetch<T: List>(list: T) -> Result<Page<T::Item>, Error> {
    Ok(T::page(list.send().await?.into_inner()))
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
