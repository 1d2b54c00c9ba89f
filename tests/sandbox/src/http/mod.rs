//! The API over HTTP.

pub(crate) mod built_in;
pub(crate) mod call;
pub(crate) mod fault_body;
pub(crate) mod given_body;
pub(crate) mod idempotency;
pub(crate) mod media_types;
pub(crate) mod operations;
pub(crate) mod paths;
pub(crate) mod problem;
pub(crate) mod request_body;
pub(crate) mod server;
