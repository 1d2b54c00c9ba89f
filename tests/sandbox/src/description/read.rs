//! Reads the operations of a document. Whatever it cannot understand is left out, as a document is input.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::schema::SchemaSet;
use super::{Body, Operation, OperationAccess, Parameter, Response, Schema};

/// A longer chain of references is circular.
const LONGEST_CHAIN: usize = 32;

/// All operations, in the order of the document.
pub(super) fn operations(
    document: &Arc<Value>,
    schemas: &Arc<SchemaSet>,
    request_schemas: &Arc<SchemaSet>,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths.filter(|(path, _)| path.starts_with('/')) {
        let place = format!("/paths/{}", escape(path));
        let item = Located::new(document, item, place);
        for (method, operation) in item.value.as_object().into_iter().flatten() {
            let Some(method) = method_of(method).filter(|_| operation.is_object()) else {
                continue;
            };
            let place = format!("{}/{}", item.place, method.as_str().to_ascii_lowercase());
            let reader = Reader {
                document,
                schemas,
                request_schemas,
                item: &item,
                operation,
                place,
            };
            operations.push(reader.read(path, method));
        }
    }
    operations
}

/// Follows the references of a value.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    Located::new(document, value, String::new()).value
}

/// The target of the reference of a value, which can be a reference too. `None` if it is none.
pub(super) fn target<'a>(document: &'a Value, value: &Value) -> Option<&'a Value> {
    Located::target(document, value).map(|target| target.value)
}

fn method_of(name: &str) -> Option<Method> {
    let names = ["get", "put", "post", "delete", "head", "patch"];
    let known = names.contains(&name);
    known
        .then(|| name.to_ascii_uppercase().parse().ok())
        .flatten()
}

/// A value of the document, and its place as a JSON pointer.
struct Located<'a> {
    value: &'a Value,
    place: String,
}

impl<'a> Located<'a> {
    /// The target of the references of `value`.
    fn new(document: &'a Value, value: &'a Value, place: String) -> Self {
        let mut located = Self { value, place };
        for _ in 0..LONGEST_CHAIN {
            let Some(target) = Self::target(document, located.value) else {
                break;
            };
            located = target;
        }
        located
    }

    fn target(document: &'a Value, value: &Value) -> Option<Self> {
        let place = value["$ref"].as_str()?.strip_prefix('#')?;
        let place = percent_encoding::percent_decode_str(place).decode_utf8_lossy();
        Some(Self {
            value: document.pointer(&place)?,
            place: place.into_owned(),
        })
    }
}

/// Reads one operation.
struct Reader<'a> {
    document: &'a Value,
    schemas: &'a Arc<SchemaSet>,
    /// Those of the bodies of requests, at the same places.
    request_schemas: &'a Arc<SchemaSet>,
    item: &'a Located<'a>,
    operation: &'a Value,
    /// The place of the operation.
    place: String,
}

