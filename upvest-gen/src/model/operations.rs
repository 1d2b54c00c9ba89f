//! The operations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::api::Operation;
use super::bodies;
use super::names;
use super::paging;
use super::parameters;
use super::paths;
use super::references::check_target;
use super::responses;
use super::schemas::read_objects;
use super::scopes;
use super::types::Types;
use crate::document;
use crate::error::{Error, Result};
use crate::pointer;

/// The operations that can be generated, and the problems of the others.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) operations: Vec<Operation>,
    pub(super) left_out: Vec<Error>,
}

/// Reads all operations.
pub(super) fn read(types: &mut Types<'_>) -> Operations {
    let mut read = Operations {
        operations: Vec::new(),
        left_out: document::problems_of_paths(types.document),
    };
    let mut names = Names::new(types.document);
    for found in document::operations(types.document) {
        let known = types.errors.len();
        let mut problems = Vec::new();
        let names = names.take(&found);
        let operation = match names {
            Ok(names) => operation(types, &found, names, &mut problems),
            Err(error) => {
                problems.push(error);
                None
            }
        };
        // A problem of a shared schema does not leave out the operation that happens to read it first.
        let is_own = |error: &Error| error.pointer().starts_with(found.item_pointer());
        let own = types.errors.extract_if(known.., |error| is_own(error));
        problems.extend(own);
        match operation {
            Some(operation) if problems.is_empty() => read.operations.push(operation),
            // A problem of a shared parameter, body or answer leaves out each operation that uses it.
            _ => read.left_out.extend(problems.into_iter().map(|error| {
                if is_own(&error) {
                    error
                } else {
                    error.moved_to(&found.pointer)
                }
            })),
        }
    }
    read
}

/// The names of the methods and builders of operations, by path and method.
#[derive(Debug, Default)]
struct Names(BTreeMap<String, (String, String)>);

impl Names {
    /// Names all operations. If several want the same name, it goes to the operation whose id is that name, or else to
    /// the first in alphabetical order.
    fn new(document: &Value) -> Self {
        let mut wanted = Vec::new();
        for found in document::operations(document) {
            let id = found.id();
            let name = found.value["x-rust-name"].as_str().unwrap_or(&id);
            let method = names::method(name);
            wanted.push((
                method != id,
                id.clone(),
                route(&found),
                method,
                names::builder(name),
            ));
        }
        wanted.sort();
        let mut ids = BTreeSet::new();
        let mut methods = BTreeSet::new();
        let mut builders = BTreeSet::new();
        let mut names = Self::default();
        for (_, id, route, mut method, mut builder) in wanted {
            if !ids.insert(id) {
                continue;
            }
            while !methods.insert(method.clone()) {
                method.push('_');
            }
            while !builders.insert(builder.clone()) {
                builder.push('_');
            }
            names.0.insert(route, (method, builder));
        }
        names
    }

    /// Takes the names of the method and the builder of an operation. Returns an error if another operation has the
    /// same id.
    fn take(&mut self, found: &document::Operation<'_>) -> Result<(String, String)> {
        self.0.remove(&route(found)).ok_or_else(|| {
            Error::at(
                pointer::join(&found.pointer, "operationId"),
                format!("two operations have the id `{}`", found.id()),
                "rename one of them",
            )
        })
    }
}

fn route(found: &document::Operation<'_>) -> String {
    format!("{} {}", found.path, found.method)
}

fn operation<'a>(
    types: &mut Types<'a>,
    found: &document::Operation<'a>,
    names: (String, String),
    problems: &mut Vec<Error>,
) -> Option<Operation> {
    let value = found.value;
    let id = found.id();
    let (method_name, builder) = names;
    let success = responses::success(types, found);
    for (at, response) in &success {
        problems.extend(check_target(types.document, response, at).err());
    }
    let mut contents = responses::contents(types, &success, &id);
    let all = found.parameters(types.document);
    let item = responses::item_entity(types, &success);
    let entity = item.as_deref().unwrap_or(&builder);
    let parameters = parameters::read(types, found, &all, entity, problems);
    paths::check(found, &all, problems);
    let body = bodies::read(types, found, &id);
    let body = body.unwrap_or_else(|error| {
        problems.push(error);
        None
    });
    read_objects(types);
    responses::join(types, found, &success, &mut contents, &id);
    read_objects(types);
    if let Some(body) = &body {
        problems.extend(bodies::check_form(types, found, body, &id).err());
    }
    let response = match responses::answer(found, &success, contents, &id) {
        Ok(response) => response,
        Err(error) => {
            problems.push(error);
            return None;
        }
    };
    let paging = paging::paging(types, &parameters, &all, &response.content);
    let security = value
        .get("security")
        .or_else(|| types.document.get("security"));
    types.notes.extend(responses::note_of_default(found, &id));
    let unmet = scopes::unmet(types.document, security, &found.pointer);
    types.notes.extend(unmet);
    types
        .notes
        .extend(other_servers(types.document, found, &id));
    Some(Operation {
        method_name,
        builder,
        method: found.method.to_ascii_uppercase(),
        path: found.path.to_owned(),
        deprecated: value["deprecated"] == true,
        tag: value["tags"][0].as_str().unwrap_or_default().to_owned(),
        summary: text(value, "summary"),
        description: text(value, "description"),
        scopes: scopes::scopes(security),
        scope_sets: scopes::scope_sets(types.document, security),
        optional_scopes: scopes::optional_scopes(types.document, security),
        without_token: scopes::needs_no_token(types.document, security),
        idempotency_key: parameters::has_idempotency_key(&all),
        paging,
        parameters,
        body,
        response,
        errors: responses::errors(types, found),
        id,
    })
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().trim().to_owned()
}

/// Returns a note if the operation or its path has servers of its own. The client sends all calls to its base URL,
/// because a token must not reach a host that the caller has not named.
fn other_servers(document: &Value, found: &document::Operation<'_>, id: &str) -> Option<Error> {
    let of_path = || document.pointer(found.item_pointer())?.get("servers");
    let servers = found.value.get("servers").or_else(of_path)?.as_array()?;
    let urls = servers.iter().filter_map(|server| server["url"].as_str());
    let urls: Vec<&str> = urls.collect();
    let are_usual = document["servers"].as_array() == Some(servers);
    if urls.is_empty() || are_usual {
        return None;
    }
    Some(Error::at(
        &found.pointer,
        format!(
            "{id} has its own servers (`{}`), but is sent to the base URL of the client",
            urls.join("`, `")
        ),
        "call it with a client whose base URL is that server",
    ))
}
