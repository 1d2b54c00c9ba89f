//! The alternatives of a value, and the field that distinguishes them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::types::{Tag, Types};
use crate::error::{Error, Result};
use crate::normalize::{Node, Part};

/// The limits on the depth and the number of nested alternatives.
const DEEPEST_ALTERNATIVES: usize = 16;
const MOST_ALTERNATIVES: usize = 200;

/// The alternatives of a value, or the value itself if there are none.
pub(super) fn branches<'a>(types: &Types<'a>, node: &Node<'a>) -> Result<Vec<Node<'a>>> {
    let mut branches = Vec::new();
    collect_branches(types, node.clone(), 0, &mut branches)?;
    Ok(branches)
}

fn collect_branches<'a>(
    types: &Types<'a>,
    mut node: Node<'a>,
    depth: usize,
    found: &mut Vec<Node<'a>>,
) -> Result<()> {
    if depth > DEEPEST_ALTERNATIVES || found.len() > MOST_ALTERNATIVES {
        return Err(Error::at(
            &node.at,
            "the alternatives are circular or too many",
            "remove the cycle, or describe a single schema in the overlay",
        ));
    }
    let alternatives = std::mem::take(&mut node.alternatives);
    for part in &alternatives {
        let branch = types.alternative(part, &node)?;
        collect_branches(types, branch, depth + 1, found)?;
    }
    if alternatives.is_empty() {
        found.push(node);
    }
    Ok(())
}

/// Whether a branch is an object with known properties.
pub(super) fn is_object(node: &Node<'_>) -> bool {
    node.kind() == Some("object") && !node.properties.is_empty()
}

/// The parts without duplicates.
pub(super) fn distinct(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut distinct: Vec<Part<'_>> = Vec::new();
    for part in parts {
        if !distinct.iter().any(|known| known.is_same(&part)) {
            distinct.push(part);
        }
    }
    distinct
}

/// The field that distinguishes `branches`: that of a discriminator, or one with a different value in each of them.
pub(super) fn tag<'a>(types: &Types<'a>, node: &Node<'a>, branches: &[Node<'a>]) -> Option<Tag> {
    let [first, _, ..] = branches else {
        return None;
    };
    let Some(discriminator) = node.object("discriminator") else {
        let mut names = first.properties.iter().map(|property| property.name);
        return names
            .find_map(|field| tag_of(field, branches, |branch| constant(types, branch, field)));
    };
    let field = discriminator.get("propertyName")?.as_str()?;
    let mapping = discriminator.get("mapping");
    tag_of(field, branches, |branch| {
        constant(types, branch, field).or_else(|| mapped(mapping, branch))
    })
}

/// The tag `field`, if its `value` differs in all branches.
fn tag_of<'a>(
    field: &str,
    branches: &[Node<'a>],
    value: impl Fn(&Node<'a>) -> Option<String>,
) -> Option<Tag> {
    let values: Vec<String> = branches.iter().map(value).collect::<Option<_>>()?;
    let distinct: BTreeSet<&String> = values.iter().collect();
    (distinct.len() == values.len()).then(|| Tag {
        field: field.to_owned(),
        values,
    })
}

/// The only value that the field has in a branch.
fn constant<'a>(types: &Types<'a>, branch: &Node<'a>, field: &str) -> Option<String> {
    let property = branch
        .properties
        .iter()
        .find(|property| property.name == field)?;
    let node = types.part(property).ok()?;
    match node.values()?.as_slice() {
        [Value::String(only)] => Some(only.clone()),
        _ => None,
    }
}

/// The value by which a discriminator leads to a branch, which is its name by default.
fn mapped(mapping: Option<&Value>, branch: &Node<'_>) -> Option<String> {
    let component = branch.component?;
    let leads_there = |target: &Value| {
        target
            .as_str()
            .is_some_and(|target| target.rsplit('/').next() == Some(component))
    };
    let mut mapping = mapping.and_then(Value::as_object).into_iter().flatten();
    let value = mapping.find(|(_, target)| leads_there(target));
    Some(value.map_or(component, |(value, _)| value).to_owned())
}
