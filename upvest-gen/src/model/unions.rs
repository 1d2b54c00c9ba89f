//! The alternatives of a value, and the field that distinguishes them.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::types::{Tag, Types};
use crate::document;
use crate::error::{Error, Result};
use crate::normalize::{self, Node, Part};
use crate::pointer;

/// The maximum depth and the maximum number of nested alternatives.
const DEEPEST_ALTERNATIVES: usize = 16;
const MAX_ALTERNATIVES: usize = 200;

/// The alternative schemas of a value. The value matches one of them.
#[derive(Debug)]
pub(super) struct Alternatives<'a> {
    /// The alternatives, or the value itself if there are none.
    pub(super) branches: Vec<Node<'a>>,
    /// Whether the value may also be an empty object or an empty list that no branch allows.
    pub(super) may_be_empty: bool,
}

/// Returns the alternatives of a value. An alternative that only admits an empty value is not a branch if there are
/// others.
pub(super) fn alternatives<'a>(types: &Types<'a>, node: &Node<'a>) -> Result<Alternatives<'a>> {
    let mut branches = Vec::new();
    collect_branches(types, node.clone(), 0, &mut branches)?;
    Ok(without_empty(types, branches))
}

fn collect_branches<'a>(
    types: &Types<'a>,
    mut node: Node<'a>,
    depth: usize,
    found: &mut Vec<Node<'a>>,
) -> Result<()> {
    if depth > DEEPEST_ALTERNATIVES || found.len() > MAX_ALTERNATIVES {
        return Err(Error::at(
            &node.at,
            "the alternatives are circular or too many",
            "remove the cycle, or replace the alternatives by a single schema in the overlay",
        ));
    }
    let alternatives = distinct(std::mem::take(&mut node.alternatives));
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

/// Removes duplicates.
pub(super) fn distinct(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut distinct: Vec<Part<'_>> = Vec::new();
    for part in parts {
        if !distinct.iter().any(|known| known.is_same(&part)) {
            distinct.push(part);
        }
    }
    distinct
}

/// Finds the field that distinguishes `branches`: the field of a discriminator, or a field with different values in
/// each branch.
pub(super) fn tag<'a>(types: &Types<'a>, node: &Node<'a>, branches: &[Node<'a>]) -> Option<Tag> {
    let first = branches.first()?;
    let is_child = first.is_plain || first.component.is_some() && first.component != node.component;
    if branches.len() == 1 && !is_child {
        return None;
    }
    let common = || common_discriminator(branches);
    if let Some(discriminator) = node.object("discriminator").or_else(common) {
        let field = discriminator.get("propertyName")?.as_str()?;
        let of_base = constants(types, node, field);
        let by_constants = tag_of(field, branches, |branch| {
            let mut values = mapped(discriminator, branch);
            let own = constants(types, branch, field);
            if let Some(shared) = own.as_ref().filter(|_| own == of_base) {
                return one_of(shared, values, branch);
            }
            for value in own.unwrap_or_default() {
                if !values.contains(&value) {
                    values.insert(0, value);
                }
            }
            if values.is_empty() {
                values.extend(component_name(branch).map(str::to_owned));
            }
            Some(values).filter(|values| !values.is_empty())
        });
        // The branches may share a property whose values are those of all branches.
        let tag = by_constants.or_else(|| {
            tag_of(field, branches, |branch| {
                let shared = constants(types, branch, field)?;
                one_of(&shared, mapped(discriminator, branch), branch)
            })
        });
        return tag.map(|tag| with_values_of_children(types, tag, branches));
    }
    if branches.len() == 1 {
        return None;
    }
    let is_required = |name: &&str| {
        branches
            .iter()
            .all(|branch| branch.required.contains(*name))
    };
    let names = first.properties.iter().map(|property| property.name);
    let (required, optional): (Vec<&str>, Vec<&str>) = names.partition(is_required);
    let mut candidates = required.iter().chain(&optional);
    let by_constants = candidates
        .find_map(|field| tag_of(field, branches, |branch| constants(types, branch, field)));
    by_constants.or_else(|| {
        let mut candidates = required.iter().chain(&optional);
        candidates.find_map(|field| {
            let may_be_tag = required.contains(field) || is_kind(field);
            let tag = tag_of(field, branches, |branch| preset(types, branch, field));
            tag.filter(|_| may_be_tag)
        })
    })
}

