//! The stream of the pages of a list, with prefetching.

use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, MaybeDone, maybe_done};
use futures_util::stream::Stream;
use upvest_api::runtime::{OperationMeta, Page};
use upvest_api::{Error, ErrorKind};

use super::progress::{Answered, Progress};
use crate::debug_fields::debug_fields;

type Fetched<I> = Result<Page<I>, Error>;

/// The settings and the function that pages are fetched with.
pub(crate) struct Source<I> {
    pub(crate) operation: &'static OperationMeta,
    /// Fetches the page at an offset.
    pub(crate) fetch: Box<dyn Fn(u64) -> BoxFuture<'static, Fetched<I>> + Send>,
    pub(crate) fingerprint: fn(&[I]) -> u64,
    /// The page size. `None` for a list without pages.
    pub(crate) limit: Option<u32>,
    pub(crate) offset: u64,
    pub(crate) prefetch: usize,
}

/// A stream of the pages of a list. Nothing is sent before it is polled. It ends after an error.
///
/// It borrows nothing, so it can be moved into a task. If a `next()` future is dropped before it is ready, no page is lost.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<I> {
    source: Source<I>,
    progress: Progress,
    /// The requests for the next page and the prefetched ones, with their offsets.
    asked: VecDeque<(u64, MaybeDone<BoxFuture<'static, Fetched<I>>>)>,
    started: bool,
    done: bool,
}

impl<I> Pages<I> {
    pub(crate) fn new(source: Source<I>) -> Self {
        let progress = Progress::new(source.offset, source.limit.unwrap_or(u32::MAX));
        Self {
            source,
            progress,
            asked: VecDeque::new(),
            started: false,
            done: false,
        }
    }

    /// The index of the first item of the next page, counted from 0, for
    /// [`Paginator::resume_at`](super::Paginator::resume_at).
    pub fn position(&self) -> u64 {
        self.progress.next()
    }

    /// The number of items in the whole list, according to the latest page.
    pub fn total(&self) -> Option<u64> {
        self.progress.total()
    }

    /// Polls the requests in progress, so that pages arrive while the caller consumes the previous one.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        for (_, page) in &mut self.asked {
            let _ = Pin::new(page).poll(cx);
        }
    }

    /// Starts requests for as many pages as may be in progress. Before the first page there is one, as the total is unknown.
    fn ask(&mut self) {
        let next = self.progress.next();
        let total = self.progress.total();
        // Prefetched pages cannot be used if the list continues at another offset than expected.
        if self
            .asked
            .front()
            .is_some_and(|(offset, _)| *offset != next)
        {
            self.asked.clear();
        }
        let is_known = self.started && !self.progress.is_in_doubt();
        let most = if is_known {
            self.source.prefetch.saturating_add(1)
        } else {
            1
        };
        let limit = self.progress.limit();
        while self.asked.len() < most {
            let offset = self
                .asked
                .back()
                .map_or(next, |(last, _)| last.saturating_add(limit));
            if offset != next && total.is_some_and(|total| offset >= total) {
                break;
            }
            self.asked
                .push_back((offset, maybe_done((self.source.fetch)(offset))));
        }
    }

    /// Records a page and returns whether the list continues after it.
    fn advance(&mut self, page: &Page<I>) -> Result<bool, Error> {
        self.started = true;
        let goes_on = self.progress.advance(Answered {
            items: page.items.len() as u64,
            total: page.total,
            offset: page.offset,
            limit: page.limit,
            fingerprint: (self.source.fingerprint)(&page.items),
        });
        if self.source.limit.is_none() {
            return Ok(false);
        }
        goes_on.map_err(|rule| {
            Error::new(ErrorKind::Paging, rule.to_string()).with_operation(self.source.operation.id)
        })
    }
}

impl<I> Stream for Pages<I> {
    type Item = Result<Page<I>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        this.ask();
        this.drive(cx);
        let Some(page) = this
            .asked
            .front_mut()
            .and_then(|(_, page)| Pin::new(page).take_output())
        else {
            return Poll::Pending;
        };
        this.asked.pop_front();
        let position = this.position();
        let page = page.and_then(|page| this.advance(&page).map(|goes_on| (page, goes_on)));
        this.done = !matches!(page, Ok((_, true)));
        if this.done {
            this.asked.clear();
        }
        Poll::Ready(Some(
            page.map(|(page, _)| page)
                .map_err(|error| error.with_position(position)),
        ))
    }
}

debug_fields!(
    Pages<I>,
    |self| position = self.position(),
    total = self.total()
);
