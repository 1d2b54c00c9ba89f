//! Comments cite facts about the protocol as `PROTOCOL n.m`. Each citation is a section of spec/PROTOCOL.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The extensions of files that may cite.
const KINDS: [&str; 4] = ["rs", "md", "yaml", "py"];

#[test]
fn every_citation_of_the_protocol_names_a_section() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("spec/PROTOCOL.md")).unwrap();
    let headings = page
        .lines()
        .filter(|line| line.starts_with("## ") || line.starts_with("### "));
    let sections: BTreeSet<&str> = headings
        .filter_map(|line| line.split(' ').nth(1))
        .map(|number| number.trim_end_matches('.'))
        .collect();
    let mut files = Vec::new();
    for folder in [
        "spec",
        "tests",
        "upvest-api",
        "upvest-ext",
        "upvest-gen",
        "xtask",
        "docs",
    ] {
        list(&root.join(folder), &mut files);
    }
    let mut citations = 0;
    let mut wrong = Vec::new();
    for file in files
        .iter()
        .filter(|file| !file.ends_with("tests/tests/protocol.rs"))
    {
        let text = fs::read_to_string(file).unwrap();
        for (line, number) in text
            .lines()
            .enumerate()
            .flat_map(|(at, line)| cited(line).map(move |it| (at, it)))
        {
            citations += 1;
            if !sections.contains(number) {
                wrong.push(format!(
                    "{}:{}: PROTOCOL {number}",
                    file.display(),
                    line + 1
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "spec/PROTOCOL.md lacks these sections:\n{}",
        wrong.join("\n")
    );
    assert!(citations >= 60, "only {citations} citations were found");
}

/// The numbers after each `PROTOCOL` of a line.
fn cited(line: &str) -> impl Iterator<Item = &str> {
    line.split("PROTOCOL").skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches('`').strip_prefix(' ')?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        Some(rest[..end].trim_end_matches('.')).filter(|number| !number.is_empty())
    })
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            list(&path, files);
        } else if path
            .extension()
            .is_some_and(|kind| KINDS.iter().any(|it| kind == *it))
        {
            files.push(path);
        }
    }
}
