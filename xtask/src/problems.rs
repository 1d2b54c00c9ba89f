//! The report about the problems of a description: all of them, grouped by remedy, with an overlay action that fixes
//! the first without a loss.

use std::fmt::Write;

use anyhow::anyhow;
use serde_json::Value;
use upvest_gen::remedy::{Remedy, remedy};
use upvest_gen::{Error, Source, describe};

/// The maximum number of places that are shown per group.
const SHOWN: usize = 3;

/// Returns the error of a command that fails because of these problems.
pub(crate) fn rejection(
    title: &str,
    errors: &[&Error],
    spec: &Source,
    overlay: Option<&Source>,
) -> anyhow::Error {
    match errors {
        [only] => {
            let document = describe(spec, overlay).ok();
            let action = action(only, document.as_ref()).unwrap_or_default();
            anyhow!("{only}{}", action.trim_end())
        }
        _ => anyhow!("{}", report(title, errors, spec, overlay).trim_end()),
    }
}

/// Lists the problems in groups. Each group has the number of its problems, its first places, and an overlay action
/// that fixes the first. Empty if there are no problems.
pub(crate) fn report(
    title: &str,
    errors: &[&Error],
    spec: &Source,
    overlay: Option<&Source>,
) -> String {
    let mut kinds: Vec<(String, Vec<&Error>)> = Vec::new();
    for error in errors {
        let kind = without_names(error.remedy());
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, errors)) => errors.push(error),
            None => kinds.push((kind, vec![error])),
        }
    }
    if kinds.is_empty() {
        return String::new();
    }
    let document = describe(spec, overlay).ok();
    let mut text = format!(
        "{title}: {} ({})\n",
        count(errors.len(), "problem"),
        count(kinds.len(), "kind")
    );
    for (_, errors) in &kinds {
        let Some(first) = errors.first() else {
            continue;
        };
        let _ = writeln!(
            text,
            "\n{}: {}",
            count(errors.len(), "time"),
            first.remedy()
        );
        // The problems of an overlay must be fixed one by one, so all are shown.
        let shown = if first.pointer().starts_with("/actions/") {
            errors.len()
        } else {
            SHOWN
        };
        for error in errors.iter().take(shown) {
            let _ = writeln!(
                text,
                "  {}: {}: {}",
                error.file(),
                error.pointer(),
                error.problem()
            );
        }
        if errors.len() > shown {
            let _ = writeln!(text, "  and {} more", errors.len() - shown);
        }
        let action = action(first, document.as_ref()).unwrap_or_default();
        text.push_str(action.trim_start_matches('\n'));
    }
    text.push('\n');
    text
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

/// A remedy without the names in it, which is the same for all problems of a group.
fn without_names(remedy: &str) -> String {
    remedy.split('`').step_by(2).collect()
}

/// An overlay action that fixes `error`, or the part of the operation because of which there is none.
fn action(error: &Error, document: Option<&Value>) -> Option<String> {
    Some(match remedy(document?, error)? {
        Remedy::Action { target, update } => format!(
            "\n  an overlay action that fixes it:\n    - target: {target}\n      description: Say why.\n      update: {update}\n"
        ),
        Remedy::Needs(part) => {
            format!("\n  no overlay action fixes it, as the operation needs {part}\n")
        }
        _ => return None,
    })
}
