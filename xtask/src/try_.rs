//! `cargo xtask try`: checks that `upvest-ext` compiles and passes its tests with the crate for another description.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use upvest_gen::{describe, model};

use crate::cargo;
use crate::export;
use crate::flags::{Export, Try};
use crate::folder;
use crate::progress;

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
    let flags = Export {
        spec: file.to_owned(),
        overlay: flags.overlay.clone(),
        out,
        name: "upvest-api".to_owned(),
        runtime: None,
        strict: false,
    };
    let what = format!("export the crate for {}", file.display());
    let code = progress::step(&what, || export::export(&flags))?;
    println!("exported: {}", code.size());
    let names = progress::step("compare the names in Rust and JSON", || names(&flags))?;
    println!(
        "left out: {} operations\n{names}",
        code.generated.left_out.len()
    );

    let features = ["--features", "upvest-api/test-util"];
    run_cargo(&flags.out, "check", &features)?;
    let mut tests = vec!["--lib"];
    tests.extend(TESTS.iter().flat_map(|test| ["--test", test]));
    run_cargo(&flags.out, "test", &tests)
}

/// Runs cargo on `upvest-ext` with all features, and with the crate at `api` instead of ours.
fn run_cargo(api: &Path, what: &str, flags: &[&str]) -> Result<()> {
    let paths = format!("paths=[{:?}]", api.display().to_string());
    let mut all = vec![what, "--package", "upvest-ext", "--all-features"];
    all.extend(flags);
    all.extend(["--config", &paths]);
    let title = format!("cargo {what} of upvest-ext with this crate");
    let run = progress::step(&title, || cargo::run(&all))?;
    if !run.is_success {
        let errors = run.errors();
        let shown = errors.get(..SHOWN.min(errors.len())).unwrap_or_default();
        bail!(
            "cargo {what} of upvest-ext: {} errors\n  {}",
            errors.len(),
            shown.join("\n  ")
        );
    }
    match what {
        "test" => println!("cargo {what}: {} tests passed", run.passed_tests()),
        _ => println!("cargo {what}: upvest-api and upvest-ext passed"),
    }
    Ok(())
}

/// The names that differ between Rust and JSON, and the number of types for the objects of the description.
fn names(flags: &Export) -> Result<String> {
    let (spec, overlay) = flags.sources()?;
    let api = model(&spec, overlay.as_ref())?;
    let document = describe(&spec, overlay.as_ref())?;
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
    Ok(format!(
        "merged: {} objects of the description became {} types\nrenamed: {} ({shown})",
        objects(&document),
        api.schemas.len(),
        renamed.len()
    ))
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
