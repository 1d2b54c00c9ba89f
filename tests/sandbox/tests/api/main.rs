//! What the sandbox answers: to calls of the API, to commands, and to those who may not call.

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
mod webhooks;
