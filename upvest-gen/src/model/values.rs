//! The type of a value.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::api::Type;
use super::context::Context;
use super::numbers;
use super::objects;
use super::texts;
use super::types::Types;
use super::unions::{self, Alternatives, distinct, is_object};
use crate::error::{Error, Result};
use crate::load::texts::UNQUOTED;
use crate::normalize::{Node, Part};

/// The result of reading one level: the type of a value, or the list or map around a value that remains to be read.
enum Reading<'a> {
    Type(Type),
    /// A list or a map of these values.
    Container(Container, Part<'a>),
    /// A list. Each of its items matches one of these schemas.
    ListOf(Vec<Part<'a>>),
}

/// The maximum depth of lists and maps inside each other. The compiler limits the nesting of types.
const MAX_CONTAINERS: usize = 8;

/// A type that contains another one.
#[derive(Clone, Copy)]
enum Container {
    List,
    Map,
    Nullable,
    OrEmpty,
}

/// Returns the type of a value, and whether it may be null. A schema with a problem is reported and becomes any JSON.
pub(super) fn value<'a>(
    types: &mut Types<'a>,
    value: &'a Value,
    at: &str,
    context: &Context<'_>,
) -> (Type, bool) {
    let node = types.node(value, at);
    kind_or_json(types, node, context)
}

/// As [`value`], for a nested schema.
pub(super) fn part<'a>(
    types: &mut Types<'a>,
    part: &Part<'a>,
    context: &Context<'_>,
) -> (Type, bool) {
    let node = types.part(part);
    kind_or_json(types, node, context)
}

fn kind_or_json<'a>(
    types: &mut Types<'a>,
    node: Result<Rc<Node<'a>>>,
    context: &Context<'_>,
) -> (Type, bool) {
    let read = node.and_then(|node| kind_and_null(types, node, context));
    read.unwrap_or_else(|error| {
        types.report(error);
        (Type::Json, true)
    })
}

/// Returns the type of a value that matches any of `parts`, and whether it may be null.
pub(super) fn any<'a>(
    types: &mut Types<'a>,
    parts: &[Part<'a>],
    context: &Context<'_>,
) -> (Type, bool) {
    let parts = distinct(parts.to_vec());
    let [first, _, ..] = parts.as_slice() else {
        let only = parts.first();
        return only.map_or((Type::Json, true), |only| part(types, only, context));
    };
    let at = first.at.clone();
    kind_or_json(types, Ok(Rc::new(Node::one_of(parts, &at))), context)
}

/// The type of the value that `node` describes, and whether it may be null. For a decimal that may be an empty
/// text, the type itself is nullable instead. The objects in the value are added to the worklist.
pub(super) fn kind_and_null<'a>(
    types: &mut Types<'a>,
    node: Rc<Node<'a>>,
    context: &Context<'_>,
) -> Result<(Type, bool)> {
    let mut node = node;
    let mut context = *context;
    let mut is_nullable = None;
    let mut containers = Vec::new();
    let mut seen = BTreeSet::new();
    loop {
        let alternatives = unions::alternatives(types, &node)?;
        let may_be_null =
            node.nullable || alternatives.branches.iter().any(|branch| branch.nullable);
        let is_inside = is_nullable.is_some();
        let is_nullable = *is_nullable.get_or_insert(may_be_null);
        if may_be_null && is_inside {
            containers.push(Container::Nullable);
        }
        if alternatives.may_be_empty {
            containers.push(Container::OrEmpty);
        }
        let (step, part) = match read(types, &node, &alternatives, &context)? {
            Reading::Type(kind) => return Ok((within(containers, kind), is_nullable)),
            Reading::ListOf(items) => {
                context = context.inside();
                node = Rc::new(Node::one_of(distinct(items), &node.at));
                containers.push(Container::List);
                continue;
            }
            Reading::Container(step, part) => (step, part),
        };
        containers.push(step);
        if containers.len() > MAX_CONTAINERS {
            note_too_deep(types, &part, &context);
            return Ok((within(containers, Type::Json), is_nullable));
        }
        let inner = if seen.insert(part.key()) {
            types.part(&part)
        } else {
            Err(Error::at(
                &part.at,
                format!("the list or map `{}` contains itself", context.field),
                "break the cycle with an object: put the list or map in one of its fields",
            ))
        };
        context = context.inside();
        match inner {
            Ok(inner) => node = inner,
            Err(error) => {
                types.report(error);
                return Ok((within(containers, Type::Json), is_nullable));
            }
        }
    }
}

/// Puts `kind` into the containers, of which the outermost comes first. Any JSON may be null anyway.
fn within(containers: Vec<Container>, kind: Type) -> Type {
    containers
        .into_iter()
        .rev()
        .fold(kind, |kind, container| match (container, kind) {
            (Container::OrEmpty, Type::Json) => Type::Json,
            (Container::Nullable, kind) => kind.or_null(),
            (Container::OrEmpty, kind) => Type::OrEmpty(Box::new(kind)),
            (Container::List, kind) => Type::List(Box::new(kind)),
            (Container::Map, kind) => Type::Map(Box::new(kind)),
        })
}

fn read<'a>(
    types: &mut Types<'a>,
    node: &Node<'a>,
    alternatives: &Alternatives<'a>,
    context: &Context<'_>,
) -> Result<Reading<'a>> {
    let branches = &alternatives.branches;
    match branches.as_slice() {
        // One alternative remains if the other alternatives of an object are empty.
        [only] if only.component.is_none() && is_object(only) && !node.alternatives.is_empty() => {
            objects::object(types, node, branches, None, context).map(Reading::Type)
        }
        [only] => single(types, only, context),
        several => union(types, node, several, context),
    }
}

