//! Signs requests to Upvest (version 15), and verifies signatures of requests and webhooks.
//!
//! ```no_run
//! use upvest_signing::{RequestSigner, SigningKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::from_pem(std::fs::read("upvest-key.pem")?, Some("passphrase"))?;
//! println!("{}", key.public_key().for_onboarding());
//! let signer = RequestSigner::new("2606a727-e55e-4f72-b47d-323f163acfff", key)?;
//! # let _ = signer; Ok(()) }
//! ```
//!
//! If Upvest answers that a signature is incorrect, [`explain_signature`] shows what was signed.
//!
//! Guides: `docs/guides/going-live.md` has the commands that generate a key, and `docs/guides/security.md` a program
//! that verifies a signed request.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend_error;
mod base;
mod base64_any_padding;
mod delivery_signer;
mod digest;
mod explain;
mod incoming;
mod keys;
mod random;
mod request;
#[cfg(feature = "runtime")]
mod runtime;
mod signature_error;
mod signature_input;
mod signer;
mod signing_error;

pub use backend_error::BackendError;
pub use base::SignatureVersion;
pub use delivery_signer::DeliverySigner;
pub use explain::{ExplainError, Explanation, explain_signature};
pub use futures_core::future::BoxFuture;
pub use incoming::{IncomingRequest, SignaturePolicy, UnverifiedSignature};
pub use keys::algorithm::KeyAlgorithm;
pub use keys::key::SigningKey;
pub use keys::key_error::KeyError;
pub use keys::key_set::KeySet;
pub use keys::public_key::PublicKey;
pub use request::RequestSigner;
pub use signature_error::SignatureError;
pub use signer::{SignRequest, Signer};
pub use signing_error::SigningError;
