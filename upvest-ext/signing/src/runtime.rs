//! Conversions into the error of the SDK, so that `?` works where both are used.

use upvest_runtime::{Error, ErrorKind};

use crate::backend_error::BackendError;
use crate::explain::ExplainError;
use crate::keys::key_error::KeyError;
use crate::signature_error::SignatureError;
use crate::signing_error::SigningError;

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        // The error of a call keeps its kind, so that it is transient if the call may succeed later.
        let kind = error
            .downcast_ref::<Error>()
            .map_or(ErrorKind::Io, Error::kind);
        Error::new(kind, error.to_string()).with_source(error)
    }
}

impl From<SigningError> for Error {
    fn from(error: SigningError) -> Self {
        let kind = match &error {
            SigningError::Signer(cause) => cause.downcast_ref::<Error>().map(Error::kind),
            _ => None,
        };
        Error::new(kind.unwrap_or(ErrorKind::Signing), error.to_string()).with_source(error)
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Error::new(ErrorKind::Configuration, error.to_string()).with_source(error)
    }
}

impl From<SignatureError> for Error {
    fn from(error: SignatureError) -> Self {
        Error::new(ErrorKind::Webhook, error.to_string()).with_source(error)
    }
}

impl From<ExplainError> for Error {
    fn from(error: ExplainError) -> Self {
        Error::new(ErrorKind::InvalidRequest, error.to_string()).with_source(error)
    }
}
