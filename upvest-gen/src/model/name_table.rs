//! The names that are taken, with the ids and enums that have them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use heck::ToTitleCase;
use serde_json::Value;

use super::api::{Enum, Id, Variant};
use super::names;
use crate::error::{Error, Result};
use crate::normalize::Node;

/// The ids and enums, which are derived from fields. Each is created once, however often it occurs.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    ids: BTreeSet<String>,
    enums: BTreeMap<String, Enum>,
    /// The names of enums whose values are defined elsewhere, each with a place.
    mentions: BTreeMap<String, String>,
    /// The names of objects.
    objects: BTreeSet<String>,
}

impl NameTable {
    /// Reserves the name for an object, unless another type has it.
    fn claim(&mut self, name: &str) -> bool {
        let is_free = !self.ids.contains(name)
            && !self.enums.contains_key(name)
            && !self.objects.contains(name);
        if is_free {
            self.objects.insert(name.to_owned());
        }
        is_free
    }

    /// The first of the names that is not taken, or the last one with a number.
    pub(super) fn claim_first(&mut self, wanted: &[String]) -> String {
        let last = wanted.last().map(String::as_str).unwrap_or_default();
        let numbered = (2..).map(|number| names::numbered(last, number));
        let mut candidates = wanted.iter().cloned().chain(numbered);
        candidates.find(|name| self.claim(name)).unwrap_or_default()
    }

    /// The name of the id type `name`.
    pub(super) fn id(&mut self, name: &str) -> String {
        let mut name = self.apart_from_objects(names::type_name(name));
        while self.enums.contains_key(&name) {
            name = names::numbered(&name, 2);
        }
        self.ids.insert(name.clone());
        name
    }

    /// Records the use of the enum `name`, whose values are defined elsewhere.
    pub(super) fn mention(&mut self, name: &str, at: &str) -> String {
        self.mentions.insert(name.to_owned(), at.to_owned());
        name.to_owned()
    }

    /// The name of the enum with `values`: `wanted`, unless an enum with that name has other values.
    ///
    /// Two fields share a type if one has all the values of the other, as an update often allows only some of the
    /// values that the entity can have.
    pub(super) fn values(
        &mut self,
        wanted: &str,
        node: &Node<'_>,
        values: &[&Value],
    ) -> Result<String> {
        let base = self.apart_from_objects(names::type_name(wanted));
        let mut found = variants(&base, node, values)?;
        let mut name = base.clone();
        let mut number = 1;
        loop {
            let is_other = self.ids.contains(&name) || self.objects.contains(&name);
            match self.enums.get_mut(&name) {
                _ if is_other => {}
                Some(known) if covers(known, &found) || covers(&found, known) => {
                    merge(known, found);
                    return Ok(name);
                }
                Some(_) => {}
                None => {
                    found.name.clone_from(&name);
                    self.enums.insert(name.clone(), found);
                    return Ok(name);
                }
            }
            number += 1;
            name = names::numbered(&base, number);
        }
    }

    /// Marks one value of the enum `name` as deprecated.
    pub(super) fn deprecate(&mut self, name: &str, wire: &str) {
        let variants = self.enums.get_mut(name).map(|item| &mut item.variants);
        let mut variants = variants.into_iter().flatten();
        if let Some(variant) = variants.find(|variant| variant.wire == wire) {
            variant.deprecated = true;
        }
    }

    /// The enums and ids, or an error for each use of an enum without values.
    pub(super) fn finish(self) -> std::result::Result<(Vec<Enum>, Vec<Id>), Vec<Error>> {
        let strays = self
            .mentions
            .iter()
            .filter(|(name, _)| !self.enums.contains_key(*name));
        let errors: Vec<Error> = strays
            .map(|(name, at)| {
                let problem = format!("`x-type-name: {name}` names an enum without values");
                Error::at(at, problem, "correct the name, or give the values")
            })
            .collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let ids = self
            .ids
            .into_iter()
            .map(|name| Id {
                description: id_description(&name),
                name,
            })
            .collect();
        Ok((self.enums.into_values().collect(), ids))
    }

    fn apart_from_objects(&self, name: String) -> String {
        if self.objects.contains(&name) {
            name + "_"
        } else {
            name
        }
    }
}

fn id_description(name: &str) -> String {
    let thing = name
        .strip_suffix("Id")
        .unwrap_or(name)
        .to_title_case()
        .to_lowercase();
    let article = if thing.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("Identifies {article} {thing}.")
}

fn covers(all: &Enum, some: &Enum) -> bool {
    let wires: HashSet<&str> = all
        .variants
        .iter()
        .map(|variant| variant.wire.as_str())
        .collect();
    some.variants
        .iter()
        .all(|variant| wires.contains(variant.wire.as_str()))
}

/// Adds the values and the documentation of `found` to `known`, one of which has all values of the other.
fn merge(known: &mut Enum, mut found: Enum) {
    if known.description == known.name {
        known.description.clone_from(&found.description);
    }
    if !covers(known, &found) {
        std::mem::swap(&mut known.variants, &mut found.variants);
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

/// The description of a value that has none.
fn undescribed(wire: &str) -> String {
    format!("The value `{wire}`.")
}

fn variants(name: &str, node: &Node<'_>, values: &[&Value]) -> Result<Enum> {
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
