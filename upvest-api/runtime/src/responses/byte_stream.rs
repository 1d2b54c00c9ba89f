//! The body of a response, as a stream or as a whole.

use std::borrow::Cow;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep};

use super::error::Error;
use super::error_kind::ErrorKind;
use super::response::Metadata;
use crate::operation_meta::OperationMeta;

/// How long a reader waits for the next bytes: the default time of an attempt.
const IDLE_LIMIT: Duration = Duration::from_secs(20);

const READ_LESS: &str = "request less at a time, such as smaller pages, or read a file as a stream";
const DOWNLOAD_AGAIN: &str = "call the operation again: a download starts from its beginning";

/// The bytes of a response, as a stream.
///
/// It borrows nothing, so it can be moved into a task or become the body of an HTTP response. If the server announced a
/// length, fewer or more bytes are an error. If no bytes arrive for 20 s, or for the time of one attempt of the client
/// that made the call, the stream fails.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), upvest_runtime::Error> {
/// use upvest_runtime::ByteStream;
///
/// let stream = ByteStream::from("%PDF-1.7");
/// assert_eq!(stream.bytes().await?, "%PDF-1.7");
/// # Ok(()) }
/// ```
pub struct ByteStream {
    body: Body,
    /// The number of bytes that the server announced.
    length: Option<u64>,
    /// The number of bytes that were yielded.
    position: u64,
    /// The longest allowed time between two chunks.
    idle_limit: Duration,
    /// Runs while the reader waits for bytes.
    idle_timer: Option<Pin<Box<Sleep>>>,
    /// The call that returned this file.
    call: Option<Box<FinishedCall>>,
}

/// A call that has returned its response, for the errors of the body.
struct FinishedCall {
    operation: &'static OperationMeta,
    metadata: Metadata,
    finished: Instant,
}

enum Body {
    Whole(Bytes),
    Stream(BoxStream<'static, Result<Bytes, Error>>),
}

impl ByteStream {
    /// The longest response with a value that is read into memory, in bytes. Files have no limit.
    pub const VALUE_LIMIT: usize = 64 * 1024 * 1024;
    /// The longest error that is read into memory, in bytes.
    pub const ERROR_LIMIT: usize = 1024 * 1024;

    /// A stream of the bytes that `stream` yields.
    pub fn new(stream: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self::from_body(Body::Stream(Box::pin(stream)))
    }

    fn from_body(body: Body) -> Self {
        Self {
            body,
            length: None,
            position: 0,
            idle_limit: IDLE_LIMIT,
            idle_timer: None,
            call: None,
        }
    }

    /// For transports: makes every error of this stream name the call that returned it.
    #[must_use]
    pub fn of_call(mut self, operation: &'static OperationMeta, metadata: &Metadata) -> Self {
        self.call = Some(Box::new(FinishedCall {
            operation,
            metadata: metadata.clone(),
            finished: Instant::now(),
        }));
        self
    }

    /// Sets the longest time without bytes. 20 s by default.
    #[must_use]
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.idle_limit = limit;
        self
    }

    /// The number of bytes that the server announced, for a progress bar.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Fails unless there are `length` bytes.
    pub(crate) fn of_length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Waits for the last byte and returns all bytes in memory.
    ///
    /// # Errors
    ///
    /// The error of the stream, usually [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted).
    pub async fn bytes(self) -> Result<Bytes, Error> {
        self.bytes_within(usize::MAX).await
    }

    /// As [`bytes`](Self::bytes), for at most `limit` bytes. A body that is already in memory has no limit.
    ///
    /// # Errors
    ///
    /// The error of the stream, or [`ErrorKind::Decode`] as soon as there are more than `limit` bytes. The rest is not
    /// read.
    pub async fn bytes_within(mut self, limit: usize) -> Result<Bytes, Error> {
        let bytes = self.read_within(limit).await;
        bytes.map_err(|error| self.add_facts(error))
    }

