//! Says on stderr what a long command does, and how long each step took.

use std::time::Instant;

/// Runs one step of a command.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> T) -> T {
    eprintln!("{what} ..");
    let start = Instant::now();
    let result = work();
    eprintln!("  took {:.1} s", start.elapsed().as_secs_f64());
    result
}
