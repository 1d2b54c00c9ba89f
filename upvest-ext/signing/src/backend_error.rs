//! The error of components that the application provides.

use std::error::Error;
use std::sync::Arc;

/// The error of a component that you provide, such as a key service or a source of keys. Its message is that of its
/// cause.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct BackendError(Arc<dyn Error + Send + Sync>);

impl BackendError {
    /// Wraps an error, for example of a database or of a key service's client. Its message must not contain key
    /// material.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }

    /// The wrapped error, if it is an `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}
