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
//! assert!(
//!     changes[0]
//!         .to_string()
//!         .contains("path changed from `/order` to `/orders`")
//! );
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

mod facts;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

pub use facts::{Facts, Parts};
pub use verdict::Impact;
use verdict::{Step, Subject, verdict};

/// One difference between two descriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The item that changed, for example `operation createOrder`.
    pub what: String,
    /// The part of the item, for example `parameter limit`. Empty for the whole item.
    pub part: String,
    /// The property that changed, for example `type`, or an accepted value, for example `value SELL`. Empty if the
    /// whole part was added or removed.
    pub fact: String,
    /// `added`, `removed`, `changed` or `renamed`.
    pub action: &'static str,
    /// The old value of the property. `None` if it had no value.
    pub before: Option<String>,
    /// The new value of the property. `None` if it has no value.
    pub after: Option<String>,
    /// Whether callers in Rust have to change.
    pub breaking: bool,
    /// The effect on callers.
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
        match (before, after) {
            (None, None) => write!(f, " {action}")?,
            (None, Some(after)) => write!(f, " set to `{after}`")?,
            (Some(before), None) => write!(f, " removed (it was `{before}`)")?,
            (Some(before), Some(after)) => write!(f, " {action} from `{before}` to `{after}`")?,
        }
        write!(f, ": {reason}")
    }
}

impl Facts {
    /// Returns all differences from the later description `new`. Changes that break the build come first. Changes with
    /// the same effect are sorted by name.
    pub fn compare(&self, new: &Self) -> Vec<Change> {
        let (old, mut changes) = self.renamed(new);
        for what in keys(&old.subjects, &new.subjects) {
            match (old.subjects.get(what), new.subjects.get(what)) {
                (Some(before), Some(after)) => compare_parts(what, before, after, &mut changes),
                (None, _) => changes.push(change_of_part(what, "", Step::Added, false)),
                (_, None) => changes.push(change_of_part(what, "", Step::Removed, false)),
            }
        }
        for change in &mut changes {
            explain_left_out(change, &old, new);
        }
        changes.sort_by_key(|change| change.impact);
        changes
    }

    /// Returns the facts with each operation renamed to its id in `new`, and these renames as changes.
    fn renamed(&self, new: &Self) -> (Self, Vec<Change>) {
        let mut old = self.clone();
        let mut changes = Vec::new();
        let gone = operations(self).filter(|(what, _)| !new.subjects.contains_key(*what));
        for (what, parts) in gone {
            let mut others =
                operations(new).filter(|(other, _)| !self.subjects.contains_key(*other));
            let Some((other, _)) = others.find(|(_, others)| route(others) == route(parts)) else {
                continue;
            };
            old.subjects.remove(what);
            old.subjects.insert(other.clone(), parts.clone());
            let values = Values {
                before: Some(id(what)),
                after: Some(id(other)),
            };
            changes.push(change(
                other,
                "",
                "operationId",
                Step::Renamed,
                values,
                true,
            ));
        }
        (old, changes)
    }
}

fn operations(facts: &Facts) -> impl Iterator<Item = (&String, &Parts)> {
    let subjects = facts.subjects.iter();
    subjects.filter(|(what, _)| what.starts_with("operation "))
}

/// The id of an operation, or the name of a type.
fn id(what: &str) -> &str {
    what.split_once(' ').map_or(what, |(_, id)| id)
}

/// The method and the path of an operation.
fn route(parts: &Parts) -> Option<(&String, &String)> {
    let facts = parts.get("")?;
    Some((facts.get("method")?, facts.get("path")?))
}

/// Compares the parts of one item (such as an operation or a type), and appends the differences to `changes`.
fn compare_parts(what: &str, old: &Parts, new: &Parts, changes: &mut Vec<Change>) {
    let has = |parts: &Parts, fact: &str| parts.get("").is_some_and(|it| it.contains_key(fact));
    let is_sent_type = has(old, "sent") || has(new, "sent");
    for part in keys(old, new) {
        let is_sent = match what.split(' ').next() {
            Some("type") => is_sent_type,
            Some("webhook") => false,
            _ => part != "response",
        };
        match (old.get(part), new.get(part)) {
            (Some(old), Some(new)) => {
                for fact in keys(old, new) {
                    let values = Values {
                        before: old.get(fact).map(String::as_str),
                        after: new.get(fact).map(String::as_str),
                    };
                    if values.before != values.after {
                        changes.push(change(what, part, fact, values.step(), values, is_sent));
                    }
                }
            }
            (None, added) => {
                let is_required = added.is_some_and(|facts| facts.contains_key("required"));
                let step = if is_required && is_sent {
                    Step::Required
                } else {
                    Step::Added
                };
                changes.push(change_of_part(what, part, step, is_sent));
            }
            (Some(_), None) => changes.push(change_of_part(what, part, Step::Removed, is_sent)),
        }
    }
}

/// Adds the reason if an operation is only removed because the generator now leaves it out, or only added because the
/// generator left it out before.
fn explain_left_out(change: &mut Change, old: &Facts, new: &Facts) {
    let is_whole = change.part.is_empty() && change.fact.is_empty();
    if !change.what.starts_with("operation ") || !is_whole {
        return;
    }
    let id = id(&change.what);
    match (change.action, old.left_out.get(id), new.left_out.get(id)) {
        ("removed", _, Some(reason)) => {
            change.reason = format!(
                "{}, as the generator leaves it out: {reason}",
                change.reason
            );
        }
        ("added", Some(_), _) => {
            "the generator no longer leaves it out".clone_into(&mut change.reason);
        }
        _ => {}
    }
}

fn keys<'a, T>(old: &'a BTreeMap<String, T>, new: &'a BTreeMap<String, T>) -> BTreeSet<&'a str> {
    old.keys().chain(new.keys()).map(String::as_str).collect()
}

/// The values of a fact.
#[derive(Clone, Copy)]
struct Values<'a> {
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl Values<'_> {
    const NONE: Self = Self {
        before: None,
        after: None,
    };

    fn step(self) -> Step {
        match (self.before, self.after) {
            (None, _) => Step::Gained,
            (_, None) => Step::Lost,
            _ => Step::Changed,
        }
    }
}

/// Makes the change of a whole part.
fn change_of_part(what: &str, part: &str, step: Step, is_sent: bool) -> Change {
    change(what, part, "", step, Values::NONE, is_sent)
}

fn change(
    what: &str,
    part: &str,
    fact: &str,
    step: Step,
    values: Values<'_>,
    is_sent: bool,
) -> Change {
    let name = if part.is_empty() { what } else { part };
    let subject = Subject {
        kind: name.split(' ').next().unwrap_or_default(),
        fact,
        step,
        before: values.before,
        after: values.after,
        is_sent,
    };
    let (impact, reason) = verdict(&subject);
    // The name of the fact contains the value already.
    let shown = if subject.is_about_value() {
        Values::NONE
    } else {
        values
    };
    Change {
        what: what.to_owned(),
        part: part.to_owned(),
        fact: fact.to_owned(),
        action: subject.action(),
        before: shown.before.map(str::to_owned),
        after: shown.after.map(str::to_owned),
        breaking: impact != Impact::None,
        impact,
        reason: reason.to_owned(),
    }
}
