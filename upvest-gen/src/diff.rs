//! Compares two descriptions by what they say of the API, and says what each change means for callers in Rust.
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
//! assert_eq!(changes[0].impact, Impact::Compatible);
//! assert!(changes[0].to_string().contains("path changed from `/order` to `/orders`"));
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

mod facts;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

pub use facts::Facts;

/// The facts about a part of something, by name. The part `""` is the thing itself.
pub type Parts = BTreeMap<String, BTreeMap<String, String>>;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An operation, by its `operationId`.
    Operation,
    /// A struct or a union.
    Type,
    /// An open enum.
    Enum,
    /// A typed id.
    Id,
    /// The object that webhook events carry, by its type.
    Event,
    /// A place of the description that no code is generated from, such as the schema of an error.
    Place,
}

/// What a change means for code that calls the generated client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Code that uses what has changed does not compile any more.
    BreaksBuild,
    /// All code compiles, and calls fail until it is changed.
    BreaksCalls,
    /// All code compiles, and calls go on.
    Compatible,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another value.
    Changed,
    /// It has another name, and is otherwise compared under the new one.
    Renamed,
}

/// One difference between two descriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// What it is about.
    pub kind: Kind,
    /// The name of that, for example `createOrder`.
    pub name: String,
    /// The part of it, for example `parameter limit`. Empty for the thing itself.
    pub part: String,
    /// The fact, for example `type`. Empty where the whole part was added or removed.
    pub fact: String,
    /// What has happened.
    pub action: Action,
    /// The old value.
    pub before: Option<String>,
    /// The new value.
    pub after: Option<String>,
    /// Whether callers in Rust have to change.
    pub breaking: bool,
    /// How they notice.
    pub impact: Impact,
    /// Why, in a sentence without its full stop.
    pub reason: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, part, fact, .. } = self;
        let lower = |word: &dyn fmt::Debug| format!("{word:?}").to_lowercase();
        write!(f, "{} `{name}`", lower(kind))?;
        if let Some((sort, part)) = part.split_once(' ') {
            write!(f, ", {sort} `{part}`")?;
        }
        if !fact.is_empty() {
            write!(f, ": {fact}")?;
        }
        write!(f, " {}", lower(&self.action))?;
        if matches!(self.action, Action::Changed | Action::Renamed) {
            let value = |value: &Option<String>| value.as_ref().map_or("none".to_owned(), |value| format!("`{value}`"));
            write!(f, " from {} to {}", value(&self.before), value(&self.after))?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl Facts {
    /// Every difference to `new`, which came later: what breaks the build first, otherwise in the order of the names.
    pub fn compare(&self, new: &Self) -> Vec<Change> {
        let (old, mut changes) = self.renamed(new);
        let subjects: BTreeSet<_> = old.0.keys().chain(new.0.keys()).collect();
        for subject in subjects {
            let (kind, name) = subject;
            let context = rules::Context { kind: *kind, before: old.0.get(subject), after: new.0.get(subject) };
            let mut push = |part: &str, fact: &str, before: Option<&String>, after: Option<&String>| {
                // What an operation gains and loses is in its own facts.
                let is_told = *kind == Kind::Place && fact.is_empty() && name.starts_with("/paths");
                if before == after || is_told && (part.is_empty() || part.contains("responses/")) {
                    return;
                }
                let (impact, reason) = context.judge(part, fact, before, after);
                changes.push(change(*kind, name, part, fact, (before, after), impact, reason));
            };
            let present = String::new();
            let (Some(before), Some(after)) = (context.before, context.after) else {
                push("", "", context.before.map(|_| &present), context.after.map(|_| &present));
                continue;
            };
            for part in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                let (Some(before), Some(after)) = (before.get(part), after.get(part)) else {
                    push(part, "", before.get(part).map(|_| &present), after.get(part).map(|_| &present));
                    continue;
                };
                for fact in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                    push(part, fact, before.get(fact), after.get(fact));
                }
            }
        }
        changes.sort_by_key(|change| change.impact);
        changes
    }

    /// The same facts under the names that `new` has for them, and the renamings.
    fn renamed(&self, new: &Self) -> (Self, Vec<Change>) {
        let (mut old, mut changes, mut names) = (self.clone(), Vec::new(), BTreeMap::new());
        let gone: Vec<_> = self.0.iter().filter(|(subject, _)| !new.0.contains_key(subject)).collect();
        let mut found: Vec<_> = new.0.iter().filter(|(subject, _)| !self.0.contains_key(subject)).collect();
        let called = |subjects: &[(&(Kind, String), &Parts)]| {
            subjects.iter().map(|((_, name), _)| (name.clone(), "?".to_owned())).collect::<BTreeMap<_, _>>()
        };
        let (old_names, new_names) = (called(&gone), called(&found));
        // Types come before the enums and ids that they hold.
        for (subject, before) in gone {
            let is_same = |(other, after): &(&(Kind, String), &Parts)| {
                subject.0 == other.0
                    && match subject.0 {
                        Kind::Operation => route(before).is_some() && route(before) == route(after),
                        Kind::Type => with_names(before, &old_names) == with_names(after, &new_names),
                        Kind::Enum if before == *after => true,
                        Kind::Enum | Kind::Id => names.get(&subject.1) == Some(&other.1),
                        Kind::Event | Kind::Place => false,
                    }
            };
            let Some(place) = found.iter().position(is_same) else { continue };
            let ((kind, name), after) = found.remove(place);
            if *kind != Kind::Operation {
                names.insert(subject.1.clone(), name.clone());
                names.extend(differing_words(before, after).filter(|(old, _)| old_names.contains_key(old)));
            }
            if let Some(parts) = old.0.remove(subject) {
                old.0.insert((*kind, name.clone()), parts);
            }
            let what = if *kind == Kind::Operation { "operationId" } else { "name" };
            let values = (Some(&subject.1), Some(name));
            let reason = "callers use the new name".to_owned();
            let change = change(*kind, name, "", what, values, Impact::BreaksBuild, reason);
            changes.push(Change { action: Action::Renamed, ..change });
        }
        for parts in old.0.values_mut() {
            *parts = with_names(parts, &names);
        }
        (old, changes)
    }
}

