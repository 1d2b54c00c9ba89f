//! Where the keys come from.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What [`FetchKeys::fetch`] returns: the bytes of the answer.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchKeysError>> + Send + 'a>>;

/// The keys could not be fetched.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the keys for webhooks could not be fetched")]
pub struct FetchKeysError(#[source] Arc<dyn std::error::Error + Send + Sync>);

impl FetchKeysError {
    /// Wraps whatever went wrong.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }
}

/// Fetches the key set, normally by `GET /auth/verify_keys` through a signed client.
pub trait FetchKeys: Send + Sync {
    /// The JSON Web Key Set, as the server sent it. Deliveries with new keys wait for it, for at most 30 s.
    ///
    /// It runs on a task of the tokio runtime, which the sender of a delivery does not end by hanging up.
    fn fetch(&self) -> FetchFuture<'_>;
}
