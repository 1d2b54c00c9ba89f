//! SDK for the Upvest Investment API.
//!
//! [`Upvest`] is the client: it fetches access tokens, signs, sends, tries again where that is safe, and fails with an
//! [`Error`] that says what happened. Every operation of the API is a method of it, by way of the generated
//! [`Client`](api::Client). [`webhooks`] has the other direction: deliveries verified, decoded and handled once.
//!
//! ```no_run
//! use upvest_ext::signing::SigningKey;
//! use upvest_ext::{Environment, Upvest};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::from_pem(std::fs::read("signing-key.pem")?, Some("passphrase"))?;
//! let upvest = Upvest::builder(Environment::Sandbox)
//!     .credentials("client-id", "client-secret")
//!     .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
//!     .build()?;
//! for account in upvest.list_accounts().limit(50).send().await?.into_inner().data {
//!     println!("{} is {:?}", account.id, account.status);
//! }
//! # Ok(()) }
//! ```
//!
//! # Guides
//!
//! In `docs/guides` of the repository: `quickstart.md`, `going-live.md` (keys and settings), `orders.md` (placed once, whatever
//! breaks), `webhooks.md`, `lists.md`, `files.md`, `user-requests.md`, `testing.md`, `errors.md`, `observability.md`,
//! `many-replicas.md`, `performance.md`, `security.md` and `updating-the-description.md`. `examples/` has a program for each task.
//!
//! # Troubleshooting
//!
//! * A second 401 after a new token: clock, key, or secret. [`Error::hint`] says which is likely, and
//!   [`signing::explain_signature`] shows what was signed.
//! * `is_outcome_unknown`: send the call again under the same [`IdempotencyKey`], or look whether it has happened.
//! * An endpoint that the description lacks: [`Upvest::request`] takes any path, with the same token, signature and retries.
//!
//! # Features
//!
//! On by default: `rustls` (or `native-tls`), `tracing`, `webhooks` and `encrypted-keys`. Besides: `files` for downloads; adapters for
//! `tower` and `axum`; `redis` and `postgres` for what the replicas of a service share (`stores`); `opentelemetry` for trace headers; `sqlx`,
//! `sqlx-postgres`, `sqlx-sqlite`, `schemars` and `utoipa` for values in databases and in the description of your own API.

mod backend_error;
mod call;
mod client;
mod clock;
mod debug_fields;
mod detached;
#[cfg(feature = "files")]
pub mod files;
mod into_error;
mod metrics;
pub mod pages;
mod rate_limit;
mod retry;
pub mod signing;
#[cfg(any(feature = "redis", feature = "postgres"))]
pub mod stores;
mod token;
pub mod wait;
#[cfg(feature = "webhooks")]
pub mod webhooks;

pub use backend_error::BackendError;
pub use call::{CallOptions, HttpSend, RawPath, RawRequest, SendError};
pub use client::{Environment, Upvest, UpvestBuilder};
pub use clock::{Clock, OsRandom, Random, TokioClock};
pub use futures_util::future::BoxFuture;
pub use http::Method;
pub use metrics::Measurement;
pub use pages::{ListExt, PaginateExt};
pub use rate_limit::RateLimit;
pub use retry::{Backoff, RetryBudget, RetryClass, RetryPolicy};
pub use token::{MemoryTokenStore, Scopes, StoredToken, TokenClaim, TokenKey, TokenStore};

pub use upvest_api as api;
pub use upvest_api::{Error, ErrorKind, IdempotencyKey, Metadata, Response};

/// The examples of the README compile.
#[cfg(all(doctest, feature = "webhooks"))]
#[doc = include_str!("../../README.md")]
struct Readme;
