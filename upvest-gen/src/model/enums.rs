//! The enums that have been found. They are named when all have been found, so that names do not depend on the order of
//! the description.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::api::{Enum, Type, Variant};
use super::name_table::NameTable;
use super::names;
use crate::error::{Error, Result};
use crate::normalize::Node;

/// The enums, which are derived from fields. Until they are named, each is known by its key, which is also in
/// [`Type::Enum`].
#[derive(Debug, Default)]
pub(super) struct Enums {
    /// The places of each enum, the best one first.
    found: BTreeMap<String, BTreeMap<Place, Enum>>,
    /// The names of enums whose values are defined elsewhere, each with a place.
    mentions: BTreeMap<String, String>,
}

/// A place in the description. The place of a component takes precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    is_inline: bool,
    at: String,
}

/// Separates the parts of a key: the name that the enum wants, and its values in order.
const SEPARATOR: char = '\u{1f}';

/// Enums with their names.
#[derive(Debug)]
pub(super) struct NamedEnums {
    /// The enums, sorted by name.
    pub(super) enums: Vec<Enum>,
    /// The names by key.
    names: BTreeMap<String, String>,
    /// The problems of enums that the description mentions but does not define.
    pub(super) errors: Vec<Error>,
}

impl NamedEnums {
    /// Replaces the key of an enum in a type with its name. An enum that is defined elsewhere keeps its key, which is
    /// its name.
    pub(super) fn rename(&self, kind: &mut Type) {
        if let Type::Enum(key) = kind.innermost_mut()
            && let Some(name) = self.names.get(key)
        {
            key.clone_from(name);
        }
    }
}

impl Enums {
    /// Adds an enum with `values` that wants the name `wanted`. Returns its key.
    pub(super) fn add(
        &mut self,
        wanted: &str,
        node: &Node<'_>,
        values: &[&Value],
    ) -> Result<String> {
        let base = names::type_name(wanted);
        let item = enumeration(&base, node, values)?;
        let key = key(&base, &item);
        let place = Place {
            is_inline: node.component.is_none(),
            at: node.at.clone(),
        };
        let places = self.found.entry(key.clone()).or_default();
        places.entry(place).or_insert(item);
        Ok(key)
    }

    /// Records the use of the enum `name`, whose values are defined elsewhere.
    pub(super) fn mention(&mut self, name: &str, at: &str) -> String {
        self.mentions.insert(name.to_owned(), at.to_owned());
        name.to_owned()
    }

    /// Marks one value of an enum as deprecated.
    pub(super) fn deprecate(&mut self, key: &str, wire: &str) {
        let items = self.found.get_mut(key).into_iter().flatten();
        for (_, item) in items {
            let mut variants = item.variants.iter_mut();
            if let Some(variant) = variants.find(|variant| variant.wire == wire) {
                variant.deprecated = true;
            }
        }
    }

    /// Names all enums. If two enums have the same base name and one contains all values of the other, they become one
    /// type, because an update often allows only some of the entity's values. The remaining enums get numbered names.
    pub(super) fn name(self, table: &mut NameTable) -> NamedEnums {
        // The enums with the most values come first, because they may contain all values of others.
        let mut found: Vec<(String, BTreeMap<Place, Enum>)> = self.found.into_iter().collect();
        found.sort_by_key(|(key, _)| Reverse(values(key).count()));
        let mut by_base: BTreeMap<String, Vec<Group>> = BTreeMap::new();
        for (key, places) in found {
            let groups = by_base.entry(base(&key).to_owned()).or_default();
            let group = groups.iter_mut().find(|group| group.covers(&key));
            match group {
                Some(group) => group.add(key, places),
                None => groups.extend(Group::new(key, places)),
            }
        }
        let mut named = NamedEnums {
            enums: Vec::new(),
            names: BTreeMap::new(),
            errors: Vec::new(),
        };
        let mut others = Vec::new();
        for (base, mut groups) in by_base {
            groups.sort_by(|one, other| one.place.cmp(&other.place));
            let mut groups = groups.into_iter();
            if let Some(best) = groups.next() {
                named.add(best, table.reserve_enum(&base));
            }
            others.extend(groups.map(|group| (base.clone(), group)));
        }
        // Numbered names are given last, so that they do not take a name that another enum wants.
        for (base, group) in others {
            named.add(group, table.reserve_first(&[base]));
        }
        named.enums.sort_by(|one, other| one.name.cmp(&other.name));
        named.check(&self.mentions);
        named
    }
}

impl NamedEnums {
    fn add(&mut self, group: Group, name: String) {
        for key in &group.keys {
            self.names.insert(key.clone(), name.clone());
        }
        self.enums.push(group.into_enum(name));
    }

    /// Adds an error for each mention of an enum that is not defined.
    fn check(&mut self, mentions: &BTreeMap<String, String>) {
        let known: HashSet<&str> = self.enums.iter().map(|item| item.name.as_str()).collect();
        let strays = mentions
            .iter()
            .filter(|(name, _)| !known.contains(name.as_str()));
        let errors = strays.map(|(name, at)| {
            let problem = format!("`x-type-name: {name}` names an enum without values");
            Error::at(at, problem, "correct the name, or give the values")
        });
        self.errors = errors.collect();
    }
}

