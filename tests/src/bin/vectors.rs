//! Checks files of signature vectors and prints `N passed, M failed` for each.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut passed = 0;
    let mut failed = 0;
    for file in std::env::args_os().skip(1).map(PathBuf::from) {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let outcomes = runtime
            .block_on(upvest_tests::vectors::check(&text))
            .with_context(|| format!("{} is not a file of vectors", file.display()))?;
        for outcome in outcomes {
            match outcome.result {
                Ok(()) => passed += 1,
                Err(error) => {
                    failed += 1;
                    println!("{}: {error:#}", outcome.id);
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0 && passed > 0)
}
