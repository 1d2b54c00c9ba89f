//! The code in the Markdown files of this repository works as it is printed: each block is run by a test or by a step
//! of `.ci/run`, or `list.rs` says why it is not.

mod checkout;
mod list;
mod markdown;
mod services;
