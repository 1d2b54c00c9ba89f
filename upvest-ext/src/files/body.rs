//! The stream of a file's bytes. It checks the media type, the range and the length.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use upvest_api::{ByteStream, Error, ErrorKind, Response};

use crate::clock::Clock;
use crate::debug_fields::debug_fields;

/// A stream of a file's bytes, which ends after an error. Made by [`Download::open`](super::Download::open).
pub struct FileStream {
    length: Option<u64>,
    content_type: Option<String>,
    bytes: ByteStream,
}

impl FileStream {
    /// The length of the whole file in bytes, if the server states it.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The media type, such as `application/pdf`, if the server states it.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Checks the answer to a request for the bytes from `offset` on, and makes a stream of it. `accepted` are the media types that
    /// were requested from the API.
    pub(super) fn new(
        answer: Response<ByteStream>,
        offset: u64,
        accepted: Option<&str>,
        (idle, clock): (Duration, Arc<dyn Clock>),
        operation: &'static str,
    ) -> Result<Self, Error> {
        let headers = answer.headers();
        let content_type = check_type(headers, accepted)?;
        let rest = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let is_part = answer.status() == StatusCode::PARTIAL_CONTENT;
        if is_part && first_byte(headers) != Some(offset) {
            let message = "the server sent another part of the file than was requested";
            return Err(Error::new(ErrorKind::Decode, message));
        }
        let (skip, before) = if is_part { (0, offset) } else { (offset, 0) };
        let length = rest.map(|rest| rest.saturating_add(before));
        let transfer = Transfer {
            stream: answer.into_inner(),
            position: offset,
            skip,
            length,
            idle,
            clock,
            operation,
        };
        let bytes = ByteStream::new(stream::try_unfold(transfer, Transfer::next));
        Ok(Self {
            length,
            content_type,
            bytes,
        })
    }

    /// A file whose `length` bytes have all been received before.
    pub(super) fn complete(length: u64) -> Self {
        Self {
            length: Some(length),
            content_type: None,
            bytes: ByteStream::new(stream::empty()),
        }
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.bytes.poll_next_unpin(cx)
    }
}

debug_fields!(FileStream, |self| length = self.length);

/// A download in progress.
struct Transfer {
    stream: ByteStream,
    /// The number of bytes that were yielded or had been received before.
    position: u64,
    /// The number of bytes to skip, as they had been received before.
    skip: u64,
    /// The length of the whole file.
    length: Option<u64>,
    idle: Duration,
    clock: Arc<dyn Clock>,
    operation: &'static str,
}

impl Transfer {
    /// The next bytes, or `None` once the file is complete.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        let (position, operation) = (self.position, self.operation);
        let known = |error: Error| error.with_operation(operation).with_position(position);
        let chunk = self.chunk().await.map_err(known)?;
        Ok(chunk.map(|chunk| (chunk, self)))
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let chunk = tokio::select! {
                biased;
                chunk = self.stream.try_next() => chunk?,
                () = self.clock.sleep(self.idle) => {
                    return Err(Error::new(ErrorKind::Timeout, format!("no bytes of the file arrived for {:?}", self.idle)));
                }
            };
            let Some(mut chunk) = chunk else {
                return self
                    .check_length(|position, length| position == length)
                    .map(|()| None);
            };
            let skipped = chunk
                .len()
                .min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.skip -= skipped as u64;
            let _ = chunk.split_to(skipped);
            if !chunk.is_empty() {
                self.position += chunk.len() as u64;
                self.check_length(|position, length| position <= length)?;
                return Ok(Some(chunk));
            }
        }
    }

    fn check_length(&self, fits: impl Fn(u64, u64) -> bool) -> Result<(), Error> {
        let position = self.position;
        match self.length {
            Some(length) if !fits(position, length) || self.skip > 0 => Err(Error::new(
                ErrorKind::Interrupted,
                format!("received {position} of {length} bytes"),
            )),
            _ => Ok(()),
        }
    }
}

/// The API must answer with one of the requested types. Other hosts may use any media type except those of web pages
/// and error messages.
fn check_type(headers: &HeaderMap, accepted: Option<&str>) -> Result<Option<String>, Error> {
    let Some(value) = text(headers, &CONTENT_TYPE) else {
        return Ok(None);
    };
    let found = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let fits = if let Some(accepted) = accepted {
        accepted.split(',').any(|accepted| accepted.trim() == found)
    } else {
        ![
            "text/html",
            "application/json",
            "application/problem+json",
            "application/xml",
            "text/xml",
        ]
        .contains(&found.as_str())
    };
    if fits {
        return Ok(Some(found));
    }
    let shown: String = found.chars().take(40).collect();
    Err(Error::new(
        ErrorKind::Decode,
        format!("the server sent `{shown}` instead of a file"),
    ))
}

/// The first byte of a range: 200 for `bytes 200-999/1000` (RFC 9110 section 14.4).
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_RANGE)?
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .trim()
        .parse()
        .ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
