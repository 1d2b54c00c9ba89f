//! Answers: lists, files, what takes time, and what no answer may do.
mod any_description;
#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "files")]
mod files;
#[path = "../common/fuzz.rs"]
mod fuzz;
mod fuzz_answers;
mod pages;
mod wait;
