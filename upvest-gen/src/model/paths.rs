//! Checks the template of a path.

use serde_json::Value;

use crate::document::Operation;
use crate::error::Error;

/// Checks that a client can fill in the template, and that each of its parameters is described.
pub(super) fn check(
    found: &Operation<'_>,
    parameters: &[(String, &Value)],
    problems: &mut Vec<Error>,
) {
    let path = found.path;
    let at = &found.pointer;
    if !is_template(path) {
        problems.push(Error::at(
            at,
            format!("the path template {path:?} is invalid"),
            "start it with a slash, close each brace, percent-encode characters that a URL does not allow, and resolve `.` and `..`",
        ));
        return;
    }
    for name in names(path) {
        let is_described = parameters
            .iter()
            .any(|(_, parameter)| parameter["in"] == "path" && parameter["name"] == name);
        if !is_described {
            problems.push(Error::at(
                at,
                format!("`{path}` contains `{name}`, which is not a parameter"),
                "add the path parameter",
            ));
        }
    }
}

fn is_template(path: &str) -> bool {
    let mut outside = path
        .split('{')
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
        .flat_map(str::chars);
    let is_url = outside.all(|c| c.is_ascii_graphic() && !"?#\"<>\\^`|".contains(c));
    let is_closed = path.matches('{').count() == path.matches('}').count();
    // HTTP clients resolve `.` and `..`, and the path that they send is not the one that was signed.
    let has_dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    path.starts_with('/') && is_url && is_closed && !has_dots && !path.contains(char::is_control)
}

/// Returns the names in the braces of a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}