fn single<'a>(
    types: &mut Types<'a>,
    node: &Node<'a>,
    context: &Context<'_>,
) -> Result<Reading<'a>> {
    let branches = std::slice::from_ref(node);
    let kind = match node.kind() {
        Some("string") => texts::text(types, branches, node, context)?,
        Some("integer") => numbers::integer(node),
        Some("number") => numbers::number(types, node, context),
        Some("boolean") => Type::Bool,
        Some("array") => return Ok(container(Container::List, node.items.as_ref())),
        Some("object") if node.properties.is_empty() => {
            return Ok(container(Container::Map, node.rest.as_ref()));
        }
        Some("object") => objects::object(types, node, branches, None, context)?,
        Some("null") => Type::Json,
        None => {
            let names = node.list("type").iter().filter_map(Value::as_str);
            let names: Vec<&str> = names.collect();
            if names.len() > 1 {
                note_several(types, node, &names, context);
            }
            if node.is_true(UNQUOTED) {
                note_unquoted(types, node, context);
            }
            Type::Json
        }
        Some(other) => {
            return Err(Error::at(
                &node.at,
                format!("{other:?} is not a type"),
                "use a type of OpenAPI, such as `string`",
            ));
        }
    };
    Ok(Reading::Type(kind))
}

fn container<'a>(container: Container, part: Option<&Part<'a>>) -> Reading<'a> {
    match part {
        Some(part) => Reading::Container(container, part.clone()),
        None => Reading::Type(within(vec![container], Type::Json)),
    }
}

/// Returns the type of a value with alternatives. Objects that a field distinguishes become an enum. Other objects
/// become one struct, whose required fields are those that all alternatives require. Texts become a text, numbers a
/// number, and lists a list. Everything else becomes any JSON, with a note.
fn union<'a>(
    types: &mut Types<'a>,
    node: &Node<'a>,
    branches: &[Node<'a>],
    context: &Context<'_>,
) -> Result<Reading<'a>> {
    let kinds: BTreeSet<&str> = branches.iter().filter_map(Node::kind).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    let has_untyped = branches.iter().any(|branch| branch.kind().is_none());
    let kind = match kinds.as_slice() {
        ["object"] if branches.iter().all(is_object) => {
            let tag = unions::tag(types, node, branches);
            objects::object(types, node, branches, tag, context)?
        }
        _ if has_untyped => {
            if let Some(branch) = branches.iter().find(|branch| branch.is_true(UNQUOTED)) {
                note_unquoted(types, branch, context);
            }
            Type::Json
        }
        ["string"] => texts::text(types, branches, node, context)?,
        ["boolean"] => Type::Bool,
        ["integer"] => numbers::widest(types, node, branches, context),
        ["number"] | ["integer", "number"] => {
            let number = branches
                .iter()
                .find(|branch| branch.kind() == Some("number"));
            numbers::number(types, number.unwrap_or(node), context)
        }
        ["array"] => {
            let items: Option<Vec<Part<'a>>> =
                branches.iter().map(|branch| branch.items.clone()).collect();
            let Some(items) = items else {
                note_any_items(types, node, context);
                return Ok(container(Container::List, None));
            };
            return Ok(Reading::ListOf(items));
        }
        _ => {
            note_several(types, node, &kinds, context);
            Type::Json
        }
    };
    Ok(Reading::Type(kind))
}

/// Notes that a value is read as any JSON, because it is inside too many lists and maps.
fn note_too_deep(types: &mut Types<'_>, part: &Part<'_>, context: &Context<'_>) {
    types.notes.push(Error::at(
        &part.at,
        format!(
            "`{}` of {} is inside lists and maps nested more than {MAX_CONTAINERS} deep, and is read as any JSON",
            context.field, context.entity
        ),
        "make one of the lists a field of an object",
    ));
}

/// Adds a note: one list alternative of a union has no `items`, so its items are untyped JSON.
fn note_any_items(types: &mut Types<'_>, node: &Node<'_>, context: &Context<'_>) {
    types.notes.push(Error::at(
        &node.at,
        format!(
            "`{}` of {} may be a list without `items`, so that its items are any JSON",
            context.field, context.entity
        ),
        "describe the items of each list in the overlay",
    ));
}

/// Notes that a value of several types is read as any JSON.
fn note_several(types: &mut Types<'_>, node: &Node<'_>, kinds: &[&str], context: &Context<'_>) {
    types.notes.push(Error::at(
        &node.at,
        format!(
            "`{}` of {} may be {}, which is read as any JSON",
            context.field,
            context.entity,
            kinds.join(" or ")
        ),
        "describe one of them in the overlay, if the others do not occur",
    ));
}

/// Notes that values without a type may be numbers or texts.
fn note_unquoted(types: &mut Types<'_>, node: &Node<'_>, context: &Context<'_>) {
    let values = node.values().unwrap_or_default();
    let values: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
    types.notes.push(Error::at(
        &node.at,
        format!(
            "`{}` of {} is {} without quotes and without a type, which is read as any JSON",
            context.field,
            context.entity,
            values.join(" or ")
        ),
        "give it the `type` `string` or `number`",
    ));
}