/// If a branch is itself a union, adds the values of its own branches to it, unless they mean another branch.
fn with_values_of_children<'a>(types: &Types<'a>, mut tag: Tag, branches: &[Node<'a>]) -> Tag {
    let mut known: BTreeSet<String> = tag.values.iter().flatten().cloned().collect();
    for (branch, values) in branches.iter().zip(&mut tag.values) {
        for value in values_of_children(types, branch, &tag.field) {
            if known.insert(value.clone()) {
                values.push(value);
            }
        }
    }
    tag
}

/// Returns the values of `field` in the components that include the branch with `allOf`.
fn values_of_children<'a>(types: &Types<'a>, branch: &Node<'a>, field: &str) -> Vec<String> {
    let read = || {
        let component = types.component(branch.component?).ok()?;
        let children = children(types, &component).ok()?;
        let tag = tag(types, &component, &children)?;
        (tag.field == field).then_some(tag.values.concat())
    };
    read().unwrap_or_default()
}

/// Selects the values in `shared` that mean the branch: the mapped values, or else the value that equals the name of
/// its component.
fn one_of(shared: &[String], mapped: Vec<String>, branch: &Node<'_>) -> Option<Vec<String>> {
    if !mapped.is_empty() {
        return Some(mapped);
    }
    let letters = |text: &str| {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let name = letters(component_name(branch)?);
    let value = shared.iter().find(|value| letters(value) == name)?;
    Some(vec![value.clone()])
}

/// Returns the discriminator that all branches inherit.
fn common_discriminator<'a>(branches: &[Node<'a>]) -> Option<&'a Map<String, Value>> {
    let first = branches.first()?.object("discriminator")?;
    let is_common = branches
        .iter()
        .all(|branch| branch.object("discriminator") == Some(first));
    is_common.then_some(first)
}

/// Returns `field` as the tag, if each branch has values of it and no value occurs in two branches.
fn tag_of<'a>(
    field: &str,
    branches: &[Node<'a>],
    values: impl Fn(&Node<'a>) -> Option<Vec<String>>,
) -> Option<Tag> {
    let values: Vec<Vec<String>> = branches.iter().map(values).collect::<Option<_>>()?;
    let mut distinct = BTreeSet::new();
    let is_tag = values.iter().flatten().all(|value| distinct.insert(value));
    is_tag.then(|| Tag {
        field: field.to_owned(),
        values,
    })
}

/// Returns the values that the field can have in a branch, according to its `enum` or `const`.
fn constants<'a>(types: &Types<'a>, branch: &Node<'a>, field: &str) -> Option<Vec<String>> {
    let values = property(types, branch, field)?.values()?;
    let values: Option<Vec<String>> = values.iter().map(|value| tag_value(value)).collect();
    values.filter(|values| !values.is_empty())
}

/// Returns the value that the field has in a branch, if the description writes it as the `default`.
fn preset<'a>(types: &Types<'a>, branch: &Node<'a>, field: &str) -> Option<Vec<String>> {
    let default = || tag_value(property(types, branch, field)?.keyword("default")?);
    constants(types, branch, field).or_else(|| Some(vec![default()?]))
}

/// Returns the value of a tag as text. The runtime compares it with a text, or with the text of an integer or a flag.
fn tag_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) => Some(value.to_string()),
        Value::Number(number) if !number.is_f64() => Some(value.to_string()),
        _ => None,
    }
}

fn property<'a>(types: &Types<'a>, branch: &Node<'a>, field: &str) -> Option<Rc<Node<'a>>> {
    let mut properties = branch.properties.iter();
    let property = properties.find(|property| property.name == field)?;
    types.part(property).ok()
}

/// Whether the name of a field suggests that the field distinguishes objects.
fn is_kind(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    ["type", "kind"].iter().any(|word| field.ends_with(word))
}

/// Returns the name of the component that is the branch, or to which the branch adds properties.
pub(super) fn component_name<'n>(branch: &'n Node<'_>) -> Option<&'n str> {
    let place = branch.at.strip_prefix(document::SCHEMAS)?.strip_prefix('/');
    branch
        .component
        .or(place.filter(|name| !name.contains('/')))
}

/// Returns the values that a discriminator maps to a branch.
pub(super) fn mapped(discriminator: &Map<String, Value>, branch: &Node<'_>) -> Vec<String> {
    let component = component_name(branch);
    component.map_or_else(Vec::new, |component| values_of(discriminator, component))
}

