//! The body of an answer, as a stream or as a whole.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;

use super::error::Error;
use super::error_kind::ErrorKind;

/// The longest JSON answer that is read unless the transport has its own limit, in bytes.
pub(crate) const ANSWER_LIMIT: usize = 64 * 1024 * 1024;
/// The longest error answer that is read unless the transport has its own limit, in bytes.
pub(crate) const ERROR_LIMIT: usize = 1024 * 1024;

/// The bytes of an answer, as a stream.
///
/// It borrows nothing, so it can be moved into a task or become the body of an HTTP response.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), upvest_api::Error> {
/// use upvest_api::ByteStream;
///
/// let stream = ByteStream::from("%PDF-1.7");
/// assert_eq!(stream.bytes().await?, "%PDF-1.7");
/// # Ok(()) }
/// ```
pub struct ByteStream(Body);

enum Body {
    Whole(Bytes),
    Stream(BoxStream<'static, Result<Bytes, Error>>),
}

impl ByteStream {
    /// A stream of the bytes that `stream` yields.
    pub fn new(stream: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self(Body::Stream(Box::pin(stream)))
    }

    /// Waits for the last byte and returns all bytes in memory.
    ///
    /// # Errors
    ///
    /// The error of the stream, usually [`ErrorKind::Interrupted`](crate::runtime::ErrorKind::Interrupted).
    pub async fn bytes(self) -> Result<Bytes, Error> {
        self.bytes_within(usize::MAX).await
    }

    /// As [`bytes`](Self::bytes), for at most `limit` bytes. A body that is already in memory has no limit.
    ///
    /// # Errors
    ///
    /// The error of the stream, or [`ErrorKind::Decode`] as soon as there are more than `limit` bytes. The rest is not read.
    pub async fn bytes_within(self, limit: usize) -> Result<Bytes, Error> {
        let mut stream = match self.0 {
            Body::Whole(bytes) => return Ok(bytes),
            Body::Stream(stream) => stream,
        };
        // Most answers arrive in one chunk, which need not be copied.
        let (mut first, mut all) = (Bytes::new(), BytesMut::new());
        while let Some(chunk) = stream.try_next().await? {
            if first.len().max(all.len()).saturating_add(chunk.len()) > limit {
                let message = format!("the body is longer than the limit of {limit} bytes");
                return Err(Error::new(ErrorKind::Decode, message));
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
}

impl<T: Into<Bytes>> From<T> for ByteStream {
    fn from(bytes: T) -> Self {
        Self(Body::Whole(bytes.into()))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Body::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Whole(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Body::Stream(stream) => stream.as_mut().poll_next(context),
        }
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Body::Whole(bytes) => write!(f, "ByteStream({} bytes)", bytes.len()),
            Body::Stream(_) => f.write_str("ByteStream(..)"),
        }
    }
}
