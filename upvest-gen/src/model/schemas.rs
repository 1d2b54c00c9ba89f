//! Reads the objects that were found, including those that are found while others are read.

use super::api::{Alternative, Shape, Type};
use super::context::Context;
use super::fields;
use super::homes::home;
use super::names;
use super::objects;
use super::types::{Tag, Types, Unread};
use crate::error::Error;

/// Reads all objects that have been found but not read.
pub(super) fn read_objects(types: &mut Types<'_>) {
    while let Some(unread) = types.next_unread() {
        let shape = if let Some(tag) = &unread.tag {
            union(types, &unread, tag)
        } else {
            note_merged(types, &unread);
            Shape::Object(fields::fields(types, &unread))
        };
        types.finish(&unread.key, shape);
    }
}

/// Notes that several objects become one struct.
fn note_merged(types: &mut Types<'_>, object: &Unread<'_>) {
    let [first, _, ..] = object.branches.as_slice() else {
        return;
    };
    let at = object.key.split('|').next().unwrap_or(&first.at);
    types.notes.push(Error::at(
        at,
        format!(
            "no field tells the {} objects of `{}` apart, which are read as one with the fields of all of them",
            object.branches.len(),
            object.name
        ),
        "add a `discriminator` in the overlay, or give one field of each object its own values",
    ));
}

fn union<'a>(types: &mut Types<'a>, unread: &Unread<'a>, tag: &Tag) -> Shape {
    let mut variants: Vec<Alternative> = Vec::new();
    for (branch, wires) in unread.branches.iter().zip(&tag.values) {
        let mut wires = wires.iter().cloned();
        let wire = wires.next().unwrap_or_default();
        let context = Context {
            home: home(&unread.key),
            ..Context::new(&unread.name, &unread.entity, &wire)
        };
        let kind = objects::variant(types, &unread.key, branch, &context);
        let kind = kind.unwrap_or_else(|error| {
            types.report(error);
            Type::Json
        });
        let is_taken = |name: &str| variants.iter().any(|variant| variant.name == name);
        let name = names::variant(&wire, is_taken);
        variants.push(Alternative {
            name,
            wire,
            other_wires: wires.collect(),
            kind,
        });
    }
    Shape::Union {
        tag: tag.field.clone(),
        variants,
    }
}
