//! Whatever holds the private key.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::algorithm::KeyAlgorithm;

/// What [`Signer::sign`] returns: the signature, DER for ECDSA and 64 bytes for Ed25519.
pub type SignerFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>>;

/// The signer could not sign. Its message must hold no key material.
#[derive(Debug, thiserror::Error)]
#[error("the signer failed")]
pub struct SignerError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SignerError {
    /// Wraps whatever went wrong, such as an error of a key service's client.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Makes signatures with a private key that may live elsewhere: in a key service or a hardware module.
///
/// [`SigningKey`](super::SigningKey) is the one for keys in a file.
///
/// ```
/// use upvest_ext::signing::{KeyAlgorithm, Signer, SignerError, SignerFuture};
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
///     fn sign<'a>(&'a self, message: &'a [u8]) -> SignerFuture<'a> {
///         Box::pin(async move { ask_the_key_service(message).await.map_err(SignerError::new) })
///     }
/// }
/// ```
pub trait Signer: fmt::Debug + Send + Sync {
    /// The kind of key.
    fn algorithm(&self) -> KeyAlgorithm;

    /// Signs `message`: ECDSA over its SHA-512, in DER, or Ed25519 over the message itself.
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignerFuture<'a>;
}
