//! Reads the description. Its operations with their examples are the fixtures of the tests.

use std::path::PathBuf;

use serde_json::{Map, Value};
use upvest_gen::{Source, describe};

/// The description with the overlay merged into it.
#[derive(Clone, Debug)]
pub struct Description {
    document: Value,
}

/// One operation with its examples.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The `operationId`.
    pub id: String,
    /// The HTTP method, in capital letters.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The example of each parameter by name, without those that the transport adds.
    pub parameters: Map<String, Value>,
    /// The example of the request body.
    pub body: Option<Value>,
    /// The first success status.
    pub status: u16,
    /// The media type of the success response, if it has content.
    pub media_type: Option<String>,
    /// The example of the success response.
    pub response: Option<Value>,
    /// The error statuses that the description lists, with the example of each.
    pub errors: Vec<(u16, Value)>,
}

/// A file of the workspace.
pub fn workspace_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
}

/// A file of the workspace as input of the generator, with its path in the workspace as its name.
///
/// # Panics
///
/// If the file cannot be read.
pub fn source(name: &str) -> Source {
    let text = std::fs::read_to_string(workspace_file(name));
    Source::new(
        name,
        text.unwrap_or_else(|error| panic!("cannot read {name}: {error}")),
    )
}

impl Description {
    /// Reads the vendored description.
    ///
    /// # Panics
    ///
    /// If it cannot be read, or the overlay cannot be applied.
    pub fn vendored() -> Self {
        let spec = source("spec/upvest-investment-api.yaml");
        let overlay = source("spec/overlay.yaml");
        let document = describe(&spec, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
        Self { document }
    }

    /// The whole document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The names of all component schemas.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        let schemas = self.document["components"]["schemas"]
            .as_object()
            .into_iter()
            .flatten();
        schemas.map(|(name, schema)| (name.as_str(), schema))
    }

    /// All operations, in the order of the document.
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, item) in self.document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation.get("operationId").is_some() {
                    operations.push(self.operation(path, method, operation));
                }
            }
        }
        operations
    }

    /// Follows a local reference.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"]
            .as_str()
            .and_then(|target| self.document.pointer(target.strip_prefix('#')?))
        {
            Some(target) => self.resolve(target),
            None => value,
        }
    }

    fn operation(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| self.resolve(parameter));
        let parameters = parameters.filter(|parameter| parameter["in"] != "header");
        let parameters = parameters.map(|p| {
            (
                p["name"].as_str().unwrap_or_default().to_owned(),
                p["example"].clone(),
            )
        });
        let responses = || operation["responses"].as_object().into_iter().flatten();
        let success = responses().find(|(status, _)| status.starts_with('2'));
        let content =
            success.and_then(|(_, response)| response["content"].as_object()?.iter().next());
        let errors = responses().filter(|(status, _)| status.starts_with('4'));
        Operation {
            id: operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            parameters: parameters.collect(),
            body: operation
                .pointer("/requestBody/content")
                .and_then(|content| {
                    let (_, body) = content.as_object()?.iter().next()?;
                    Some(body["example"].clone())
                }),
            status: success
                .and_then(|(status, _)| status.parse().ok())
                .unwrap_or_default(),
            media_type: content.map(|(media_type, _)| media_type.clone()),
            response: content.and_then(|(_, body)| body.get("example")).cloned(),
            errors: errors
                .filter_map(|(status, response)| {
                    let example = &response["content"]["application/json"]["examples"]["problem"];
                    Some((status.parse().ok()?, self.resolve(example)["value"].clone()))
                })
                .collect(),
        }
    }
}
