//! The sorts of failure.

use http::StatusCode;

use crate::http_send::Interruption;

/// What sort of thing went wrong. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built this way, or an environment variable is missing.
    Configuration,
    /// The request is incomplete or malformed; nothing was sent.
    InvalidRequest,
    /// No access token could be had, so the call itself was not sent.
    Token,
    /// The request could not be signed, so it was not sent.
    Signing,
    /// No connection; nothing was sent.
    Connect,
    /// The connection broke before the answer was complete.
    Interrupted,
    /// An attempt, or the whole call, took longer than it may.
    Timeout,
    /// The token or the signature was refused, with a fresh token too (401).
    Authentication,
    /// The token lacks a scope, or the client a right (403).
    Permission,
    /// The thing does not exist (404, 410).
    NotFound,
    /// The thing's present state forbids the operation (409).
    Conflict,
    /// The server refused what the request says (400, 422).
    Refused,
    /// Too many requests (429).
    RateLimited,
    /// The server failed (5xx).
    Server,
    /// Another status than the description knows, a redirect included.
    UnexpectedStatus,
    /// The answer's body is not what the description says.
    Decode,
}

impl ErrorKind {
    pub(crate) fn of(status: StatusCode) -> Self {
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

impl From<Interruption> for ErrorKind {
    fn from(how: Interruption) -> Self {
        match how {
            Interruption::NotSent | Interruption::ConnectTimeout => Self::Connect,
            Interruption::Broken => Self::Interrupted,
            Interruption::Timeout => Self::Timeout,
            Interruption::Redirected => Self::Configuration,
        }
    }
}
