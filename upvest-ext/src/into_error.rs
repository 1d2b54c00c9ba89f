//! Conversions of all error types of this crate into [`Error`].

use std::error::Error as StdError;

use upvest_api::{Error, ErrorKind};

use crate::backend_error::BackendError;
use crate::signing::{KeyError, SignatureError, SigningError};
#[cfg(feature = "webhooks")]
use crate::webhooks::{ResourceError, UndecodableEvent, VerifyError};

macro_rules! into_error {
    ($($(#[$meta:meta])* $type:ty => $kind:ident,)*) => {
        $($(#[$meta])* impl From<$type> for Error {
            fn from(error: $type) -> Self {
                wrap(ErrorKind::$kind, error)
            }
        })*
    };
}

into_error! {
    BackendError => Io,
    KeyError => Configuration,
    SignatureError => Webhook,
    SigningError => Signing,
    #[cfg(feature = "webhooks")]
    ResourceError => Decode,
    #[cfg(feature = "webhooks")]
    UndecodableEvent => Decode,
    #[cfg(feature = "webhooks")]
    VerifyError => Webhook,
}

/// If the cause is the error of a call, its kind is kept. An error about keys that could not be fetched is then transient if that
/// of the call is.
fn wrap(kind: ErrorKind, error: impl StdError + Send + Sync + 'static) -> Error {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref())
        .and_then(BackendError::kind);
    Error::new(cause.unwrap_or(kind), error.to_string()).with_source(error)
}
