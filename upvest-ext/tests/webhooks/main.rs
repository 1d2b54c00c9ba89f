//! Tests of webhooks: decoding, handling and the adapters.
#![cfg(feature = "webhooks")]
#[cfg(feature = "axum")]
mod adapters;
#[path = "../common/mod.rs"]
mod common;
mod events;
mod handler;
