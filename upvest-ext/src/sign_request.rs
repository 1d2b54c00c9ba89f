//! The place of the signature in a call: after the token, once on each attempt.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Request;

/// What [`SignRequest::sign`] returns.
pub type SignFuture<'a> = BoxFuture<'a, Result<(), SignFailure>>;

/// Why a request could not be signed. Never holds key material.
pub type SignFailure = Box<dyn std::error::Error + Send + Sync>;

/// Signs requests, each attempt anew: a signature carries the time and a nonce.
pub trait SignRequest: fmt::Debug + Send + Sync {
    /// Adds the signature, and whatever headers it needs, to a request that is otherwise ready to be sent.
    fn sign<'a>(&'a self, request: &'a mut Request<Bytes>) -> SignFuture<'a>;
}
