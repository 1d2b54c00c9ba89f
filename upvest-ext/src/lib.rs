//! SDK for the Upvest Investment API.
//!
//! [`Upvest`] is the client: it fetches access tokens, signs, sends, tries again where that is safe, and fails with an
//! [`Error`] that says what happened.

mod answer;
mod attempts;
mod builder;
pub mod clock;
mod environment;
mod error;
mod from_env;
pub mod http_send;
mod idempotency;
mod options;
mod pipeline;
mod raw;
mod redact;
mod response;
mod retry;
pub mod sign_request;
pub mod signing;
mod telemetry;
mod token;
mod upvest;
#[cfg(feature = "webhooks")]
pub mod webhooks;

pub use builder::UpvestBuilder;
pub use environment::Environment;
pub use error::{Error, ErrorKind};
pub use http::Method;
pub use idempotency::{IdempotencyKey, InvalidIdempotencyKey};
pub use options::CallOptions;
pub use raw::RawRequest;
pub use response::{Metadata, ResponseExt};
pub use retry::{Backoff, RetryBudget, RetryClass, RetryPolicy};
pub use token::{MemoryTokenStore, Scopes, StoreFuture, StoredToken, TokenKey, TokenStore};
pub use upvest::Upvest;

pub use upvest_api as api;
