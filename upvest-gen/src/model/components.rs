//! Names the component schemas, and finds those that a type of the runtime replaces.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::context::Context;
use super::lists::is_page;
use super::names;
use super::objects::entity;
use super::types::Types;
use super::unions::{self, is_object, tag};
use super::values;
use crate::document;
use crate::error::Result;
use crate::normalize::Node;
use crate::pointer;

/// Names the objects among the components first, so that inline objects get the remaining names.
pub(super) fn name_components(types: &mut Types<'_>) {
    let problems = problems(types.document);
    let mut objects: Vec<&str> = Vec::new();
    for (name, value) in components(types.document) {
        let node = match object(types, name, value) {
            Ok(Some(node)) => node,
            Ok(None) => continue,
            Err(error) => {
                types.report(error);
                continue;
            }
        };
        let own = types.component(name);
        for base in own
            .iter()
            .flat_map(Node::bases)
            .filter(|base| *base != name)
        {
            types.children.entry(base).or_default().push(name);
        }
        let alternatives = unions::alternatives(types, &node);
        let branches = alternatives.map_or_else(|_| Vec::new(), |found| found.branches);
        if tag(types, &node, &branches).is_some() {
            let components = branches.iter().filter_map(|branch| branch.component);
            let entity = entity(types, &node, name);
            add_union(types, &entity, components);
        }
        if problems.contains(name) || is_page(types, &node) {
            types.replaced.insert(name);
        }
        objects.push(name);
    }
    // A component takes precedence over other types that want its name.
    objects.sort_by_key(|name| (names::type_name(name) != *name, *name));
    for name in objects {
        let rust = types.names.reserve_first(&[names::type_name(name)]);
        types.components.insert(name, rust);
    }
    for children in types.children.values_mut() {
        children.sort_unstable();
    }
    name_bases(types);
}

/// Names each component that has a discriminator: it is the union of the components that include it.
fn name_bases(types: &mut Types<'_>) {
    for (base, children) in types.children.clone() {
        let Ok(node) = types.component(base) else {
            continue;
        };
        let raw = &types.document["components"]["schemas"][base];
        if raw.get("discriminator").is_some() {
            let entity = entity(types, &node, base);
            add_union(types, &entity, children.into_iter());
        }
    }
}

fn add_union<'a>(types: &mut Types<'a>, entity: &str, branches: impl Iterator<Item = &'a str>) {
    for branch in branches {
        let entities = types.unions.entry(branch).or_default();
        entities.insert(entity.to_owned());
    }
}

/// Returns the component if it is an object, and not an alias of another component.
fn object<'a>(types: &Types<'a>, name: &str, value: &'a Value) -> Result<Option<Rc<Node<'a>>>> {
    let node = types.node(value, &pointer::join(document::SCHEMAS, name))?;
    let alternatives = unions::alternatives(types, &node)?;
    let is_other_name = match alternatives.branches.as_slice() {
        // The other alternatives are empty.
        [only] => only.component.is_some(),
        _ => false,
    };
    let is_object = !is_other_name && alternatives.branches.iter().all(is_object);
    Ok(Some(node).filter(|_| is_object))
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
            .and_then(|node| values::kind_and_null(types, Rc::new(node), &context));
        if let Err(error) = read {
            types.report(error);
        }
    }
}

/// Returns the components of error responses. One type of the runtime replaces all of them.
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
