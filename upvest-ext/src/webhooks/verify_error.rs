//! Why a delivery is not accepted, and the status to answer with.

use std::time::Duration;

use http::StatusCode;
use upvest_runtime::{Error, ErrorKind};

use upvest_signing::BackendError;
use upvest_signing::SignatureError;

/// Why a delivery is not accepted. It converts into [`Error`](crate::Error).
///
/// Upvest sends a delivery again until the response is 200. Answer with [`status`](Self::status):
///
/// | status | when |
/// | --- | --- |
/// | 200 | the events of the delivery are stored |
/// | 400 | the body of the delivery broke off |
/// | 401 | Upvest did not sign the delivery for this endpoint, or the signature is too old |
/// | 408 | the body did not arrive in time |
/// | 413 | the body is too long |
/// | 503 | the keys could not be fetched, or your database could not store the events |
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The signature is missing or not valid, or its key is not in the set that Upvest publishes.
    #[error("{0}")]
    Rejected(SignatureError),
    /// The keys could not be fetched. The delivery may be valid.
    #[error("the keys for webhooks could not be fetched")]
    KeysUnavailable(#[source] BackendError),
    /// The body is longer than [`WebhookVerifier::body_limit`](super::WebhookVerifier::body_limit), in bytes.
    #[error("the body of the delivery is longer than {0} bytes")]
    TooLarge(usize),
    /// The body did not arrive within [`WebhookVerifier::body_timeout`](super::WebhookVerifier::body_timeout).
    #[error("the body of the delivery did not arrive within {0:?}")]
    TimedOut(Duration),
    /// The connection broke, or the body does not have the announced length.
    #[error("the body of the delivery broke off")]
    BrokenOff(#[source] BackendError),
}

impl VerifyError {
    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Rejected(_) => StatusCode::UNAUTHORIZED,
            Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The error of the call that should have fetched the keys.
    pub(super) fn failed_call(&self) -> Option<&Error> {
        match self {
            Self::KeysUnavailable(cause) => cause.downcast_ref(),
            _ => None,
        }
    }
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        // An error about keys that could not be fetched is transient if that of the call is.
        let kind = error.failed_call().map(Error::kind);
        let hint = error.failed_call().and_then(Error::hint);
        let hint = hint.map(|hint| hint.to_owned().into());
        let kind = kind.unwrap_or(ErrorKind::Webhook);
        Error::new(kind, error.to_string())
            .with_context(|context| context.hint = hint)
            .with_source(error)
    }
}
