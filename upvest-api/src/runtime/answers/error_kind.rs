//! The kinds of failure.

use std::fmt;

use http::StatusCode;

/// What kind of failure an [`Error`](crate::runtime::Error) is. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built this way, or an environment variable is missing.
    Configuration,
    /// The request is incomplete or malformed; nothing was sent.
    InvalidRequest,
    /// There is no access token, so the call itself was not sent.
    Token,
    /// The request could not be signed, so it was not sent.
    Signing,
    /// No connection; nothing was sent.
    Connect,
    /// The connection broke before the answer was complete.
    Interrupted,
    /// An attempt, or the whole call, took longer than it may.
    Timeout,
    /// The token or the signature was refused (401).
    Authentication,
    /// The token lacks a scope, or the client a right (403).
    Permission,
    /// The resource does not exist (404, 410).
    NotFound,
    /// The present state of the resource forbids the operation (409).
    Conflict,
    /// The server refused what the request says (400, 422).
    Refused,
    /// Too many requests (429).
    RateLimited,
    /// The server failed (5xx).
    Server,
    /// Any other status that is not a success, such as a redirect.
    UnexpectedStatus,
    /// The body of the answer does not match the schema.
    Decode,
    /// The pages of a list contradict each other.
    Paging,
    /// Writing to a file, or to another writer, failed.
    Io,
    /// A webhook delivery was not accepted.
    Webhook,
}

impl ErrorKind {
    /// The kind of an answer that is not a success.
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 422 => Self::Refused,
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
