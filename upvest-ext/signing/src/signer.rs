//! The traits for private keys and for signing requests with them.

use std::fmt;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::Request;

use super::keys::algorithm::KeyAlgorithm;
use super::keys::key::SigningKey;
use super::signing_error::SigningError;
use crate::backend_error::BackendError;

/// Signs with a private key, which can be outside of this process: in a key service or a hardware security module.
///
/// [`SigningKey`](super::SigningKey) implements it for keys in a file.
///
/// ```
/// use upvest_signing::{BackendError, BoxFuture};
/// use upvest_signing::{KeyAlgorithm, Signer};
///
/// # async fn ask_the_key_service(_message: &[u8]) -> std::io::Result<Vec<u8>> { Ok(Vec::new()) }
/// #[derive(Debug)]
/// struct KeyService;
///
/// impl Signer for KeyService {
///     fn algorithm(&self) -> KeyAlgorithm {
///         KeyAlgorithm::EcdsaP521
///     }
///
///     fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, BackendError>> {
///         Box::pin(async move {
///             ask_the_key_service(message)
///                 .await
///                 .map_err(BackendError::new)
///         })
///     }
/// }
/// ```
pub trait Signer: fmt::Debug + Send + Sync {
    /// The algorithm of the key.
    fn algorithm(&self) -> KeyAlgorithm;

    /// Signs `message`: ECDSA over its SHA-512, in DER, or Ed25519 over the message itself.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, BackendError>>;
}

/// Signs requests. Every attempt of a call is signed again, because a signature contains the time and a nonce.
/// [`RequestSigner`](super::RequestSigner) implements it for Upvest.
pub trait SignRequest: fmt::Debug + Send + Sync {
    /// Adds the signature and the headers that it needs to a request that is otherwise complete.
    fn sign<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>>;
}

impl Signer for SigningKey {
    fn algorithm(&self) -> KeyAlgorithm {
        SigningKey::algorithm(self)
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, BackendError>> {
        Box::pin(async move { self.sign_now(message) })
    }
}
