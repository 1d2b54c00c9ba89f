//! Tokens: shared requests, renewal in the background, and rejected tokens.

mod lifetime;
mod rejected;
mod request;
mod sharing;
mod support;