/// The method and the path of an operation.
fn route(parts: &Parts) -> Option<(&String, &String)> {
    let facts = parts.get("")?;
    Some((facts.get("HTTP method")?, facts.get("path")?))
}

/// The words of a type in Rust, and what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    text.split_inclusive(move |c| !is_name(c)).flat_map(move |word| {
        let (name, end) = word.split_at(word.find(|c| !is_name(c)).unwrap_or(word.len()));
        [name, end]
    })
}

/// The same parts, where types in Rust have other names.
fn with_names(parts: &Parts, names: &BTreeMap<String, String>) -> Parts {
    let mut parts = parts.clone();
    let facts = parts.values_mut().flat_map(BTreeMap::iter_mut);
    for (_, value) in facts.filter(|(fact, _)| matches!(fact.as_str(), "type" | "answer" | "body")) {
        *value = words(value).map(|word| names.get(word).map_or(word, String::as_str)).collect();
    }
    parts
}

/// The words of the types in both that are not the same.
fn differing_words<'a>(before: &'a Parts, after: &'a Parts) -> impl Iterator<Item = (String, String)> + use<'a> {
    let types = before.iter().filter_map(|(part, facts)| Some((facts.get("type")?, after.get(part)?.get("type")?)));
    let words = types.flat_map(|(before, after)| words(before).zip(words(after)));
    words.filter(|(before, after)| before != after).map(|(before, after)| (before.to_owned(), after.to_owned()))
}

fn change(
    kind: Kind,
    name: &str,
    part: &str,
    fact: &str,
    (before, after): (Option<&String>, Option<&String>),
    impact: Impact,
    reason: String,
) -> Change {
    Change {
        kind,
        name: name.to_owned(),
        part: part.to_owned(),
        fact: fact.to_owned(),
        action: match (before, after) {
            (None, _) if fact.is_empty() => Action::Added,
            (_, None) if fact.is_empty() => Action::Removed,
            _ => Action::Changed,
        },
        before: before.filter(|value| !value.is_empty()).cloned(),
        after: after.filter(|value| !value.is_empty()).cloned(),
        breaking: impact != Impact::Compatible,
        impact,
        reason,
    }
}

#[cfg(test)]
mod tests;
