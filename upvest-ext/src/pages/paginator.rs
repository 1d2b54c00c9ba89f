//! How a list is read.

use std::collections::HashSet;
use std::future::ready;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use serde::Serialize;
use upvest_api::runtime::{List, Page, Paginated};
use upvest_api::{Error, ErrorKind};

use super::items::Items;
use super::page_stream::{Pages, Source};
use crate::debug_fields::debug_fields;

/// A list that comes in pages, and how to read it. Made by [`PaginateExt`](super::PaginateExt).
#[must_use = "nothing is sent before the stream is polled"]
#[derive(Clone)]
pub struct Paginator<T> {
    list: T,
    page_size: u32,
    offset: u64,
    prefetch: usize,
    problem: Option<Error>,
}

impl<T: Paginated> Paginator<T>
where
    T::Item: Serialize,
{
    pub(crate) fn new(list: T) -> Self {
        let page_size = T::META.paging.map_or(100, |paging| paging.max_limit);
        Self { list, page_size, offset: 0, prefetch: 0, problem: None }
    }

    /// Asks for `items` on a page. As many as the description allows, 100 for most lists, unless set.
    ///
    /// A size outside of the description's bounds is [`ErrorKind::InvalidRequest`], reported by the stream.
    pub fn page_size(mut self, items: u32) -> Self {
        let bounds = T::META.paging.map(|paging| paging.min_limit.max(1)..=paging.max_limit);
        self.problem = bounds.filter(|bounds| !bounds.contains(&items)).map(|bounds| {
            let message = format!("a page holds {} to {} items, not {items}", bounds.start(), bounds.end());
            Error::new(ErrorKind::InvalidRequest, message).with_operation(T::META.id)
        });
        self.page_size = items;
        self
    }

    /// Asks for up to `pages` pages ahead of the one that is being read: at most `pages + 1` are held or under way at a time.
    /// They are yielded in order. None ahead unless set.
    ///
    /// The pages ahead travel while the stream is polled, and are not asked for before the first page has told the total.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages;
        self
    }

    /// Begins with item number `offset`, counted from 0: the `position()` of a stream or of its error.
    pub fn resume_at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// A stream over the items.
    pub fn items(self) -> Items<T::Item> {
        Items::new(self.pages(), None)
    }

    /// A stream over the items without those whose `key` came before, as when items move to a later page while the list is
    /// read. All keys are kept in memory.
    pub fn unique_by<K>(self, key: impl Fn(&T::Item) -> K + Send + 'static) -> Items<T::Item>
    where
        K: Eq + Hash + Send + 'static,
    {
        let mut seen = HashSet::new();
        Items::new(self.pages(), Some(Box::new(move |item| seen.insert(key(item)))))
    }

    /// A stream over the pages.
    pub fn pages(self) -> Pages<T::Item> {
        let Self { list, page_size, offset, prefetch, problem } = self;
        Pages::new(Source {
            operation: T::META,
            fetch: Box::new(move |offset| match &problem {
                Some(problem) => Box::pin(ready(Err(problem.clone()))),
                None => Box::pin(fetch(list.clone().at(offset, page_size))),
            }),
            fingerprint,
            limit: Some(page_size),
            offset,
            prefetch,
        })
    }
}

/// Sends a list request.
pub(crate) async fn fetch<T: List>(list: T) -> Result<Page<T::Item>, Error> {
    Ok(T::page(list.send().await?.into_inner()))
}

/// A number by which a page is known again: of its first item, its last and their count.
fn fingerprint<I: Serialize>(items: &[I]) -> u64 {
    let mut hasher = Hashing(DefaultHasher::new());
    items.len().hash(&mut hasher.0);
    for item in items.first().into_iter().chain(items.last()) {
        // What has been read from JSON can be written as JSON.
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
