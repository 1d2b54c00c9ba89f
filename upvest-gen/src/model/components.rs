//! The component schemas: their names, and those that a type of the runtime replaces.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::context::Context;
use super::lists::is_page;
use super::names;
use super::types::Types;
use super::unions::{branches, is_object, tag};
use super::values;
use crate::document;
use crate::error::Result;
use crate::normalize::Node;
use crate::pointer;

/// Names the objects among the components first, so that inline objects get the remaining names.
pub(super) fn name_components(types: &mut Types<'_>) {
    let problems = problems(types.document);
    for (name, value) in components(types.document) {
        let node = match object(types, name, value) {
            Ok(Some(node)) => node,
            Ok(None) => continue,
            Err(error) => {
                types.report(error);
                continue;
            }
        };
        for base in types.component(name).iter().flat_map(Node::bases) {
            if base != name {
                types.children.entry(base).or_default().push(name);
            }
        }
        let branches = branches(types, &node).unwrap_or_default();
        if tag(types, &node, &branches).is_some() {
            let entity = match node.text("title") {
                Some(title) => types.entities.subject(title),
                None => names::entity(name),
            };
            let components = branches.iter().filter_map(|branch| branch.component);
            types
                .unions
                .extend(components.map(|branch| (branch, entity.clone())));
        }
        if problems.contains(name) || is_page(types, &node) {
            types.replaced.insert(name);
        }
        let rust = types.names.claim_first(&[names::type_name(name)]);
        types.components.insert(name, rust);
    }
}

/// The component, if it is an object and not another name for a component.
fn object<'a>(types: &Types<'a>, name: &str, value: &'a Value) -> Result<Option<Rc<Node<'a>>>> {
    let node = types.node(value, &pointer::join(document::SCHEMAS, name))?;
    let is_object = branches(types, &node)?.iter().all(is_object);
    Ok(Some(node).filter(|node| node.component.is_none() && is_object))
}

/// Reads the components that no operation uses, as they become types too.
pub(super) fn read_unused(types: &mut Types<'_>) {
    for (name, _) in components(types.document) {
        if !types.components.contains_key(name) || types.replaced.contains(name) {
            continue;
        }
        let context = Context::of_operation(name, name);
        let read = types
            .component(name)
            .and_then(|node| values::kind(types, Rc::new(node), &context));
        if let Err(error) = read {
            types.report(error);
        }
    }
}

/// The components of error answers, which one type of the runtime replaces.
fn problems(document: &Value) -> BTreeSet<&str> {
    let mut problems = BTreeSet::new();
    for operation in document::operations(document) {
        let errors = operation
            .responses(document)
            .filter(|(status, _)| !operation.is_success(status));
        for (_, response) in errors {
            let contents = response["content"].as_object().into_iter().flatten();
            problems.extend(
                contents.filter_map(|(_, media)| document::schema_name(document, &media["schema"])),
            );
        }
    }
    problems
}

fn components(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let schemas = document
        .pointer(document::SCHEMAS)
        .and_then(Value::as_object);
    schemas
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}
