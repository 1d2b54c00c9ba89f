//! Walks through an OpenAPI document: operations, references and media types.
//!
//! ```
//! use upvest_gen::{Source, describe, document};
//!
//! let spec = Source::new(
//!     "api.yaml",
//!     "
//! openapi: 3.1.0
//! info: { title: Orders, version: '1' }
//! paths:
//!   /orders: { $ref: '#/components/pathItems/Orders' }
//! components:
//!   pathItems:
//!     Orders: { get: { responses: { '204': {} } } }
//! ",
//! );
//! let document = describe(&spec, None)?;
//! let operations = document::operations(&document);
//! assert_eq!(operations[0].method, "get");
//! assert_eq!(operations[0].id(), "getOrders");
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

use std::collections::{BTreeSet, HashSet};

use heck::ToLowerCamelCase;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::pointer;

/// The place of the component schemas.
pub(crate) const SCHEMAS: &str = "/components/schemas";

/// The methods that a path item may have, in the order in which operations are listed.
pub(crate) const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// The members of a path item that are not operations.
const OTHER_MEMBERS: [&str; 5] = ["$ref", "summary", "description", "servers", "parameters"];

/// A path item: its name, its place and the object.
#[derive(Clone, Debug)]
struct Item<'a> {
    at: String,
    members: &'a Map<String, Value>,
}

/// One operation and its place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Operation<'a> {
    /// The place of the operation, as a JSON pointer. If the path item is a reference, the place is in another path or
    /// in a component.
    pub pointer: String,
    /// The path template, or the name of a webhook.
    pub path: &'a str,
    /// The HTTP method in lower case.
    pub method: &'a str,
    /// The operation itself.
    pub value: &'a Value,
    /// The path item, followed by the path items to which it refers.
    items: Vec<Item<'a>>,
    id: String,
}

impl<'a> Operation<'a> {
    /// The `operationId`, or else a name made of the method and the path, such as `getOrdersByOrderId`. If several
    /// paths refer to one path item, only one of them has the `operationId`. Only an `operationId` that the document
    /// repeats is not unique.
    pub fn id(&self) -> String {
        self.id.clone()
    }

    /// Whether the operation comes from the target of the path item's reference.
    fn is_reference(&self) -> bool {
        let path_item = self.items.first().map(|item| item.at.as_str());
        path_item != Some(self.item_pointer())
    }

    fn operation_id(&self) -> Option<&'a str> {
        let id = self.value["operationId"].as_str()?;
        id.contains(|c: char| c.is_ascii_alphanumeric())
            .then_some(id)
    }

    fn id_from_path(&self) -> String {
        let words = self
            .path
            .split('/')
            .map(|segment| match segment.strip_prefix('{') {
                Some(parameter) => format!("by-{parameter}"),
                None => segment.to_owned(),
            });
        words
            .fold(self.method.to_owned(), |words, word| {
                format!("{words}-{word}")
            })
            .to_lower_camel_case()
    }

    /// Returns the place of the path item that contains the operation.
    pub(crate) fn item_pointer(&self) -> &str {
        self.pointer.rsplit_once('/').map_or("", |(item, _)| item)
    }

    /// The parameters of the operation and of its path item, each with its JSON pointer. References are resolved. A
    /// parameter of the operation replaces one of the path item with the same `name` and `in`.
    pub fn parameters(&self, document: &'a Value) -> Vec<(String, &'a Value)> {
        let lists = self.items.iter().rev().map(|item| {
            let place = pointer::join(&item.at, "parameters");
            (place, item.members.get("parameters"))
        });
        let own = (
            pointer::join(&self.pointer, "parameters"),
            self.value.get("parameters"),
        );
        let mut parameters: Vec<(String, &'a Value)> = Vec::new();
        for (place, list) in lists.chain([own]) {
            let list: Vec<(String, &'a Value)> = items(list, &place)
                .map(|(at, value)| resolve_at(document, value, &at))
                .collect();
            parameters.retain(|(_, known)| !list.iter().any(|(_, value)| is_same(known, value)));
            parameters.extend(list);
        }
        parameters
    }

    /// The request body with its place. A reference is followed.
    pub fn request_body(&self, document: &'a Value) -> Option<(String, &'a Value)> {
        let body = self.value.get("requestBody")?;
        let at = pointer::join(&self.pointer, "requestBody");
        Some(resolve_at(document, body, &at))
    }

    /// The responses with their status codes. References are followed.
    pub fn responses(
        &self,
        document: &'a Value,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let responses = self.value["responses"].as_object().into_iter().flatten();
        responses.map(|(status, response)| (status.as_str(), resolve(document, response)))
    }

    /// Whether the response with this status, such as `200` or `2XX`, means success. `default` means success if no
    /// other response does, because it stands for all statuses that are not listed.
    pub fn is_success(&self, status: &str) -> bool {
        is_success(status) || status == "default" && !self.has_success_status()
    }

    /// Whether a response has a status that means success.
    pub(crate) fn has_success_status(&self) -> bool {
        let mut responses = self.value["responses"].as_object().into_iter().flatten();
        responses.any(|(status, _)| is_success(status))
    }
}

/// Whether two parameters have the same name and location.
fn is_same(one: &Value, other: &Value) -> bool {
    one["name"] == other["name"] && one["in"] == other["in"]
}

/// All operations, in the order of the document. References of path items are followed.
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    paths(document).0
}