/// Enums that are one type.
#[derive(Debug)]
struct Group {
    keys: Vec<String>,
    /// The place that takes precedence over the others.
    place: Place,
    /// The enum with the values of all enums of the group.
    whole: Enum,
    others: Vec<(Place, Enum)>,
}

impl Group {
    fn new(key: String, mut places: BTreeMap<Place, Enum>) -> Option<Self> {
        let (place, whole) = places.pop_first()?;
        Some(Self {
            keys: vec![key],
            place,
            whole,
            others: places.into_iter().collect(),
        })
    }

    fn covers(&self, key: &str) -> bool {
        self.keys.first().is_some_and(|first| covers(first, key))
    }

    fn add(&mut self, key: String, places: BTreeMap<Place, Enum>) {
        self.keys.push(key);
        for (place, item) in places {
            self.place = self.place.clone().min(place.clone());
            self.others.push((place, item));
        }
    }

    /// Returns the enum with the documentation of all enums of the group.
    fn into_enum(self, name: String) -> Enum {
        let mut whole = self.whole;
        let base = std::mem::replace(&mut whole.name, name);
        let mut others = self.others;
        others.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (_, other) in others {
            merge(&mut whole, other, &base);
        }
        whole
    }
}

fn key(base: &str, item: &Enum) -> String {
    let mut wires: Vec<&str> = item
        .variants
        .iter()
        .map(|variant| variant.wire.as_str())
        .collect();
    wires.sort_unstable();
    let mut key = base.to_owned();
    for wire in wires {
        key.push(SEPARATOR);
        key.push_str(wire);
    }
    key
}

fn base(key: &str) -> &str {
    key.split(SEPARATOR).next().unwrap_or_default()
}

fn values(key: &str) -> impl Iterator<Item = &str> {
    key.split(SEPARATOR).skip(1)
}

/// Whether the enum `all` wants the same name as `some` and has all its values.
fn covers(all: &str, some: &str) -> bool {
    let known: HashSet<&str> = values(all).collect();
    base(all) == base(some) && values(some).all(|value| known.contains(value))
}

/// Whether two enums, by their keys or names, are one type.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one == other || covers(one, other) || covers(other, one)
}

/// Merges the documentation of `found` into `known`, which has all its values. An enum without a description is
/// described by the name that it wanted.
fn merge(known: &mut Enum, mut found: Enum, undocumented: &str) {
    if known.description == undocumented {
        known.description.clone_from(&found.description);
    }
    let others: HashMap<&str, &Variant> = found
        .variants
        .iter()
        .map(|variant| (variant.wire.as_str(), variant))
        .collect();
    for variant in &mut known.variants {
        let is_undescribed = variant.description == undescribed(&variant.wire);
        let other = others.get(variant.wire.as_str()).copied();
        if let Some(other) = other.filter(|_| is_undescribed) {
            variant.description.clone_from(&other.description);
        }
        variant.deprecated |= other.is_some_and(|other| other.deprecated);
    }
    found.finals.retain(|name| !known.finals.contains(name));
    known.finals.append(&mut found.finals);
}

/// Returns the description of a value that the API does not describe.
fn undescribed(wire: &str) -> String {
    format!("The value `{wire}`.")
}

fn enumeration(name: &str, node: &Node<'_>, values: &[&Value]) -> Result<Enum> {
    let meanings = node.object("x-enum-descriptions");
    let mut variants: Vec<Variant> = Vec::new();
    let mut wires: HashSet<&str> = HashSet::new();
    let mut taken: HashSet<String> = HashSet::new();
    for value in values {
        let Some(wire) = value.as_str() else {
            return Err(Error::at(
                &node.at,
                format!("the enum value {value} is not a string"),
                "use strings",
            ));
        };
        if !wires.insert(wire) {
            continue;
        }
        let name = names::variant(wire, |name| taken.contains(name));
        taken.insert(name.clone());
        let meaning = meanings
            .and_then(|meanings| meanings.get(wire))
            .and_then(Value::as_str);
        let description = meaning.map_or_else(|| undescribed(wire), str::to_owned);
        variants.push(Variant {
            name,
            deprecated: false,
            wire: wire.to_owned(),
            description,
        });
    }
    let finals = node.list("x-final").iter().filter_map(Value::as_str);
    let explained = meanings
        .into_iter()
        .flatten()
        .map(|(wire, _)| ("x-enum-descriptions", wire.as_str()));
    let mut named = explained.chain(finals.clone().map(|wire| ("x-final", wire)));
    if let Some((keyword, strange)) = named.find(|(_, wire)| !wires.contains(wire)) {
        let problem = format!("`{keyword}` names {strange:?}, which is not a value");
        return Err(Error::at(&node.at, problem, "correct the overlay"));
    }
    let finals = finals.filter_map(|wire| variants.iter().find(|variant| variant.wire == wire));
    let finals = finals.map(|variant| variant.name.clone()).collect();
    let description = node.prose().unwrap_or(name).to_owned();
    Ok(Enum {
        name: name.to_owned(),
        description,
        variants,
        finals,
    })
}
