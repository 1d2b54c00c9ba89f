//! Responses that are lists, and the description of a page in them.

use serde_json::Value;

use super::api::Type;
use super::context::Context;
use super::types::Types;
use super::unions;
use super::values;
use crate::error::Error;
use crate::normalize::{Node, Part};

/// The fields of the object that describes a page, for which the runtime has a type.
pub(crate) const PAGE_FIELDS: [&str; 7] = [
    "offset",
    "limit",
    "count",
    "total",
    "total_count",
    "sort",
    "order",
];

/// A response that is a list in each of its alternatives.
#[derive(Debug)]
pub(super) struct List<'a> {
    /// The schemas of `data`.
    data: Vec<Part<'a>>,
    /// The components that the runtime's types replace.
    replaced: Vec<&'a str>,
    /// Whether the response may be `null` instead of a list.
    pub(super) is_nullable: bool,
    /// Whether `data` may be missing or `null`, or the response may be an empty object.
    pub(super) may_lack_data: bool,
}

/// Reads a list. The response must be an object with only `data` (and `meta` if it has pages), or a union of such
/// objects.
pub(super) fn list<'a>(types: &mut Types<'a>, value: &'a Value, at: &str) -> Option<List<'a>> {
    let node = types.node(value, at).ok()?;
    let alternatives = unions::alternatives(types, &node).ok()?;
    let mut list = List {
        data: Vec::new(),
        replaced: node.component.into_iter().collect(),
        is_nullable: node.nullable,
        may_lack_data: alternatives.may_be_empty,
    };
    for branch in &alternatives.branches {
        list.add_branch(types, branch)?;
    }
    Some(list)
}

impl<'a> List<'a> {
    /// Adds one alternative of the list. `None` if the alternative is not a list.
    fn add_branch(&mut self, types: &mut Types<'a>, branch: &Node<'a>) -> Option<()> {
        let mut data = None;
        for property in &branch.properties {
            match property.name {
                "data" => data = Some(property),
                "meta" => self.add_page(types, property)?,
                _ => return None,
            }
        }
        let data = data?;
        let node = types.part(data).ok()?;
        let is_needed = branch.required.contains("data") && !node.nullable;
        self.may_lack_data |= !is_needed || unions::alternatives(types, &node).ok()?.may_be_empty;
        self.replaced.extend(branch.component);
        self.data.push(data.clone());
        Some(())
    }

    /// Adds the description of a page. `None` if the runtime's type cannot read it.
    fn add_page(&mut self, types: &mut Types<'a>, property: &Part<'a>) -> Option<()> {
        let meta = types.part(property).ok()?;
        if !is_page(types, &meta) {
            let note = other_page(&meta, &property.at);
            types
                .notes
                .extend(note.filter(|note| !types.notes.contains(note)));
            return None;
        }
        self.replaced.extend(meta.component);
        Some(())
    }

    /// The type of the items.
    pub(super) fn items(&self, types: &mut Types<'a>, context: &Context<'_>) -> Option<Type> {
        let context = Context {
            field: "data",
            ..*context
        };
        let (kind, _) = values::any(types, &self.data, &context);
        let Type::List(item) = kind.present() else {
            return None;
        };
        types.replaced.extend(&self.replaced);
        Some((**item).clone())
    }
}

/// Whether an object describes a page, for which the runtime has a type.
pub(super) fn is_page<'a>(types: &Types<'a>, node: &Node<'a>) -> bool {
    let mut properties = node.properties.iter();
    has_page_fields(node) && properties.all(|property| is_page_field(types, property))
}

fn has_page_fields(node: &Node<'_>) -> bool {
    let mut names = node.properties.iter().map(|property| property.name);
    names.any(|name| ["offset", "limit", "total", "total_count"].contains(&name))
}

/// Whether the runtime's type of a page can read a field.
fn is_page_field<'a>(types: &Types<'a>, property: &Part<'a>) -> bool {
    let expected = match property.name {
        "sort" | "order" => "string",
        _ => "integer",
    };
    let kind = types
        .part(property)
        .ok()
        .and_then(|node| node.kind().map(str::to_owned));
    PAGE_FIELDS.contains(&property.name) && kind.is_none_or(|kind| kind == expected)
}

/// Returns a note if the pages of a list cannot be requested, because `meta` has unexpected fields or types.
fn other_page(meta: &Node<'_>, at: &str) -> Option<Error> {
    has_page_fields(meta).then(|| {
        Error::at(
            at,
            "the pages of the list cannot be requested, as `meta` has other fields or types than expected",
            "describe `offset`, `limit`, `count`, `total` and `total_count` as integers",
        )
    })
}
