//! The description that a sandbox serves: operations with their parameters, bodies and responses.

mod read;
mod requests;
mod schema;
mod shape;
mod upgrade;

use std::sync::{Arc, LazyLock};

use http::Method;
use serde_json::Value;

pub(crate) use read::resolve;
use schema::SchemaSet;
pub(crate) use schema::{MAX_NAMED, Schema};
pub(crate) use shape::{Additional, Shape, is_of};

static BUNDLED: LazyLock<Arc<Description>> = LazyLock::new(|| {
    let document = include_str!("../../description.json");
    let document: Value =
        serde_json::from_str(document).expect("a test compares the document with the description");
    let mut description = Description::new(document).expect("a test reads all of its operations");
    description.has_rules = true;
    Arc::new(description)
});

/// The operations of an API, with the schemas of their bodies and responses.
#[derive(Debug)]
pub(crate) struct Description {
    document: Value,
    /// The document as JSON Schema 2020-12 reads it. It has the same places as `document`.
    schemas: Arc<Value>,
    schema_set: Arc<SchemaSet>,
    operations: Vec<Arc<Operation>>,
    /// Whether the rules in `domain` serve the operations, and not the engine.
    has_rules: bool,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// The path template, such as `/orders/{order_id}`.
    pub(crate) path: String,
    pub(crate) access: OperationAccess,
    pub(crate) takes_idempotency_key: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// The bodies that a request can have, by media type.
    pub(crate) bodies: Vec<Body>,
    pub(crate) needs_body: bool,
    /// The media types of a successful response. Empty if it has no body.
    pub(crate) media_types: Vec<String>,
    /// All responses, in the order of the description.
    pub(crate) responses: Vec<Response>,
}

/// What a request needs to call an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OperationAccess {
    /// Everyone may call it.
    Open,
    /// Any key or password in this header.
    Key(String),
    /// A token that has one of these scopes, or any token if there are none.
    Token(Vec<String>),
}

/// A parameter in the path or the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_path: bool,
    pub(crate) is_required: bool,
    /// The `type` of its schema, or of the items of its schema.
    pub(crate) kind: Option<String>,
    pub(crate) is_array: bool,
    pub(crate) schema: Schema,
    pub(crate) default: Option<Value>,
}

/// The schema of a request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) media_type: String,
    /// `None` if any body is valid.
    pub(crate) schema: Option<Schema>,
}

/// A response of an operation.
#[derive(Debug)]
pub(crate) struct Response {
    /// The status, such as `200`, `2XX` or `default`.
    pub(crate) status: String,
    /// The media types with the schemas of the bodies.
    pub(crate) content: Vec<(String, Option<Schema>)>,
    /// Each header's name, and the JSON pointer of its schema, if it has one.
    pub(crate) headers: Vec<(String, Option<String>)>,
}

/// Why a description cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescriptionError {
    #[error("the description has no operations under `paths`")]
    NoOperations,
    #[error("the references of the description cannot be resolved: {0}")]
    References(String),
}

impl Description {
    /// The description of this workspace, with both overlays applied. The rules in `domain` serve it.
    pub(crate) fn bundled() -> Arc<Self> {
        Arc::clone(&BUNDLED)
    }

    /// Reads a description that was loaded, with its overlay applied.
    pub(crate) fn new(document: Value) -> Result<Self, DescriptionError> {
        let schemas = Arc::new(upgrade::upgrade(&document));
        let schema_set = SchemaSet::new(&schemas).map_err(DescriptionError::References)?;
        let request_schemas = match requests::for_requests(&schemas) {
            Some(changed) => {
                SchemaSet::new(&Arc::new(changed)).map_err(DescriptionError::References)?
            }
            None => Arc::clone(&schema_set),
        };
        let operations: Vec<_> = read::operations(&schemas, &schema_set, &request_schemas)
            .into_iter()
            .map(Arc::new)
            .collect();
        if operations.is_empty() {
            return Err(DescriptionError::NoOperations);
        }
        Ok(Self {
            document,
            schemas,
            schema_set,
            operations,
            has_rules: false,
        })
    }

    pub(crate) fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    pub(crate) fn has_rules(&self) -> bool {
        self.has_rules
    }

