//! `cargo xtask diff`: what is different between two descriptions, and what breaks for callers.

use std::fmt::Write;

use anyhow::{Context, Result, anyhow, bail};
use upvest_gen::diff::{Action, Change, Facts, Impact, Kind};

use crate::flags::{Diff, Format};
use crate::{problems, regen};

/// The differences by what they mean, in the order in which they are shown.
const GROUPS: [(Impact, &str); 3] = [
    (Impact::BreaksBuild, "Breaks the build"),
    (Impact::BreaksCalls, "Compiles, but calls fail until they are changed"),
    (Impact::Compatible, "Compatible"),
];

/// The facts of which every operation that gains or loses one is named.
const PROMISES: [&str; 3] = ["paging", "idempotency", "scopes"];

/// Runs the command.
pub(crate) fn run(flags: &Diff) -> Result<()> {
    let overlays = [flags.overlay.first(), flags.overlay.get(1).or(flags.overlay.first())];
    if flags.overlay.len() > 2 {
        bail!("--overlay can be given twice, for the older and for the newer description");
    }
    let mut facts = [&flags.old, &flags.new].into_iter().zip(overlays).map(|(file, overlay)| {
        let (spec, overlay) =
            (regen::source(file)?, overlay.map(|file| regen::source(file)).transpose()?);
        Facts::read(&spec, overlay.as_ref()).map_err(|errors| {
            let errors: Vec<_> = errors.iter().collect();
            problems::refusal("the description cannot be read", &errors, &spec, overlay.as_ref())
        })
    });
    let (old, new) = (facts.next(), facts.next());
    let (old, new) = old.zip(new).ok_or_else(|| anyhow!("there are two descriptions"))?;
    let changes = old?.compare(&new?);
    match flags.format {
        Format::Text if changes.is_empty() => println!("both descriptions say the same"),
        Format::Text => print!("{}", text(&changes)),
        Format::Markdown => print!("{}", markdown(&changes)),
        Format::Json => {
            println!("{}", serde_json::to_string_pretty(&changes).context("cannot write the differences")?);
        }
    }
    let breaking = changes.iter().filter(|change| change.breaking).count();
    if flags.deny_breaking && breaking > 0 {
        bail!("{breaking} of {} differences break callers", changes.len());
    }
    Ok(())
}

/// The differences for the terminal. Empty where there is none.
pub(crate) fn text(changes: &[Change]) -> String {
    let mut text = promises(changes);
    for (title, changes) in groups(changes) {
        let _ = writeln!(text, "{title} ({}):", changes.len());
        for change in changes {
            let _ = writeln!(text, "  {change}");
        }
    }
    text
}

/// The differences for a changelog.
pub(crate) fn markdown(changes: &[Change]) -> String {
    let mut text = String::new();
    for (title, changes) in groups(changes) {
        let _ = writeln!(text, "{title}:\n");
        for change in changes {
            let _ = writeln!(text, "* {change}.");
        }
        text.push('\n');
    }
    text
}

fn groups(changes: &[Change]) -> impl Iterator<Item = (&'static str, Vec<&Change>)> {
    let groups = GROUPS.into_iter().map(|(impact, title)| {
        (title, changes.iter().filter(move |change| change.impact == impact).collect::<Vec<_>>())
    });
    groups.filter(|(_, changes)| !changes.is_empty())
}

/// Each operation that gained or lost paging, idempotency or scopes, by name.
fn promises(changes: &[Change]) -> String {
    let mut text = String::new();
    for fact in PROMISES {
        let changes = changes.iter().filter(|change| {
            change.kind == Kind::Operation && change.fact == fact && change.action == Action::Changed
        });
        for Change { name, before, after, .. } in changes {
            let is_there = |value: &&String| value.as_str() != "none";
            let what = match (before.as_ref().filter(is_there), after.as_ref().filter(is_there)) {
                (None, _) => "gained",
                (_, None) => "lost",
                _ => "changed",
            };
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
            let _ = writeln!(text, "{name} {what} {fact}: {}, was {}", value(after), value(before));
        }
    }
    text
}
