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
pub(crate) const MAX_NAMED: usize = 20;

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
            let named = unexpected.len().min(MAX_NAMED);
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
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let depth = depth(error);
            match nearest(context).filter(|nearest| self::depth(nearest) > depth) {
                Some(nearest) => {
                    let nearest = mismatch(nearest);
                    field = nearest.field;
                    nearest.problem
                }
                None => error.masked_with("the value").to_string(),
            }
        }
        _ => error.masked_with("the value").to_string(),
    };
    Mismatch {
        field,
        problem,
        at,
        missing,
    }
}

/// The error that is deepest in the value, among those of all alternatives: the others fail earlier, so the value is
/// hardly meant for them.
fn nearest<'e>(
    alternatives: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e ValidationError<'static>> {
    let errors = alternatives.iter().flatten();
    errors.max_by_key(|error| depth(error))
}

fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path().as_str().matches('/').count()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mismatch_of_all_alternatives_names_the_nearest_field() {
        let name = json!({ "type": "object", "properties": { "first_name": { "type": "string", "minLength": 2 } } });
        let document = json!({ "user": { "anyOf": [{ "type": "null" }, name] } });
        let registry = registry(&Arc::new(document)).unwrap();
        let schema = Schema::at("/user".to_owned(), &registry);
        let problems = |value: Value| -> Vec<String> {
            let mismatches = schema.mismatches(&value);
            mismatches.map(|it| it.to_string()).collect()
        };
        assert!(problems(json!(null)).is_empty());
        let [problem] = &problems(json!({ "first_name": "A" }))[..] else {
            panic!("one problem");
        };
        assert!(problem.starts_with("`first_name` "), "{problem}");
        assert!(!problem.contains("\"A\""), "it shows no value: {problem}");
        let [problem] = &problems(json!(1))[..] else {
            panic!("one problem");
        };
        assert!(problem.starts_with("the body "), "{problem}");
    }
}
