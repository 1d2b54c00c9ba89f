//! SDK for the Upvest Investment API.
//!
//! [`Upvest`] is the client. It requests access tokens, signs and sends requests, retries where that is safe, and fails
//! with an [`Error`] that says what happened. It has a method for every operation of the API, through the generated
//! [`Client`](api::Client). [`webhooks`] verifies deliveries and decodes their events.
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
//! let accounts = upvest.list_accounts().limit(50).send().await?;
//! for account in &accounts.data {
//!     println!("{} is {:?}", account.id, account.status);
//! }
//! # Ok(()) }
//! ```
//!
//! # First steps
//!
//! * A first call, to a server on your own machine: [Quickstart](guide::quickstart).
//! * A first webhook, whose events are stored and handled once: [Webhooks into your database](guide::webhooks).
//! * A first test, with prepared answers or with a whole server: [Testing](guide::testing).
//! * The SDK for the description that Upvest publishes: [Your own description](guide::updating_the_description).
//!
//! # Guides
//!
//! | to start | to build | to run |
//! | --- | --- | --- |
//! | [Quickstart](guide::quickstart) | [Onboarding](guide::onboarding) | [Errors](guide::errors) |
//! | [Keys and going live](guide::going_live) | [Orders without doubt](guide::orders) | [Observability](guide::observability) |
//! | [Your description](guide::updating_the_description) | [Money in and out](guide::payments) | [Performance](guide::performance) |
//! | | [Webhooks](guide::webhooks) | [Security](guide::security) |
//! | | [Lists](guide::lists) | [Overlays](guide::overlays) |
//! | | [Files](guide::files) | [This SDK's description](guide::vendored_description) |
//! | | [Requests from your users](guide::user_requests) | |
//! | | [Testing](guide::testing), [with your description](guide::testing_own) | |
//!
//! # Files of the repository
//!
//! The guides name files of the repository from which this documentation was made:
//!
//! * `upvest-ext/examples/README.md` lists the examples, such as `custom_signer`, and the tools: any call from the
//!   command line, a proxy that signs requests, and an endpoint that prints deliveries.
//! * `tests/sandbox/README.md` describes the sandbox, a local server for tests.
//! * `docs/own-description` is a program with two descriptions, and `spec/official-overlay.yaml` has the additions to
//!   Upvest's own.
//! * `CONTRIBUTING.md` has the commands for work on this SDK, and `SECURITY.md` says how to report a vulnerability.
//!
//! # Troubleshooting
//!
//! * The call fails with 401 even with a new token: the clock, the key or the secret is wrong. [`Error::hint`] names
//!   the likely cause, and [`signing::explain_signature`] shows what was signed.
//! * `is_outcome_unknown`: send the call again with the same [`IdempotencyKey`], or check whether it was carried out.
//! * The description does not contain an endpoint: [`Upvest::request`] accepts any path, with the same token, signature
//!   and retries.
//!
//! # Features
//!
//! Enabled by default: `rustls` (or `native-tls`), `webhooks` and `encrypted-keys`. Optional: `files` for downloads;
//! `sqlx`, `sqlx-postgres`, `sqlx-sqlite`, `schemars` and `utoipa` for values in databases and in the description of
//! your own API.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod call_record;
mod client;
mod debug_fields;
mod environment;
// Its code is tested as samples, not as examples of the documentation.
#[cfg(all(doc, not(doctest)))]
pub mod guide;
mod hooks;
mod options;
pub mod pages;
mod pipeline;
mod problems;
mod progress;
mod random;
mod raw;
mod refreshing;
mod reserved_headers;
mod retry;
mod retry_budget;
mod scopes;
mod throttle;
mod token;
mod token_requests;
mod variables;
pub mod wait;
#[cfg(feature = "webhooks")]
pub mod webhooks;

/// Signs requests, verifies requests and deliveries, and reads keys.
pub mod signing {
    #[doc(inline)]
    pub use upvest_signing::*;
}

pub use builder::{UpvestBuilder, UpvestBuilderFor};
pub use client::{Upvest, UpvestFor};
pub use environment::Environment;
pub use futures_util::future::BoxFuture;
pub use hooks::CallReport;
pub use http::Method;
pub use options::CallOptions;
pub use pages::PaginateExt;
pub use raw::RawRequest;
pub use retry::{Backoff, RetryClass, RetryPolicy};
pub use retry_budget::RetryBudget;
pub use scopes::Scopes;
pub use signing::BackendError;

pub use upvest_api as api;
// The documentation of another crate does not say which features they need.
#[doc(no_inline)]
pub use upvest_runtime::{ByteStream, IdempotencyKey};
pub use upvest_runtime::{
    Error, ErrorContext, ErrorKind, HttpTransport, Metadata, Response, Transport, Unredacted,
};