impl<'a> Reader<'a> {
    fn read(&self, path: &str, method: Method) -> Operation {
        let parameters = self.parameters();
        let is_key = |it: &Located<'_>| {
            let name = it.value["name"].as_str().unwrap_or_default();
            it.value["in"] == "header" && name.eq_ignore_ascii_case("idempotency-key")
        };
        let takes_idempotency_key = parameters.iter().any(is_key);
        let body = self.located(&self.operation["requestBody"], "requestBody");
        let responses = self.responses();
        let succeeds = |response: &&Response| response.status.starts_with('2');
        let media_types = responses.iter().filter(succeeds);
        let media_types =
            media_types.flat_map(|response| response.content.iter().map(|(name, _)| name.clone()));
        Operation {
            id: self.id(path, &method),
            path: path.to_owned(),
            access: self.access(),
            takes_idempotency_key,
            media_types: media_types.collect(),
            // Parameters in headers are left out, as the modules for access and idempotency check them.
            parameters: parameters
                .iter()
                .filter(|it| it.value["in"] == "path" || it.value["in"] == "query")
                .map(|it| self.parameter(it))
                .collect(),
            bodies: self.bodies(&body),
            needs_body: body.value["required"] == true,
            responses,
            method,
        }
    }

    /// The `operationId`, or else the method and the path.
    fn id(&self, path: &str, method: &Method) -> String {
        match self.operation["operationId"].as_str() {
            Some(id) if !id.trim().is_empty() => id.to_owned(),
            _ => format!("{method} {path}"),
        }
    }

    fn located(&self, value: &'a Value, name: &str) -> Located<'a> {
        Located::new(self.document, value, format!("{}/{name}", self.place))
    }

    /// The scopes of all alternatives. Upvest lists several scopes in one alternative, of which a token needs one.
    fn access(&self) -> OperationAccess {
        let security = self.operation.get("security");
        let security = security.or_else(|| self.document.get("security"));
        let alternatives = security.and_then(Value::as_array);
        let alternatives: Vec<_> = alternatives
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect();
        if alternatives.is_empty() || alternatives.iter().any(|schemes| schemes.is_empty()) {
            return OperationAccess::Open;
        }
        let names = alternatives.iter().flat_map(|schemes| schemes.keys());
        let schemes: Vec<_> = names.map(|name| self.scheme(name)).collect();
        if !schemes.is_empty() && schemes.iter().all(|scheme| is_key(scheme)) {
            return key_access(&schemes);
        }
        let scopes = alternatives.iter().flat_map(|schemes| schemes.values());
        let scopes = scopes.filter_map(Value::as_array).flatten();
        let scopes = scopes.filter_map(|scope| Some(scope.as_str()?.to_owned()));
        OperationAccess::Token(scopes.collect())
    }

    fn scheme(&self, name: &str) -> &'a Value {
        let document = self.document;
        resolve(document, &document["components"]["securitySchemes"][name])
    }

    /// The parameters of the operation and of its path. One of the operation replaces one of the path.
    fn parameters(&self) -> Vec<Located<'a>> {
        let own = self.list(&self.operation["parameters"], &self.place);
        let shared = self.list(&self.item.value["parameters"], &self.item.place);
        let mut all = own;
        for parameter in shared {
            let same = |it: &Located<'_>| {
                it.value["name"] == parameter.value["name"]
                    && it.value["in"] == parameter.value["in"]
            };
            if !all.iter().any(same) {
                all.push(parameter);
            }
        }
        all
    }

    fn list(&self, parameters: &'a Value, place: &str) -> Vec<Located<'a>> {
        let parameters = parameters.as_array().into_iter().flatten().enumerate();
        parameters
            .map(|(at, it)| Located::new(self.document, it, format!("{place}/parameters/{at}")))
            .collect()
    }

    fn parameter(&self, parameter: &Located<'a>) -> Parameter {
        let value = parameter.value;
        let schema = Located::new(
            self.document,
            &value["schema"],
            format!("{}/schema", parameter.place),
        );
        let kind = kind_of(schema.value);
        let is_array = kind.as_deref() == Some("array");
        let items = resolve(self.document, &schema.value["items"]);
        Parameter {
            name: value["name"].as_str().unwrap_or_default().to_owned(),
            is_path: value["in"] == "path",
            is_required: value["required"] == true,
            kind: if is_array { kind_of(items) } else { kind },
            is_array,
            default: schema.value.get("default").cloned(),
            schema: Schema::at(schema.place, self.schemas),
        }
    }

    fn bodies(&self, body: &Located<'_>) -> Vec<Body> {
        let content = body.value["content"].as_object().into_iter().flatten();
        let bodies = content.map(|(media_type, content)| Body {
            media_type: media_type.clone(),
            schema: schema_of(content, &body.place, media_type, self.request_schemas),
        });
        bodies.collect()
    }

    fn responses(&self) -> Vec<Response> {
        let responses = self.operation["responses"].as_object();
        let responses = responses.into_iter().flatten().map(|(status, response)| {
            let response = self.located(response, &format!("responses/{}", escape(status)));
            self.response(status, &response)
        });
        responses.collect()
    }

    fn response(&self, status: &str, response: &Located<'_>) -> Response {
        let content = response.value["content"].as_object().into_iter().flatten();
        let content = content.map(|(media_type, content)| {
            let schema = schema_of(content, &response.place, media_type, self.schemas);
            (media_type.clone(), schema)
        });
        let headers = response.value["headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(name, header)| {
            let place = format!("{}/headers/{}", response.place, escape(name));
            let header = Located::new(self.document, header, place);
            let has_schema = header.value.get("schema").is_some();
            (
                name.clone(),
                has_schema.then(|| format!("{}/schema", header.place)),
            )
        });
        Response {
            status: status.to_owned(),
            content: content.collect(),
            headers: headers.collect(),
        }
    }
}

/// The schema of a media type in the `content` of the body or response at `place`.
fn schema_of(
    content: &Value,
    place: &str,
    media_type: &str,
    schemas: &Arc<SchemaSet>,
) -> Option<Schema> {
    content.get("schema")?;
    let place = format!("{place}/content/{}/schema", escape(media_type));
    Some(Schema::at(place, schemas))
}

/// Whether a security scheme is a key or a password, which the sandbox does not issue.
fn is_key(scheme: &Value) -> bool {
    let is_basic = scheme["type"] == "http" && scheme["scheme"] == "basic";
    is_basic || scheme["type"] == "apiKey" || scheme["type"] == "mutualTLS"
}

/// The access by a key in one header. A key in another place, and several keys, are not checked.
fn key_access(schemes: &[&Value]) -> OperationAccess {
    let headers = schemes.iter().map(|scheme| {
        if scheme["type"] == "http" {
            Some("authorization")
        } else {
            scheme["name"].as_str().filter(|_| scheme["in"] == "header")
        }
    });
    let headers: Option<Vec<_>> = headers.collect();
    match headers.as_deref() {
        Some([only]) => OperationAccess::Key((*only).to_owned()),
        _ => OperationAccess::Open,
    }
}

/// The type of a schema. A nullable schema has two, of which one is `null`.
fn kind_of(schema: &Value) -> Option<String> {
    match &schema["type"] {
        Value::String(kind) => Some(kind.clone()),
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds.find(|kind| *kind != "null").map(str::to_owned)
        }
        _ => None,
    }
}

/// A key as a part of a JSON pointer (RFC 6901 section 3).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
