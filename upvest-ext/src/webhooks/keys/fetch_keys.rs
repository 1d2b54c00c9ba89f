//! Where the keys come from.

use futures_util::future::BoxFuture;

use crate::backend_error::BackendError;

/// Fetches the key set, normally by `GET /auth/verify_keys` through a signed client.
pub trait FetchKeys: Send + Sync {
    /// The JSON Web Key Set, as the server sent it. Deliveries with new keys wait for it, for at most 30 s.
    ///
    /// It runs on a task of the tokio runtime, which the sender of a delivery does not end by hanging up.
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<u8>, BackendError>>;
}