    /// All scopes of its security schemes and operations.
    pub(crate) fn scopes(&self) -> Vec<String> {
        let schemes = self.document.pointer("/components/securitySchemes");
        let schemes = schemes.and_then(Value::as_object).into_iter().flatten();
        let flows = schemes.filter_map(|(_, scheme)| scheme["flows"].as_object());
        let listed = flows
            .flatten()
            .filter_map(|(_, flow)| flow["scopes"].as_object());
        let mut scopes: Vec<String> = listed.flatten().map(|(scope, _)| scope.clone()).collect();
        for operation in &self.operations {
            if let OperationAccess::Token(needed) = &operation.access {
                scopes.extend(needed.iter().cloned());
            }
        }
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// The paths of the token endpoints on this server, from each `tokenUrl` in the description.
    pub(crate) fn token_paths(&self) -> Vec<String> {
        let schemes = self.document.pointer("/components/securitySchemes");
        let schemes = schemes.and_then(Value::as_object).into_iter().flatten();
        let flows = schemes.filter_map(|(_, scheme)| scheme["flows"].as_object());
        let urls = flows
            .flatten()
            .filter_map(|(_, flow)| flow["tokenUrl"].as_str());
        urls.map(path_of_url).collect()
    }

    /// The paths of its servers, such as `/v1`, without those at the root.
    pub(crate) fn base_paths(&self) -> Vec<String> {
        let servers = self.document["servers"].as_array().into_iter().flatten();
        let urls = servers.filter_map(|server| server["url"].as_str());
        let paths = urls.map(|url| path_of_url(url).trim_end_matches('/').to_owned());
        paths.filter(|path| path.len() > 1).collect()
    }

    /// The description as JSON. That of this workspace has the sandbox's own error statuses.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// The schema at a place.
    pub(crate) fn schema_at(&self, place: &str) -> Schema {
        Schema::at(place.to_owned(), &self.schema_set)
    }

    /// The description with schemas of JSON Schema 2020-12, at the same places as in the document.
    pub(crate) fn schemas(&self) -> &Arc<Value> {
        &self.schemas
    }
}

impl Parameter {
    /// The values in a text: a list is written with commas.
    pub(crate) fn values<'a>(&self, text: &'a str) -> Vec<&'a str> {
        if self.is_array {
            text.split(',').collect()
        } else {
            vec![text]
        }
    }
}

impl Operation {
    /// An operation that the description does not contain.
    pub(crate) fn undescribed(
        id: &str,
        method: Method,
        path: &str,
        access: OperationAccess,
        body: Option<&str>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            method,
            path: path.to_owned(),
            access,
            takes_idempotency_key: false,
            parameters: Vec::new(),
            bodies: body
                .map(|media_type| Body {
                    media_type: media_type.to_owned(),
                    schema: None,
                })
                .into_iter()
                .collect(),
            needs_body: body.is_some(),
            media_types: vec!["application/json".to_owned()],
            responses: Vec::new(),
        }
    }

    /// The response to a call that succeeds: the first with a status of 2xx, or else `default`.
    pub(crate) fn success(&self) -> Option<&Response> {
        let succeeds = |response: &&Response| response.status.starts_with('2');
        let mut successes: Vec<_> = self.responses.iter().filter(succeeds).collect();
        successes.sort_by_key(|response| &response.status);
        let by_default = |response: &&Response| response.status == "default";
        successes
            .first()
            .copied()
            .or_else(|| self.responses.iter().find(by_default))
    }

    /// Whether it has a response with this status.
    pub(crate) fn answers(&self, status: u16) -> bool {
        let status = status.to_string();
        self.responses
            .iter()
            .any(|response| response.status == status)
    }
}

impl Response {
    /// The status as a number. A range or `default` becomes the usual status of the method.
    pub(crate) fn code(&self, method: &Method) -> u16 {
        match self.status.parse() {
            Ok(status) => status,
            Err(_) if *method == Method::POST => 201,
            Err(_) => 200,
        }
    }

    /// The schema of its JSON, if it has any.
    pub(crate) fn json(&self) -> Option<&Schema> {
        let (_, schema) = self.content.iter().find(|(media, _)| is_json(media))?;
        schema.as_ref()
    }
}

/// Whether a media type is JSON, such as `application/json; charset=utf-8` or `application/hal+json`.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence == "*/*"
        || essence.eq_ignore_ascii_case("application/json")
        || essence.to_ascii_lowercase().ends_with("+json")
}

/// The path of an absolute or relative URL. A host without a scheme cannot be told from a path.
fn path_of_url(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| {
        rest.find('/').map_or("/", |at| &rest[at..])
    });
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_urls_are_those_on_this_server() {
        for (url, path) in [
            ("https://sandbox.example.com/auth/token", "/auth/token"),
            ("/auth/token?x=1", "/auth/token"),
            ("https://example.com", "/"),
            ("oauth/token", "/oauth/token"),
        ] {
            assert_eq!(path_of_url(url), path);
        }
    }
}
