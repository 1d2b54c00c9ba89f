//! The description that the sandbox publishes, and the validation of responses against it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use jsonschema::{Draft, Registry, RegistryBuilder, Validator};
use serde_json::Value;
use tokio::sync::OnceCell;
use upvest_sandbox::Sandbox;

use super::Response;

const BASE: &str = "urn:description";

/// The description of one sandbox. It is the same for all.
static DOCUMENT: OnceCell<Document> = OnceCell::const_new();

/// `GET /_sandbox/openapi.json`.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) json: &'static Value,
    operations: BTreeMap<String, Operation>,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One operation of the description.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) json: &'static Value,
    /// The JSON pointer to the operation.
    place: String,
    parameters: Vec<&'static Value>,
}

impl Document {
    pub(crate) async fn of(sandbox: &Sandbox, http: &reqwest::Client) -> &'static Self {
        let url = format!("{}/_sandbox/openapi.json", sandbox.url());
        let read = async || {
            let json: Value = http.get(url).send().await.unwrap().json().await.unwrap();
            // Leaked once per process, so that operations and validators can borrow it.
            Self::read(Box::leak(Box::new(json)))
        };
        DOCUMENT.get_or_init(read).await
    }

    fn read(json: &'static Value) -> Self {
        let mut operations = BTreeMap::new();
        for (path, item) in json["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let place = format!("/paths/{}/{method}", escaped(path));
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let read = Operation {
                    id: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_ascii_uppercase().parse().unwrap(),
                    path: path.clone(),
                    json: operation,
                    place,
                    parameters: parameters
                        .map(|parameter| resolved(json, parameter))
                        .collect(),
                };
                operations.insert(read.id.clone(), read);
            }
        }
        let registry = Registry::new()
            .add(BASE, json)
            .and_then(RegistryBuilder::prepare)
            .unwrap();
        Self {
            json,
            operations,
            registry,
            validators: Mutex::default(),
        }
    }

    /// All operations, by their ids.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    pub(crate) fn operation(&self, id: &str) -> &Operation {
        self.operations
            .get(id)
            .unwrap_or_else(|| panic!("the description has no operation {id}"))
    }

    /// The target of a reference.
    pub(crate) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        resolved(self.json, value)
    }

    /// Asserts that a response has a status, a media type and a body that the description allows.
    pub(crate) fn check(&self, operation: &Operation, response: &Response) {
        let id = &operation.id;
        let status = response.status;
        let place = self.target(&format!(
            "{}/responses/{}",
            operation.place,
            status.as_str()
        ));
        let described = self.json.pointer(&place);
        let described = described.unwrap_or_else(|| {
            panic!(
                "{id} answered {status}, which the description does not list: {}",
                response.text()
            )
        });
        check_headers(id, response);
        let media_type = response.header("content-type");
        let Some(content) = described["content"].as_object() else {
            assert!(
                response.body.is_empty(),
                "{id} answered {status} with a body: {}",
                response.text()
            );
            return assert_eq!(
                media_type, None,
                "{id} answered {status} with a media type and no body"
            );
        };
        let media_type =
            media_type.unwrap_or_else(|| panic!("{id} answered {status} without a media type"));
        let listed = content.get(media_type);
        let listed =
            listed.unwrap_or_else(|| panic!("{id} answered {status} as {media_type}, unlisted"));
        if media_type.ends_with("json") {
            let body = response.json();
            let place = self.target(&format!("{place}/content/{}/schema", escaped(media_type)));
            let errors: Vec<_> = self
                .validator(&place)
                .iter_errors(&body)
                .map(|it| it.to_string())
                .collect();
            assert!(
                errors.is_empty(),
                "{id} answered {status} with what does not fit: {errors:?} in {body}"
            );
            let more = self.undescribed(&listed["schema"], &body, "");
            let expected: &[_] = if status.is_success() {
                &[]
            } else {
                &["/request_id".to_owned()]
            };
            assert_eq!(
                more, expected,
                "{id} answered {status} with fields that are not described: {body}"
            );
        }
        if !status.is_success() {
            check_problem(id, response);
        }
    }

    /// The fields of a response that its schema does not contain. They are valid, but an SDK does not show them.
    fn undescribed(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let schema = self.resolved(schema);
        match value {
            Value::Object(fields) if schema["properties"].is_object() => fields
                .iter()
                .flat_map(|(name, value)| match schema["properties"].get(name) {
                    None => vec![format!("{at}/{name}")],
                    Some(schema) => self.undescribed(schema, value, &format!("{at}/{name}")),
                })
                .collect(),
            Value::Array(items) => items
                .iter()
                .flat_map(|it| self.undescribed(&schema["items"], it, at))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn validator(&self, place: &str) -> Arc<Validator> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let validator = validators.entry(place.to_owned()).or_insert_with(|| {
            let options = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&self.registry)
                .should_validate_formats(true)
                .with_format("decimal", is_decimal);
            // A pointer becomes a fragment, which holds no braces (RFC 3986 section 3.5).
            let fragment = place.replace('{', "%7B").replace('}', "%7D");
            let schema = serde_json::json!({ "$ref": format!("{BASE}#{fragment}") });
            Arc::new(options.build(&schema).unwrap())
        });
        Arc::clone(validator)
    }

    /// The target of the reference at `place`, or `place` itself.
    fn target(&self, place: &str) -> String {
        let reference = self
            .json
            .pointer(place)
            .and_then(|value| value["$ref"].as_str());
        reference.map_or_else(|| place.to_owned(), |target| self.target(&target[1..]))
    }
}

