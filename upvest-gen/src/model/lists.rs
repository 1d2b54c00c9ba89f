//! Answers that are lists, and the description of a page in them.

use serde_json::Value;

use super::api::Type;
use super::context::Context;
use super::types::Types;
use super::values;
use crate::error::Error;
use crate::normalize::{Node, Part};

/// The fields of the object that describes a page.
const PAGE: [&str; 7] = [
    "offset",
    "limit",
    "count",
    "total",
    "total_count",
    "sort",
    "order",
];

/// The type of the items of an answer that is a list: an object with only `data`, and `meta` if it has pages.
pub(super) fn items<'a>(
    types: &mut Types<'a>,
    value: &'a Value,
    at: &str,
    context: &Context<'_>,
) -> Option<Type> {
    let node = types.node(value, at).ok()?;
    if !node.alternatives.is_empty() {
        return None;
    }
    let mut data = None;
    let mut page = None;
    for property in &node.properties {
        match property.name {
            "data" => data = Some(property),
            "meta" => {
                let meta = types.part(property).ok()?;
                if !is_page(types, &meta) {
                    types.notes.extend(other_page(&meta, &property.at));
                    return None;
                }
                page = Some(meta);
            }
            _ => return None,
        }
    }
    let data = data?;
    let context = Context {
        field: "data",
        ..*context
    };
    let (Type::List(item), _) = values::part(types, data, &context) else {
        return None;
    };
    types.replaced.extend(node.component);
    types.replaced.extend(page.and_then(|page| page.component));
    Some(*item)
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
    PAGE.contains(&property.name) && kind.is_none_or(|kind| kind == expected)
}

/// The note about a list whose pages cannot be requested, as the fields of `meta` are others or have other types.
fn other_page(meta: &Node<'_>, at: &str) -> Option<Error> {
    has_page_fields(meta).then(|| {
        Error::at(
            at,
            "the pages of the list cannot be requested, as `meta` has other fields or types than expected",
            "describe `offset`, `limit`, `count`, `total` and `total_count` as integers",
        )
    })
}
