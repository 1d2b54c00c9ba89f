//! Finds misspelt extensions in an overlay. They would have no effect, and nobody would notice.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::pointer;

/// The extensions that the generator reads.
const EXTENSIONS: [&str; 7] = [
    "x-enum-descriptions",
    "x-final",
    "x-optional",
    "x-optional-scopes",
    "x-public",
    "x-rust-name",
    "x-type-name",
];

/// The maximum number of typos: a letter more, less or other, or two that changed places. A name with more typos
/// belongs to another tool.
const MAX_TYPOS: usize = 1;

/// Returns an error for each member within `value` whose name is almost the name of an extension.
pub(super) fn misspelt(value: &Value, at: &str) -> Vec<Error> {
    match value {
        Value::Object(members) => misspelt_members(members, at),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let errors = items.flat_map(|(index, item)| misspelt(item, &format!("{at}/{index}")));
            errors.collect()
        }
        _ => Vec::new(),
    }
}

fn misspelt_members(members: &Map<String, Value>, at: &str) -> Vec<Error> {
    let errors = members.iter().flat_map(|(name, value)| {
        let at = pointer::join(at, name);
        let meant = meant(name).map(|meant| error(name, meant, &at));
        meant.into_iter().chain(misspelt(value, &at))
    });
    errors.collect()
}

/// Returns the extension that a misspelt name means.
fn meant(name: &str) -> Option<&'static str> {
    if !name.starts_with("x-") || EXTENSIONS.contains(&name) {
        return None;
    }
    let letters = letters(name);
    let typos = |extension: &&str| strsim::osa_distance(&letters, &self::letters(extension));
    let nearest = EXTENSIONS.into_iter().min_by_key(typos)?;
    (typos(&nearest) <= MAX_TYPOS).then_some(nearest)
}

/// Returns a name such as `x-rustName` or `x-rust_name` in lower case, without word separators.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn error(name: &str, meant: &str, at: &str) -> Error {
    Error::at(
        at,
        format!("`{name}` has no effect; the extension is called `{meant}`"),
        format!("write `{meant}`"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{EXTENSIONS, misspelt};

    #[test]
    fn a_misspelt_extension_is_an_error_that_names_the_right_one() {
        for (name, meant) in [
            ("x-finals", "x-final"),
            ("x-finaly", "x-final"),
            ("x-fianl", "x-final"),
            ("x-Final", "x-final"),
            ("x-rustname", "x-rust-name"),
            ("x-rust_name", "x-rust-name"),
            ("x-rustName", "x-rust-name"),
            ("x-typename", "x-type-name"),
            ("x-enum-description", "x-enum-descriptions"),
            ("x-enumDescriptions", "x-enum-descriptions"),
            ("x-pubic", "x-public"),
            ("x-optinal-scopes", "x-optional-scopes"),
        ] {
            let update = json!({ "properties": { "a/b": [{ name: true }] } });
            let [error] = <[_; 1]>::try_from(misspelt(&update, "/actions/0/update")).unwrap();
            assert_eq!(
                error.pointer(),
                format!("/actions/0/update/properties/a~1b/0/{name}")
            );
            assert!(error.problem().contains(&format!("`{name}`")), "{error}");
            assert_eq!(error.remedy(), format!("write `{meant}`"));
        }
    }

    #[test]
    fn an_extension_of_another_tool_is_no_error() {
        let others = [
            "x-internal",
            "x-options",
            "x-publish",
            "x-enum-varnames",
            "x-tagGroups",
            "x-rust-type",
            "x-go-name",
            "x-codeSamples",
            "x-request-id",
            "final",
        ];
        for name in others.into_iter().chain(EXTENSIONS) {
            assert_eq!(misspelt(&json!({ name: true }), ""), [], "{name}");
        }
    }
}
