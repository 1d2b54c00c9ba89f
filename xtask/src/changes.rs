//! Differences between two descriptions, in words.

use std::fmt::Write;

use upvest_gen::diff::{Change, Impact};

/// The effects of differences, in the order in which they are shown.
const GROUPS: [(Impact, &str); 3] = [
    (Impact::Build, "Breaks the build"),
    (
        Impact::Calls,
        "Compiles, but calls fail or mean something else until they are changed",
    ),
    (Impact::None, "Compatible"),
];

/// The facts for which each operation that gains or loses one is listed.
const PROMISES: [&str; 3] = ["paging", "idempotency key", "scopes"];

/// The differences as text for a terminal. Empty if there are none.
pub(crate) fn text(changes: &[Change]) -> String {
    let mut text = promises(changes);
    for (impact, title) in GROUPS {
        let group = of_impact(changes, impact);
        if !group.is_empty() {
            let _ = writeln!(text, "{title} ({}):", group.len());
            for change in group {
                let _ = writeln!(text, "  {change}");
            }
            text.push('\n');
        }
    }
    text
}

/// The differences as Markdown for a changelog.
pub(crate) fn markdown(changes: &[Change]) -> String {
    let mut text = String::new();
    for (impact, title) in GROUPS {
        let group = of_impact(changes, impact);
        if !group.is_empty() {
            let _ = writeln!(text, "{title}:\n");
            for change in group {
                let _ = writeln!(text, "* {change}.");
            }
            text.push('\n');
        }
    }
    text
}

fn of_impact(changes: &[Change], impact: Impact) -> Vec<&Change> {
    let changes = changes.iter();
    changes.filter(|change| change.impact == impact).collect()
}

/// The names of the operations that gained or lost paging, idempotency or scopes.
fn promises(changes: &[Change]) -> String {
    let mut text = String::new();
    for fact in PROMISES {
        for change in changes.iter().filter(|change| change.fact == fact) {
            let verb = match (&change.before, &change.after) {
                (None, _) => "gained",
                (_, None) => "lost",
                _ => "changed",
            };
            let what = &change.what;
            let before = change.before.as_deref().unwrap_or("none");
            let after = change.after.as_deref().unwrap_or("none");
            let _ = writeln!(text, "{what} {verb} {fact}: {after}, was {before}");
        }
    }
    text
}