/// Returns the problems of path items whose operations cannot be read, and of members that look like operations but are
/// not.
pub(crate) fn problems_of_paths(document: &Value) -> Vec<Error> {
    paths(document).1
}

fn paths(document: &Value) -> (Vec<Operation<'_>>, Vec<Error>) {
    let mut operations = Vec::new();
    let mut problems = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths.filter(|(path, _)| !path.starts_with("x-")) {
        let at = pointer::join("/paths", path);
        let (found, unread) = operations_of_item(document, path, item, &at);
        operations.extend(found);
        problems.extend(unread);
    }
    name(&mut operations);
    (operations, problems)
}

/// The requests of all webhooks, from `webhooks` or `x-webhooks`. References of path items are followed.
pub fn webhooks(document: &Value) -> Vec<Operation<'_>> {
    webhook_items(document).0
}

/// Returns the problems of webhooks that cannot be read.
pub(crate) fn problems_of_webhooks(document: &Value) -> Vec<Error> {
    webhook_items(document).1
}

fn webhook_items(document: &Value) -> (Vec<Operation<'_>>, Vec<Error>) {
    let mut requests = Vec::new();
    let mut problems = Vec::new();
    for keyword in ["webhooks", "x-webhooks"] {
        let place = pointer::join("", keyword);
        let items = document[keyword].as_object().into_iter().flatten();
        for (name, item) in items {
            let at = pointer::join(&place, name);
            let (found, unread) = operations_of_item(document, name, item, &at);
            if found.is_empty() && unread.is_empty() {
                problems.push(Error::at(
                    at,
                    format!("the webhook `{name}` has no request"),
                    "describe it under `post`, or remove it",
                ));
            }
            requests.extend(found);
            problems.extend(unread);
        }
    }
    (requests, problems)
}

/// Returns the operations of a path item, and the problems of members that cannot be read.
fn operations_of_item<'a>(
    document: &'a Value,
    path: &'a str,
    item: &'a Value,
    at: &str,
) -> (Vec<Operation<'a>>, Vec<Error>) {
    let (items, problem) = chain(document, item, at);
    let mut problems: Vec<Error> = problem
        .map(|problem| problem.about(&format!("the operations of `{path}` are missing")))
        .into_iter()
        .collect();
    let mut operations = Vec::new();
    for method in METHODS {
        let mut with_method = items
            .iter()
            .filter(|item| item.members.contains_key(method));
        let Some(found) = with_method.next() else {
            continue;
        };
        if let Some(hidden) = with_method.next() {
            problems.push(Error::at(
                pointer::join(&found.at, method),
                format!(
                    "`{path}` has `{method}` here and in `{}`, to which it refers",
                    hidden.at
                ),
                "remove one of them, as OpenAPI does not say which one applies",
            ));
        }
        operations.push(Operation {
            pointer: pointer::join(&found.at, method),
            path,
            method,
            value: &found.members[method],
            items: items.clone(),
            id: String::new(),
        });
    }
    for item in &items {
        problems.extend(unknown_members(item, path));
    }
    (operations, problems)
}

