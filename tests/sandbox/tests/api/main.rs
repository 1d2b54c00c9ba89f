//! Tests of the API and the control API of the sandbox.

#[path = "../bench/mod.rs"]
mod bench;
#[path = "../common/mod.rs"]
mod common;
#[path = "../endpoint/mod.rs"]
mod endpoint;

mod access;
mod clients;
mod clock;
mod control;
mod faults;
mod idempotency;
mod operations;
mod promises;
mod webhooks;
