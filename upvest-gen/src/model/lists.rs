//! Answers that are lists, and the description of a page in them.

use serde_json::Value;

use super::api::Type;
use super::context::Context;
use super::types::Types;
use super::values;
use crate::normalize::Node;

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
            "meta" => page = Some(types.part(property).ok().filter(|page| is_page(page))?),
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
pub(super) fn is_page(node: &Node<'_>) -> bool {
    let has = |name: &str| node.properties.iter().any(|property| property.name == name);
    let is_known = node
        .properties
        .iter()
        .all(|property| PAGE.contains(&property.name));
    is_known
        && ["offset", "limit", "total", "total_count"]
            .into_iter()
            .any(has)
}
