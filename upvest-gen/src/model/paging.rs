//! The pages of a list.

use serde_json::Value;

use super::api::{Content, Paging, Parameter, Place, Type};
use super::types::Types;
use crate::error::Error;

/// The size of pages if the description names neither a maximum nor a default.
const PAGE_SIZE: u32 = 100;

/// The bounds of `limit`, if the answer is a list and the operation has numeric parameters `offset` and `limit`.
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
    let bound = |name: &str| {
        let bound = schema.number(name).and_then(Value::as_u64);
        bound.map(|bound| u32::try_from(bound).unwrap_or(u32::MAX))
    };
    let default = bound("default");
    let max = bound("maximum").unwrap_or_else(|| {
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
        min: bound("minimum").unwrap_or(1),
        max,
    })
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
