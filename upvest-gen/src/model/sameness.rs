//! Compares types that were read at different places.

use std::collections::{BTreeMap, BTreeSet};

use super::api::{Content, Field, Shape, Type};
use super::enums;
use super::types::Draft;

/// The objects that have been read, by key.
type Drafts = BTreeMap<String, Draft>;

/// Two objects, by key.
type Pair = (String, String);

/// Whether two responses have the same type.
pub(super) fn is_same_content(drafts: &Drafts, one: &Content, other: &Content) -> bool {
    match (one, other) {
        (Content::Json(one), Content::Json(other)) | (Content::List(one), Content::List(other)) => {
            let mut pairs = Vec::new();
            same_type(one, other, &mut pairs) && are_same(drafts, pairs)
        }
        (one, other) => one == other,
    }
}

/// Whether two objects want the same name and have the same fields. The descriptions may differ.
pub(super) fn is_same_object(drafts: &Drafts, one: &str, other: &str) -> bool {
    are_same(drafts, vec![(one.to_owned(), other.to_owned())])
}

fn are_same(drafts: &Drafts, mut open: Vec<Pair>) -> bool {
    let mut compared = BTreeSet::new();
    while let Some(pair) = open.pop() {
        if pair.0 == pair.1 || compared.contains(&pair) {
            continue;
        }
        let (Some(one), Some(other)) = (drafts.get(&pair.0), drafts.get(&pair.1)) else {
            return false;
        };
        let has_name = one.names.first() == other.names.first();
        if !has_name || !same_shape(&one.schema.shape, &other.schema.shape, &mut open) {
            return false;
        }
        compared.insert(pair);
    }
    true
}

/// Compares two shapes. Adds the objects in them, which remain to be compared, to `open`.
fn same_shape(one: &Shape, other: &Shape, open: &mut Vec<Pair>) -> bool {
    match (one, other) {
        (Shape::Object(fields), Shape::Object(others)) => {
            let fields = sorted(fields);
            let others = sorted(others);
            let mut pairs = fields.iter().zip(&others);
            fields.len() == others.len() && pairs.all(|(one, other)| same_field(one, other, open))
        }
        (
            Shape::Union { tag, variants },
            Shape::Union {
                tag: other_tag,
                variants: others,
            },
        ) => {
            let mut pairs = variants.iter().zip(others);
            tag == other_tag
                && variants.len() == others.len()
                && pairs.all(|(one, other)| {
                    one.wire == other.wire
                        && one.other_wires == other.other_wires
                        && same_type(&one.kind, &other.kind, open)
                })
        }
        _ => false,
    }
}

fn sorted(fields: &[Field]) -> Vec<&Field> {
    let mut fields: Vec<&Field> = fields.iter().collect();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    fields
}

fn same_field(one: &Field, other: &Field, open: &mut Vec<Pair>) -> bool {
    one.name == other.name
        && one.rust == other.rust
        && one.required == other.required
        && one.nullable == other.nullable
        && one.blank == other.blank
        && one.public == other.public
        && one.only == other.only
        && same_type(&one.kind, &other.kind, open)
}

fn same_type(one: &Type, other: &Type, open: &mut Vec<Pair>) -> bool {
    match (one, other) {
        (Type::Schema(one), Type::Schema(other)) => {
            open.push((one.clone(), other.clone()));
            true
        }
        (Type::List(one), Type::List(other))
        | (Type::Map(one), Type::Map(other))
        | (Type::Nullable(one), Type::Nullable(other))
        | (Type::OrEmpty(one), Type::OrEmpty(other)) => same_type(one, other, open),
        // Before enums are named, an enum that has all values of another may still become the same type.
        (Type::Enum(one), Type::Enum(other)) => enums::is_same(one, other),
        (one, other) => one == other,
    }
}
