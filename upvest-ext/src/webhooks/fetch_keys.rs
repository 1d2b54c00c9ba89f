//! Where the keys come from.

use std::future::Future;
use std::pin::Pin;

/// What [`FetchKeys::fetch`] returns: the bytes of the answer.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchKeysError>> + Send + 'a>>;

/// The keys could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("the keys for webhooks could not be fetched")]
pub struct FetchKeysError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl FetchKeysError {
    /// Wraps whatever went wrong.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Fetches the key set, normally by `GET /auth/verify_keys` through a signed client.
pub trait FetchKeys: Send + Sync {
    /// The JSON Web Key Set, as the server sent it. Must end in reasonable time: deliveries with new keys wait for it.
    fn fetch(&self) -> FetchFuture<'_>;
}
