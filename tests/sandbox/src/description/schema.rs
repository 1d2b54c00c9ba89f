//! Validates values against a schema of the description.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, Registry, ValidationError, Validator};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::amount;

const BASE: &str = "urn:upvest:description";

/// The most fields or problems of a request that a response names.
pub(crate) const MOST_NAMED: usize = 20;

const NOT_IN_FRAGMENTS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The document under the name by which the schemas refer to it.
pub(super) fn registry(document: &Arc<Value>) -> Result<Arc<Registry<'static>>, String> {
    let registry = Registry::new()
        .add(BASE, Arc::clone(document))
        .and_then(jsonschema::RegistryBuilder::prepare);
    registry.map(Arc::new).map_err(|error| error.to_string())
}

/// A schema, identified by its place in the description. It is compiled when it is first needed, as most are never
/// used.
pub(crate) struct Schema {
    place: String,
    registry: Arc<Registry<'static>>,
    /// `None` if the schema itself is invalid. Then every value matches it.
    validator: OnceLock<Option<Validator>>,
}

/// Where and why a value does not match its schema. It does not contain the value, which may be personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The path, such as `address.country`. Empty for the whole value.
    pub(crate) field: String,
    pub(crate) problem: String,
    /// The place of the value that is wrong, as a JSON pointer.
    pub(crate) at: String,
    /// The name of the required property that is missing.
    pub(crate) missing: Option<String>,
}

impl Schema {
    pub(super) fn at(place: String, registry: &Arc<Registry<'static>>) -> Self {
        Self {
            place,
            registry: Arc::clone(registry),
            validator: OnceLock::new(),
        }
    }

    /// Its place in the description, as a JSON pointer.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The violations of the schema in `value`, of which there can be as many as it has values.
    pub(crate) fn mismatches<'a>(&'a self, value: &'a Value) -> impl Iterator<Item = Mismatch> {
        let errors = self.validator().map(|it| it.iter_errors(value));
        let errors = errors.into_iter().flatten();
        errors.map(|error| mismatch(&error))
    }

    fn validator(&self) -> Option<&Validator> {
        let validator = self.validator.get_or_init(|| {
            // The pointer becomes a URI fragment, which must not contain some characters (RFC 3986 section 3.5).
            let fragment = utf8_percent_encode(&self.place, NOT_IN_FRAGMENTS);
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&self.registry)
                .should_validate_formats(true)
                // An empty text may stand for a missing price (PROTOCOL 7).
                .with_format("decimal", |text| {
                    text.is_empty() || amount::parse(text).is_ok()
                })
                .build(&serde_json::json!({ "$ref": format!("{BASE}#{fragment}") }))
                .ok()
        });
        validator.as_ref()
    }
}

fn mismatch(error: &ValidationError<'_>) -> Mismatch {
    let at = error.instance_path().as_str().to_owned();
    let mut field = at.trim_start_matches('/').replace('/', ".");
    let mut missing = None;
    let problem = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            missing = Some(name.to_owned());
            field = if field.is_empty() {
                name.to_owned()
            } else {
                format!("{field}.{name}")
            };
            "is missing".to_owned()
        }
        Kind::AdditionalProperties { unexpected } => {
            let named = unexpected.len().min(MOST_NAMED);
            let name = unexpected[..named].join("`, `");
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
    Mismatch {
        field,
        problem,
        at,
        missing,
    }
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
