//! The source of webhook keys.

use futures_util::future::BoxFuture;

use crate::signing::BackendError;

/// Fetches the keys that verify webhooks. [`Upvest`](crate::Upvest) implements it by `GET /auth/verify_keys`.
pub trait FetchKeys: Send + Sync {
    /// Returns the JSON Web Key Set as the server sent it. Deliveries with an unknown key wait for it, for at most 20 s.
    ///
    /// It runs on its own tokio task, so that it is not cancelled when the sender of a delivery disconnects.
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<u8>, BackendError>>;
}
