//! The bytes of a file as they arrive, and what is wrong with them.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use reqwest::Response;
use upvest_api::operations::RETRIEVE_FILE;

use super::error::DownloadError;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::http_send::SendError;

/// A file on its way.
pub(super) struct Body {
    response: Response,
    /// How many bytes of the file have been handed on or were there before.
    pub(super) position: u64,
    /// Bytes yet to come that were there before.
    skip: u64,
    /// The length of the whole file.
    pub(super) length: Option<u64>,
    pub(super) content_type: Option<String>,
}

impl Body {
    /// Takes the answer to a request for the bytes from `offset` on, if it holds them.
    pub(super) fn new(response: Response, offset: u64, is_ours: bool) -> Result<Self, DownloadError> {
        let headers = response.headers();
        let content_type = check_type(headers, is_ours)?;
        let rest = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        if is_part && first_byte(headers) != Some(offset) {
            let message = "the server sent another part of the file than was asked for";
            return Err(Error::new(ErrorKind::Decode, message).into());
        }
        let (skip, before) = if is_part { (0, offset) } else { (offset, 0) };
        let length = rest.map(|rest| rest.saturating_add(before));
        Ok(Self { response, position: offset, skip, length, content_type })
    }

    /// The next bytes to write, or `None` once the file is whole.
    pub(super) async fn next(
        &mut self,
        idle: Duration,
        clock: &dyn Clock,
    ) -> Result<Option<Bytes>, DownloadError> {
        loop {
            let chunk = tokio::select! {
                biased;
                chunk = self.response.chunk() => chunk.map_err(SendError::from),
                () = clock.sleep(idle) => Err(SendError::timed_out("nothing came of the file for too long")),
            };
            let position = self.position;
            let chunk = chunk.map_err(|error| DownloadError::Interrupted {
                position,
                source: Error::interrupted(error),
            })?;
            let Some(mut chunk) = chunk else {
                return self.check_length(|position, length| position == length).map(|()| None);
            };
            let skipped = chunk.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.skip -= skipped as u64;
            let _ = chunk.split_to(skipped);
            if !chunk.is_empty() {
                self.position += chunk.len() as u64;
                self.check_length(|position, length| position <= length)?;
                return Ok(Some(chunk));
            }
        }
    }

    fn check_length(&self, fits: impl Fn(u64, u64) -> bool) -> Result<(), DownloadError> {
        let position = self.position;
        match self.length {
            Some(length) if !fits(position, length) || self.skip > 0 => {
                Err(DownloadError::Length { position, length })
            }
            _ => Ok(()),
        }
    }
}

/// The API answers with one of the types that were asked for. Other hosts are free in how they call a file, as long as it is
/// no page or message in its place.
fn check_type(headers: &HeaderMap, is_ours: bool) -> Result<Option<String>, DownloadError> {
    let Some(value) = text(headers, &CONTENT_TYPE) else { return Ok(None) };
    let found = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fits = if is_ours {
        RETRIEVE_FILE.accept.split(',').any(|accepted| accepted.trim() == found)
    } else {
        !["text/html", "application/json", "application/problem+json", "application/xml", "text/xml"]
            .contains(&found.as_str())
    };
    if fits { Ok(Some(found)) } else { Err(DownloadError::ContentType { found }) }
}

/// `bytes 200-999/1000` begins with byte 200 (RFC 9110 section 14.4).
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_RANGE)?.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
