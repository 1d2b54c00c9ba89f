//! The API over HTTP.

pub(crate) mod call;
mod fault_body;
pub(crate) mod idempotency;
pub(crate) mod operations;
mod paths;
pub(crate) mod problem;
pub(crate) mod server;
pub(crate) mod service;
