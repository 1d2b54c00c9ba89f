//! Validates values against a schema of the description.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, Registry, ValidationError, Validator};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use super::read::resolve;
use crate::amount;

const BASE: &str = "urn:upvest:description";

/// The maximum number of fields or problems of a request that an error response lists.
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

/// The schemas of a document, ready for validation.
#[derive(Debug)]
pub(super) struct SchemaSet {
    document: Arc<Value>,
    /// The document under the name by which the schemas refer to it.
    registry: Arc<Registry<'static>>,
}

impl SchemaSet {
    pub(super) fn new(document: &Arc<Value>) -> Result<Arc<Self>, String> {
        let registry = Registry::new()
            .add(BASE, Arc::clone(document))
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|error| error.to_string())?;
        Ok(Arc::new(Self {
            document: Arc::clone(document),
            registry: Arc::new(registry),
        }))
    }
}

/// A schema, identified by its place in the description. It is compiled when it is first needed, as most are never
/// used.
pub(crate) struct Schema {
    place: String,
    set: Arc<SchemaSet>,
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
}

impl Schema {
    pub(super) fn at(place: String, set: &Arc<SchemaSet>) -> Self {
        Self {
            place,
            set: Arc::clone(set),
            validator: OnceLock::new(),
        }
    }

    /// Its place in the description, as a JSON pointer.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The violations of the schema in `value`, of which there can be as many as it has values.
    pub(crate) fn mismatches<'a>(&'a self, value: &'a Value) -> impl Iterator<Item = Mismatch> {
        self.errors(value).flat_map(|error| self.explain(&error))
    }

    /// The places of the values that are wrong, as JSON pointers. A place is repeated for each problem there.
    pub(crate) fn wrong_places(&self, value: &Value) -> Vec<String> {
        self.errors(value)
            .map(|error| error.instance_path().as_str().to_owned())
            .collect()
    }

    fn errors<'a>(&'a self, value: &'a Value) -> impl Iterator<Item = ValidationError<'a>> {
        let errors = self.validator().map(|it| it.iter_errors(value));
        errors.into_iter().flatten()
    }

    /// What is wrong. If a value matches none of several alternatives, that is what is wrong with the nearest one.
    fn explain(&self, error: &ValidationError<'_>) -> Vec<Mismatch> {
        if let Kind::AdditionalProperties { unexpected }
        | Kind::UnevaluatedProperties { unexpected } = error.kind()
        {
            let named = unexpected.iter().take(MAX_NAMED);
            return named.map(|name| unknown_field(error, name)).collect();
        }
        let Some(nearest) = Alternative::nearest(error) else {
            return vec![mismatch(error)];
        };
        let name = self.alternative_name(error, &nearest);
        let problems = nearest.errors.iter().flat_map(|inner| self.explain(inner));
        let mismatches = problems.map(|inner| Mismatch {
            problem: format!("{}{name}", inner.problem),
            at: error.instance_path().as_str().to_owned(),
            ..inner
        });
        mismatches.collect()
    }

    /// Which alternative a problem is about, unless only one can be meant.
    fn alternative_name(&self, error: &ValidationError<'_>, nearest: &Alternative<'_>) -> String {
        if nearest.rivals == 0 {
            return String::new();
        }
        let index = nearest.index;
        let place = format!("{}/{index}", error.schema_path().as_str());
        let title = self.set.document.pointer(&place).and_then(|alternative| {
            let alternative = resolve(&self.set.document, alternative);
            alternative["title"].as_str()
        });
        match title {
            Some(title) => format!(" (for `{title}`, the nearest alternative)"),
            None => format!(" (for alternative {}, the nearest one)", index + 1),
        }
    }

    fn validator(&self) -> Option<&Validator> {
        let validator = self.validator.get_or_init(|| {
            // The pointer becomes a URI fragment, which must not contain some characters (RFC 3986 section 3.5).
            let fragment = utf8_percent_encode(&self.place, NOT_IN_FRAGMENTS);
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&self.set.registry)
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
    let mut field = path(&at, None);
    let problem = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            field = path(&at, Some(name));
            "is missing".to_owned()
        }
        Kind::Format { format } => format!("is not a valid {format}"),
        Kind::Pattern { pattern } => format!("does not match `{pattern}`"),
        Kind::Enum { options } => format!("is not one of {options}"),
        Kind::Type { .. } | Kind::Minimum { .. } | Kind::Maximum { .. } => error
            .masked_with("the value")
            .to_string()
            .trim_start_matches("the value ")
            .to_owned(),
        // Its text would show the name, which is data.
        Kind::PropertyNames { .. } => "has a field whose name is not allowed".to_owned(),
        _ => error.masked_with("the value").to_string(),
    };
    Mismatch { field, problem, at }
}

fn unknown_field(error: &ValidationError<'_>, name: &str) -> Mismatch {
    let at = error.instance_path().as_str().to_owned();
    Mismatch {
        field: path(&at, Some(name)),
        problem: "is not a field of this body".to_owned(),
        at,
    }
}

/// The path of the value at `pointer`, or of a field of it, such as `address.country`.
fn path(pointer: &str, field: Option<&str>) -> String {
    let segments = pointer.split('/').skip(1).chain(field);
    segments.collect::<Vec<_>>().join(".")
}

/// One of several schemas, none of which a value matches.
struct Alternative<'a> {
    index: usize,
    errors: &'a [ValidationError<'static>],
    /// How many others a value of its type can be meant for.
    rivals: usize,
}

