//! A client of a described API over plain HTTP, which validates every response against the description.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use http::StatusCode;
use jsonschema::{Draft, Registry, RegistryBuilder, Validator};
use reqwest::Client;
use serde_json::{Value, json};
use upvest_gen::{Source, describe};
use upvest_sandbox::{Command, Sandbox, SandboxBuilder};
use uuid::Uuid;

use crate::bodies::{Bodies, resolved};

const BASE: &str = "urn:described";

/// A described API that a sandbox serves, and its known resources.
pub(crate) struct Api {
    pub(crate) sandbox: Sandbox,
    /// The description, with schemas of JSON Schema 2020-12.
    pub(crate) document: Value,
    http: Client,
    token: String,
    registry: Registry<'static>,
}

/// An operation of the description.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    place: String,
}

/// A parameter of an operation.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_path: bool,
    pub(crate) is_required: bool,
    /// A value that its schema allows.
    pub(crate) value: String,
    schema: Value,
}

impl Parameter {
    /// The id in a form that the schema allows: some have a prefix with the kind of id.
    pub(crate) fn accepted(&self, id: &str) -> Option<String> {
        let validator = jsonschema::draft202012::new(&self.schema).unwrap();
        let forms = ["", "uuid:", "isin:"].map(|prefix| format!("{prefix}{id}"));
        let is_integer = self.schema["type"] == "integer";
        let mut forms = forms.into_iter();
        forms.find(|id| is_integer || validator.is_valid(&json!(id)))
    }
}

/// A response, and its mismatch with the description.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
    /// The first difference from the description.
    pub(crate) mismatch: Option<String>,
}

/// A sandbox that requires only what the description requires.
pub(crate) fn plain() -> SandboxBuilder {
    Sandbox::builder().plain_http()
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/official")
        .join(name)
}

pub(crate) fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/described")
        .join(name)
}

pub(crate) fn spec(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../spec")
        .join(name)
}

pub(crate) fn lifecycles(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("lifecycles")
        .join(name)
}

