//! `cargo xtask update`: a newer description takes the place of the vendored one, with all that follows from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use upvest_gen::diff::{Action, Change, Facts, Kind};
use upvest_gen::{Source, describe};

use crate::flags::Update;
use crate::regen::{Code, OUT, OVERLAY, SPEC};
use crate::{diff, folder, problems};

/// Where code and documents are bound to the vendored description by the names of its operations and types.
const BOUND: [&str; 5] = ["README.md", "docs", "tests", "upvest-api", "upvest-ext"];

/// Runs the command.
pub(crate) fn run(flags: &Update) -> Result<()> {
    let root = match &flags.workspace {
        Some(folder) => folder,
        None => folder::workspace()?,
    };
    let text = folder::read(&flags.file)?;
    let old = (Source::new(SPEC, folder::read(&root.join(SPEC))?), folder::read(&root.join(OVERLAY))?);
    let spec = Source::new(SPEC, text.clone());
    let actions = matching(&spec, old.1.clone(), flags.drop_unmatched)?;
    let overlay = Source::new(OVERLAY, actions.clone());
    let before = Facts::read(&old.0, Some(&Source::new(OVERLAY, old.1)))?;
    let code = Code::generate(&spec, Some(&overlay), false)?;
    let out = root.join(OUT);
    let stale = folder::stale(&code.files(""), &out)?;
    let changes = before.compare(&code.facts);
    let document = describe(&spec, Some(&overlay))?;
    let version = document["info"]["version"].as_str().unwrap_or("without a version");

    folder::write(&stale)?;
    let write = |name: &str, text: String| {
        fs::write(root.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    write("CHANGELOG.md", changelog(&folder::read(&root.join("CHANGELOG.md"))?, version, &changes)?)?;
    write("spec/README.md", digest(&folder::read(&root.join("spec/README.md"))?, &text)?)?;
    write(OVERLAY, actions)?;
    write(SPEC, text)?;
    code.say(Some(&before));
    println!("{}\n", code.size());
    println!("written: {SPEC}, {OVERLAY}, {OUT}, CHANGELOG.md, the digest in spec/README.md");
    println!("left to do by hand:");
    for task in tasks(root, &before, &changes)? {
        println!("  {task}");
    }
    Ok(())
}

/// The overlay whose actions all match, without those that do not where they may be dropped.
fn matching(spec: &Source, mut overlay: String, drop: bool) -> Result<String> {
    loop {
        let source = Source::new(OVERLAY, overlay.clone());
        let Err(errors) = describe(spec, Some(&source)) else { return Ok(overlay) };
        let errors: Vec<_> = errors.iter().collect();
        let indexes: Option<Vec<usize>> = errors
            .iter()
            .filter(|error| error.file() == OVERLAY)
            .map(|error| error.pointer().strip_prefix("/actions/")?.strip_suffix("/target")?.parse().ok())
            .collect();
        let Some(indexes) = indexes.filter(|indexes| indexes.len() == errors.len()) else {
            return Err(problems::refusal("the description cannot be read", &errors, spec, None));
        };
        let lines = errors.iter().map(|error| format!("\n  {error}")).collect::<String>();
        if !drop {
            bail!(
                "{} actions of {OVERLAY} match nothing in the new description; correct them, or run the command again with \
                 --drop-unmatched; nothing was written{lines}",
                errors.len()
            );
        }
        println!("dropped from {OVERLAY}:{lines}\n");
        overlay = without(&overlay, &indexes);
    }
}

/// The overlay without these actions: an action begins with `- target:`, and ends before an empty line or the next one.
fn without(overlay: &str, actions: &[usize]) -> String {
    let (mut next, mut inside, mut kept) = (0, false, String::new());
    for line in overlay.lines() {
        if line.trim_start().starts_with("- target:") {
            inside = actions.contains(&next);
            next += 1;
        } else if line.trim().is_empty() || line.trim_start().starts_with('#') {
            inside = false;
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The changelog with an entry at the end of its first version.
fn changelog(text: &str, version: &str, changes: &[Change]) -> Result<String> {
    let first = text.find("\n## ").context("CHANGELOG.md has no version")?;
    let rest = text.get(first + 1..).unwrap_or_default();
    let end = rest.find("\n## ").map_or(text.len(), |end| first + 2 + end);
    let (before, after) = text.split_at(end);
    let entry = format!("### Description {version}\n\n{}", diff::markdown(changes));
    Ok(format!("{}\n\n{}\n{}{after}", before.trim_end(), entry.trim_end(), if after.is_empty() { "" } else { "\n" }))
}

/// The README of the description with another digest.
fn digest(readme: &str, spec: &str) -> Result<String> {
    let start = readme.find("SHA-256 of `").context("spec/README.md names no SHA-256")?;
    let old = readme.get(start..).unwrap_or_default().split('`').nth(3).unwrap_or_default();
    if old.len() != 64 {
        bail!("spec/README.md names no SHA-256 after \"SHA-256 of\"");
    }
    let new = Sha256::digest(spec).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    Ok(readme.replace(old, &new))
}

/// What no command can do: reviews, and what is bound to the vendored description by name.
fn tasks(root: &Path, before: &Facts, changes: &[Change]) -> Result<Vec<String>> {
    let mut tasks = vec![
        "run `cargo test --workspace` and review the snapshots that changed (`cargo insta review`)".to_owned(),
    ];
    let is_new = |change: &&Change| {
        change.kind == Kind::Operation && change.action == Action::Added && change.part.is_empty()
    };
    let added: Vec<&str> = changes.iter().filter(is_new).map(|change| change.name.as_str()).collect();
    if !added.is_empty() {
        tasks.push(format!(
            "give new operations a line in tests/tests/operations.rs and a handler in tests/sandbox/src/operations.rs: {}",
            added.join(", ")
        ));
    }
    let mut gone = Vec::new();
    for (change, name) in changes.iter().filter_map(|change| Some((change, former(change)?))) {
        gone.push(name);
        let parts = before.iter().find(|(kind, other, _)| *kind == change.kind && *other == name);
        gone.extend(parts.and_then(|(.., parts)| Some(parts.get("")?.get("method of the client")?.as_str())));
    }
    for name in BOUND {
        for file in files(&root.join(name))? {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let words: BTreeSet<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            let mut found: Vec<&str> = gone.iter().copied().filter(|gone| words.contains(gone)).collect();
            let number = found.len();
            if number > 0 {
                found.truncate(5);
                let more = if number > 5 { format!(" and {} more", number - 5) } else { String::new() };
                let file = file.strip_prefix(root).unwrap_or(&file).display();
                tasks.push(format!("{file} names what is gone: {}{more}", found.join(", ")));
            }
        }
    }
    Ok(tasks)
}

/// The name of an operation or a type that does not exist any more, or has another name.
fn former(change: &Change) -> Option<&str> {
    match change.action {
        Action::Removed if change.part.is_empty() && change.kind != Kind::Place => Some(&change.name),
        Action::Renamed => change.before.as_deref(),
        _ => None,
    }
}

/// The files below a path that a person writes.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    if let Ok(entries) = fs::read_dir(path) {
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_written = path.extension().is_some_and(|extension| ["rs", "md", "yaml"].iter().any(|known| extension == *known));
            if path.is_dir() && !["generated", "snapshots", "target"].contains(&name.as_str()) {
                found.extend(files(&path)?);
            } else if is_written {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
