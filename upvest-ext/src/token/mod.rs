//! Access tokens: requested when they are needed, one request at a time, and renewed before they expire.

mod access_token;
mod cache;
mod request;
mod scopes;

pub(crate) use access_token::AccessToken;
pub(crate) use cache::TokenCache;
pub(crate) use request::{TOKEN_REQUEST, TokenRequest};
pub use scopes::Scopes;
