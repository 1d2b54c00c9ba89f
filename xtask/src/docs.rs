//! `cargo xtask docs`: builds the documentation as docs.rs does, and reads the pages.
//!
//! The published crates are documented twice: with all features, and without any. What only the first documentation has
//! must name the feature that it needs. All links of the pages that are written by hand must lead somewhere.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::folder;
use crate::progress;

/// The crates with features, as their documentation names them. Their packages have `-` for `_`.
const WITH_FEATURES: [&str; 6] = [
    "upvest_runtime",
    "upvest_api",
    "upvest_signing",
    "upvest_ext",
    "upvest_gen",
    "upvest_sandbox",
];

/// What rustdoc writes beside an item that needs a feature.
const FEATURE: &str = "Available on <strong>crate feature";

/// Runs the command.
pub(crate) fn run() -> Result<()> {
    let target = folder::workspace()?.join("target");
    progress::step("document all crates, with all features", document_all)?;
    let plain = target.join("docs-without-features");
    progress::step("document the crates without features", || {
        document_without_features(&target, &plain)
    })?;

    let full = target.join("doc");
    let mut problems = Vec::new();
    let mut gated = 0;
    for page in pages(&full, &WITH_FEATURES)? {
        let items = gated_items(&full, &plain.join("doc"), &page)?;
        gated += items.len();
        let silent = items.into_iter().filter(|item| !item.names_feature);
        problems.extend(silent.map(|item| format!("{item}: names no feature", item = item.place)));
    }
    ensure!(gated > 100, "found only {gated} items that need a feature");

    let mut links = 0;
    for page in pages(&full.join("upvest_ext"), &["guide", "index.html"])? {
        let page = Path::new("upvest_ext").join(page);
        let found = links_of(&folder::read(&full.join(&page))?);
        links += found.len();
        for link in found {
            if !link_target_exists(&full, &page, &link)? {
                problems.push(format!("{}: {link} leads nowhere", page.display()));
            }
        }
    }
    ensure!(links > 100, "found only {links} links in the guides");

    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    println!("{gated} items name the feature that they need, {links} links of the guides work");
    Ok(())
}

fn document_all() -> Result<()> {
    // A shell script, as cargo takes a program without arguments. Only rustdoc gets the features of the nightly
    // compiler, so that what was compiled before need not be compiled again.
    let rustdoc = folder::workspace()?.join(".ci/rustdoc");
    let mut command = cargo_doc();
    command.args(["--workspace", "--all-features"]);
    command.env("RUSTDOC", rustdoc);
    command.env("RUSTDOCFLAGS", "-D warnings");
    succeed(command)
}

/// Documents them in another folder, with what was compiled before.
fn document_without_features(target: &Path, out: &Path) -> Result<()> {
    let mut command = cargo_doc();
    command.arg("--no-default-features");
    for name in WITH_FEATURES {
        command.args(["--package", &name.replace('_', "-")]);
    }
    let build = format!("build.build-dir={:?}", target.display().to_string());
    command.args(["--config", &build]);
    command.arg("--target-dir").arg(out);
    // Without features, items are missing that the documentation links to.
    command.env("RUSTDOCFLAGS", "--cap-lints allow");
    succeed(command)
}

fn cargo_doc() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(["doc", "--quiet", "--no-deps"]);
    command
}

fn succeed(mut command: Command) -> Result<()> {
    command.current_dir(folder::workspace()?);
    let status = command.status().context("cannot start cargo")?;
    ensure!(status.success(), "cargo doc failed");
    Ok(())
}

/// Returns the pages in the given entries of a folder, as paths relative to the folder.
fn pages(folder: &Path, entries: &[&str]) -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in entries {
        for page in folder::files(&folder.join(entry), &["html"])? {
            let name = page.strip_prefix(folder).context("it is in the folder")?;
            pages.push(name.to_owned());
        }
    }
    Ok(pages)
}

/// An item that only the documentation with all features has.
struct GatedItem {
    place: String,
    names_feature: bool,
}

/// Lists the items of a page that exist only in the docs built with all features.
fn gated_items(full: &Path, plain: &Path, page: &Path) -> Result<Vec<GatedItem>> {
    let html = folder::read(&full.join(page))?;
    // A redirection has no items, and `all.html` only lists the items of other pages.
    let is_redirection = html.contains("<title>Redirection</title>");
    if is_redirection || page.ends_with("all.html") {
        return Ok(Vec::new());
    }
    let plain_path = plain.join(page);
    if !plain_path.exists() {
        return Ok(vec![GatedItem {
            place: page.display().to_string(),
            names_feature: html.contains(FEATURE),
        }]);
    }
    let plain_html = folder::read(&plain_path)?;
    let known: BTreeSet<&str> = sections(&plain_html)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    let mut items = Vec::new();
    for (id, text) in sections(&html) {
        if !known.contains(id) {
            items.push(GatedItem {
                place: format!("{}#{id}", page.display()),
                names_feature: text.contains(FEATURE),
            });
        }
    }
    Ok(items)
}

