//! What is wrong with a description: all of it, by kind, with the overlay action that would mend it.

use std::fmt::Write;

use anyhow::anyhow;
use serde_json::{Value, json};
use upvest_gen::{Error, Source, describe, model};

/// How many places of a kind are shown, and how many actions are tried for it.
const SHOWN: usize = 3;
const TRIED: usize = 16;

/// The error of a command that stops at these problems.
pub(crate) fn refusal(
    title: &str,
    errors: &[&Error],
    spec: &Source,
    overlay: Option<&Source>,
) -> anyhow::Error {
    match errors {
        [only] => anyhow!("{only}{}", action(only, spec, overlay).unwrap_or_default().trim_end()),
        _ => anyhow!("{}", report(title, errors, spec, overlay).trim_end()),
    }
}

/// The problems by kind, each with its number, its first places, and an action that mends the first. Empty without problems.
pub(crate) fn report(title: &str, errors: &[&Error], spec: &Source, overlay: Option<&Source>) -> String {
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
    let mut text = format!("{title}: {} of {}\n", count(errors.len(), "problem"), count(kinds.len(), "kind"));
    for (_, errors) in &kinds {
        let Some(first) = errors.first() else { continue };
        let _ = writeln!(text, "\n{}: {}", count(errors.len(), "time"), first.remedy());
        // Each action of an overlay is corrected by itself, so all are shown.
        let shown = if first.pointer().starts_with("/actions/") { errors.len() } else { SHOWN };
        for error in errors.iter().take(shown) {
            let _ = writeln!(text, "  {}: {}: {}", error.file(), error.pointer(), error.problem());
        }
        if errors.len() > shown {
            let _ = writeln!(text, "  and {} more", errors.len() - shown);
        }
        let _ = write!(text, "{}", action(first, spec, overlay).unwrap_or_default().trim_start_matches('\n'));
    }
    text.push('\n');
    text
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// A remedy without what it names, which is the same for all problems of a kind.
fn without_names(remedy: &str) -> String {
    remedy.split('`').step_by(2).collect()
}

/// An action of an overlay that mends `error`: the first of several that does so when it is tried.
fn action(error: &Error, spec: &Source, overlay: Option<&Source>) -> Option<String> {
    let document = describe(spec, overlay).ok()?;
    let at = error.pointer();
    let name = error.problem().split('`').nth_back(1).unwrap_or_default();
    let (updates, children) = match document.pointer(at)? {
        Value::Object(object) => {
            let parameter =
                json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
            let updates = vec![
                json!({ "format": "double" }),
                json!({ "type": "string" }),
                json!({ "204": { "description": "Done." } }),
                json!({ "parameters": [parameter] }),
            ];
            (updates, object.keys().map(|key| key.replace('~', "~0").replace('/', "~1")).collect())
        }
        Value::String(text) => (vec![json!(format!("{text}Again"))], Vec::new()),
        _ => (Vec::new(), Vec::new()),
    };
    let updates = updates.into_iter().map(|update| (at.to_owned(), json!({ "update": update })));
    let remove = |at: String| (at, json!({ "remove": true }));
    let removals =
        [at.to_owned()].into_iter().chain(children.iter().map(|key| format!("{at}/{key}"))).map(remove);
    let before = problems(&document, None);
    let mut candidates =
        updates.chain(removals).take(TRIED).map(|(at, change)| (json_path(&document, &at), change));
    let (path, change) = candidates.find(|(path, change)| {
        let mut action = json!({ "target": path, "description": "A try." });
        action
            .as_object_mut()
            .zip(change.as_object())
            .into_iter()
            .for_each(|(action, change)| action.extend(change.clone()));
        let overlay = json!({ "overlay": "1.0.0", "info": {}, "actions": [action] });
        let after = problems(&document, Some(&overlay));
        before.as_ref().zip(after).is_some_and(|((operations, before), (kept, after))| {
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
        "\n  an overlay action that mends it:\n    - target: {path}\n      description: Say why.\n      {what}\n"
    ))
}

/// How many operations a document has, and its problems with their places. `None` if the overlay cannot be merged.
fn problems(document: &Value, overlay: Option<&Value>) -> Option<(usize, Vec<(String, String)>)> {
    let overlay = overlay.map(|overlay| Source::new("overlay", overlay.to_string()));
    let (operations, errors) = match model(&Source::new("spec", document.to_string()), overlay.as_ref()) {
        Ok(api) => (api.operations.len(), api.left_out.into_iter().chain(api.notes).collect()),
        Err(errors) => (0, errors.iter().cloned().collect::<Vec<_>>()),
    };
    let is_merged = errors.iter().all(|error| error.file() == "spec");
    let places = errors.iter().map(|error| (error.pointer().to_owned(), error.problem().to_owned()));
    is_merged.then(|| (operations, places.collect()))
}

/// A JSON pointer as a JSONPath (RFC 9535).
fn json_path(document: &Value, pointer: &str) -> String {
    let (mut path, mut value) = ("$".to_owned(), document);
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
        value = value.get(&key).or_else(|| value.get(key.parse::<usize>().ok()?)).unwrap_or(&Value::Null);
    }
    path
}
