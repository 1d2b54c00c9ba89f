//! The guides are complete and short, their code is that of the samples, their links work, and the drawings are up to
//! date.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The maximum number of lines in a guide, about two screens.
const MAX_GUIDE_LINES: usize = 160;

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

/// Returns the targets of links and images: `[text](target)`, or `[text][label]` with `[label]: target` on a line.
fn links(text: &str) -> Vec<&str> {
    let inline = text.split("](").skip(1);
    let inline = inline.filter_map(|rest| rest.split_once(')'));
    let defined = text.lines().filter_map(definition);
    let inline = inline.map(|(target, _)| target);
    inline.chain(defined.map(|(_, target)| target)).collect()
}

/// The label and the target of a link that is defined on a line of its own.
fn definition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]: ")
}

/// The anchors of all headings, as GitHub and mdBook make them.
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

/// A sample of code: a file whose region `guide` is a block of a guide or of the README.
struct Sample {
    name: String,
    block: String,
}

fn samples() -> Vec<Sample> {
    let mut files = files("docs/guides/samples", "rs");
    files.retain(|(path, _)| name(path) != "main.rs");
    let sample = |(path, text): &(PathBuf, String)| {
        let (_, rest) = text
            .split_once("// region: guide\n")
            .expect("it has a region");
        let (block, _) = rest.split_once("// endregion\n").expect("the region ends");
        Sample {
            name: name(path).to_owned(),
            block: block.to_owned(),
        }
    };
    files.iter().map(sample).collect()
}

/// The documents with code.
fn documents_with_code() -> Vec<(PathBuf, String)> {
    let readme = root().join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let mut documents = files("docs/guides", "md");
    documents.push((readme, text));
    documents
}

/// Replaces each Rust code block with the marked region of the sample that the block's first line names.
fn with_samples<'a>(document: &str, samples: &'a [Sample], used: &mut BTreeSet<&'a str>) -> String {
    let mut blocks = document.split("```rust");
    let mut updated = blocks.next().unwrap().to_owned();
    for block in blocks {
        let (block, rest) = block.split_once("```").expect("a block ends");
        // The test `blocks` compiles this one, so it has no sample.
        if block.starts_with("\n// my-service/src/lib.rs\n") {
            updated += "```rust";
            updated += block;
            updated += "```";
            updated += rest;
            continue;
        }
        let is_named = |sample: &&Sample| {
            let first = format!("\n// docs/guides/samples/{}\n", sample.name);
            block.starts_with(&first)
        };
        let sample = samples.iter().find(is_named);
        let sample = sample.unwrap_or_else(|| panic!("no sample is named by the first line of this block, or its language is not `rust`:{block}"));
        used.insert(&sample.name);
        updated += "```rust\n";
        updated += &sample.block;
        updated += "```";
        updated += rest;
    }
    updated
}

#[test]
fn every_rust_code_block_is_the_region_of_a_sample() {
    let samples = samples();
    let mut used = BTreeSet::new();
    for (path, text) in documents_with_code() {
        let updated = with_samples(&text, &samples, &mut used);
        if std::env::var_os("UPDATE_GUIDES").is_some() {
            fs::write(&path, &updated).unwrap();
        } else {
            let path = path.display();
            assert!(
                updated == text,
                "{path} differs from its samples: set UPDATE_GUIDES=1"
            );
        }
    }
    let main = fs::read_to_string(root().join("docs/guides/samples/main.rs")).unwrap();
    for Sample { name, .. } in &samples {
        assert!(used.contains(name.as_str()), "no guide shows {name}");
        let module = format!("mod {};", name.trim_end_matches(".rs"));
        assert!(main.contains(&module), "{name} is not compiled");
    }
}

