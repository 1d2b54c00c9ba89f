//! Tests of calls: requests, retries, tokens and errors.
mod attempts;
#[path = "../common/mod.rs"]
mod common;
mod errors;
mod hostile_servers;
mod http2;
mod idempotency;
mod limits;
mod mock;
mod network;
#[cfg(all(feature = "files", feature = "webhooks"))]
mod one_error;
#[cfg(feature = "files")]
mod owned;
mod requests;
mod retries;
mod runtimes;
#[cfg(feature = "webhooks")]
mod signed_client;
mod throttle;
mod tokens;
mod wire;