impl Api {
    pub(crate) async fn start(builder: SandboxBuilder, description: &Path) -> Self {
        let sandbox = builder.description(description).start().await.unwrap();
        let text = std::fs::read_to_string(description).unwrap();
        let document = describe(&Source::new("test", text), None).unwrap();
        let document = as_2020_12(document);
        let registry = Registry::new()
            .add(BASE, document.clone())
            .and_then(RegistryBuilder::prepare)
            .unwrap();
        let token = sandbox.execute(Command::IssueToken).await.unwrap();
        Self {
            token: token["access_token"].as_str().unwrap().to_owned(),
            http: Client::builder().no_proxy().build().unwrap(),
            sandbox,
            document,
            registry,
        }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        let methods = ["get", "post", "put", "patch", "delete"];
        let mut all = Vec::new();
        for (path, item) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if methods.contains(&method.as_str()) {
                    let id = operation["operationId"].as_str();
                    all.push(Operation {
                        id: id.map_or_else(|| format!("{method} {path}"), str::to_owned),
                        method: method.to_ascii_uppercase(),
                        path: path.clone(),
                        place: format!("/paths/{}/{method}", escaped(path)),
                    });
                }
            }
        }
        all
    }

    pub(crate) fn operation(&self, id: &str) -> Operation {
        let mut operations = self.operations().into_iter();
        operations.find(|operation| operation.id == id).unwrap()
    }

    fn value(&self, operation: &Operation) -> &Value {
        self.document.pointer(&operation.place).unwrap()
    }

    /// The parameters in the path and the query, with values made from their schemas.
    pub(crate) fn parameters(
        &self,
        operation: &Operation,
        ids: &BTreeMap<String, String>,
    ) -> Vec<Parameter> {
        let bodies = Bodies {
            document: &self.document,
            ids,
        };
        let of_item = &self.document["paths"][&operation.path]["parameters"];
        let own = self.value(operation)["parameters"].as_array();
        let all = own.into_iter().chain(of_item.as_array()).flatten();
        let all = all.map(|it| resolved(&self.document, it));
        let all = all.filter(|it| it["in"] == "path" || it["in"] == "query");
        let parameters = all.map(|it| {
            let example = it["examples"].as_object();
            let example = example.and_then(|all| all.values().next());
            let example = example.map(|example| example["value"].clone());
            let name = it["name"].as_str().unwrap().to_owned();
            let value = example.unwrap_or_else(|| bodies.parameter(&it["schema"], &name));
            Parameter {
                is_path: it["in"] == "path",
                is_required: it["required"] == true && it["in"] == "query",
                value: value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
                schema: self.inlined(&it["schema"]),
                name,
            }
        });
        parameters.collect()
    }

    fn inlined(&self, schema: &Value) -> Value {
        resolved(&self.document, schema).clone()
    }

    /// The first scope of the description, or an empty text.
    pub(crate) fn scope(&self) -> &str {
        let schemes = self.document["components"]["securitySchemes"].as_object();
        let mut flows = schemes.into_iter().flatten();
        let scopes =
            flows.find_map(|(_, it)| it["flows"]["clientCredentials"]["scopes"].as_object());
        let first = scopes.and_then(|scopes| scopes.keys().next());
        first.map_or("", String::as_str)
    }

    /// Makes a request body that matches the schema of the operation. `None` if the operation has no body.
    pub(crate) fn body(
        &self,
        operation: &Operation,
        ids: &BTreeMap<String, String>,
    ) -> Option<Value> {
        let body = resolved(&self.document, &self.value(operation)["requestBody"]);
        let (_, content) = body["content"].as_object()?.iter().next()?;
        let bodies = Bodies {
            document: &self.document,
            ids,
        };
        Some(bodies.body(&content["schema"]))
    }

    /// Each event type with the JSON pointer to the schema of its `object`.
    pub(crate) fn event_schemas(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (name, item) in self.document["x-webhooks"].as_object().unwrap() {
            let place = format!(
                "/x-webhooks/{}/post/requestBody/content/application~1json/schema/properties",
                escaped(name)
            );
            let content = &item["post"]["requestBody"]["content"]["application/json"];
            let types = content["schema"]["properties"]["type"]["enum"].as_array();
            for event_type in types.into_iter().flatten() {
                let event_type = event_type.as_str().unwrap().to_owned();
                all.push((event_type, format!("{place}/object")));
            }
        }
        all
    }

    /// Returns the first difference between a value and the schema at the JSON pointer `place`.
    pub(crate) fn mismatch(&self, place: &str, value: &Value) -> Option<String> {
        let validator = self.validator(place);
        let error = validator.iter_errors(value).next()?;
        Some(format!("{error} at {}", error.instance_path()))
    }

    /// Calls an operation with a new idempotency key. In `path`, the parameters are replaced by values.
    pub(crate) async fn call(
        &self,
        operation: &Operation,
        path: &str,
        body: Option<&Value>,
    ) -> Response {
        let key = Uuid::new_v4().to_string();
        self.send(operation, path, body, &key).await
    }

    pub(crate) async fn call_with_key(
        &self,
        operation: &Operation,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Response {
        self.send(operation, path, Some(body), key).await
    }

    async fn send(
        &self,
        operation: &Operation,
        path: &str,
        body: Option<&Value>,
        key: &str,
    ) -> Response {
        let url = format!("{}{path}", self.sandbox.url());
        let method: http::Method = operation.method.parse().unwrap();
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        request = request.header("x-api-key", "any");
        request = request.header("x-api-key", "any");
        request = request.header("idempotency-key", key);
        let content = resolved(&self.document, &self.value(operation)["requestBody"]);
        let is_form = content.to_string().contains("x-www-form-urlencoded");
        if let Some(body) = body {
            request = if is_form {
                request.form(body)
            } else {
                let types = content["content"].as_object().unwrap();
                let media_type = types.keys().next().unwrap();
                let request = request.header("content-type", media_type);
                request.body(body.to_string())
            };
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap_or_default();
        let mut reply = Response {
            status: status.as_u16(),
            headers,
            text,
            mismatch: None,
        };
        reply.mismatch = self.check(operation, status, &reply);
        reply
    }

    /// Returns the first difference between a response and the description.
    fn check(&self, operation: &Operation, status: StatusCode, reply: &Response) -> Option<String> {
        let responses = &self.value(operation)["responses"];
        let key = [
            status.as_str(),
            &format!("{}XX", status.as_u16() / 100),
            "default",
        ]
        .into_iter()
        .find(|key| responses.get(key).is_some())
        .map(str::to_owned);
        let Some(key) = key else {
            return Some(format!("{status} is not described: {}", reply.text));
        };
        let place = self.target(&format!("{}/responses/{key}", operation.place));
        let response = self.document.pointer(&place).unwrap();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let is_required = resolved(&self.document, header)["required"] == true;
            if is_required && !reply.headers.contains_key(name) {
                return Some(format!("the header {name} is missing"));
            }
        }
        let Some(content) = response["content"].as_object() else {
            let is_empty = reply.text.is_empty();
            return (!is_empty).then(|| {
                format!(
                    "the response has a body, but none is described: {}",
                    reply.text
                )
            });
        };
        let given = reply.headers.get("content-type")?.to_str().unwrap();
        let given = given.split(';').next().unwrap();
        let Some(described) = content.get(given).or_else(|| content.get("*/*")) else {
            return Some(format!("the media type {given} is not described"));
        };
        if !given.ends_with("json") || described.get("schema").is_none() {
            return None;
        }
        let name = if content.contains_key(given) {
            given
        } else {
            "*/*"
        };
        let place = format!("{place}/content/{}/schema", escaped(name));
        let body: Value = serde_json::from_str(&reply.text).unwrap();
        let validator = self.validator(&place);
        let error = validator.iter_errors(&body).next()?;
        Some(format!("{error} at {} in {body}", error.instance_path()))
    }

    fn validator(&self, place: &str) -> Validator {
        let place = place
            .replace('{', "%7B")
            .replace('}', "%7D")
            .replace(' ', "%20");
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .build(&json!({ "$ref": format!("{BASE}#{place}") }))
            .unwrap()
    }

    fn target(&self, place: &str) -> String {
        let value = self.document.pointer(place).unwrap();
        match value["$ref"].as_str() {
            Some(target) => self.target(target.strip_prefix('#').unwrap()),
            None => place.to_owned(),
        }
    }

    /// Sends a request with this `accept` header. Returns the media type of the response.
    pub(crate) async fn media_type(&self, path: &str, accept: &str) -> String {
        let url = format!("{}{path}", self.sandbox.url());
        let request = self.http.get(url).bearer_auth(&self.token);
        let response = request.header("accept", accept).send().await.unwrap();
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// The JSON of the response to a request with a media type of its own.
    pub(crate) async fn raw_as(
        &self,
        method: &str,
        path: &str,
        media_type: &str,
        body: &Value,
    ) -> Value {
        let url = format!("{}{path}", self.sandbox.url());
        let method: http::Method = method.parse().unwrap();
        let request = self.http.request(method, url).bearer_auth(&self.token);
        let request = request.header("content-type", media_type);
        let response = request.body(body.to_string()).send().await.unwrap();
        response.json().await.unwrap()
    }
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Returns the description with the keywords of OpenAPI 3.0 in the form of JSON Schema 2020-12.
fn as_2020_12(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => {
            for item in items.iter_mut() {
                *item = as_2020_12(item.take());
            }
        }
        Value::Object(fields) => {
            for (_, field) in fields.iter_mut() {
                *field = as_2020_12(field.take());
            }
            for (exclusive, limit) in [
                ("exclusiveMinimum", "minimum"),
                ("exclusiveMaximum", "maximum"),
            ] {
                if fields.get(exclusive) == Some(&json!(true)) {
                    let limit = fields.remove(limit).unwrap();
                    fields.insert(exclusive.to_owned(), limit);
                } else if fields.get(exclusive) == Some(&json!(false)) {
                    fields.remove(exclusive);
                }
            }
            if fields.get("nullable") == Some(&json!(true)) {
                fields.remove("nullable");
                return json!({ "anyOf": [value, { "type": "null" }] });
            }
        }
        _ => {}
    }
    value
}
