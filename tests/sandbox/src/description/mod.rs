//! The description that the sandbox implements: operations with their parameters, bodies and answers.

mod schema;

use std::sync::LazyLock;

use http::Method;
use serde_json::Value;

pub(crate) use schema::Schema;

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let document = include_str!("../../description.json");
    Description::read(
        serde_json::from_str(document).expect("a test compares the document with the description"),
    )
});

/// The operations of the API, with the schemas of their bodies and answers.
#[derive(Debug)]
pub(crate) struct Description {
    document: Value,
    operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// The path template, such as `/orders/{order_id}`.
    pub(crate) path: String,
    /// The scopes, of which the token must have one. Empty for the token request, which needs no token.
    pub(crate) scopes: Vec<String>,
    pub(crate) takes_idempotency_key: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// The media types of a successful answer. Empty if it has no body.
    pub(crate) media_types: Vec<String>,
}

/// A parameter in the path or the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_path: bool,
    pub(crate) is_query: bool,
    pub(crate) is_integer: bool,
    pub(crate) schema: Schema,
}

/// The schema of a request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) media_type: String,
    pub(crate) schema: Schema,
}

impl Description {
    /// The description of this workspace, with both overlays applied.
    pub(crate) fn get() -> &'static Self {
        &DESCRIPTION
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// All scopes.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        let flows =
            "/components/securitySchemes/oauth2ClientCredentials/flows/clientCredentials/scopes";
        let scopes = self.document.pointer(flows).and_then(Value::as_object);
        scopes
            .into_iter()
            .flatten()
            .map(|(scope, _)| scope.as_str())
    }

    /// The description as JSON, including the sandbox's own error statuses.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    fn read(document: Value) -> Self {
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Some(id) = operation["operationId"].as_str() {
                    operations.push(
                        Reader {
                            document: &document,
                            operation,
                        }
                        .read(id, path, method),
                    );
                }
            }
        }
        Self {
            document,
            operations,
        }
    }
}

impl Operation {
    /// An operation of PROTOCOL that the description does not contain.
    pub(crate) fn undescribed(id: &str, method: Method, path: &str, scopes: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            method,
            path: path.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            takes_idempotency_key: false,
            parameters: Vec::new(),
            body: None,
            media_types: vec!["application/json".to_owned()],
        }
    }
}

/// Reads one operation. The document was prepared from the description, so its format is known.
struct Reader<'a> {
    document: &'a Value,
    operation: &'a Value,
}

impl Reader<'_> {
    fn read(&self, id: &str, path: &str, method: &str) -> Operation {
        let place = format!("/paths/{}/{method}", escape(path));
        let parameters = self.operation["parameters"]
            .as_array()
            .into_iter()
            .flatten();
        let parameters: Vec<_> = (0..)
            .zip(parameters)
            .map(|(at, it)| self.parameter(&place, at, it))
            .collect();
        let needs_no_token = self.operation["security"]
            .as_array()
            .is_some_and(Vec::is_empty);
        let scopes = self.operation["security"].pointer("/0/oauth2ClientCredentials");
        let scopes = scopes.and_then(Value::as_array).into_iter().flatten();
        let scopes: Vec<_> = scopes
            .filter_map(|scope| Some(scope.as_str()?.to_owned()))
            .collect();
        assert!(
            needs_no_token || !scopes.is_empty(),
            "{id}: the overlay gives every operation a scope"
        );
        let body = self.operation["requestBody"]["content"]
            .as_object()
            .and_then(|content| content.iter().next());
        Operation {
            id: id.to_owned(),
            method: method
                .to_ascii_uppercase()
                .parse()
                .expect("the description has HTTP methods"),
            path: path.to_owned(),
            scopes,
            takes_idempotency_key: parameters.iter().any(|it| it.name == "idempotency-key"),
            // Header parameters are left out, as the modules for access and idempotency check them.
            parameters: parameters
                .into_iter()
                .filter(|it| it.is_path || it.is_query)
                .collect(),
            body: body.map(|(media_type, _)| Body {
                media_type: media_type.clone(),
                schema: Schema::at(format!(
                    "{place}/requestBody/content/{}/schema",
                    escape(media_type)
                )),
            }),
            media_types: self.media_types(),
        }
    }

    fn parameter(&self, place: &str, at: usize, parameter: &Value) -> Parameter {
        let (parameter, place) = self.resolve(parameter, format!("{place}/parameters/{at}"));
        Parameter {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            is_path: parameter["in"] == "path",
            is_query: parameter["in"] == "query",
            is_integer: parameter["schema"]["type"] == "integer",
            schema: Schema::at(format!("{place}/schema")),
        }
    }

    fn media_types(&self) -> Vec<String> {
        let responses = self.operation["responses"]
            .as_object()
            .into_iter()
            .flatten();
        let success = responses.filter(|(status, _)| status.starts_with('2'));
        let content = success.filter_map(|(_, response)| response["content"].as_object());
        content
            .flatten()
            .map(|(media_type, _)| media_type.clone())
            .collect()
    }

    fn resolve<'a>(&'a self, value: &'a Value, place: String) -> (&'a Value, String) {
        let target = value["$ref"]
            .as_str()
            .and_then(|target| target.strip_prefix('#'));
        match target.and_then(|target| Some((self.document.pointer(target)?, target.to_owned()))) {
            Some((value, place)) => self.resolve(value, place),
            None => (value, place),
        }
    }
}

/// A key as a part of a JSON pointer (RFC 6901 section 3).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
