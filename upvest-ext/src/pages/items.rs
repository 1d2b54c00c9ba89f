//! The stream of the items of a list.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::StreamExt as _;
use futures_util::stream::Stream;
use upvest_api::Error;

use super::page_stream::Pages;
use crate::debug_fields::debug_fields;

/// A stream of the items of a list. Nothing is sent before it is polled. It ends after an error.
///
/// A page is fetched once the previous one has been consumed, so `take(n)` fetches only the pages that it needs. If a `next()`
/// future is dropped before it is ready, no item is lost.
///
/// It borrows nothing, so it can be moved into a task or become the body of an HTTP response.
#[must_use = "streams do nothing unless polled"]
pub struct Items<I> {
    pages: Pages<I>,
    page: std::vec::IntoIter<I>,
}

impl<I> Items<I> {
    pub(crate) fn new(pages: Pages<I>) -> Self {
        Self {
            pages,
            page: Vec::new().into_iter(),
        }
    }

    /// The index of the next item, counted from 0, for [`Paginator::resume_at`](super::Paginator::resume_at). All items
    /// before it have been yielded.
    pub fn position(&self) -> u64 {
        self.pages.position().saturating_sub(self.page.len() as u64)
    }

    /// The number of items in the whole list, according to the latest page.
    pub fn total(&self) -> Option<u64> {
        self.pages.total()
    }
}

impl<I> Stream for Items<I> {
    type Item = Result<I, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { pages, page } = &mut *self;
        loop {
            if let Some(item) = page.next() {
                pages.drive(cx);
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(pages.poll_next_unpin(cx)) {
                Some(Ok(next)) => *page = next.items.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<I> Unpin for Items<I> {}

debug_fields!(
    Items<I>,
    |self| position = self.position(),
    total = self.total()
);
