//! The types of numbers.

use serde_json::Value;

use super::api::Type;
use super::context::Context;
use super::types::Types;
use crate::error::Error;
use crate::normalize::Node;

/// Returns the type of a number, and adds a note unless the format says that the number is a float.
pub(super) fn number(types: &mut Types<'_>, node: &Node<'_>, context: &Context<'_>) -> Type {
    if !matches!(node.text("format"), Some("float" | "double")) {
        let field = context.field;
        let entity = context.entity;
        types.notes.push(Error::at(
            &node.at,
            format!("`{field}` of {entity} is a JSON number, which is read as a float and not exactly"),
            "give it `format: double` in the overlay if it is not an amount, or make it a decimal text",
        ));
    }
    Type::F64
}

/// Returns the integer type that holds the integers of all branches, and adds a note if a branch has a smaller type.
pub(super) fn widest(
    types: &mut Types<'_>,
    node: &Node<'_>,
    branches: &[Node<'_>],
    context: &Context<'_>,
) -> Type {
    let widest = widest_of(branches);
    if branches.iter().any(|branch| integer(branch) != widest) {
        types.notes.push(Error::at(
            &node.at,
            format!(
                "`{}` of {} has several ranges of integers, which are read as one that holds all of them",
                context.field, context.entity
            ),
            "describe one of them in the overlay, if the others do not occur",
        ));
    }
    widest
}

fn widest_of(branches: &[Node<'_>]) -> Type {
    let kinds: Vec<Type> = branches.iter().map(integer).collect();
    let has = |kind: Type| kinds.contains(&kind);
    if has(Type::I64) {
        Type::I64
    } else if has(Type::U64) {
        Type::U64
    } else {
        Type::U32
    }
}

/// Returns the integer type for the bounds and the format. The bounds themselves are checked only by the server.
pub(super) fn integer(node: &Node<'_>) -> Type {
    // A negative bound counts as absent, so the type is signed unless the format says otherwise.
    let non_negative_bound = |keyword: &str| node.number(keyword).and_then(Value::as_u64);
    let lower = non_negative_bound("minimum").or(non_negative_bound("exclusiveMinimum"));
    let upper = non_negative_bound("maximum").or(non_negative_bound("exclusiveMaximum"));
    match (lower, upper, node.text("format")) {
        (Some(_), Some(max), _) if u32::try_from(max).is_ok() => Type::U32,
        (_, _, Some("uint32")) => Type::U32,
        (Some(_), _, _) | (_, _, Some("uint64")) => Type::U64,
        _ => Type::I64,
    }
}