fn values_of(discriminator: &Map<String, Value>, component: &str) -> Vec<String> {
    let mapping = discriminator.get("mapping").and_then(Value::as_object);
    let leads_there = |target: &Value| {
        let target = target.as_str().unwrap_or_default();
        let place = pointer::of_reference(target).unwrap_or_else(|| target.to_owned());
        let name = place.rsplit('/').next().map(pointer::unescaped);
        name.is_some_and(|name| name == component)
    };
    let values = mapping.into_iter().flatten();
    values
        .filter(|(_, target)| leads_there(target))
        .map(|(value, _)| value.clone())
        .collect()
}

/// Returns the branches of a component with a discriminator: the components that include it with `allOf`. A component
/// between a base and its own children is a branch of its own too.
pub(super) fn children<'a>(types: &Types<'a>, node: &Node<'a>) -> Result<Vec<Node<'a>>> {
    let Some(discriminator) = node.object("discriminator") else {
        return Ok(Vec::new());
    };
    let heirs = heirs(types, node)?;
    if heirs.is_empty() {
        return Ok(heirs);
    }
    let mut children = Vec::new();
    for heir in heirs {
        let is_base = !self::heirs(types, &heir)?.is_empty();
        children.push(if is_base { plain(heir) } else { heir });
    }
    if is_own_value(types, node, discriminator) {
        children.push(plain(node.clone()));
    }
    Ok(children)
}

/// Whether a value of the discriminator means the component that others include. If not, the component is only their
/// base.
fn is_own_value<'a>(
    types: &Types<'a>,
    node: &Node<'a>,
    discriminator: &'a Map<String, Value>,
) -> bool {
    if !mapped(discriminator, node).is_empty() {
        return true;
    }
    if !is_between(types, node) {
        return false;
    }
    let field = discriminator.get("propertyName").and_then(Value::as_str);
    match constants(types, node, field.unwrap_or_default()) {
        Some(shared) => one_of(&shared, Vec::new(), node).is_some(),
        None => !discriminator.contains_key("mapping"),
    }
}

/// Returns the components that include a component with a discriminator. Components that only reuse its fields are left
/// out.
fn heirs<'a>(types: &Types<'a>, node: &Node<'a>) -> Result<Vec<Node<'a>>> {
    let (Some(base), Some(discriminator)) = (node.component, node.object("discriminator")) else {
        return Ok(Vec::new());
    };
    if !node.alternatives.is_empty() {
        return Ok(Vec::new());
    }
    let names = types.children.get(base).into_iter().flatten();
    let mut all = Vec::new();
    for name in names {
        all.push(types.component(name)?);
    }
    let heirs = all.iter();
    let heirs = heirs.filter(|heir| has_value(types, node, discriminator, heir));
    let heirs: Vec<Node<'a>> = heirs.cloned().collect();
    // If no child belongs to a value, the description does not tell which child has which value.
    Ok(if heirs.is_empty() && !is_between(types, node) {
        all
    } else {
        heirs
    })
}

/// Whether a value of the discriminator of `base` means `heir`, which includes it.
fn has_value<'a>(
    types: &Types<'a>,
    base: &Node<'a>,
    discriminator: &'a Map<String, Value>,
    heir: &Node<'a>,
) -> bool {
    let field = discriminator.get("propertyName").and_then(Value::as_str);
    let field = field.unwrap_or_default();
    let shared = constants(types, base, field);
    let own = constants(types, heir, field);
    let is_mapped = |name: &str| !values_of(discriminator, name).is_empty();
    if component_name(heir).is_some_and(is_mapped) || own.is_some() && own != shared {
        return true;
    }
    if let Some(shared) = shared {
        return one_of(&shared, Vec::new(), heir).is_some();
    }
    let mut others = heir.bases().filter(|name| heir.component != Some(name));
    let reuses_another = others.any(|name| base.component != Some(name) && is_mapped(name));
    let is_reused = is_between(types, base) || reuses_another;
    !(discriminator.contains_key("mapping") && is_reused)
}

/// Whether a component inherits its discriminator.
fn is_between(types: &Types<'_>, node: &Node<'_>) -> bool {
    let raw = node
        .component
        .map(|name| &types.document["components"]["schemas"][name]);
    raw.is_some_and(|raw| raw.get("discriminator").is_none())
}

