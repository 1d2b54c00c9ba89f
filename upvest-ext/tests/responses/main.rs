//! Tests of responses: lists, files, waits, and fuzzing.
mod any_description;
#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "files")]
mod files;
#[path = "../common/fuzz.rs"]
mod fuzz;
mod fuzz_responses;
mod pages;
mod wait;
