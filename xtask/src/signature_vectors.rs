//! `cargo xtask vectors`: checks files of signature vectors, which are requests and webhook deliveries with the
//! expected results. A program of `upvest-tests` checks them, because xtask must not depend on the SDK.

use std::path::absolute;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::flags::Vectors;

/// Runs the program on the files.
pub(crate) fn run(flags: &Vectors) -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([
        "run",
        "--quiet",
        "--package",
        "upvest-tests",
        "--bin",
        "vectors",
        "--",
    ]);
    for file in &flags.files {
        command.arg(absolute(file).with_context(|| format!("cannot find {}", file.display()))?);
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("some signature vectors failed");
    }
    Ok(())
}