/// Returns the component itself, not the union that has its name.
fn plain(mut node: Node<'_>) -> Node<'_> {
    node.component = None;
    node.is_plain = true;
    node
}

/// The kind of value that an alternative accepts whose schema says nothing more, such as `{}` or `{ type: object }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    /// Any value, because the alternative has no restriction.
    Any,
    Object,
    List,
}

fn without_empty<'a>(types: &Types<'a>, branches: Vec<Node<'a>>) -> Alternatives<'a> {
    let empty: Vec<Option<Empty>> = branches.iter().map(|branch| empty(types, branch)).collect();
    let filled = branches.iter().zip(&empty);
    let filled: Vec<&Node<'a>> = filled
        .filter(|(_, empty)| empty.is_none())
        .map(|(branch, _)| branch)
        .collect();
    // The empty values that the other branches already allow.
    let own: &[Empty] = if filled.is_empty() || filled.len() == branches.len() {
        return Alternatives {
            branches,
            may_be_empty: false,
        };
    } else if filled.iter().all(|branch| is_object(branch)) {
        &[]
    } else if filled.iter().all(|branch| branch.kind() == Some("array")) {
        &[Empty::List]
    } else if filled.iter().all(|branch| branch.kind() == Some("object")) {
        &[Empty::Any, Empty::Object]
    } else {
        // The value has several types. An empty object or list may be one of them.
        let is_any = |empty: &Option<Empty>| *empty == Some(Empty::Any);
        let others = branches.into_iter().zip(&empty);
        let others = others.filter(|(_, empty)| !is_any(empty));
        return Alternatives {
            branches: others.map(|(branch, _)| branch).collect(),
            may_be_empty: false,
        };
    };
    let may_be_empty = empty.iter().flatten().any(|empty| !own.contains(empty));
    Alternatives {
        branches: filled.into_iter().cloned().collect(),
        may_be_empty,
    }
}

/// Returns the only value that a schema admits, if that value is empty.
fn empty<'a>(types: &Types<'a>, node: &Node<'a>) -> Option<Empty> {
    if is_empty_list(types, node) {
        Some(Empty::List)
    } else if node.items.is_some() {
        None
    } else {
        empty_object(types, node)
    }
}

/// Like [`empty`], for a schema that is not a list: `Any` if the schema has no constraints, `Object` if it admits only
/// an object without fields.
fn empty_object(types: &Types<'_>, node: &Node<'_>) -> Option<Empty> {
    if !node.properties.is_empty() || node.rest.is_some() {
        None
    } else if has_no_constraints(types, node) {
        Some(Empty::Any)
    } else {
        is_empty_object(types, node).then_some(Empty::Object)
    }
}

/// Whether a list must be empty, as in an alternative for the empty list.
fn is_empty_list<'a>(types: &Types<'a>, node: &Node<'a>) -> bool {
    if has_only_values(node, |value| value.as_array().is_some_and(Vec::is_empty)) {
        return true;
    }
    if node.kind() != Some("array") {
        return false;
    }
    let is_closed = node.number("maxItems").and_then(Value::as_u64) == Some(0);
    let is_without_items = node.items.as_ref().is_some_and(|items| {
        let item = types.part(items).ok();
        *items.value == false || item.is_some_and(|item| empty_object(types, &item).is_some())
    });
    is_closed || is_without_items
}

/// Whether an object has an empty `properties`, or must not have any properties. An object without `properties` may
/// have any.
fn is_empty_object(types: &Types<'_>, node: &Node<'_>) -> bool {
    if has_only_values(node, |value| value.as_object().is_some_and(Map::is_empty)) {
        return true;
    }
    let raw = types.document.pointer(&node.at);
    let has_no_properties = raw.is_some_and(|raw| {
        raw["properties"].as_object().is_some_and(Map::is_empty)
            || raw["additionalProperties"] == false
            || raw["maxProperties"] == 0
    });
    node.kind() == Some("object") && has_no_properties
}

fn has_only_values(node: &Node<'_>, is_wanted: impl Fn(&Value) -> bool) -> bool {
    let values = node.values().unwrap_or_default();
    !values.is_empty() && values.into_iter().all(is_wanted)
}

/// Whether an alternative has only annotations. Its type may repeat the type of the schema around the alternatives.
fn has_no_constraints(types: &Types<'_>, node: &Node<'_>) -> bool {
    let raw = types.document.pointer(&node.at);
    matches!(node.kind(), None | Some("object" | "array"))
        && raw.is_some_and(normalize::has_only_annotations)
}
