//! Errors with a type of their own become the one error of the SDK with `?`.

use std::error::Error as StdError;

use upvest_api::{Error, ErrorKind};

use crate::signing::{
    ExplainError, InvalidKeyId, InvalidPublicKey, KeyError, PublicKeyFileError, SignatureError, SignerError,
    SigningError,
};
#[cfg(feature = "webhooks")]
use crate::webhooks::{
    FetchKeysError, InvalidKeySet, ResourceError, SeenError, UndecodableEvent, VerifyError,
};

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
    ExplainError => InvalidRequest,
    InvalidKeyId => Configuration,
    InvalidPublicKey => Configuration,
    KeyError => Configuration,
    PublicKeyFileError => Configuration,
    SignatureError => Webhook,
    SignerError => Signing,
    SigningError => Signing,
    #[cfg(feature = "webhooks")]
    FetchKeysError => Webhook,
    #[cfg(feature = "webhooks")]
    InvalidKeySet => Configuration,
    #[cfg(feature = "webhooks")]
    ResourceError => Decode,
    #[cfg(feature = "webhooks")]
    SeenError => Webhook,
    #[cfg(feature = "webhooks")]
    UndecodableEvent => Decode,
    #[cfg(feature = "webhooks")]
    VerifyError => Webhook,
}

/// The kind of a call's error is kept, so that keys that cannot be fetched count as transient where the call does.
fn wrap(kind: ErrorKind, error: impl StdError + Send + Sync + 'static) -> Error {
    let kind = error.source().and_then(|cause| cause.downcast_ref()).map_or(kind, Error::kind);
    Error::new(kind, error.to_string()).with_source(error)
}
