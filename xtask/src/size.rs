//! `cargo xtask size`: counts the code lines of crates and modules, and compares them with the limits in ARCHITECTURE.md.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::flags::Size;
use crate::folder;

/// Runs the command.
pub(crate) fn run(flags: &Size) -> Result<()> {
    let root = folder::workspace()?;
    let limits = limits(&folder::read(&root.join("ARCHITECTURE.md"))?)?;
    let mut over = Vec::new();
    for (name, limit) in limits {
        let modules = modules(&root.join(&name))?;
        let lines: usize = modules.values().sum();
        ensure!(
            lines > 0,
            "{name}, which the section `Size` of ARCHITECTURE.md lists, contains no code"
        );
        println!("{name}: {lines} code lines of at most {limit}");
        for (module, lines) in modules {
            println!("  {lines:>5}  {module}");
        }
        if lines > limit {
            over.push(format!(
                "{name} has {lines} code lines, {} over its limit of {limit}",
                lines - limit
            ));
        }
    }
    if flags.check && !over.is_empty() {
        bail!(
            "{}; remove code, or raise the limit in ARCHITECTURE.md and write down the reason",
            over.join("; ")
        );
    }
    Ok(())
}

/// The rows `| path | limit |` of the table under the heading `## Size`.
fn limits(page: &str) -> Result<Vec<(String, usize)>> {
    let (_, table) = page
        .split_once("\n## Size\n")
        .context("ARCHITECTURE.md has no section `Size`")?;
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let path = cells.next()?.trim_matches('`').to_owned();
        Some((path, cells.next()?.replace(',', "").parse().ok()?))
    });
    let limits: Vec<_> = rows.collect();
    ensure!(
        !limits.is_empty(),
        "the section `Size` of ARCHITECTURE.md has no table with a limit"
    );
    Ok(limits)
}

/// The code lines of each file and folder directly in `source`.
fn modules(source: &Path) -> Result<BTreeMap<String, usize>> {
    let mut modules = BTreeMap::new();
    for file in folder::files(source, &["rs"])? {
        let inner = file.strip_prefix(source).unwrap_or(&file);
        let module = inner
            .components()
            .next()
            .map(|part| part.as_os_str().to_string_lossy().into_owned());
        if !file.ends_with("tests.rs") {
            *modules.entry(module.unwrap_or_default()).or_default() +=
                code_lines(&folder::read(&file)?);
        }
    }
    Ok(modules)
}

/// The lines without blank lines, comments, and the tests at the end of a file.
fn code_lines(text: &str) -> usize {
    let code = text
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    code.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blank_lines_and_tests_are_no_code() {
        let text = "//! Docs.\n\nfn one() {}\n    // why\n    /// Docs.\nfn two() {\n}\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(code_lines(text), 3);
    }

    #[test]
    fn limits_are_the_rows_of_the_table() {
        let page = "# A\n\n## Size\n\nWords.\n\n| folder | code lines |\n| --- | --- |\n| `a/src` | 1,200 |\n\n## Next\n\n| `b` | 7 |\n";
        assert_eq!(limits(page).unwrap(), [("a/src".to_owned(), 1200)]);
        assert!(limits("# A\n\n## Size\n\nNothing.\n").is_err() && limits("# A\n").is_err());
    }
}
