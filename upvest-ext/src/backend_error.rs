//! The failure of something that was plugged in.

use std::sync::Arc;

use upvest_api::{Error, ErrorKind};

/// Something that you plugged in has failed: a key service, a store, a source of keys. It reads as its cause does.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct BackendError(Arc<dyn std::error::Error + Send + Sync>);

impl BackendError {
    /// Wraps whatever went wrong, such as an error of a database or of a key service's client. Its message must hold no key
    /// material.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }

    /// The kind of the call that failed, where one did.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        self.0.downcast_ref().map(Error::kind)
    }
}
