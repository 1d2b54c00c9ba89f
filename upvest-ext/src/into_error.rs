//! Conversions of the error types of webhooks into [`Error`].

use std::error::Error as StdError;

use upvest_runtime::{Error, ErrorKind};

use crate::webhooks::{ResourceError, UndecodableEvent, VerifyError};

impl From<ResourceError> for Error {
    fn from(error: ResourceError) -> Self {
        wrap(ErrorKind::Decode, error)
    }
}

impl From<UndecodableEvent> for Error {
    fn from(error: UndecodableEvent) -> Self {
        wrap(ErrorKind::Decode, error)
    }
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        // An error about keys that could not be fetched is transient if that of the call is.
        let kind = match &error {
            VerifyError::KeysUnavailable(cause) => cause.downcast_ref::<Error>().map(Error::kind),
            _ => None,
        };
        wrap(kind.unwrap_or(ErrorKind::Webhook), error)
    }
}

fn wrap(kind: ErrorKind, error: impl StdError + Send + Sync + 'static) -> Error {
    Error::new(kind, error.to_string()).with_source(error)
}