    async fn read_within(&mut self, limit: usize) -> Result<Bytes, Error> {
        let is_limited = matches!(self.body, Body::Stream(_));
        // Most responses arrive in one chunk, which need not be copied.
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(chunk) = self.try_next().await? {
            let length = first.len().max(all.len()).saturating_add(chunk.len());
            if is_limited && length > limit {
                let message = format!("the body is longer than the limit of {limit} bytes");
                let error = Error::new(ErrorKind::Decode, message);
                return Err(error.with_context(|context| context.hint = Some(READ_LESS.into())));
            }
            if first.is_empty() {
                first = chunk;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&chunk);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    /// Polls for the next bytes. Their number is not checked.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let polled = match &mut self.body {
            Body::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Whole(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Body::Stream(stream) => stream.as_mut().poll_next(context),
        };
        if polled.is_ready() {
            self.idle_timer = None;
            return polled;
        }
        self.poll_idle_timer(context).map(|()| {
            let limit = self.idle_limit;
            self.end();
            let message = format!("no bytes of the body arrived for {limit:?}");
            Some(Err(Error::new(ErrorKind::Timeout, message)))
        })
    }

    fn poll_idle_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // Outside a Tokio runtime, timers do not work. No network body can be read there either, so no idle timeout
        // applies.
        if self.idle_timer.is_none() && Handle::try_current().is_err() {
            return Poll::Pending;
        }
        let limit = self.idle_limit;
        let timer = self
            .idle_timer
            .get_or_insert_with(|| Box::pin(sleep(limit)));
        timer.as_mut().poll(context)
    }

    /// Makes the stream yield nothing any more.
    fn end(&mut self) {
        self.body = Body::Whole(Bytes::new());
        self.length = None;
        self.idle_timer = None;
    }

    /// Ends the stream, and returns the error for a body that does not have the announced `length`.
    fn end_with_wrong_length(&mut self, length: u64) -> Error {
        self.end();
        let position = self.position;
        let message = format!("received {position} of {length} bytes");
        Error::new(ErrorKind::Interrupted, message)
    }

    /// Adds the position and the facts of the call to an error about this body, unless it has them already.
    pub(crate) fn add_facts(&self, error: Error) -> Error {
        let kind = error.kind();
        let error = error.with_context(|context| {
            // A file that cannot be written has nothing to do with the bytes that were received.
            if kind != ErrorKind::Io {
                context.position.get_or_insert(self.position);
            }
        });
        let Some(call) = &self.call else {
            return error;
        };
        let error = error.with_call(call.operation, &call.metadata);
        let is_broken = matches!(kind, ErrorKind::Interrupted | ErrorKind::Timeout);
        let hint = (is_broken && error.hint().is_none()).then_some(DOWNLOAD_AGAIN);
        error.with_context(|context| {
            context.elapsed = Some(call.metadata.elapsed + call.finished.elapsed());
            context.hint = context.hint.take().or(hint.map(Cow::Borrowed));
        })
    }
}

impl<T: Into<Bytes>> From<T> for ByteStream {
    fn from(bytes: T) -> Self {
        Self::from_body(Body::Whole(bytes.into()))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = match ready!(self.poll_body(context)) {
            Some(Ok(chunk)) => Some(chunk),
            Some(Err(error)) => return Poll::Ready(Some(Err(self.add_facts(error)))),
            None => None,
        };
        let received = chunk.as_ref().map_or(0, Bytes::len) as u64;
        self.position = self.position.saturating_add(received);
        let is_wrong = |length: u64| match &chunk {
            Some(_) => self.position > length,
            None => self.position != length,
        };
        match self.length.filter(|length| is_wrong(*length)) {
            Some(length) => {
                let error = self.end_with_wrong_length(length);
                Poll::Ready(Some(Err(self.add_facts(error))))
            }
            None => Poll::Ready(chunk.map(Ok)),
        }
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Body::Whole(bytes) => write!(f, "ByteStream({} bytes)", bytes.len()),
            Body::Stream(_) => f.write_str("ByteStream(..)"),
        }
    }
}
