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
        for error in errors.iter().take(SHOWN) {
            let _ = writeln!(text, "  {}: {}: {}", error.file(), error.pointer(), error.problem());
        }
        if errors.len() > SHOWN {
            let _ = writeln!(text, "  and {} more", errors.len() - SHOWN);
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
    let target = document.pointer(error.pointer())?;
    let name = error.problem().split('`').nth_back(1).unwrap_or_default();
    let mut candidates = vec![
        (error.pointer().to_owned(), Some(json!({ "format": "double" }))),
        (error.pointer().to_owned(), Some(json!({ "type": "string" }))),
        (error.pointer().to_owned(), Some(json!({ "204": { "description": "Done." } }))),
        (error.pointer().to_owned(), Some(json!({ "parameters": [
            { "name": name, "in": "path", "required": true, "schema": { "type": "string" } } ] }))),
        (error.pointer().to_owned(), Some(json!(format!("{name}Again")))),
        (error.pointer().to_owned(), None),
    ];
    let children = target.as_object().into_iter().flatten().map(|(key, _)| key.replace('~', "~0").replace('/', "~1"));
    candidates.extend(children.map(|key| (format!("{}/{key}", error.pointer()), None)));
    let (place, update) =
        candidates.into_iter().take(TRIED).find(|(place, update)| mends(&document, place, update.as_ref(), error))?;
    let what = update.map_or_else(|| "remove: true".to_owned(), |update| format!("update: {update}"));
    let path = json_path(&document, &place);
    Some(format!(
        "\n  an overlay action that mends it:\n    - target: {path}\n      description: Say why.\n      {what}\n"
    ))
}

/// Whether the description has one problem less after the action, and as many operations as before.
fn mends(document: &Value, place: &str, update: Option<&Value>, error: &Error) -> bool {
    let mut action = json!({ "target": json_path(document, place), "description": "A try." });
    let (key, value) = update.map_or(("remove", json!(true)), |update| ("update", update.clone()));
    action[key] = value;
    let overlay = json!({ "overlay": "1.0.0", "info": {}, "actions": [action] });
    let source = |value: &Value| Source::new(error.file(), value.to_string());
    let problems = |overlay: Option<&Source>| match model(&source(document), overlay) {
        Ok(api) => (api.operations.len(), api.left_out.into_iter().chain(api.notes).collect::<Vec<_>>()),
        Err(errors) => (0, errors.iter().cloned().collect()),
    };
    let ((kept, before), (now, after)) = (problems(None), problems(Some(&source(&overlay))));
    now >= kept && after.len() < before.len() && !after.contains(error)
}

/// A JSON pointer as a JSONPath (RFC 9535).
fn json_path(document: &Value, pointer: &str) -> String {
    let (mut path, mut value) = ("$".to_owned(), document);
    for segment in pointer.split('/').skip(1) {
        let key = segment.replace("~1", "/").replace("~0", "~");
        let is_name = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !key.starts_with(|c: char| c.is_ascii_digit());
        path += &match value {
            Value::Array(_) => format!("[{key}]"),
            _ if is_name => format!(".{key}"),
            _ => format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")),
        };
        value = value.get(&key).or_else(|| value.get(key.parse::<usize>().ok()?)).unwrap_or(&Value::Null);
    }
    path
}
