//! Names the objects after all have been read, so that the names do not depend on the order of reading.
//!
//! Equal objects that want the same name become one type. If different objects want the same name, it goes to a
//! component, or else to the object that is nearest to the body of a request or a response.

use std::collections::BTreeMap;

use super::api::{Operation, Schema, Type};
use super::directions::{Bodies, object, reachable};
use super::enums::NamedEnums;
use super::sameness::is_same_object;
use super::types::{Draft, Types};

/// The objects with their names.
#[derive(Debug)]
pub(super) struct Naming {
    /// The objects, sorted by name.
    pub(super) schemas: Vec<Schema>,
    /// The names of the objects whose title belongs to an object around them, by key.
    pub(super) mistitled: BTreeMap<String, String>,
    /// The enums with their names.
    pub(super) enums: NamedEnums,
    /// The names of all objects, by key.
    names: BTreeMap<String, String>,
}

impl Naming {
    /// The name of the object with this key.
    pub(super) fn name(&self, key: &str) -> String {
        self.names.get(key).cloned().unwrap_or_default()
    }

    /// Replaces the keys in an operation by names.
    pub(super) fn rename_operation(&self, operation: &mut Operation) {
        let parameters = operation.parameters.iter_mut().map(|it| &mut it.kind);
        let body = operation.body.iter_mut().map(|body| &mut body.kind);
        let response = operation.response.content.json_type_mut();
        for kind in parameters.chain(body).chain(response) {
            self.enums.rename(kind);
            self.rename(kind);
        }
    }

    fn schema(&self, key: &str, draft: Draft) -> Schema {
        let mut schema = draft.schema;
        schema.name = self.name(key);
        for kind in schema.shape.kinds_mut() {
            self.rename(kind);
        }
        schema
    }

    fn rename(&self, kind: &mut Type) {
        if let Type::Schema(key) = kind.innermost_mut() {
            *key = self.name(key);
        }
    }
}

/// Returns the components, the objects in `bodies`, and all objects nested in these. The remaining objects are not
/// used: they are alternatives of a type that was read as a whole, or belong to operations that are left out.
fn used(drafts: &BTreeMap<String, Draft>, bodies: &Bodies) -> BTreeMap<String, Draft> {
    let components = drafts.iter().filter(|(_, draft)| draft.is_component);
    let components = components.map(|(key, _)| key);
    let roots = components.chain(&bodies.sent).chain(&bodies.received);
    let schemas = drafts.values().map(|draft| &draft.schema);
    let used = reachable(schemas, roots);
    let mut drafts = drafts.clone();
    drafts.retain(|key, _| used.contains(key));
    drafts
}

/// Names all objects. `bodies` are the objects that are whole bodies.
pub(super) fn name(types: &mut Types<'_>, bodies: &Bodies) -> Naming {
    let enums = types.name_enums();
    let drafts = used(types.drafts(), bodies);
    let ranks = ranks(&drafts, bodies);
    let mut order: Vec<&String> = drafts.keys().collect();
    order.sort_by_key(|key| ranks.get(*key));
    let same = same(&drafts, &order);
    let mut names = BTreeMap::new();
    let mut owners = BTreeMap::new();
    for key in order {
        let (Some(draft), None) = (drafts.get(key), same.get(key)) else {
            continue;
        };
        let name = if draft.is_component {
            draft.names.concat()
        } else {
            types.names.reserve_first(&draft.names)
        };
        owners.insert(name.clone(), key.clone());
        names.insert(key.clone(), name);
    }
    for (key, first) in &same {
        let name = names.get(first).cloned().unwrap_or_default();
        names.insert(key.clone(), name);
    }
    let mistitled = mistitled(&drafts, &names, &owners);
    let mut naming = Naming {
        schemas: Vec::new(),
        mistitled,
        enums,
        names,
    };
    let firsts = drafts
        .into_iter()
        .filter(|(key, _)| !same.contains_key(key));
    naming.schemas = firsts
        .map(|(key, draft)| naming.schema(&key, draft))
        .collect();
    naming
        .schemas
        .sort_by(|one, other| one.name.cmp(&other.name));
    naming
}

/// Returns the objects that are inside the object whose name they want, with their own names instead.
fn mistitled(
    drafts: &BTreeMap<String, Draft>,
    names: &BTreeMap<String, String>,
    owners: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut inside_owners: BTreeMap<&String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut mistitled = BTreeMap::new();
    for (key, draft) in drafts {
        let Some(wanted) = draft.names.first() else {
            continue;
        };
        let (Some(name), Some(owner)) = (names.get(key), owners.get(wanted)) else {
            continue;
        };
        if name == wanted {
            continue;
        }
        let inside = inside_owners
            .entry(owner)
            .or_insert_with(|| depths(drafts, std::slice::from_ref(owner)));
        if inside.contains_key(key) {
            mistitled.insert(key.clone(), name.clone());
        }
    }
    mistitled
}

/// The precedence of an object if several want the same name. The smallest rank wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_inline: bool,
    /// The number of objects around it.
    depth: usize,
    is_only_sent: bool,
    key: String,
}

fn ranks(drafts: &BTreeMap<String, Draft>, bodies: &Bodies) -> BTreeMap<String, Rank> {
    let sent = depths(drafts, &bodies.sent);
    let received = depths(drafts, &bodies.received);
    let depth = |key: &String| {
        let depths = [sent.get(key), received.get(key)];
        depths.into_iter().flatten().min().copied()
    };
    let rank = |(key, draft): (&String, &Draft)| {
        let rank = Rank {
            is_inline: !draft.is_component,
            depth: depth(key).unwrap_or(usize::MAX),
            is_only_sent: !received.contains_key(key),
            key: key.clone(),
        };
        (key.clone(), rank)
    };
    drafts.iter().map(rank).collect()
}

/// The number of objects around each object that occurs in the objects `outermost`.
fn depths(drafts: &BTreeMap<String, Draft>, outermost: &[String]) -> BTreeMap<String, usize> {
    let mut depths = BTreeMap::new();
    let mut level: Vec<&String> = outermost.iter().collect();
    let mut depth = 0;
    while !level.is_empty() {
        let mut next = Vec::new();
        for key in level {
            if depths.contains_key(key) {
                continue;
            }
            depths.insert(key.clone(), depth);
            let nested = drafts.get(key).map(|draft| draft.schema.shape.kinds());
            next.extend(nested.into_iter().flatten().filter_map(object));
        }
        level = next;
        depth += 1;
    }
    depths
}

/// Returns each object that equals an earlier one in `order`, with the key of the earlier one.
fn same(drafts: &BTreeMap<String, Draft>, order: &[&String]) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    let mut same = BTreeMap::new();
    for key in order {
        let Some(name) = drafts.get(*key).and_then(|draft| draft.names.first()) else {
            continue;
        };
        let firsts = by_name.entry(name).or_default();
        let first = firsts
            .iter()
            .find(|first| is_same_object(drafts, first, key));
        match first {
            Some(first) => {
                same.insert((*key).clone(), (*first).clone());
            }
            None => firsts.push(key),
        }
    }
    same
}
