//! `cargo xtask update`: replaces the vendored description with a newer one, and updates the files that depend on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use upvest_gen::diff::{Change, Facts};
use upvest_gen::{Source, describe, model};

use crate::changes;
use crate::code::Code;
use crate::flags::Update;
use crate::folder;
use crate::problems;
use crate::source::{OUT, OVERLAY, SPEC};

/// The folders and files that mention operations and types of the vendored description.
const BOUND: [&str; 5] = ["README.md", "docs", "tests", "upvest-api", "upvest-ext"];

/// Runs the command.
pub(crate) fn run(flags: &Update) -> Result<()> {
    let root = match &flags.workspace {
        Some(folder) => folder,
        None => folder::workspace()?,
    };
    let read = |name: &str| folder::read(&root.join(name));
    let text = folder::read(&flags.file)?;
    let old = Source::new(SPEC, read(SPEC)?);
    let spec = Source::new(SPEC, text.clone());
    let overlay = Source::new(OVERLAY, read(OVERLAY)?);
    let document = describe(&spec, Some(&overlay)).map_err(|errors| {
        let errors: Vec<_> = errors.iter().collect();
        problems::rejection("nothing was written", &errors, &spec, None)
    })?;
    let code = Code::generate(&spec, Some(&overlay), false)?;
    let out = root.join(OUT);
    let before = Facts::read(&old, Some(&overlay))?;
    let stale = folder::stale(&code.files("")?, &out)?;
    let changes = before.compare(&code.generated.facts);
    let version = document["info"]["version"]
        .as_str()
        .unwrap_or("without a version");
    let tasks = tasks(root, &old, &overlay, &changes)?;
    let files = [
        (
            "CHANGELOG.md",
            with_entry(&read("CHANGELOG.md")?, version, &changes)?,
        ),
        (
            "spec/README.md",
            with_digest(&read("spec/README.md")?, &text)?,
        ),
        (SPEC, text),
    ];

    folder::write(&stale)?;
    for (name, text) in files {
        fs::write(root.join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    code.print_report(Some(&before));
    println!(
        "{}\n\nwritten: {SPEC}, {OUT}, CHANGELOG.md, the digest in spec/README.md",
        code.size()
    );
    println!("left to do by hand:\n  {}", tasks.join("\n  "));
    Ok(())
}

/// Adds an entry to the changelog, at the end of the topmost version.
fn with_entry(text: &str, version: &str, changes: &[Change]) -> Result<String> {
    let first = text.find("\n## ").context("CHANGELOG.md has no version")?;
    let next = text.get(first + 1..).and_then(|rest| rest.find("\n## "));
    let (before, after) = text.split_at(next.map_or(text.len(), |next| first + 1 + next));
    let entry = format!(
        "### Description {version}\n\n{}",
        changes::markdown(changes)
    );
    Ok(format!(
        "{}\n\n{}\n{after}",
        before.trim_end(),
        entry.trim_end()
    ))
}

/// Replaces the digest in the README of the description.
fn with_digest(readme: &str, spec: &str) -> Result<String> {
    let is_digest = |word: &&str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let Some(old) = readme.split('`').find(is_digest) else {
        bail!("spec/README.md does not contain a SHA-256 of the description");
    };
    let new = Sha256::digest(spec)
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    Ok(readme.replace(old, &new))
}

/// The tasks that remain for a person: reviews, and code that mentions operations or types by name.
fn tasks(root: &Path, old: &Source, overlay: &Source, changes: &[Change]) -> Result<Vec<String>> {
    let mut tasks = vec![
        "run `cargo test --workspace` and review the snapshots that changed (`cargo insta review`)"
            .to_owned(),
    ];
    let whole = |action: &'static str| {
        let changes = changes
            .iter()
            .filter(|change| change.part.is_empty() && change.fact.is_empty())
            .filter(move |change| change.action == action);
        changes.filter_map(|change| change.what.split_once(' '))
    };
    let added: Vec<&str> = whole("added")
        .filter(|(kind, _)| *kind == "operation")
        .map(|(_, name)| name)
        .collect();
    if !added.is_empty() {
        tasks.push(format!(
            "give new operations a line in tests/tests/operations.rs and a handler in tests/sandbox/src/http/operations.rs: {}",
            added.join(", ")
        ));
    }
    let renamed = changes
        .iter()
        .filter(|change| change.action == "renamed")
        .filter_map(|change| change.before.as_deref());
    let mut gone: BTreeSet<String> = whole("removed")
        .filter(|(kind, _)| *kind != "place")
        .map(|(_, name)| name)
        .chain(renamed)
        .map(str::to_owned)
        .collect();
    for operation in model(old, Some(overlay))?.operations {
        if gone.contains(&operation.id) {
            gone.insert(operation.method_name);
        }
    }
    for name in BOUND {
        for file in folder::files(&root.join(name), &["rs", "md", "yaml"])? {
            let text = folder::read(&file)?;
            let words: BTreeSet<&str> = text
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .collect();
            let found: Vec<&str> = gone
                .iter()
                .map(String::as_str)
                .filter(|name| words.contains(name))
                .collect();
            if !found.is_empty() && !file.starts_with(root.join(OUT)) {
                let file = file.strip_prefix(root).unwrap_or(&file).display();
                tasks.push(format!(
                    "{file} mentions operations or types that no longer exist: {}",
                    found.join(", ")
                ));
            }
        }
    }
    Ok(tasks)
}
