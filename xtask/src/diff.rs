//! `cargo xtask diff`: lists the differences between two descriptions, and marks those that break callers.

use std::path::Path;

use anyhow::{Context, Result, bail};
use upvest_gen::diff::Facts;

use crate::changes;
use crate::flags::{Diff, Format};
use crate::problems;
use crate::source::source;

/// Runs the command.
pub(crate) fn run(flags: &Diff) -> Result<()> {
    if flags.overlay.len() > 2 {
        bail!("--overlay can be given at most twice: for the older and for the newer description");
    }
    let first = flags.overlay.first();
    let second = flags.overlay.get(1).or(first);
    let old = facts(&flags.old, first.map(AsRef::as_ref))?;
    let new = facts(&flags.new, second.map(AsRef::as_ref))?;
    let changes = old.compare(&new);
    match flags.format {
        Format::Text if changes.is_empty() => println!("the descriptions do not differ"),
        Format::Text => print!("{}", changes::text(&changes)),
        Format::Markdown => print!("{}", changes::markdown(&changes)),
        Format::Json => {
            let json = serde_json::to_string_pretty(&changes);
            println!("{}", json.context("the differences could not be written")?);
        }
    }
    let breaking = changes.iter().filter(|change| change.breaking).count();
    if flags.deny_breaking && breaking > 0 {
        bail!("{breaking} of {} differences break callers", changes.len());
    }
    Ok(())
}

fn facts(spec: &Path, overlay: Option<&Path>) -> Result<Facts> {
    let spec = source(spec)?;
    let overlay = overlay.map(source).transpose()?;
    Facts::read(&spec, overlay.as_ref()).map_err(|errors| {
        let errors: Vec<_> = errors.iter().collect();
        let title = "the description cannot be read";
        problems::rejection(title, &errors, &spec, overlay.as_ref())
    })
}
