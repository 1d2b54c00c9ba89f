//! `cargo xtask try`: checks that `upvest-ext` compiles and passes its tests with the crate for another description.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use upvest_gen::model::Api;
use upvest_gen::{describe, model};

use crate::flags::{Export, Try};
use crate::{export, folder};

/// The tests of `upvest-ext` that work with any description: tokens, signatures, retries, idempotency, raw requests, pages
/// of a mock list, and webhooks.
const TESTS: [&str; 3] = ["protocol", "signing", "webhooks_verifier"];

/// How many compiler errors are shown.
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
        bail!(
            "{} of {} descriptions failed: {}",
            failed.len(),
            flags.files.len(),
            failed.join(", ")
        );
    }
    Ok(())
}

fn one(file: &Path, flags: &Try) -> Result<()> {
    let name = file.file_stem().context("the description is a file")?;
    let out = folder::workspace()?
        .join("target/try")
        .join(name)
        .join("upvest-api");
    let start = Instant::now();
    let flags = Export {
        spec: file.to_owned(),
        overlay: flags.overlay.clone(),
        out,
        name: "upvest-api".to_owned(),
        runtime: None,
        strict: false,
    };
    let code = export::export(&flags)?;
    println!(
        "exported: {}; {:.2} s",
        code.size(),
        start.elapsed().as_secs_f64()
    );
    let sources = flags.sources()?;
    let api = model(&sources.0, sources.1.as_ref())?;
    let document = describe(&sources.0, sources.1.as_ref())?;
    println!(
        "left out: {} operations\n{}",
        api.left_out.len(),
        names(&api, &document)
    );

    cargo(&flags.out, "check", &["--features", "upvest-api/test-util"])?;
    cargo(
        &flags.out,
        "test",
        &TESTS.iter().fold(vec!["--lib"], |flags, test| {
            [&flags[..], &["--test", test]].concat()
        }),
    )
}

/// The names that differ between Rust and JSON, and the number of types for the objects of the description.
fn names(api: &Api, document: &Value) -> String {
    let fields = api.schemas.iter().flat_map(|schema| {
        schema
            .fields()
            .iter()
            .map(move |field| (&schema.name, &field.name, &field.rust))
    });
    let parameters = api.operations.iter().flat_map(|operation| {
        operation
            .parameters
            .iter()
            .map(move |parameter| (&operation.id, &parameter.name, &parameter.setter))
    });
    let renamed = fields
        .chain(parameters)
        .filter(|(_, wire, rust)| wire != rust);
    let renamed: Vec<String> = renamed
        .map(|(of, wire, rust)| format!("{of}.{wire} is `{rust}`"))
        .collect();
    let shown = renamed
        .get(..SHOWN.min(renamed.len()))
        .unwrap_or_default()
        .join(", ");
    format!(
        "merged: {} objects of the description became {} types\nrenamed: {} ({shown})",
        objects(document),
        api.schemas.len(),
        renamed.len()
    )
}

fn objects(value: &Value) -> usize {
    let is_object = usize::from(value.get("properties").is_some_and(Value::is_object));
    let members = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, value)| objects(value));
    is_object
        + members.sum::<usize>()
        + value
            .as_array()
            .into_iter()
            .flatten()
            .map(objects)
            .sum::<usize>()
}

/// Runs cargo on `upvest-ext` with all features, and with the crate at `api` instead of ours.
fn cargo(api: &Path, what: &str, flags: &[&str]) -> Result<()> {
    let start = Instant::now();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([
        what,
        "--package",
        "upvest-ext",
        "--all-features",
        "--message-format",
        "short",
    ]);
    command
        .args(flags)
        .arg("--config")
        .arg(format!("paths=[{:?}]", api.display().to_string()));
    let output = command
        .current_dir(folder::workspace()?)
        .output()
        .context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let is_error = |line: &&str| {
            line.contains(": error") || line.starts_with("error") || line.ends_with("FAILED")
        };
        let errors: Vec<&str> = text.lines().filter(is_error).collect();
        let shown = errors.get(..SHOWN.min(errors.len())).unwrap_or_default();
        bail!(
            "cargo {what} of upvest-ext: {} errors\n  {}",
            errors.len(),
            shown.join("\n  ")
        );
    }
    let passed = text.lines().filter_map(|line| {
        line.strip_prefix("test result: ok. ")?
            .split(' ')
            .next()?
            .parse::<u32>()
            .ok()
    });
    let passed = if what == "test" {
        format!("{} tests", passed.sum::<u32>())
    } else {
        "upvest-api and upvest-ext".to_owned()
    };
    println!(
        "cargo {what}: {passed} passed; {:.1} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
