//! `cargo xtask try`: builds and runs a program that uses `upvest-ext` with the crate for another description.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use upvest_gen::{describe, model};

use crate::cargo;
use crate::export;
use crate::flags::{Export, Try};
use crate::folder;
use crate::progress;

/// The program. It has the names of the exported crate that are the same for all descriptions.
const PROGRAM: &str = include_str!("../try_program/main.rs");

/// Its manifest.
const MANIFEST: &str = include_str!("../try_program/Cargo.toml.txt");

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
    let name = file
        .file_stem()
        .context("the path of the description has no file name")?;
    let program = folder::workspace()?.join("target/try").join(name);
    let flags = Export {
        spec: file.to_owned(),
        overlay: flags.overlay.clone(),
        out: program.join("own-api"),
        name: None,
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

    write_program(&program)?;
    run_program(&program)
}

/// Writes a project with the versions of this workspace.
fn write_program(program: &Path) -> Result<()> {
    let workspace = folder::workspace()?;
    let layer = folder::relative(program, &workspace.join("upvest-ext"))?;
    let manifest = MANIFEST.replace("PATH_OF_UPVEST_EXT", &layer.display().to_string());
    let files = [
        ("Cargo.toml", manifest),
        ("src/main.rs", PROGRAM.to_owned()),
        ("Cargo.lock", folder::read(&workspace.join("Cargo.lock"))?),
    ];
    for (name, text) in files {
        let path = program.join(name);
        let parent = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(parent).context("cannot create the folder of the program")?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Runs the program, with the dependencies that were built for this workspace.
fn run_program(program: &Path) -> Result<()> {
    let manifest = program.join("Cargo.toml").display().to_string();
    let target = folder::workspace()?.join("target").display().to_string();
    let flags = ["run", "--manifest-path", &manifest, "--target-dir", &target];
    let title = "run a test program that uses upvest-ext and the generated crate";
    let run = progress::step(title, || cargo::run(&flags))?;
    if !run.is_success {
        let errors = run.errors();
        let shown = errors.get(..SHOWN.min(errors.len())).unwrap_or_default();
        bail!(
            "the test program that uses upvest-ext and the generated crate failed with {} errors:\n  {}",
            errors.len(),
            shown.join("\n  ")
        );
    }
    println!("{}", run.last_line());
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
