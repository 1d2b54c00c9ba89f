//! Finds the overlay action that fixes a problem of a description without a loss.
//!
//! Each candidate is tried on the part of the description that the problem is about. It is suggested only if the
//! problem is gone and the operation still has all parameters, media types, fields and values that the description
//! gives it.

mod json_path;
mod part;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::document::{self, Operation};
use crate::error::Error;
use crate::model::{self, Api};
use crate::overlay;
use crate::survey::{Presence, Survey};
use json_path::json_path;
use part::part_around;

/// The maximum number of problems of one operation that a trial fixes.
const MAX_PROBLEMS: usize = 8;

/// The remedy for a problem.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Remedy {
    /// This overlay action fixes the problem, and the operation does the same as before.
    Action {
        /// The JSONPath (RFC 9535) of the target.
        target: String,
        /// The value that is merged into the target.
        update: Value,
    },
    /// No action fixes the problem, because the operation needs this part, for example ``its parameter `filter` ``.
    Needs(String),
}

/// Finds a remedy for `problem`, which a model of `document` has. `None` if none is known.
pub fn remedy(document: &Value, problem: &Error) -> Option<Remedy> {
    let at = problem.pointer();
    document.pointer(at)?;
    let part = part_around(document, at)?;
    let before = Trial::new(&part);
    if before.has(problem) {
        for update in candidates(document, problem) {
            let Some(changed) = changed(&part, at, &update) else {
                continue;
            };
            let after = Trial::new(&changed);
            let is_fixed =
                !after.has(problem) && after.problems().count() < before.problems().count();
            if is_fixed && loses_nothing(&part, changed, after) {
                let target = json_path(document, at);
                return Some(Remedy::Action { target, update });
            }
        }
    }
    if !before.leaves_out(problem) {
        return None;
    }
    needed_part(document, at).map(Remedy::Needs)
}

/// Whether the operations of `part` lose nothing by a change, once their other problems are fixed too.
fn loses_nothing(part: &Value, mut changed: Value, mut trial: Trial) -> bool {
    for _ in 0..MAX_PROBLEMS {
        if trial.has_everything_of(part) {
            return true;
        }
        let next = trial.problems().find_map(|problem| {
            let update = candidates(&changed, problem).into_iter().next()?;
            self::changed(&changed, problem.pointer(), &update)
        });
        let Some(next) = next else { break };
        trial = Trial::new(&next);
        changed = next;
    }
    false
}

/// Returns the description with an update applied.
fn changed(document: &Value, at: &str, update: &Value) -> Option<Value> {
    let target = json_path(document, at);
    let action = json!({ "target": target, "description": "A trial.", "update": update });
    let actions = json!({ "overlay": "1.0.0", "info": {}, "actions": [action] });
    overlay::overlay(document.clone(), actions).ok()
}

/// Returns the updates that may fix a problem.
fn candidates(document: &Value, problem: &Error) -> Vec<Value> {
    let at = problem.pointer();
    let Some(value) = document.pointer(at) else {
        return Vec::new();
    };
    if value["type"] == "number" && value.get("format").is_none() {
        return vec![json!({ "format": "double" })];
    }
    if at.ends_with("/responses") && !has_success(document, value) {
        return vec![json!({ "204": { "description": "Done." } })];
    }
    if at.ends_with("/operationId")
        && let Some(id) = value.as_str()
    {
        return vec![json!(unused_id(document, id))];
    }
    let operations = document::operations(document);
    let Some(operation) = operations.iter().find(|operation| operation.pointer == at) else {
        return Vec::new();
    };
    let names = undeclared(document, operation);
    let parameters = names.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    match parameters.collect::<Vec<Value>>() {
        none if none.is_empty() => Vec::new(),
        parameters => vec![json!({ "parameters": parameters })],
    }
}

/// Whether a response may carry what a successful call returns.
fn has_success(document: &Value, responses: &Value) -> bool {
    let responses = responses.as_object().into_iter().flatten();
    let mut others = responses.filter(|(status, _)| !document::is_error(status));
    others.any(|(status, response)| {
        let response = document::resolve(document, response);
        document::is_success(status) || response.get("content").is_some()
    })
}

/// Returns an id that no operation has.
fn unused_id(document: &Value, id: &str) -> String {
    let known: BTreeSet<String> = document::operations(document)
        .iter()
        .map(Operation::id)
        .collect();
    let mut id = format!("{id}Again");
    while known.contains(&id) {
        id.push_str("Again");
    }
    id
}

/// Returns the names in the braces of an operation's path that no path parameter declares.
fn undeclared<'a>(document: &'a Value, operation: &Operation<'a>) -> impl Iterator<Item = &'a str> {
    let parameters = operation.parameters(document);
    let names = operation.path.split('{').skip(1);
    let names = names.filter_map(|rest| rest.split('}').next());
    names.filter(move |name| {
        let mut known = parameters.iter();
        !known.any(|(_, known)| known["in"] == "path" && known["name"] == *name)
    })
}

/// Returns the part of the operation that a problem is about.
fn needed_part(document: &Value, at: &str) -> Option<String> {
    let operations = document::operations(document);
    let operation = operations
        .iter()
        .find(|operation| at.starts_with(&format!("{}/", operation.pointer)));
    for (place, parameter) in operation?.parameters(document) {
        if at.starts_with(&place) {
            let name = parameter["name"].as_str().unwrap_or_default();
            return Some(format!("its parameter `{name}`"));
        }
    }
    let rest = at.strip_prefix(operation?.pointer.as_str())?;
    match rest.split('/').nth(1)? {
        "requestBody" => Some("its request body".to_owned()),
        "responses" => Some("its response".to_owned()),
        _ => None,
    }
}

fn is_same(one: &Error, other: &Error) -> bool {
    one.problem() == other.problem() && one.pointer() == other.pointer()
}

/// A changed description on trial: its model, or its problems if it has no model.
struct Trial {
    api: Result<Api, Vec<Error>>,
}

impl Trial {
    fn new(document: &Value) -> Self {
        Self {
            api: model::build(document),
        }
    }

    fn problems(&self) -> impl Iterator<Item = &Error> {
        let (some, others) = match &self.api {
            Ok(api) => (&api.left_out, api.notes.as_slice()),
            Err(errors) => (errors, [].as_slice()),
        };
        some.iter().chain(others)
    }

    fn has(&self, problem: &Error) -> bool {
        self.problems().any(|known| is_same(known, problem))
    }

    /// Whether there is no operation because of the problem.
    fn leaves_out(&self, problem: &Error) -> bool {
        match &self.api {
            Ok(api) => api.left_out.iter().any(|known| is_same(known, problem)),
            Err(_) => true,
        }
    }

    /// Whether the model has everything that `document` contains.
    fn has_everything_of(&self, document: &Value) -> bool {
        let Ok(api) = &self.api else { return false };
        let survey = Survey::new(document, api);
        let mut items = survey.items.iter();
        items.all(|(_, presence)| *presence == Presence::Present)
    }
}
