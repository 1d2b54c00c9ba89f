//! Access control: tokens, scopes, client ids, signatures, webhook keys, and the rate limit.

mod keys;
mod signatures;
mod support;
mod tokens;
