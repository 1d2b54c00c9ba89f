//! `cargo xtask try`: whether a description makes a crate with which `upvest-ext` compiles and passes its tests.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use upvest_gen::diff::Kind;

use crate::flags::{Export, Try};
use crate::regen::Code;
use crate::{export, folder};

/// The tests of `upvest-ext` that need no particular description.
const TESTS: [&str; 18] = [
    "bulk", "errors", "idempotency", "network", "pages", "retries", "secrets", "signed_client", "signing_fuzz", "signing_key_files",
    "signing_one_bit_changes", "signing_over_the_wire", "signing_received", "signing_requests", "telemetry", "tokens",
    "webhooks_handler", "webhooks_verifier",
];

/// How many messages of the compiler are shown.
const SHOWN: usize = 10;

/// Runs the command.
pub(crate) fn run(flags: &Try) -> Result<()> {
    let mut failed = Vec::new();
    for file in &flags.files {
        println!("== {}", file.display());
        if let Err(error) = one(file, flags) {
            println!("failed: {error:#}\n");
            failed.push(file.display().to_string());
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} descriptions failed: {}", failed.len(), flags.files.len(), failed.join(", "));
    }
    Ok(())
}

fn one(file: &Path, flags: &Try) -> Result<()> {
    let name = file.file_stem().context("the description is a file")?;
    let out = folder::workspace()?.join("target/try").join(name).join("upvest-api");
    let start = Instant::now();
    let flags = Export { spec: file.to_owned(), overlay: flags.overlay.clone(), out, strict: false };
    let code = export::export(&flags)?;
    println!("exported: {}; {:.2} s", code.size(), start.elapsed().as_secs_f64());
    println!("left out: {} operations; {}", code.generated.left_out.len(), names(&code));

    let check = ["check", "--all-features", "--features", "upvest-api/test-util", "--message-format", "short"];
    cargo(&flags.out, &check).context("upvest-api and upvest-ext do not compile")?;
    let mut failed = Vec::new();
    for test in ["--lib"].into_iter().chain(TESTS) {
        let which: &[&str] = if test == "--lib" { &["--lib"] } else { &["--test", test] };
        let test_flags = ["test", "--all-features", "--message-format", "short"];
        if let Err(error) = cargo(&flags.out, &[&test_flags, which].concat()) {
            println!("{error:#}");
            failed.push(test);
        }
    }
    if !failed.is_empty() {
        bail!("tests of upvest-ext that need no particular description fail: {}", failed.join(", "));
    }
    println!("passed: {} tests of upvest-ext that need no particular description\n", TESTS.len() + 1);
    Ok(())
}

/// What has another name in Rust than on the wire.
fn names(code: &Code) -> String {
    let mut renamed = Vec::new();
    for (kind, name, parts) in code.facts.iter().filter(|(kind, ..)| *kind != Kind::Enum) {
        for (part, facts) in parts {
            let (Some((_, wire)), Some(rust)) = (part.split_once(' '), facts.get("name in Rust").or(facts.get("setter"))) else { continue };
            if wire != rust && kind != Kind::Enum {
                renamed.push(format!("{name}.{wire} is `{rust}`"));
            }
        }
    }
    let number = renamed.len();
    renamed.truncate(SHOWN);
    format!("renamed: {number} ({})", renamed.join(", "))
}

/// Runs cargo on `upvest-ext`, with the crate at `api` in the place of ours.
fn cargo(api: &Path, flags: &[&str]) -> Result<()> {
    let start = Instant::now();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(flags).args(["--package", "upvest-ext", "--config"]);
    command.arg(format!("paths=[{:?}]", api.display().to_string()));
    let output = command.current_dir(folder::workspace()?).output().context("cannot start cargo")?;
    let what = flags.last().filter(|_| flags.contains(&"test")).map_or("check".to_owned(), |test| format!("test {test}"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        println!("{what}: passed; {:.1} s", start.elapsed().as_secs_f64());
        return Ok(());
    }
    let is_error = |line: &&str| line.contains(": error") || line.starts_with("error") || line.ends_with("... FAILED");
    let errors: Vec<&str> = text.lines().filter(is_error).collect();
    let shown = errors.get(..SHOWN.min(errors.len())).unwrap_or_default();
    bail!("{what}: {} errors\n  {}", errors.len(), shown.join("\n  "));
}
