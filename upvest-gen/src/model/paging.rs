//! The pages of a list.

use serde_json::Value;

use super::api::{Content, Paging, Parameter, Place, Type};
use super::types::Types;
use crate::error::Error;
use crate::normalize::Node;

/// The page size if the description has neither a maximum nor a default.
const PAGE_SIZE: u32 = 100;

/// Reads the bounds of `limit`, if the response is a list and the operation has numeric parameters `offset` and
/// `limit`.
pub(super) fn paging<'a>(
    types: &mut Types<'a>,
    own: &[Parameter],
    all: &[(String, &'a Value)],
    content: &Content,
) -> Option<Paging> {
    let offset = query(own, "offset")?;
    let limit = query(own, "limit")?;
    if !matches!(content, Content::List(_)) {
        return None;
    }
    let (at, value) = all
        .iter()
        .find(|(_, it)| it["name"] == "limit" && it["in"] == "query")?;
    if !is_usable(offset) || !is_usable(limit) {
        types.notes.push(Error::at(
            at,
            "the pages of the list cannot be requested, as `offset` and `limit` are not both numbers",
            "give both `type: integer` in the overlay",
        ));
        return None;
    }
    let schema = types.node(&value["schema"], at).unwrap_or_default();
    let default = number(schema.number("default"));
    let max = largest(&schema).unwrap_or_else(|| {
        let size = default.unwrap_or(PAGE_SIZE);
        types.notes.push(Error::at(
            at,
            format!("`limit` has no `maximum`, so that pages of {size} items are requested"),
            "give it the largest number that the server accepts",
        ));
        size
    });
    Some(Paging {
        default: default.unwrap_or(max),
        min: number(schema.number("minimum")).unwrap_or(1),
        max,
    })
}

/// The largest number that a schema allows. `exclusiveMaximum` is a number in OpenAPI 3.1, and a flag beside `maximum`
/// in 3.0.
fn largest(schema: &Node<'_>) -> Option<u32> {
    let below = |bound: u32| bound.saturating_sub(1);
    let maximum = number(schema.number("maximum"));
    let maximum = if schema.is_true("exclusiveMaximum") {
        maximum.map(below)
    } else {
        maximum
    };
    let exclusive = number(schema.number("exclusiveMaximum")).map(below);
    let values = schema.values().unwrap_or_default();
    let listed = values.into_iter().filter_map(|value| number(Some(value)));
    [maximum, exclusive, listed.max()]
        .into_iter()
        .flatten()
        .min()
}

/// Reads a number that may be written as `100.0`. A number that is too large becomes `u32::MAX`.
fn number(value: Option<&Value>) -> Option<u32> {
    let value = value?;
    if let Some(whole) = value.as_u64() {
        return Some(u32::try_from(whole).unwrap_or(u32::MAX));
    }
    let text = value.as_f64().filter(|it| *it >= 0.0)?.trunc().to_string();
    Some(text.parse().unwrap_or(u32::MAX))
}

fn query<'p>(parameters: &'p [Parameter], name: &str) -> Option<&'p Parameter> {
    parameters
        .iter()
        .find(|parameter| parameter.place == Place::Query && parameter.name == name)
}

fn is_usable(parameter: &Parameter) -> bool {
    let is_integer = matches!(parameter.kind, Type::I64 | Type::U32 | Type::U64);
    is_integer && parameter.setter == parameter.name
}
