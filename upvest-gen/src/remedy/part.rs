//! Extracts the part of a description that a problem is about, so that a trial takes only as long as one operation.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::document::{self, METHODS, Operation};
use crate::pointer;

/// Returns the description reduced to the operation at `at`, or that needs the component at `at`, and the components
/// that this operation needs.
pub(super) fn part_around(document: &Value, at: &str) -> Option<Value> {
    let references = References::of(document);
    let operations = document::operations(document);
    let operation = operations
        .iter()
        .find(|operation| contains(operation, at))
        .or_else(|| {
            let users = references.users(at);
            let mut all = operations.iter();
            all.find(|operation| needs(operation, &users))
        })?;
    // Another operation may have the same id.
    let id = &operation.value["operationId"];
    let is_kept = |other: &&Operation<'_>| {
        other.pointer == operation.pointer || id.is_string() && other.value["operationId"] == *id
    };
    let mut part = without_members(document);
    let mut needed = vec![root(at).to_owned()];
    for kept in operations.iter().filter(is_kept) {
        let item = document.pointer(kept.item_pointer())?.as_object()?;
        let others = item.iter().filter(|(key, _)| {
            let is_method = METHODS.contains(&key.as_str());
            !is_method || pointer::join(kept.item_pointer(), key) == kept.pointer
        });
        let others: Map<String, Value> = others
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let item = Value::Object(others);
        needed.extend(targets(&item));
        put(&mut part, kept.item_pointer(), item);
    }
    for root in references.closure(needed) {
        if part.pointer(&root).is_none()
            && let Some(value) = document.pointer(&root)
        {
            put(&mut part, &root, value.clone());
        }
    }
    Some(part)
}

fn contains(operation: &Operation<'_>, at: &str) -> bool {
    let shared = pointer::join(operation.item_pointer(), "parameters");
    let is_in = |outer: &str| {
        let rest = at.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_in(&operation.pointer) || is_in(&shared)
}

fn needs(operation: &Operation<'_>, components: &BTreeSet<String>) -> bool {
    targets(operation.value)
        .iter()
        .any(|target| components.contains(target))
}

/// The references between components and path items.
struct References {
    from: HashMap<String, BTreeSet<String>>,
    to: HashMap<String, BTreeSet<String>>,
}

impl References {
    fn of(document: &Value) -> Self {
        let mut references = Self {
            from: HashMap::new(),
            to: HashMap::new(),
        };
        for (section, items) in members(&document["components"]) {
            let section = pointer::join("/components", section);
            for (name, item) in members(items) {
                references.add(pointer::join(&section, name), item);
            }
        }
        for (path, item) in members(&document["paths"]) {
            references.add(pointer::join("/paths", path), item);
        }
        references
    }

    fn add(&mut self, root: String, value: &Value) {
        let targets = targets(value);
        for target in &targets {
            let users = self.to.entry(target.clone()).or_default();
            users.insert(root.clone());
        }
        self.from.insert(root, targets);
    }

    /// Returns the components that lead to `at`.
    fn users(&self, at: &str) -> BTreeSet<String> {
        reached(&self.to, vec![root(at).to_owned()])
    }

    /// Returns the components to which `start` leads.
    fn closure(&self, start: Vec<String>) -> BTreeSet<String> {
        reached(&self.from, start)
    }
}

fn reached(edges: &HashMap<String, BTreeSet<String>>, start: Vec<String>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = start;
    while let Some(next) = open.pop() {
        if reached.insert(next.clone()) {
            open.extend(edges.get(&next).into_iter().flatten().cloned());
        }
    }
    reached
}

/// Returns the components and path items to which the references in a value lead.
fn targets(value: &Value) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    let mut open = vec![value];
    while let Some(next) = open.pop() {
        let target = next.get("$ref").and_then(Value::as_str);
        let place = target.and_then(pointer::of_reference);
        targets.extend(place.map(|place| root(&place).to_owned()));
        open.extend(members(next).map(|(_, value)| value));
        open.extend(next.as_array().into_iter().flatten());
    }
    targets
}

/// Returns the component or the path item around a place.
fn root(at: &str) -> &str {
    let depth = if at.starts_with("/components/") { 3 } else { 2 };
    match at.match_indices('/').nth(depth) {
        Some((end, _)) => &at[..end],
        None => at,
    }
}

/// Returns the description without its paths, webhooks and components.
fn without_members(document: &Value) -> Value {
    const LARGE: [&str; 4] = ["paths", "webhooks", "x-webhooks", "components"];
    let kept = members(document).filter(|(key, _)| !LARGE.contains(key));
    kept.map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
}

/// Puts a value at a place, and creates the objects around it.
fn put(document: &mut Value, at: &str, value: Value) {
    let mut place = document;
    for key in at.split('/').skip(1) {
        let Value::Object(members) = place else {
            return;
        };
        let member = members.entry(pointer::unescaped(key));
        place = member.or_insert_with(|| Value::Object(Map::new()));
    }
    match (place, value) {
        // Two operations of one path item.
        (Value::Object(known), Value::Object(more)) => known.extend(more),
        (place, value) => *place = value,
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::part_around;

    #[test]
    fn only_what_an_operation_needs_is_kept() {
        let refers = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let document = json!({
            "openapi": "3.1.0",
            "paths": {
                "/a": { "get": { "x": refers("A") }, "put": {}, "parameters": [] },
                "/b": { "get": { "x": refers("C") } },
            },
            "components": { "schemas": { "A": { "items": refers("B") }, "B": {}, "C": {} } },
        });
        let expected = json!({
            "openapi": "3.1.0",
            "paths": { "/a": { "get": { "x": refers("A") }, "parameters": [] } },
            "components": { "schemas": { "A": { "items": refers("B") }, "B": {} } },
        });
        for at in [
            "/paths/~1a/get/x",
            "/components/schemas/B",
            "/paths/~1a/parameters",
        ] {
            assert_eq!(part_around(&document, at), Some(expected.clone()), "{at}");
        }
        assert_eq!(part_around(&document, "/paths"), None);
    }
}
