//! The place of the signature in a call: after the token, once on each attempt.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What [`SignRequest::sign`] returns.
pub type SignFuture<'a> = Pin<Box<dyn Future<Output = Result<(), SignFailure>> + Send + 'a>>;

/// Why a request could not be signed. Never holds key material.
pub type SignFailure = Box<dyn std::error::Error + Send + Sync>;

/// Signs requests, each attempt anew: a signature carries the time and a nonce.
pub trait SignRequest: fmt::Debug + Send + Sync {
    /// Adds the signature, and whatever headers it needs, to a request that is otherwise ready to be sent.
    fn sign<'a>(&'a self, request: &'a mut reqwest::Request) -> SignFuture<'a>;
}
