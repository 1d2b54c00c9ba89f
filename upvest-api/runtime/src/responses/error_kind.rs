//! The kinds of errors.

use std::fmt;

use http::StatusCode;

/// The kind of an [`Error`](crate::Error). More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting of the client or an environment variable is missing or invalid.
    Configuration,
    /// The request is incomplete or invalid. It was not sent.
    InvalidRequest,
    /// No access token could be obtained, so the last attempt was not sent.
    Token,
    /// The request could not be signed, so the last attempt was not sent.
    Signing,
    /// No connection could be established, so the last attempt sent nothing.
    Connect,
    /// The server said that it did not process the request: by HTTP/2's `REFUSED_STREAM`, or by `GOAWAY` before the
    /// request.
    Unprocessed,
    /// The connection broke before the response was complete.
    Interrupted,
    /// An attempt or the whole call exceeded its timeout.
    Timeout,
    /// The token or the signature was rejected (401).
    Authentication,
    /// A scope or a permission is missing (403).
    Permission,
    /// The resource does not exist (404, 410).
    NotFound,
    /// The current state of the resource does not allow the operation (409).
    Conflict,
    /// The server rejected the content of the request (400, 422).
    Rejected,
    /// Too many requests (429).
    RateLimited,
    /// The server failed (5xx).
    Server,
    /// Another status that is not a success, such as a redirect.
    UnexpectedStatus,
    /// The body of the response does not match the schema.
    Decode,
    /// The pages of a list contradict each other.
    Paging,
    /// Writing to a file, or to another writer, failed.
    Io,
    /// A webhook delivery was rejected.
    Webhook,
}

impl ErrorKind {
    /// The kind of an error response with `status`.
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 422 => Self::Rejected,
            401 => Self::Authentication,
            403 => Self::Permission,
            404 | 410 => Self::NotFound,
            408 => Self::Timeout,
            409 => Self::Conflict,
            429 => Self::RateLimited,
            500..=599 => Self::Server,
            _ => Self::UnexpectedStatus,
        }
    }

    /// Whether the server may have carried out a request that failed so, with this status if there was a response.
    pub(crate) fn may_have_been_processed(self, status: Option<StatusCode>) -> bool {
        if let Some(status) = status {
            return !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT;
        }
        !matches!(
            self,
            Self::Configuration
                | Self::InvalidRequest
                | Self::Token
                | Self::Signing
                | Self::Connect
                | Self::Unprocessed
                | Self::Authentication
                | Self::Permission
                | Self::NotFound
                | Self::Conflict
                | Self::Rejected
                | Self::RateLimited
        )
    }
}

impl fmt::Display for ErrorKind {
    /// The name in words: `not found`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
        }
        f.pad(&words)
    }
}
