//! Reserves the names of types.

use std::collections::BTreeSet;

use heck::ToTitleCase;

use super::api::Id;
use super::names;

/// The names of ids, enums and objects.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    ids: BTreeSet<String>,
    enums_and_objects: BTreeSet<String>,
}

impl NameTable {
    /// Reserves the name for an enum or an object. Returns false if another type has the name.
    fn reserve(&mut self, name: &str) -> bool {
        !self.ids.contains(name) && self.enums_and_objects.insert(name.to_owned())
    }

    /// Reserves the first of the names that is free for an enum or an object. If no name is free, reserves the last
    /// name with a number.
    pub(super) fn reserve_first(&mut self, wanted: &[String]) -> String {
        let last = wanted.last().map(String::as_str).unwrap_or_default();
        let numbered = (2..).map(|number| names::numbered(last, number));
        let mut candidates = wanted.iter().cloned().chain(numbered);
        candidates
            .find(|name| self.reserve(name))
            .unwrap_or_default()
    }

    /// Reserves a name for an enum: `base`, or `base_` if another enum or object has the name `base`.
    pub(super) fn reserve_enum(&mut self, base: &str) -> String {
        let is_taken = self.enums_and_objects.contains(base);
        let wanted = if is_taken {
            format!("{base}_")
        } else {
            base.to_owned()
        };
        self.reserve_first(&[wanted])
    }

    /// Reserves a name for the id type `name`, and returns it. Two ids may have the same name, as they are the same
    /// type. Only components are named before ids.
    pub(super) fn reserve_id(&mut self, name: &str) -> String {
        let mut name = names::type_name(name);
        if self.enums_and_objects.contains(&name) {
            name.push('_');
        }
        self.ids.insert(name.clone());
        name
    }

    /// The id types, sorted by name.
    pub(super) fn into_ids(self) -> Vec<Id> {
        let ids = self.ids.into_iter().map(|name| Id {
            description: id_description(&name),
            name,
        });
        ids.collect()
    }
}

fn id_description(name: &str) -> String {
    let thing = name
        .strip_suffix("Id")
        .unwrap_or(name)
        .to_title_case()
        .to_lowercase();
    let article = if thing.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("Identifies {article} {thing}.")
}
