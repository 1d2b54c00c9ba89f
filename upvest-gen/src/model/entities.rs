//! The entities of an API: its paths name them, and titles mention them.

use std::collections::BTreeSet;

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::Value;

use super::names;

/// The entities in the parameters of paths, such as `order` for `order_id`.
#[derive(Debug)]
pub(super) struct Entities<'a>(BTreeSet<&'a str>);

impl<'a> Entities<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let parameters = paths.flat_map(|(path, _)| parameters(path));
        Self(
            parameters
                .filter_map(|name| name.strip_suffix("_id"))
                .collect(),
        )
    }

    /// Whether a path has a parameter with the id of this entity.
    pub(super) fn knows(&self, entity: &str) -> bool {
        self.0.contains(entity.to_snake_case().as_str())
    }

    /// Returns the entity in a title or in the name of a type: `Order` for `Order - Place - Request`. For `Payments -
    /// Withdrawal`, it is `Withdrawal` if a path has a `withdrawal_id`.
    pub(super) fn subject(&self, title: &str) -> String {
        let nouns = names::nouns(title);
        let mut candidates = (0..nouns.len())
            .filter_map(|start| nouns.get(start..))
            .map(|nouns| nouns.join(" "));
        let known =
            candidates.find(|candidate| self.0.contains(candidate.to_snake_case().as_str()));
        let last = title
            .split(" - ")
            .filter(|segment| !names::nouns(segment).is_empty())
            .last();
        known.map_or_else(
            || names::entity(&names::type_name(last.unwrap_or(title))),
            |known| known.to_pascal_case(),
        )
    }
}

/// Returns the names in the braces of a path.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}