impl<'a> Alternative<'a> {
    /// The alternative that a value is probably meant for. `None` if it has the type of none of them.
    fn nearest(error: &'a ValidationError<'_>) -> Option<Self> {
        let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }) = error.kind() else {
            return None;
        };
        let depth = depth(error);
        let possible = context
            .iter()
            .enumerate()
            .filter(|(_, errors)| !errors.is_empty() && !has_other_type(errors, depth));
        let rivals = possible.clone().count().saturating_sub(1);
        let (index, errors) = possible.min_by_key(|(_, errors)| distance(errors, depth))?;
        Some(Self {
            index,
            errors,
            rivals,
        })
    }
}

/// Whether a value at this depth has another type or value than an alternative with these errors.
fn has_other_type(errors: &[ValidationError<'_>], depth: usize) -> bool {
    errors.iter().any(|error| {
        let is_whole = self::depth(error) == depth;
        let is_other = matches!(
            error.kind(),
            Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. }
        );
        is_whole && is_other
    })
}

/// How far a value at this depth is from an alternative with these errors. The first number counts wrong tags, which
/// tell alternatives apart, and the second one missing and unknown fields.
fn distance(errors: &[ValidationError<'_>], depth: usize) -> (usize, usize, usize) {
    let mut wrong_tags = 0;
    let mut other_fields = 0;
    for error in errors {
        let at = self::depth(error);
        match error.kind() {
            Kind::Constant { .. } | Kind::Enum { .. } if at == depth + 1 => wrong_tags += 1,
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected }
                if at == depth =>
            {
                other_fields += unexpected.len();
            }
            _ if at == depth => other_fields += 1,
            _ => {}
        }
    }
    (wrong_tags, other_fields, errors.len())
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

    /// What is wrong with a value for a schema.
    fn problems(schema: &Value, value: &Value) -> Vec<String> {
        let document = json!({ "schema": schema, "components": { "schemas": {
            "Guest": {
                "title": "Guest",
                "properties": { "name": { "minLength": 2 } },
                "required": ["name"],
                "additionalProperties": false,
            },
        } } });
        let set = SchemaSet::new(&Arc::new(document)).unwrap();
        let schema = Schema::at("/schema".to_owned(), &set);
        let mismatches = schema.mismatches(value);
        mismatches.map(|mismatch| mismatch.to_string()).collect()
    }

    #[test]
    fn a_mismatch_of_a_nullable_object_names_the_field() {
        let name = json!({ "type": "object", "properties": { "first_name": { "type": "string", "minLength": 2 } } });
        let user = json!({ "anyOf": [{ "type": "null" }, name] });
        assert!(problems(&user, &json!(null)).is_empty());
        let [problem] = &problems(&user, &json!({ "first_name": "A" }))[..] else {
            panic!("one problem");
        };
        assert!(problem.starts_with("`first_name` "), "{problem}");
        assert!(!problem.contains("\"A\""), "it shows no value: {problem}");
        assert!(!problem.contains("alternative"), "{problem}");
        let [problem] = &problems(&user, &json!(1))[..] else {
            panic!("one problem");
        };
        assert!(problem.starts_with("the body "), "{problem}");
    }

    #[test]
    fn a_mismatch_of_all_alternatives_names_the_fields_of_the_nearest_one() {
        let member = json!({
            "properties": { "name": { "minLength": 2 }, "email": {}, "consent": {} },
            "required": ["name", "email", "consent"],
            "additionalProperties": false,
        });
        for keyword in ["anyOf", "oneOf"] {
            let user = json!({ keyword: [{ "$ref": "#/components/schemas/Guest" }, member] });
            assert_eq!(
                problems(&user, &json!({ "name": "Ada", "email": "" })),
                ["`email` is not a field of this body (for `Guest`, the nearest alternative)"]
            );
            assert_eq!(
                problems(
                    &user,
                    &json!({ "email": "", "consent": true, "street": "" })
                ),
                [
                    "`name` is missing (for alternative 2, the nearest one)",
                    "`street` is not a field of this body (for alternative 2, the nearest one)",
                ]
            );
            let [problem] = &problems(&user, &json!({ "name": "A" }))[..] else {
                panic!("one problem");
            };
            assert!(problem.starts_with("`name` "), "{problem}");
            assert!(problem.contains("`Guest`"), "{problem}");
        }
    }

    #[test]
    fn the_tag_of_a_value_says_which_alternative_is_the_nearest() {
        let tagged = |tag: &str, field: &str| {
            json!({
                "title": tag,
                "properties": { "type": { "const": tag } },
                "required": ["type", field, "amount"],
            })
        };
        let payment = json!({ "oneOf": [tagged("CARD", "number"), tagged("DEBIT", "mandate")] });
        let value = json!({ "type": "DEBIT", "number": "1" });
        assert_eq!(
            problems(&payment, &value),
            [
                "`mandate` is missing (for `DEBIT`, the nearest alternative)",
                "`amount` is missing (for `DEBIT`, the nearest alternative)",
            ]
        );
    }

    #[test]
    fn a_mismatch_does_not_show_a_name_that_is_not_allowed() {
        let schema =
            json!({ "properties": { "notes": { "propertyNames": { "pattern": "^[a-z]$" } } } });
        let problems = problems(&schema, &json!({ "notes": { "ada@example.com": "" } }));
        assert_eq!(problems, ["`notes` has a field whose name is not allowed"]);
    }

    #[test]
    fn a_field_that_no_part_allows_is_unknown() {
        let schema =
            json!({ "allOf": [{ "properties": { "a": {} } }], "unevaluatedProperties": false });
        let problems = problems(&schema, &json!({ "a": 1, "b": 2 }));
        assert_eq!(problems, ["`b` is not a field of this body"]);
    }
}
