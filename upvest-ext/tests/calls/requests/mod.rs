//! The requests of calls, their results, and invalid calls.

mod raw;
mod sent;
mod settings;
mod support;
