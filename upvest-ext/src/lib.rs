//! SDK for the Upvest Investment API.

pub mod sign_request;
pub mod signing;
#[cfg(feature = "webhooks")]
pub mod webhooks;

pub use upvest_api as api;
