//! Compares two descriptions of an API, and describes the effect of each change on callers in Rust.
//!
//! ```
//! use upvest_gen::Source;
//! use upvest_gen::diff::{Facts, Impact};
//!
//! let api = |path: &str| {
//!     let text = format!(
//!         r#"{{ "openapi": "3.1.0", "info": {{ "title": "Orders", "version": "1" }}, "paths": {{ "{path}": {{ "delete": {{
//!             "operationId": "cancelOrder", "responses": {{ "204": {{ "description": "Done." }} }} }} }} }} }}"#
//!     );
//!     Facts::read(&Source::new("api.json", text), None)
//! };
//! let changes = api("/order")?.compare(&api("/orders")?);
//! assert_eq!(changes.len(), 1);
//! assert_eq!(changes[0].impact, Impact::None);
//! assert!(changes[0].to_string().contains("path changed from `/order` to `/orders`"));
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

pub use facts::{Facts, Parts};

/// The rules for the effects of changes. See the file.
const RULES: &str = include_str!("diff/rules.txt");

/// The effect of a change on code that calls the generated client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Code that uses the changed part no longer compiles.
    Build,
    /// All code compiles, but calls fail until the code is changed.
    Calls,
    /// All code compiles, and calls succeed as before.
    None,
}

/// One difference between two descriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The subject of the change, for example `operation createOrder`.
    pub what: String,
    /// The part of the subject, for example `parameter limit`. Empty for the whole subject.
    pub part: String,
    /// The property that changed, for example `type`. Empty if the whole part was added or removed.
    pub fact: String,
    /// `added`, `removed`, `changed` or `renamed`.
    pub action: &'static str,
    /// The old value.
    pub before: Option<String>,
    /// The new value.
    pub after: Option<String>,
    /// Whether callers in Rust have to change.
    pub breaking: bool,
    /// The effect on them.
    pub impact: Impact,
    /// The reason, as a sentence without a full stop.
    pub reason: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            part,
            fact,
            action,
            before,
            after,
            reason,
            ..
        } = self;
        f.write_str(what)?;
        if !part.is_empty() {
            write!(f, ", {part}")?;
        }
        if !fact.is_empty() {
            write!(f, ": {fact}")?;
        }
        write!(f, " {action}")?;
        if !fact.is_empty() {
            let value = |value: &Option<String>| {
                value
                    .as_ref()
                    .map_or("none".to_owned(), |it| format!("`{it}`"))
            };
            write!(f, " from {} to {}", value(before), value(after))?;
        }
        write!(f, ": {reason}")
    }
}

impl Facts {
    /// All differences to the later description `new`. Changes that break the build come first. Within an effect, they are sorted
    /// by name.
    pub fn compare(&self, new: &Self) -> Vec<Change> {
        let (old, mut changes) = self.renamed(new);
        let nothing = Parts::new();
        for what in keys(&old.0, &new.0) {
            let is_both = old.0.contains_key(what) && new.0.contains_key(what);
            let before = old.0.get(what).unwrap_or(&nothing);
            let after = new.0.get(what).unwrap_or(&nothing);
            let all = |parts: &Parts, fact: &str| {
                parts.get("").and_then(|facts| facts.get(fact)).cloned()
            };
            let is_sent = || [before, after].map(|parts| all(parts, "sent")) != [None, None];
            for part in if is_both {
                keys(before, after)
            } else {
                BTreeSet::from([""])
            } {
                let (Some(old), Some(new)) = (before.get(part), after.get(part)) else {
                    let is_added = after.contains_key(part);
                    let is_required = after
                        .get(part)
                        .is_some_and(|facts| facts.contains_key("required"));
                    let is_needed = is_required && (part.starts_with("parameter") || is_sent());
                    let how = if is_added && is_needed {
                        "required"
                    } else if is_added {
                        "added"
                    } else {
                        "removed"
                    };
                    changes.push(change(what, part, "", how, (None, None)));
                    continue;
                };
                for fact in keys(old, new) {
                    let values = (old.get(fact), new.get(fact));
                    if values.0 != values.1 {
                        changes.push(change(what, part, fact, "changed", values));
                    }
                }
            }
        }
        changes.sort_by_key(|change| change.impact);
        changes
    }

    /// Renames operations to their ids in `new`, and returns the facts with these changes.
    fn renamed(&self, new: &Self) -> (Self, Vec<Change>) {
        let mut old = self.clone();
        let mut changes = Vec::new();
        let route = |parts: &Parts| {
            parts
                .get("")
                .map(|facts| (facts.get("method").cloned(), facts.get("path").cloned()))
        };
        let is_operation = |what: &str| what.starts_with("operation ");
        for (what, parts) in self
            .0
            .iter()
            .filter(|(what, _)| is_operation(what) && !new.0.contains_key(*what))
        {
            let mut others = new
                .0
                .iter()
                .filter(|(other, _)| is_operation(other) && !self.0.contains_key(*other));
            if let Some((other, _)) = others.find(|(_, others)| route(others) == route(parts)) {
                old.0.remove(what);
                old.0.insert(other.clone(), parts.clone());
                let id = |what: &str| what.trim_start_matches("operation ").to_owned();
                changes.push(change(
                    other,
                    "",
                    "operationId",
                    "renamed",
                    (Some(&id(what)), Some(&id(other))),
                ));
            }
        }
        (old, changes)
    }
}

fn keys<'a, T>(old: &'a BTreeMap<String, T>, new: &'a BTreeMap<String, T>) -> BTreeSet<&'a str> {
    old.keys().chain(new.keys()).map(String::as_str).collect()
}

/// A change with its effect according to the rules.
fn change(
    what: &str,
    part: &str,
    fact: &str,
    how: &'static str,
    (before, after): (Option<&String>, Option<&String>),
) -> Change {
    let how_exactly = match (how, before, after) {
        ("changed", None, _) => "gained",
        ("changed", _, None) => "lost",
        (how, ..) => how,
    };
    let sort = if part.is_empty() { what } else { part }
        .split(' ')
        .next()
        .unwrap_or_default();
    let rules = RULES
        .lines()
        .map(|line| line.splitn(5, '|').map(str::trim).collect::<Vec<_>>());
    let fits = |rule: &Vec<&str>| {
        rule.len() == 5
            && rule
                .iter()
                .zip([sort, fact, how_exactly])
                .all(|(rule, it)| *rule == "*" || *rule == it)
    };
    let rule = rules.into_iter().find(fits).unwrap_or_default();
    let impact = match rule.get(3) {
        Some(&"none") => Impact::None,
        Some(&"calls") => Impact::Calls,
        _ => Impact::Build,
    };
    Change {
        what: what.to_owned(),
        part: part.to_owned(),
        fact: fact.to_owned(),
        action: if how == "required" { "added" } else { how },
        before: before.cloned(),
        after: after.cloned(),
        breaking: impact != Impact::None,
        impact,
        reason: rule.last().copied().unwrap_or_default().to_owned(),
    }
}
