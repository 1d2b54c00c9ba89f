//! The types of texts: ids, codes, enums, dates and decimals.

use heck::ToPascalCase;
use serde_json::Value;

use super::api::Type;
use super::context::Context;
use super::decimal_pattern::{admits_empty, is_decimal};
use super::names;
use super::types::Types;
use crate::error::{Error, Result};
use crate::normalize::Node;

/// Returns the type of a text, whose alternatives are `branches`.
pub(super) fn text<'a>(
    types: &mut Types<'a>,
    branches: &[Node<'a>],
    node: &Node<'a>,
    context: &Context<'_>,
) -> Result<Type> {
    let first = branches.first().unwrap_or(node);
    let same = |keyword: &str| {
        let text = first.text(keyword);
        text.filter(|_| branches.iter().all(|branch| branch.text(keyword) == text))
            .unwrap_or_default()
    };
    let explicit = node
        .text("x-type-name")
        .or_else(|| first.text("x-type-name"));
    let values = branches
        .iter()
        .map(|branch| branch.values().filter(|values| !values.is_empty()));
    let values: Option<Vec<_>> = values.collect();
    let values: Option<Vec<&Value>> = values.map(|values| values.concat());
    Ok(match (same("format"), same("pattern"), values) {
        ("uuid", _, _) => {
            let derived = || names::id(context.identity, context.field);
            match explicit.map(str::to_owned).or_else(derived) {
                Some(name) => Type::Id(types.names.reserve_id(&name)),
                None => Type::Uuid,
            }
        }
        ("decimal", _, _) => decimal_type(branches),
        ("ISO4217" | "iso4217" | "iso-4217" | "currency", _, _) => Type::Currency,
        (_, "^[A-Z]{3}$", _) if is_called(node, context, &CURRENCIES) => Type::Currency,
        ("country" | "iso3166-1-alpha-2" | "ISO3166", _, _) => Type::Country,
        (_, "^[A-Z]{2}$", _) if is_called(node, context, &COUNTRIES) => Type::Country,
        (_, "^[A-Z]{2}[A-Z0-9]{9}[0-9]$", _) => Type::Isin,
        (_, _, Some(values)) if values.iter().all(|value| is_direction(value)) => {
            Type::Enum(types.enums.add("SortOrder", first, &values)?)
        }
        (_, _, Some(values)) => {
            let field = || format!("{}-{}", context.entity, context.field).to_pascal_case();
            let name = explicit
                .or(node.component)
                .map_or_else(field, str::to_owned);
            let key = types.enums.add(&name, first, &values)?;
            deprecate_values(types, &key, branches);
            Type::Enum(key)
        }
        _ if explicit.is_some() => {
            Type::Enum(types.enums.mention(explicit.unwrap_or_default(), &node.at))
        }
        ("date", _, _) => Type::Date,
        ("date-time", _, _) => {
            note_missing_offset(types, node, context);
            Type::DateTime
        }
        _ if branches.iter().all(is_decimal_text) => decimal_type(branches),
        _ => Type::Text,
    })
}

/// Whether a text is a decimal by its format or its pattern.
fn is_decimal_text(node: &Node<'_>) -> bool {
    match node.text("format") {
        Some(format) => format == "decimal",
        None => node.text("pattern").is_some_and(is_decimal),
    }
}

/// Returns the type of a decimal. It is nullable if the pattern of an alternative also matches an empty text.
fn decimal_type(branches: &[Node<'_>]) -> Type {
    let may_be_empty = |branch: &Node<'_>| branch.text("pattern").is_some_and(admits_empty);
    if branches.iter().any(may_be_empty) {
        Type::Nullable(Box::new(Type::Decimal))
    } else {
        Type::Decimal
    }
}

/// Marks the enum values of deprecated alternatives as deprecated. Does nothing if all alternatives are deprecated,
/// because then the whole type is.
fn deprecate_values(types: &mut Types<'_>, key: &str, branches: &[Node<'_>]) {
    let is_deprecated = |branch: &&Node<'_>| branch.is_true("deprecated");
    if branches.iter().all(|branch| is_deprecated(&branch)) {
        return;
    }
    for branch in branches.iter().filter(is_deprecated) {
        for value in branch.values().into_iter().flatten() {
            types
                .enums
                .deprecate(key, value.as_str().unwrap_or_default());
        }
    }
}

/// Adds a note if the example is a time without an offset.
fn note_missing_offset(types: &mut Types<'_>, node: &Node<'_>, context: &Context<'_>) {
    let example = node.text("example");
    let first = || node.list("examples").first()?.as_str();
    let Some(example) = example.or_else(first) else {
        return;
    };
    let time_of_day = example.get("2026-03-16".len()..).unwrap_or_default();
    let has_offset = time_of_day.ends_with(['Z', 'z']) || time_of_day.contains(['+', '-']);
    if !example.is_empty() && !has_offset {
        types.notes.push(Error::at(
            &node.at,
            format!(
                "the example of `{}` of {} has no offset, and such a time is read as one of UTC",
                context.field, context.entity
            ),
            "correct the example, or describe the value as a text without a format",
        ));
    }
}

/// Whether the value of an enum is a direction of sorting.
fn is_direction(value: &Value) -> bool {
    *value == "ASC" || *value == "DESC"
}

/// Words in the names of values that are currencies.
const CURRENCIES: [&str; 3] = ["currency", "currencies", "ccy"];

/// Words in the names of values that are countries.
const COUNTRIES: [&str; 4] = ["country", "countries", "nationalit", "citizenship"];

/// Whether the name, the title or the component of a value has one of these words. Without such a word, two capital
/// letters may be a language or a state, and three the code of an exchange.
fn is_called(node: &Node<'_>, context: &Context<'_>, words: &[&str]) -> bool {
    let names = [Some(context.field), node.component, node.text("title")];
    names.into_iter().flatten().any(|name| {
        let name = name.to_ascii_lowercase();
        words.iter().any(|word| name.contains(word))
    })
}
