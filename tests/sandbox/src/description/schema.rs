//! Validates values against a schema of the description.

use std::fmt;
use std::sync::{LazyLock, OnceLock};

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, Registry, ValidationError, Validator};
use serde_json::Value;

use super::Description;
use crate::amount;

const BASE: &str = "urn:upvest:description";

static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    Registry::new()
        .add(BASE, Description::get().document())
        .and_then(jsonschema::RegistryBuilder::prepare)
        .expect("the description refers to nothing outside itself")
});

/// A schema, identified by its place in the description. It is compiled when it is first needed, as most are never used.
pub(crate) struct Schema {
    place: String,
    validator: OnceLock<Validator>,
}

/// Where and why a value does not match its schema. It does not contain the value, which may be personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The path, such as `address.country`. Empty for the whole value.
    pub(crate) field: String,
    pub(crate) problem: String,
}

impl Schema {
    pub(super) fn at(place: String) -> Self {
        Self {
            place,
            validator: OnceLock::new(),
        }
    }

    /// All violations of the schema in `value`.
    pub(crate) fn mismatches(&self, value: &Value) -> Vec<Mismatch> {
        self.validator()
            .iter_errors(value)
            .map(|error| mismatch(&error))
            .collect()
    }

    fn validator(&self) -> &Validator {
        self.validator.get_or_init(|| {
            // The pointer becomes a URI fragment, which must not contain braces (RFC 3986 section 3.5).
            let fragment = self.place.replace('{', "%7B").replace('}', "%7D");
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&REGISTRY)
                .should_validate_formats(true)
                // A missing price may be an empty text (PROTOCOL 7).
                .with_format("decimal", |text| {
                    text.is_empty() || amount::parse(text).is_ok()
                })
                .build(&serde_json::json!({ "$ref": format!("{BASE}#{fragment}") }))
                .expect("the schemas of the description are valid")
        })
    }
}

fn mismatch(error: &ValidationError<'_>) -> Mismatch {
    let mut field = error
        .instance_path()
        .as_str()
        .trim_start_matches('/')
        .replace('/', ".");
    let problem = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            field = if field.is_empty() {
                name.to_owned()
            } else {
                format!("{field}.{name}")
            };
            "is missing".to_owned()
        }
        Kind::AdditionalProperties { unexpected } => {
            let name = unexpected.join("`, `");
            field = if field.is_empty() {
                name
            } else {
                format!("{field}.{name}")
            };
            "is not a field of this body".to_owned()
        }
        Kind::Format { format } => format!("is not a valid {format}"),
        Kind::Pattern { pattern } => format!("does not match `{pattern}`"),
        Kind::Enum { options } => format!("is not one of {options}"),
        Kind::Type { .. } | Kind::Minimum { .. } | Kind::Maximum { .. } => error
            .masked_with("the value")
            .to_string()
            .trim_start_matches("the value ")
            .to_owned(),
        _ => error.masked_with("the value").to_string(),
    };
    Mismatch { field, problem }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => write!(f, "the body {}", self.problem),
            field => write!(f, "`{field}` {}", self.problem),
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.place).finish()
    }
}