#[test]
fn every_rust_code_block_names_the_crates_that_it_needs() {
    let manifest = fs::read_to_string(root().join("tests/Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let tables = ["dependencies", "dev-dependencies"].map(|table| manifest[table].as_table());
    let known: BTreeSet<_> = tables
        .into_iter()
        .flatten()
        .flat_map(|table| table.keys())
        .collect();
    for Sample { name, block } in samples() {
        let is_needed = |krate: &&&String| uses(&block, &krate.replace('-', "_"));
        let needed: Vec<_> = known
            .iter()
            .filter(is_needed)
            .map(|krate| krate.as_str())
            .collect();
        let line = format!("// crates: {}", needed.join(", "));
        assert_eq!(block.lines().nth(1), Some(line.as_str()), "{name}");
    }
}

/// Whether a path in `code` starts with the crate.
fn uses(code: &str, krate: &str) -> bool {
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let path = format!("{krate}::");
    code.into_iter().any(|line| {
        let mut places = line.match_indices(&path);
        places.any(|(at, _)| {
            !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:.".contains(c))
        })
    })
}

#[test]
fn no_guide_has_hidden_lines() {
    for (path, text) in documents_with_code() {
        let mut is_code = false;
        for line in text.lines() {
            // In a shell `# ` starts a comment.
            is_code = (is_code && line != "```") || line.starts_with("```rust");
            let is_hidden = is_code && (line == "#" || line.starts_with("# "));
            assert!(!is_hidden, "{}: {line}", path.display());
        }
    }
}

#[test]
fn lines_of_prose_have_at_most_120_columns() {
    let mut documents = all_documents();
    // It quotes what the generator prints.
    documents.retain(|(path, _)| name(path) != "CHANGELOG.md");
    for (path, text) in documents {
        let mut is_code = false;
        for line in text.lines() {
            is_code ^= line.starts_with("```");
            let is_prose = !is_code && !line.starts_with('|') && !line.starts_with("![");
            let columns = line.chars().count();
            assert!(
                !is_prose || columns <= 120,
                "{}: {columns}: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn every_guide_is_in_the_summary() {
    let summary = fs::read_to_string(root().join("docs/guides/SUMMARY.md")).unwrap();
    for (path, _) in guides() {
        let name = name(&path);
        assert!(
            summary.contains(&format!("]({name})")),
            "{name} is not in SUMMARY.md"
        );
    }
}

fn guides() -> Vec<(PathBuf, String)> {
    let mut guides = files("docs/guides", "md");
    guides.retain(|(path, _)| name(path) != "SUMMARY.md");
    guides
}

#[test]
fn every_guide_is_a_page_of_the_documentation() {
    let crate_docs = fs::read_to_string(root().join("upvest-ext/src/lib.rs")).unwrap();
    let pages = fs::read_to_string(root().join("upvest-ext/src/guide.rs")).unwrap();
    for (path, _) in guides() {
        let file = name(&path);
        let module = file.trim_end_matches(".md").replace('-', "_");
        assert!(
            pages.contains(&format!("{module} = \"{file}\"")),
            "{file} is not a page"
        );
        let link = format!("](guide::{module})");
        assert!(
            crate_docs.contains(&link),
            "{file} is not in the crate's documentation"
        );
    }
}

#[test]
fn the_items_that_a_guide_explains_name_it() {
    for (guide, module) in [
        (
            "docs/guides/errors.md",
            "upvest-api/runtime/src/responses/error.rs",
        ),
        (
            "docs/guides/files.md",
            "upvest-api/runtime/src/responses/write_to.rs",
        ),
        ("docs/guides/going-live.md", "upvest-ext/signing/src/lib.rs"),
        ("crate::guide::lists", "upvest-ext/src/pages.rs"),
        ("crate::guide::observability", "upvest-ext/src/hooks.rs"),
        ("crate::guide::orders", "upvest-ext/src/wait.rs"),
        ("crate::guide::webhooks", "upvest-ext/src/webhooks/mod.rs"),
    ] {
        let docs = fs::read_to_string(root().join(module)).unwrap();
        assert!(docs.contains(guide), "{module} does not name {guide}");
    }
}

#[test]
fn links_between_guides_lead_to_pages_of_the_documentation() {
    let folder = root().join("upvest-ext/src/guide");
    let links = fs::read_to_string(folder.join("links.md")).unwrap();
    let drawings = fs::read_to_string(folder.join("drawings.md")).unwrap();
    let pages = links + &drawings;
    for (path, text) in guides() {
        let path = path.display();
        for (label, target) in text.lines().filter_map(definition) {
            let page = page_of(label, target);
            assert!(pages.contains(&page), "{path}: links.md lacks {page}");
        }
        let labels = text
            .split("][")
            .skip(1)
            .filter_map(|rest| rest.split_once(']'));
        for (label, _) in labels {
            assert!(
                text.contains(&format!("\n[{label}]: ")),
                "{path}: no link {label}"
            );
        }
        let inline = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        for (target, _) in inline {
            assert!(
                target.contains("://"),
                "{path}: {target} does not exist in the documentation"
            );
        }
    }
}

/// The definition of a link in the documentation, or its start: only guides have pages.
fn page_of(label: &str, target: &str) -> String {
    match target.split_once(".md") {
        Some((file, anchor)) if !file.contains('/') => {
            let module = file.replace('-', "_");
            format!("[{label}]: crate::guide::{module}{anchor}\n")
        }
        _ => format!("[{label}]: "),
    }
}

#[test]
fn the_documentation_contains_every_drawing() {
    let mut drawings = files("docs/guides/diagrams", "svg");
    drawings.sort();
    let mut expected = String::new();
    for (path, drawing) in &drawings {
        let name = name(path);
        let data = STANDARD.encode(drawing);
        let definition = format!("[{name}]: data:image/svg+xml;base64,{data}\n");
        expected += &definition;
    }
    expected.push('\n');
    let file = root().join("upvest-ext/src/guide/drawings.md");
    if std::env::var_os("UPDATE_GUIDES").is_some() {
        fs::write(&file, &expected).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap();
    assert!(
        found == expected,
        "a drawing has changed: set UPDATE_GUIDES=1"
    );
}

/// All Markdown files of the repository. `links.md` and `drawings.md` are parts of pages.
fn all_documents() -> Vec<(PathBuf, String)> {
    let mut documents = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let is_skipped = [".git", "target", "official-api"].contains(&name(&path));
            let is_folder = entry.file_type().unwrap().is_dir();
            if is_folder && !is_skipped && !path.ends_with("upvest-ext/src") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == "md") && path.is_file() {
                let text = fs::read_to_string(&path).unwrap();
                documents.push((path, text));
            }
        }
    }
    assert!(
        documents.len() > 20,
        "found only {} documents",
        documents.len()
    );
    documents
}

#[test]
fn every_link_of_the_documents_leads_to_a_file_and_to_a_heading_in_it() {
    for (path, text) in all_documents() {
        for target in links(&text) {
            if target.contains("://") || target.contains(' ') {
                continue;
            }
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
        let shown = text.lines().count();
        assert!(
            shown <= MAX_GUIDE_LINES,
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
