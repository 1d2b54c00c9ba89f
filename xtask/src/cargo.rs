//! Runs cargo, and shows what it does meanwhile.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::folder;

/// The starts of the lines that tell what cargo does.
const PROGRESS: [&str; 5] = [
    "Compiling",
    "Checking",
    "Downloading",
    "Blocking",
    "Running",
];

/// The result of a run.
pub(crate) struct CargoRun {
    pub(crate) is_success: bool,
    output: String,
}

/// Runs cargo in the workspace. Its progress appears on stderr.
pub(crate) fn run(flags: &[&str]) -> Result<CargoRun> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(program)
        .args(flags)
        .args(["--message-format", "short"])
        .current_dir(folder::workspace()?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let mut stdout = child.stdout.take().context("cargo has no output")?;
    let stderr = child.stderr.take().context("cargo has no output")?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let mut output = String::new();
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line.context("cannot read the output of cargo")?;
        let line = String::from_utf8_lossy(&line);
        if PROGRESS
            .iter()
            .any(|start| line.trim_start().starts_with(start))
        {
            eprintln!("{line}");
        }
        output.push_str(&line);
        output.push('\n');
    }
    let stdout = reader
        .join()
        .map_err(|_| anyhow!("cannot read the output of cargo"))?;
    output.push_str(&String::from_utf8_lossy(&stdout?));
    let status = child.wait().context("cannot wait for cargo")?;
    Ok(CargoRun {
        is_success: status.success(),
        output,
    })
}

impl CargoRun {
    /// The lines that tell what failed.
    pub(crate) fn errors(&self) -> Vec<&str> {
        let is_error = |line: &&str| {
            line.contains(": error") || line.to_ascii_lowercase().starts_with("error")
        };
        self.output.lines().filter(is_error).collect()
    }

    /// The last line of the output.
    pub(crate) fn last_line(&self) -> &str {
        self.output.lines().last().unwrap_or_default()
    }
}
