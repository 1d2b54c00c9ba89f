//! Tests of webhooks: reading and decoding.
#![cfg(feature = "webhooks")]
#[path = "../common/mod.rs"]
mod common;
mod events;
mod reading;