impl Operation {
    /// The names of the ids in its path.
    pub(crate) fn ids(&self) -> Vec<&'static str> {
        self.parameters_in("path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect()
    }

    pub(crate) fn query_parameters(&self) -> impl Iterator<Item = &'static Value> {
        self.parameters_in("query")
    }

    pub(crate) fn takes_idempotency_key(&self) -> bool {
        self.parameters_in("header")
            .any(|parameter| parameter["name"] == "idempotency-key")
    }

    pub(crate) fn is_paged(&self) -> bool {
        self.query_parameters()
            .any(|parameter| parameter["name"] == "limit")
    }

    pub(crate) fn takes_form(&self) -> bool {
        !self.json["requestBody"]["content"]["application/x-www-form-urlencoded"].is_null()
    }

    /// The schema of its body.
    pub(crate) fn body_schema(&self) -> Option<&'static Value> {
        let content = self.json["requestBody"]["content"].as_object()?;
        content
            .values()
            .next()
            .map(|media_type| &media_type["schema"])
    }

    /// The scopes. A token needs one of them.
    pub(crate) fn scopes(&self) -> Vec<&'static str> {
        let scopes = self
            .json
            .pointer("/security/0/oauth2ClientCredentials")
            .and_then(Value::as_array);
        scopes
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// The media types of its successful responses.
    pub(crate) fn media_types(&self) -> Vec<&'static str> {
        let responses = self.json["responses"].as_object().unwrap().iter();
        let success = responses.filter(|(status, _)| status.starts_with('2'));
        let content = success.filter_map(|(_, described)| described["content"].as_object());
        content
            .flatten()
            .map(|(media_type, _)| media_type.as_str())
            .collect()
    }

    fn parameters_in(&self, place: &'static str) -> impl Iterator<Item = &'static Value> {
        self.parameters
            .iter()
            .copied()
            .filter(move |parameter| parameter["in"] == place)
    }
}

fn check_headers(id: &str, response: &Response) {
    let request_id = response.header("upvest-request-id").unwrap_or_default();
    assert!(
        uuid::Uuid::try_parse(request_id).is_ok(),
        "{id}: no request id"
    );
    assert!(response.header("date").is_some(), "{id}: no date");
}

/// Asserts that a problem has the fields of PROTOCOL 5, which the schema does not require.
fn check_problem(id: &str, response: &Response) {
    let problem = response.json();
    assert_eq!(
        problem["status"],
        response.status.as_u16(),
        "{id}: {problem}"
    );
    assert_eq!(
        problem["request_id"].as_str(),
        response.header("upvest-request-id"),
        "{id}"
    );
    let kind = problem["type"].as_str().unwrap_or_default();
    assert!(
        kind.starts_with("https://docs.upvest.co/errors/"),
        "{id}: {problem}"
    );
    for field in ["title", "detail"] {
        assert!(
            problem[field].as_str().is_some_and(|text| !text.is_empty()),
            "{id}: {problem}"
        );
    }
}

/// A missing price is an empty text (PROTOCOL 7).
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.is_empty() || all_digits(whole) && all_digits(fraction)
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(target) => resolved(document, document.pointer(&target[1..]).unwrap()),
        None => value,
    }
}

/// A key as a part of a JSON pointer (RFC 6901 section 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
