//! The guides are complete and short, their links work, and the drawings are up to date.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Lines of about 130 characters: two screens.
const LONGEST_GUIDE: usize = 160;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .collect();
    assert!(!found.is_empty(), "no {extension} in {folder}");
    found
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The targets of links and images, `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
}

/// The anchor of a heading, as GitHub and mdBook make it.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings
        .map(|heading| {
            heading
                .to_lowercase()
                .chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_guide_is_in_the_summary_and_its_code_is_compiled() {
    let summary = fs::read_to_string(root().join("docs/guides/SUMMARY.md")).unwrap();
    let compiled = fs::read_to_string(root().join("tests/src/lib.rs")).unwrap();
    for (path, text) in files("docs/guides", "md") {
        let name = name(&path);
        if name == "SUMMARY.md" {
            continue;
        }
        assert!(
            summary.contains(&format!("]({name})")),
            "{name} is not in SUMMARY.md"
        );
        assert!(
            compiled.contains(&format!("= \"{name}\"")),
            "the code of {name} is not compiled"
        );
        for fence in text.lines().filter(|line| line.starts_with("```rust")) {
            assert!(
                matches!(fence, "```rust" | "```rust,no_run"),
                "{name}: {fence}"
            );
        }
    }
}

#[test]
fn the_documentation_of_the_code_names_every_guide() {
    let crate_docs = fs::read_to_string(root().join("upvest-ext/src/lib.rs")).unwrap();
    for (path, _) in files("docs/guides", "md")
        .iter()
        .filter(|(path, _)| name(path) != "SUMMARY.md")
    {
        assert!(
            crate_docs.contains(&format!("`{}`", name(path))),
            "{} is not in the crate's docs",
            name(path)
        );
    }
    for (guide, module) in [
        ("errors.md", "upvest-api/runtime/src/answers/error.rs"),
        ("files.md", "upvest-api/runtime/src/answers/write_to.rs"),
        ("going-live.md", "upvest-ext/signing/src/lib.rs"),
        ("lists.md", "upvest-ext/src/pages.rs"),
        ("observability.md", "upvest-ext/src/hooks.rs"),
        ("orders.md", "upvest-ext/src/wait.rs"),
        ("webhooks.md", "upvest-ext/src/webhooks/mod.rs"),
    ] {
        let docs = fs::read_to_string(root().join(module)).unwrap();
        assert!(
            docs.contains(&format!("docs/guides/{guide}")),
            "{module} does not name {guide}"
        );
    }
}

#[test]
fn every_link_of_the_documents_leads_to_a_file_and_to_a_heading_in_it() {
    let mut documents = files("docs/guides", "md");
    documents.extend(files(".", "md"));
    documents.extend(files("spec", "md"));
    documents.extend(files("tests/sandbox", "md"));
    for (path, text) in documents {
        for target in links(&text).filter(|target| !target.contains("://") && !target.contains(' '))
        {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            assert!(file.exists(), "{}: {target} leads nowhere", path.display());
            if !anchor.is_empty() {
                let linked = fs::read_to_string(&file).unwrap();
                assert!(
                    anchors(&linked).contains(anchor),
                    "{}: {target} has no such heading",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn guides_are_short() {
    for (path, text) in files("docs/guides", "md") {
        // Hidden lines do not count.
        let shown = text
            .lines()
            .filter(|line| !line.starts_with("# use") && !line.starts_with("# let"))
            .count();
        assert!(
            shown <= LONGEST_GUIDE,
            "{} has {shown} lines",
            path.display()
        );
    }
}

#[test]
fn drawings_are_those_of_their_sources_and_readable_in_light_and_dark() {
    for (path, source) in files("docs/guides/diagrams", "dot") {
        let drawing = fs::read_to_string(path.with_extension("svg")).unwrap();
        let digest: Vec<String> = Sha256::digest(source)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(
            drawing.contains(&digest.concat()),
            "{} has changed: run docs/guides/diagrams/draw",
            path.display()
        );
    }
    for (path, drawing) in files("docs/guides/diagrams", "svg") {
        assert!(
            drawing.contains("prefers-color-scheme: dark"),
            "{}",
            path.display()
        );
    }
}
