//! SDK for the Upvest Investment API.

pub mod sign_request;
pub mod signing;

pub use upvest_api as api;
