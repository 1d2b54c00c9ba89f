//! The names that follow from fields: ids and enums, each once, however often they occur.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToPascalCase, ToTitleCase};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// A typed id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IdType {
    pub(crate) name: String,
    pub(crate) docs: String,
}

/// An open enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EnumType {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) variants: Vec<Variant>,
}

/// One known value of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) wire: String,
    pub(crate) docs: String,
}

pub(crate) struct Named {
    pub(crate) ids: Vec<IdType>,
    pub(crate) enums: Vec<EnumType>,
}

#[derive(Default)]
pub(crate) struct Names {
    ids: BTreeSet<String>,
    enums: BTreeMap<String, (EnumType, String)>,
    mentions: BTreeMap<String, String>,
}

impl Names {
    pub(crate) fn id(&mut self, name: &str) {
        self.ids.insert(name.to_owned());
    }

    /// Something has the type `name`, whose values stand elsewhere.
    pub(crate) fn mention(&mut self, name: &str, at: &str) {
        self.mentions.insert(name.to_owned(), at.to_owned());
    }

    /// Declares the enum `name` with the values of `schema`.
    ///
    /// Two fields share a type if one has all the values of the other: what a change request may set is a part of what the
    /// entity can be.
    pub(crate) fn values(&mut self, name: &str, schema: &Map<String, Value>, at: &str) -> Result<()> {
        let found = read(name, schema, at)?;
        match self.enums.get_mut(name) {
            None => {
                self.enums.insert(name.to_owned(), (found, at.to_owned()));
            }
            Some((known, _)) if covers(known, &found) => {}
            Some(place) if covers(&found, &place.0) => *place = (found, at.to_owned()),
            Some((_, first)) => {
                return Err(Error::at(
                    at,
                    format!("the enum `{name}` has other values than at {first}"),
                    "name one of them by `x-type-name` in the overlay",
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Named> {
        for (name, at) in &self.mentions {
            if !self.enums.contains_key(name) {
                return Err(Error::at(
                    at,
                    format!("`x-type-name: {name}` names no enum"),
                    "correct the name, or give the values",
                ));
            }
        }
        if let Some((name, (_, at))) = self.enums.iter().find(|(name, _)| self.ids.contains(*name)) {
            return Err(Error::at(
                at,
                format!("`{name}` is an id and an enum"),
                "name one of them by `x-type-name`",
            ));
        }
        let ids = self.ids.into_iter().map(|name| IdType { docs: id_docs(&name), name }).collect();
        let enums = self.enums.into_values().map(|(item, _)| item).collect();
        Ok(Named { ids, enums })
    }
}

/// The entity that a schema is about: `OrderCreate` and `OrderUpdate` are about the `Order`.
pub(crate) fn entity(schema: &str) -> String {
    let name = schema.to_pascal_case();
    let entity = name.strip_suffix("Create").or_else(|| name.strip_suffix("Update"));
    entity.filter(|entity| !entity.is_empty()).unwrap_or(&name).to_owned()
}

fn id_docs(name: &str) -> String {
    let thing = name.strip_suffix("Id").unwrap_or(name).to_title_case().to_lowercase();
    let article = if thing.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("Identifies {article} {thing}.")
}

fn read(name: &str, schema: &Map<String, Value>, at: &str) -> Result<EnumType> {
    let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let meanings = schema.get("x-enum-descriptions");
    let mut variants: Vec<Variant> = Vec::new();
    for value in values {
        let Some(wire) = value.as_str() else {
            return Err(Error::at(at, format!("the enum value {value} is no string"), "use strings"));
        };
        let name = variant(wire);
        if syn::parse_str::<syn::Ident>(&name).is_err()
            || name == "Unknown"
            || variants.iter().any(|other| other.name == name)
        {
            return Err(Error::at(
                at,
                format!("the enum value {wire:?} cannot name a variant"),
                "rename it in the overlay",
            ));
        }
        let meaning = meanings.and_then(|meanings| meanings[wire].as_str());
        let docs = meaning.map_or_else(|| format!("`{wire}` on the wire."), str::to_owned);
        variants.push(Variant { name, wire: wire.to_owned(), docs });
    }
    if let Some(strange) = meanings
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(wire, _)| wire)
        .find(|wire| variants.iter().all(|variant| variant.wire != **wire))
    {
        return Err(Error::at(
            at,
            format!("`x-enum-descriptions` explains {strange:?}, which is no value"),
            "correct the overlay",
        ));
    }
    let docs = schema.get("description").and_then(Value::as_str).unwrap_or(name);
    Ok(EnumType { name: name.to_owned(), docs: docs.to_owned(), variants })
}

fn variant(wire: &str) -> String {
    let name = wire.to_pascal_case();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("N{name}") } else { name }
}

fn covers(all: &EnumType, some: &EnumType) -> bool {
    some.variants.iter().all(|variant| all.variants.iter().any(|other| other.wire == variant.wire))
}
