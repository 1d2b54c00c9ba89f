//! The error of components that the application provides.

use std::sync::Arc;

use upvest_api::{Error, ErrorKind};

/// The error of a component that you provide, such as a key service, a store or a source of keys. Its message is that of its cause.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct BackendError(Arc<dyn std::error::Error + Send + Sync>);

impl BackendError {
    /// Wraps an error, for example of a database or of a key service's client. Its message must not contain key
    /// material.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }

    /// The kind of the error, if it is that of a call.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        self.0.downcast_ref().map(Error::kind)
    }
}