/// Returns a path item, the path items to which it refers, and a problem if the last reference cannot be followed.
fn chain<'a>(document: &'a Value, item: &'a Value, at: &str) -> (Vec<Item<'a>>, Option<Error>) {
    let mut items: Vec<Item<'a>> = Vec::new();
    let mut next = (at.to_owned(), item);
    loop {
        let (at, value) = next;
        let members = match value {
            Value::Object(members) => members,
            Value::Null => return (items, None),
            other => {
                let problem = Error::at(
                    at,
                    format!("{} is not a path item", kind_of(other)),
                    "write an object whose members are HTTP methods",
                );
                return (items, Some(problem));
            }
        };
        if items.iter().any(|known| known.at == at) {
            let problem = Error::at(at, "the reference is circular", "remove the cycle");
            return (items, Some(problem));
        }
        let reference = members.get("$ref");
        items.push(Item {
            at: at.clone(),
            members,
        });
        let Some(reference) = reference else {
            return (items, None);
        };
        match target(document, reference, &at) {
            Ok(found) => next = found,
            Err(problem) => return (items, Some(problem)),
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Returns an error for each unknown member of a path item that looks like an operation, such as `GET` instead of
/// `get`.
fn unknown_members(item: &Item<'_>, path: &str) -> Vec<Error> {
    let is_known = |name: &str| {
        METHODS.contains(&name) || OTHER_MEMBERS.contains(&name) || name.starts_with("x-")
    };
    let unknown = item
        .members
        .iter()
        .filter(|(name, value)| !is_known(name) && value.is_object());
    unknown
        .map(|(name, _)| {
            Error::at(
                pointer::join(&item.at, name),
                format!("`{name}` of `{path}` is not a method of OpenAPI"),
                format!("write one of {}", METHODS.join(", ")),
            )
        })
        .collect()
}

/// Gives each operation its id. An `operationId` belongs to the path that contains the operation, or else to the first
/// that refers to it. The other operations are named after their methods and paths.
fn name(operations: &mut [Operation<'_>]) {
    let mut owners: BTreeSet<String> = BTreeSet::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for is_reference in [false, true] {
        let operations = operations.iter_mut();
        for operation in operations.filter(|it| it.is_reference() == is_reference) {
            if let Some(id) = operation.operation_id()
                && owners.insert(operation.pointer.clone())
            {
                id.clone_into(&mut operation.id);
                taken.insert(id.to_owned());
            }
        }
    }
    for operation in operations.iter_mut().filter(|it| it.id.is_empty()) {
        let id = operation.id_from_path();
        // The paths `/orders` and `/orders/` have the same words.
        let numbered = (2..).map(|number| format!("{id}{number}"));
        let mut candidates = std::iter::once(id.clone()).chain(numbered);
        operation.id = candidates
            .find(|candidate| taken.insert(candidate.clone()))
            .unwrap_or_default();
    }
}

/// Returns the place and the value to which `reference` leads.
pub(crate) fn target<'a>(
    document: &'a Value,
    reference: &Value,
    at: &str,
) -> Result<(String, &'a Value)> {
    let Some(reference) = reference.as_str() else {
        return Err(Error::at(
            at,
            format!("{reference} is not a reference"),
            "write it as a text",
        ));
    };
    let Some(place) = pointer::of_reference(reference) else {
        return Err(Error::at(
            at,
            format!("the reference `{reference}` points outside of the document"),
            "copy its target into `components`",
        ));
    };
    match document.pointer(&place) {
        Some(value) => Ok((place, value)),
        None => Err(Error::at(
            at,
            format!("the target of `{reference}` does not exist"),
            "correct the reference, or add its target",
        )),
    }
}

/// Follows a local reference. Any other value is returned unchanged.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    resolve_at(document, value, "").1
}

/// As [`resolve`], and returns the place of the result.
pub fn resolve_at<'a>(document: &'a Value, value: &'a Value, at: &str) -> (String, &'a Value) {
    let mut found = (at.to_owned(), value);
    let mut seen = HashSet::new();
    while let Some(reference) = found.1.get("$ref") {
        let is_circular = !seen.insert(std::ptr::from_ref(found.1));
        let target = target(document, reference, at);
        match target {
            Ok(next) if !is_circular => found = next,
            _ => break,
        }
    }
    found
}

/// Returns the name of the component schema to which `schema` refers.
pub(crate) fn schema_name<'a>(document: &'a Value, schema: &Value) -> Option<&'a str> {
    let (place, _) = target(document, schema.get("$ref")?, "").ok()?;
    component_name(document, &place)
}

/// Returns the name of the component schema at `place`.
pub(crate) fn component_name<'a>(document: &'a Value, place: &str) -> Option<&'a str> {
    let name = place.strip_prefix(SCHEMAS)?.strip_prefix('/')?;
    if name.contains('/') {
        return None;
    }
    let schemas = document.pointer(SCHEMAS)?.as_object()?;
    let (name, _) = schemas.get_key_value(&pointer::unescaped(name))?;
    Some(name)
}

/// Whether a status code, such as `200` or `2XX`, means success.
pub fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

/// Whether a status code, such as `400` or `4XX`, means an error.
pub fn is_error(status: &str) -> bool {
    status.starts_with('4') || status.starts_with('5')
}

/// Whether a media type is JSON: `application/json`, `text/json`, or any that ends in `+json` (RFC 6839), such as that
/// of problem documents. The case of letters has no meaning (RFC 9110, section 8.3.1). A range that includes JSON
/// counts as JSON.
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let is_named = matches!(essence.as_str(), "application/json" | "text/json");
    is_named || essence.ends_with("+json") || is_range(&essence)
}

/// Whether a media type is a range that includes JSON.
pub(crate) fn is_range(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    ["*/*", "application/*"]
        .iter()
        .any(|range| essence.eq_ignore_ascii_case(range))
}

fn items<'a>(
    list: Option<&'a Value>,
    at: &str,
) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let at = at.to_owned();
    let list = list
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate();
    list.map(move |(index, value)| (format!("{at}/{index}"), value))
}

#[cfg(test)]
mod tests;