/// Returns the methods of a type and its implementations of traits, each with its id and the text up to the next one.
/// The methods of a trait are left out, as they need the same features as the implementation. Blanket implementations
/// and the methods of the `Deref` target are left out too.
fn sections(html: &str) -> Vec<(&str, &str)> {
    let (html, _) = html
        .split_once("id=\"blanket-implementations\"")
        .unwrap_or((html, ""));
    let (inherent, traits) = html
        .split_once("id=\"trait-implementations\"")
        .unwrap_or((html, ""));
    let (inherent, _) = inherent
        .split_once("id=\"deref-methods")
        .unwrap_or((inherent, ""));
    let mut sections = with_ids(inherent);
    sections.retain(|(id, _)| !id.starts_with("impl-"));
    let mut implementations = with_ids(traits);
    implementations.retain(|(id, _)| id.starts_with("impl-"));
    sections.extend(implementations);
    sections
}

fn with_ids(html: &str) -> Vec<(&str, &str)> {
    html.split("<section id=\"")
        .skip(1)
        .filter_map(|section| section.split_once('"'))
        .collect()
}

/// Returns the targets of the links and images of a page. Links to other sites are left out.
fn links_of(html: &str) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for attribute in [" href=\"", " src=\""] {
        for rest in html.split(attribute).skip(1) {
            let Some((target, _)) = rest.split_once('"') else {
                continue;
            };
            let is_elsewhere = target.contains("://") || target.starts_with("data:");
            if !is_elsewhere {
                links.insert(target.to_owned());
            }
        }
    }
    links
}

fn link_target_exists(docs: &Path, page: &Path, link: &str) -> Result<bool> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        page.to_owned()
    } else {
        let folder = page.parent().unwrap_or(Path::new(""));
        normalized(&folder.join(file))
    };
    let target = docs.join(target);
    if !target.is_file() {
        return Ok(false);
    }
    // The source view makes the anchors of lines by itself.
    let is_page = target.extension().is_some_and(|found| found == "html");
    if anchor.is_empty() || !is_page || file.contains("/src/") {
        return Ok(true);
    }
    let html = folder::read(&target)?;
    Ok(html.contains(&format!("id=\"{anchor}\"")))
}

/// Resolves each `..` of a path.
fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            normalized.pop();
        } else {
            normalized.push(component);
        }
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"
        <section id="method.read">..</section>
        <section id="method.write_to">..</section>Available on <strong>crate feature <code>files</code>
        <h2 id="trait-implementations"></h2>
        <section id="impl-Type-for-File">..</section>
        <section id="method.compatible">..</section>
        <h2 id="blanket-implementations"></h2>
        <section id="impl-Any-for-T">..</section>"#;

    fn silent(page: &str, plain: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, html) in [("full", page), ("plain", plain)] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("File.html"), html).unwrap();
        }
        let full = folder.path().join("full");
        let plain = folder.path().join("plain");
        let items = gated_items(&full, &plain, Path::new("File.html")).unwrap();
        let silent = items.into_iter().filter(|item| !item.names_feature);
        silent.map(|item| item.place).collect()
    }

    #[test]
    fn an_item_that_needs_a_feature_must_name_it() {
        assert_eq!(
            silent(PAGE, ""),
            ["File.html#method.read", "File.html#impl-Type-for-File"]
        );
    }

    #[test]
    fn an_item_that_needs_no_feature_names_none() {
        assert_eq!(silent(PAGE, PAGE), <[String; 0]>::default());
    }

    #[test]
    fn a_link_to_a_missing_page_or_heading_is_found() {
        let docs = tempfile::tempdir().unwrap();
        std::fs::create_dir(docs.path().join("guide")).unwrap();
        std::fs::write(docs.path().join("guide/a.html"), "<h2 id=\"one\">").unwrap();
        std::fs::write(docs.path().join("index.html"), "").unwrap();
        let page = Path::new("guide/a.html");
        let works = |link: &str| link_target_exists(docs.path(), page, link).unwrap();
        assert!(works("a.html"));
        assert!(works("#one"));
        assert!(works("../index.html"));
        assert!(!works("#two"));
        assert!(!works("b.html"));
        assert!(!works("diagrams/call.svg"));
    }

    #[test]
    fn links_to_other_sites_are_not_followed() {
        let html = r#"<a href="https://upvest.co"> <img src="data:image/svg+xml;base64,AA"> <a href="a.html">"#;
        assert_eq!(links_of(html), BTreeSet::from(["a.html".to_owned()]));
    }
}
