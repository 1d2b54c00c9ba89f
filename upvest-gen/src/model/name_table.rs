//! The names of types that are taken.

use std::collections::BTreeSet;

use heck::ToTitleCase;

use super::api::Id;
use super::names;

/// The names of ids, enums and objects.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    ids: BTreeSet<String>,
    /// The names of enums and objects.
    others: BTreeSet<String>,
}

impl NameTable {
    /// Reserves the name for an object or an enum, unless another type has it.
    fn claim(&mut self, name: &str) -> bool {
        !self.ids.contains(name) && self.others.insert(name.to_owned())
    }

    /// Claims the first of the names that is free. If none is, adds a number to the last one.
    pub(super) fn claim_first(&mut self, wanted: &[String]) -> String {
        let last = wanted.last().map(String::as_str).unwrap_or_default();
        let numbered = (2..).map(|number| names::numbered(last, number));
        let mut candidates = wanted.iter().cloned().chain(numbered);
        candidates.find(|name| self.claim(name)).unwrap_or_default()
    }

    /// Claims a name for an enum that wants the name `base`.
    pub(super) fn claim_enum(&mut self, base: &str) -> String {
        let is_taken = self.others.contains(base);
        let wanted = if is_taken {
            format!("{base}_")
        } else {
            base.to_owned()
        };
        self.claim_first(&[wanted])
    }

    /// Claims a name for the id type `name`. Only components are named before ids.
    pub(super) fn id(&mut self, name: &str) -> String {
        let mut name = names::type_name(name);
        if self.others.contains(&name) {
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
