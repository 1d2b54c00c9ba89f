//! The fields of an object.

use std::rc::Rc;

use super::api::{Field, Type};
use super::context::Context;
use super::homes::home;
use super::names;
use super::types::{Types, Unread};
use super::values;
use crate::normalize::{Node, Part};

/// The fields of an object that has the properties of all its branches.
pub(super) fn fields<'a>(types: &mut Types<'a>, object: &Unread<'a>) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (wire, parts) in properties(&object.branches) {
        let mut field = field(types, object, wire, &parts);
        while fields.iter().any(|other| other.rust == field.rust) {
            field.rust.push('_');
        }
        fields.push(field);
    }
    fields
}

/// The properties of all branches, each with its schemas.
fn properties<'a>(branches: &[Node<'a>]) -> Vec<(&'a str, Vec<Part<'a>>)> {
    let mut properties: Vec<(&str, Vec<Part<'a>>)> = Vec::new();
    for property in branches.iter().flat_map(|branch| &branch.properties) {
        let known = properties
            .iter_mut()
            .find(|(name, _)| *name == property.name);
        match known {
            Some((_, parts)) => parts.push(property.clone()),
            None => properties.push((property.name, vec![property.clone()])),
        }
    }
    properties
}

fn field<'a>(
    types: &mut Types<'a>,
    object: &Unread<'a>,
    wire: &'a str,
    parts: &[Part<'a>],
) -> Field {
    let nodes: Vec<Rc<Node<'a>>> = parts
        .iter()
        .filter_map(|part| types.part(part).ok())
        .collect();
    let explicit = nodes.iter().find_map(|node| node.text("x-rust-name"));
    let sensitive =
        names::is_personal(wire) || nodes.iter().any(|node| node.is_true("x-sensitive"));
    let description = parts.first().and_then(|first| {
        let first = types.part(first).ok()?;
        first.prose().map(str::to_owned)
    });
    let context = Context {
        home: home(&object.key),
        ..Context::new(&object.name, &object.entity, wire)
    };
    let (kind, nullable) = values::any(types, parts, &context);
    let blank = kind == Type::Decimal
        && nodes.len() == parts.len()
        && nodes.iter().all(|node| admits_nothing(node));
    let required = object
        .branches
        .iter()
        .all(|branch| branch.required.contains(wire));
    Field {
        name: wire.to_owned(),
        rust: names::field(explicit.unwrap_or(wire)),
        kind,
        required,
        nullable,
        blank,
        sensitive,
        recursive: false,
        description: description.unwrap_or_else(|| format!("`{wire}` of the description.")),
    }
}

/// Whether a pattern for numbers also matches an empty text.
fn admits_nothing(node: &Node<'_>) -> bool {
    let pattern = node
        .text("pattern")
        .unwrap_or_default()
        .replace("\\d", "[0-9]");
    let rest = pattern.trim_start_matches('^').trim_start_matches("-?");
    (rest.starts_with("[0-9]{0,") || rest.starts_with("[0-9]*")) && rest.ends_with(")?$")
}
