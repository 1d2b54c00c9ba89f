//! `cargo xtask diff`: lists the differences between two descriptions, and those that break callers.

use std::fmt::Write;

use anyhow::{Context, Result, anyhow, bail};
use upvest_gen::diff::{Change, Facts, Impact};

use crate::flags::{Diff, Format};
use crate::{problems, regen};

/// The effects of differences, in the order in which they are shown.
const GROUPS: [(Impact, &str); 3] = [
    (Impact::Build, "Breaks the build"),
    (
        Impact::Calls,
        "Compiles, but calls fail until they are changed",
    ),
    (Impact::None, "Compatible"),
];

/// The facts for which each operation that gains or loses one is listed.
const PROMISES: [&str; 3] = ["paging", "idempotency key", "scopes"];

/// Runs the command.
pub(crate) fn run(flags: &Diff) -> Result<()> {
    let overlays = [
        flags.overlay.first(),
        flags.overlay.get(1).or(flags.overlay.first()),
    ];
    if flags.overlay.len() > 2 {
        bail!("--overlay can be given at most twice: for the older and for the newer description");
    }
    let mut facts = [&flags.old, &flags.new]
        .into_iter()
        .zip(overlays)
        .map(|(file, overlay)| {
            let spec = regen::source(file)?;
            let overlay = overlay.map(|file| regen::source(file)).transpose()?;
            Facts::read(&spec, overlay.as_ref()).map_err(|errors| {
                let errors: Vec<_> = errors.iter().collect();
                problems::refusal(
                    "the description cannot be read",
                    &errors,
                    &spec,
                    overlay.as_ref(),
                )
            })
        });
    let old = facts.next();
    let new = facts.next();
    let (old, new) = old
        .zip(new)
        .ok_or_else(|| anyhow!("one of the two descriptions is missing"))?;
    let changes = old?.compare(&new?);
    match flags.format {
        Format::Text if changes.is_empty() => println!("the descriptions do not differ"),
        Format::Text => print!("{}", text(&changes)),
        Format::Markdown => print!("{}", markdown(&changes)),
        Format::Json => {
            println!(
                "{}",
                serde_json::to_string_pretty(&changes)
                    .context("the differences could not be written")?
            );
        }
    }
    let breaking = changes.iter().filter(|change| change.breaking).count();
    if flags.deny_breaking && breaking > 0 {
        bail!("{breaking} of {} differences break callers", changes.len());
    }
    Ok(())
}

/// The differences as text for a terminal. Empty if there are none.
pub(crate) fn text(changes: &[Change]) -> String {
    promises(changes)
        + &lists(
            changes,
            |number, title| format!("{title} ({number}):"),
            "  ",
            "",
        )
}

/// The differences as Markdown for a changelog.
pub(crate) fn markdown(changes: &[Change]) -> String {
    lists(changes, |_, title| format!("{title}:\n"), "* ", ".")
}

fn lists(
    changes: &[Change],
    title: impl Fn(usize, &str) -> String,
    before: &str,
    after: &str,
) -> String {
    let mut text = String::new();
    for (impact, name) in GROUPS {
        let lines = changes.iter().filter(|change| change.impact == impact);
        let lines: Vec<String> = lines
            .map(|change| format!("{before}{change}{after}\n"))
            .collect();
        if !lines.is_empty() {
            let _ = writeln!(text, "{}\n{}", title(lines.len(), name), lines.concat());
        }
    }
    text
}

/// The names of the operations that gained or lost paging, idempotency or scopes.
fn promises(changes: &[Change]) -> String {
    let mut text = String::new();
    for fact in PROMISES {
        for Change {
            what,
            before,
            after,
            ..
        } in changes.iter().filter(|change| change.fact == fact)
        {
            let verb = match (before, after) {
                (None, _) => "gained",
                (_, None) => "lost",
                _ => "changed",
            };
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
            let _ = writeln!(
                text,
                "{what} {verb} {fact}: {}, was {}",
                value(after),
                value(before)
            );
        }
    }
    text
}
