//! Pages in their order, some of them asked for ahead.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FusedStream, FuturesUnordered, Stream};
use upvest_api::runtime::{OperationMeta, Page};
use upvest_api::{Error, ErrorKind};

use super::progress::{Answered, Progress};

type Fetched<I> = Result<Page<I>, Error>;

/// What a list is read by.
pub(crate) struct Source<I> {
    pub(crate) operation: &'static OperationMeta,
    /// Asks for the page at an offset.
    pub(crate) fetch: Box<dyn Fn(u64) -> BoxFuture<'static, Fetched<I>> + Send>,
    pub(crate) fingerprint: fn(&[I]) -> u64,
    /// `None` for a list that comes whole.
    pub(crate) limit: Option<u32>,
    pub(crate) offset: u64,
    pub(crate) prefetch: usize,
    /// Why nothing can be fetched.
    pub(crate) problem: Option<Error>,
}

/// A stream over the pages of a list. Nothing is sent before it is polled, and it ends after an error.
///
/// It owns what it needs, so that it can be moved into a task. A `next()` that is dropped before it is ready loses nothing.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<I> {
    source: Source<I>,
    progress: Progress,
    /// The offset of the next page to ask for.
    ahead: u64,
    asked: FuturesUnordered<Asked<I>>,
    arrived: BTreeMap<u64, Fetched<I>>,
    started: bool,
    done: bool,
}

impl<I> Pages<I> {
    pub(crate) fn new(source: Source<I>) -> Self {
        let progress = Progress::new(source.offset, source.limit.unwrap_or(u32::MAX));
        Self {
            ahead: source.offset,
            source,
            progress,
            asked: FuturesUnordered::new(),
            arrived: BTreeMap::new(),
            started: false,
            done: false,
        }
    }

    /// The number of the first item of the next page, counted from 0, for
    /// [`Paginator::resume_at`](super::Paginator::resume_at).
    pub fn position(&self) -> u64 {
        self.progress.next()
    }

    /// The number of items in the whole list, by the latest page.
    pub fn total(&self) -> Option<u64> {
        self.progress.total()
    }

    /// Lets the pages that were asked for arrive, while the caller is still busy with the one before.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some((offset, page))) = self.asked.poll_next_unpin(cx) {
            self.arrived.insert(offset, page);
        }
    }

    /// Asks for as many pages as may be under way: how long the list is, only the first page tells.
    fn ask(&mut self) {
        let is_known = self.started && !self.progress.is_in_doubt();
        let most = if is_known { self.source.prefetch.saturating_add(1) } else { 1 };
        while self.asked.len() + self.arrived.len() < most && self.is_within_total(self.ahead) {
            let page = (self.source.fetch)(self.ahead);
            self.asked.push(Asked { offset: self.ahead, page });
            self.ahead = self.ahead.saturating_add(u64::from(self.source.limit.unwrap_or(u32::MAX)));
        }
    }

    fn is_within_total(&self, offset: u64) -> bool {
        offset == self.progress.next() || self.progress.total().is_none_or(|total| offset < total)
    }

    fn arrive(&mut self, page: Fetched<I>) -> Result<Page<I>, Error> {
        let page = page?;
        let answered = Answered {
            items: page.items.len() as u64,
            total: page.total,
            offset: page.offset,
            fingerprint: (self.source.fingerprint)(&page.items),
        };
        self.started = true;
        let goes_on = match self.source.limit {
            Some(_) => self.progress.advance(answered).map_err(|rule| {
                Error::new(ErrorKind::Paging, rule.to_string()).with_operation(self.source.operation.id)
            })?,
            None => false,
        };
        if goes_on {
            self.discard_unless_expected();
        } else {
            self.end();
        }
        Ok(page)
    }

    /// Pages that were asked for ahead are of no use where the list goes on at another place than was thought.
    fn discard_unless_expected(&mut self) {
        let next = self.progress.next();
        let asked = self.asked.iter().any(|asked| asked.offset == next);
        if !asked && !self.arrived.contains_key(&next) && self.ahead != next {
            self.asked.clear();
            self.arrived.clear();
            self.ahead = next;
        }
    }

    fn end(&mut self) {
        self.done = true;
        self.asked.clear();
        self.arrived.clear();
    }
}

impl<I> Stream for Pages<I> {
    type Item = Result<Page<I>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        if let Some(problem) = this.source.problem.take() {
            this.end();
            return Poll::Ready(Some(Err(problem.with_position(this.position()))));
        }
        this.ask();
        this.drive(cx);
        let Some(page) = this.arrived.remove(&this.progress.next()) else {
            return Poll::Pending;
        };
        let position = this.position();
        let page = this.arrive(page).map_err(|error| error.with_position(position));
        if page.is_err() {
            this.end();
        }
        Poll::Ready(Some(page))
    }
}

impl<I> FusedStream for Pages<I> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<I> Unpin for Pages<I> {}

impl<I> fmt::Debug for Pages<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("position", &self.position())
            .field("total", &self.total())
            .finish_non_exhaustive()
    }
}

/// A page that is on its way.
struct Asked<I> {
    offset: u64,
    page: BoxFuture<'static, Fetched<I>>,
}

impl<I> Future for Asked<I> {
    type Output = (u64, Fetched<I>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let page = ready!(self.page.as_mut().poll(cx));
        Poll::Ready((self.offset, page))
    }
}
