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

/// The members of OpenAPI whose values are maps with names that the author of the description chose.
const MAPS: [&str; 23] = [
    "$defs",
    "callbacks",
    "content",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "encoding",
    "headers",
    "links",
    "mapping",
    "parameters",
    "pathItems",
    "paths",
    "patternProperties",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "scopes",
    "securitySchemes",
    "variables",
    "webhooks",
];

/// The members of OpenAPI whose values are data.
const DATA: [&str; 6] = [
    "const", "default", "enum", "example", "examples", "security",
];

/// The maximum number of typos: a letter more, less or other, or two that changed places. A name with more typos
/// belongs to another tool.
const MAX_TYPOS: usize = 1;

/// What the names of the members of an object are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// OpenAPI defines them, or they are extensions.
    Defined,
    /// The author of the description chose them. The values are objects that OpenAPI defines.
    Chosen,
    /// They are data, and so is all within them.
    Data,
}

impl Names {
    /// What the names are in the value at `pointer` of a description.
    pub(super) fn at(pointer: &str) -> Self {
        let keys = pointer.split('/').skip(1);
        keys.fold(Self::Defined, |names, key| {
            names.within(&pointer::unescaped(key))
        })
    }

    /// What the names are in the member or item `name`.
    fn within(self, name: &str) -> Self {
        match (self, name) {
            (Self::Data, _) => Self::Data,
            (Self::Defined, _) if DATA.contains(&name) || name.starts_with("x-") => Self::Data,
            (Self::Defined, _) if MAPS.contains(&name) => Self::Chosen,
            (Self::Defined | Self::Chosen, _) => Self::Defined,
        }
    }
}

/// Returns an error for each member within `value` whose name is almost the name of an extension.
pub(super) fn misspelt(value: &Value, names: Names, at: &str) -> Vec<Error> {
    match value {
        Value::Object(members) => misspelt_members(members, names, at),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let errors = items.flat_map(|(index, item)| {
                let index = index.to_string();
                misspelt(item, names.within(&index), &format!("{at}/{index}"))
            });
            errors.collect()
        }
        _ => Vec::new(),
    }
}

fn misspelt_members(members: &Map<String, Value>, names: Names, at: &str) -> Vec<Error> {
    let errors = members.iter().flat_map(|(name, value)| {
        let at = pointer::join(at, name);
        let meant = meant(name).filter(|_| names == Names::Defined);
        let error = meant.map(|meant| error(name, meant, &at));
        error
            .into_iter()
            .chain(misspelt(value, names.within(name), &at))
    });
    errors.collect()
}

/// Returns the extension that a misspelt name means.
fn meant(name: &str) -> Option<&'static str> {
    let letters = letters(name);
    if !letters.starts_with('x') || EXTENSIONS.contains(&name) {
        return None;
    }
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

    use super::{DATA, EXTENSIONS, MAPS, Names, misspelt};

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
            ("X-Rust-Name", "x-rust-name"),
            ("x_rust_name", "x-rust-name"),
            ("xrust-name", "x-rust-name"),
            ("xRustNam", "x-rust-name"),
            ("x-typename", "x-type-name"),
            ("x-enum-description", "x-enum-descriptions"),
            ("x-enumDescriptions", "x-enum-descriptions"),
            ("x-pubic", "x-public"),
            ("x-optinal-scopes", "x-optional-scopes"),
        ] {
            let update = json!({ "properties": { "a/b": [{ name: true }] } });
            let [error] =
                <[_; 1]>::try_from(misspelt(&update, Names::Defined, "/actions/0/update")).unwrap();
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
            "xml",
        ];
        for name in others.into_iter().chain(EXTENSIONS) {
            assert_eq!(
                misspelt(&json!({ name: true }), Names::Defined, ""),
                [],
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_that_the_author_chose_is_no_misspelt_extension() {
        for map in MAPS {
            let update = json!({ map: { "x-finals": { "type": "string" } } });
            assert_eq!(misspelt(&update, Names::Defined, ""), [], "{map}");
            let update = json!({ map: { "default": { "x-finals": true } } });
            let [error] = <[_; 1]>::try_from(misspelt(&update, Names::Defined, "")).unwrap();
            assert_eq!(error.pointer(), format!("/{map}/default/x-finals"));
        }
        let update = json!({ "parameters": [{ "x-finals": true }] });
        assert_eq!(misspelt(&update, Names::Defined, "").len(), 1);
    }

    #[test]
    fn a_name_within_data_is_no_misspelt_extension() {
        for data in DATA.into_iter().chain(["x-enum-descriptions", "x-other"]) {
            let update = json!({ data: [{ "x-finals": { "x-pubic": [{ "x-finals": 1 }] } }] });
            assert_eq!(misspelt(&update, Names::Defined, ""), [], "{data}");
        }
    }

    #[test]
    fn the_place_of_a_value_tells_what_its_names_are() {
        for (pointer, names) in [
            ("", Names::Defined),
            ("/paths", Names::Chosen),
            ("/paths/~1a/get/parameters/0", Names::Defined),
            ("/components/schemas/properties", Names::Defined),
            ("/components/schemas/A/properties", Names::Chosen),
            ("/components/schemas/A/properties/example", Names::Defined),
            ("/components/schemas/A/example/properties/a", Names::Data),
        ] {
            assert!(Names::at(pointer) == names, "{pointer}");
        }
    }
}
