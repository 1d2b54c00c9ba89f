//! The report about the problems of a description: all of them, grouped by remedy, with an overlay action that fixes them.

use std::fmt::Write;

use anyhow::anyhow;
use serde_json::{Value, json};
use upvest_gen::{Error, Source, describe, model};

/// How many places are shown per group, and how many actions are tried.
const SHOWN: usize = 3;
const TRIED: usize = 16;

/// The error of a command that fails because of these problems.
pub(crate) fn refusal(
    title: &str,
    errors: &[&Error],
    spec: &Source,
    overlay: Option<&Source>,
) -> anyhow::Error {
    match errors {
        [only] => anyhow!(
            "{only}{}",
            action(only, spec, overlay).unwrap_or_default().trim_end()
        ),
        _ => anyhow!("{}", report(title, errors, spec, overlay).trim_end()),
    }
}

/// The groups of problems, each with its number, its first places, and an action that fixes the first. Empty if there are no
/// problems.
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
    let mut text = format!(
        "{title}: {} of {}\n",
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
        let _ = write!(
            text,
            "{}",
            action(first, spec, overlay)
                .unwrap_or_default()
                .trim_start_matches('\n')
        );
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

/// An overlay action that fixes `error`. Several candidates are tried, and the first that works is returned.
fn action(error: &Error, spec: &Source, overlay: Option<&Source>) -> Option<String> {
    let document = describe(spec, overlay).ok()?;
    let at = error.pointer();
    let name = error.problem().split('`').nth_back(1).unwrap_or_default();
    let (updates, children) = match document.pointer(at)? {
        Value::Object(object) => {
            let parameter = json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
            let updates = vec![
                json!({ "format": "double" }),
                json!({ "type": "string" }),
                json!({ "204": { "description": "Done." } }),
                json!({ "parameters": [parameter] }),
            ];
            (
                updates,
                object
                    .keys()
                    .map(|key| key.replace('~', "~0").replace('/', "~1"))
                    .collect(),
            )
        }
        Value::String(text) => (vec![json!(format!("{text}Again"))], Vec::new()),
        _ => (Vec::new(), Vec::new()),
    };
    let updates = updates
        .into_iter()
        .map(|update| (at.to_owned(), json!({ "update": update })));
    let remove = |at: String| (at, json!({ "remove": true }));
    let removals = [at.to_owned()]
        .into_iter()
        .chain(children.iter().map(|key| format!("{at}/{key}")))
        .map(remove);
    let before = problems(&document, None);
    let mut candidates = updates
        .chain(removals)
        .take(TRIED)
        .map(|(at, change)| (json_path(&document, &at), change));
    let (path, change) = candidates.find(|(path, change)| {
        let mut action = json!({ "target": path, "description": "A try." });
        action
            .as_object_mut()
            .zip(change.as_object())
            .into_iter()
            .for_each(|(action, change)| action.extend(change.clone()));
        let overlay = json!({ "overlay": "1.0.0", "info": {}, "actions": [action] });
        let after = problems(&document, Some(&overlay));
        before
            .as_ref()
            .zip(after)
            .is_some_and(|((operations, before), (kept, after))| {
                kept >= *operations
                    && after.len() < before.len()
                    && !after.contains(&(at.to_owned(), error.problem().to_owned()))
            })
    })?;
    let what = match change.get("update") {
        Some(update) => format!("update: {update}"),
        None => "remove: true".to_owned(),
    };
    Some(format!(
        "\n  an overlay action that fixes it:\n    - target: {path}\n      description: Say why.\n      {what}\n"
    ))
}

/// The number of operations of a document, and its problems with their places. `None` if the overlay cannot be merged.
fn problems(document: &Value, overlay: Option<&Value>) -> Option<(usize, Vec<(String, String)>)> {
    let overlay = overlay.map(|overlay| Source::new("overlay", overlay.to_string()));
    let (operations, errors) =
        match model(&Source::new("spec", document.to_string()), overlay.as_ref()) {
            Ok(api) => (
                api.operations.len(),
                api.left_out.into_iter().chain(api.notes).collect(),
            ),
            Err(errors) => (0, errors.iter().cloned().collect::<Vec<_>>()),
        };
    let is_merged = errors.iter().all(|error| error.file() == "spec");
    let places = errors
        .iter()
        .map(|error| (error.pointer().to_owned(), error.problem().to_owned()));
    is_merged.then(|| (operations, places.collect()))
}

/// A JSON pointer as a JSONPath (RFC 9535).
fn json_path(document: &Value, pointer: &str) -> String {
    let mut path = "$".to_owned();
    let mut value = document;
    for segment in pointer.split('/').skip(1) {
        let key = segment.replace("~1", "/").replace("~0", "~");
        let is_name = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !key.starts_with(|c: char| c.is_ascii_digit());
        let step = match value {
            Value::Array(_) => format!("[{key}]"),
            _ if is_name => format!(".{key}"),
            _ => format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")),
        };
        path.push_str(&step);
        value = value
            .get(&key)
            .or_else(|| value.get(key.parse::<usize>().ok()?))
            .unwrap_or(&Value::Null);
    }
    path
}
