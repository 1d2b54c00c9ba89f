//! Counts the contents of a description, and which of them the crate has, so that no loss goes unnoticed.
//!
//! ```
//! use upvest_gen::Source;
//! use upvest_gen::ledger::{ItemKind, Ledger};
//!
//! let spec = Source::new(
//!     "api.yaml",
//!     r#"
//! openapi: 3.1.0
//! info: { title: Orders, version: "1" }
//! paths:
//!   /orders:
//!     get:
//!       operationId: listOrders
//!       parameters: [{ name: side, in: query, schema: { type: string, enum: [BUY, SELL] } }]
//!       responses: { "204": { description: None. } }
//!     post: { operationId: createOrder, responses: {} }
//! "#,
//! );
//! let ledger = Ledger::read(&spec, None)?;
//! let operations = ledger
//!     .rows
//!     .iter()
//!     .find(|row| row.kind == ItemKind::Operation);
//! assert_eq!(
//!     operations.map(|row| (row.described, row.held)),
//!     Some((2, 1))
//! );
//! assert!(ledger.missing[0].reason.is_some());
//! assert!(ledger.is_explained());
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::describe::{Source, describe, model_of};
use crate::error::{Error, Errors};
use crate::model::Api;
pub use crate::survey::ItemKind;
use crate::survey::{Item, Presence, Survey, explanation, unreported};

/// The contents of a description, and which of them the crate has.
///
/// The ledger counts the operations with their parameters, the media types of requests and of success responses, the
/// fields and enum values that are sent or received, and the types of webhook events. It does not count error
/// responses, because each is read as a `Problem` that keeps the whole body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ledger {
    /// One row for each kind.
    pub rows: Vec<Row>,
    /// The items that the crate does not have.
    pub missing: Vec<Missing>,
    /// The losses that no note of the model reports.
    #[serde(skip)]
    pub(crate) unreported: Vec<Error>,
}

/// The numbers of items of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The kind.
    pub kind: ItemKind,
    /// The number of items in the description.
    pub described: usize,
    /// The number of these items that the crate has.
    pub held: usize,
}

/// Something that the description has and the crate does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// The kind of the item.
    pub kind: ItemKind,
    /// The name of the item, or its place in the description.
    pub name: String,
    /// The problem or the note that explains why the item is missing. `None` means a defect of the generator.
    pub reason: Option<String>,
}

impl Ledger {
    /// Counts what `spec` contains, with `overlay` merged into it.
    ///
    /// # Errors
    ///
    /// As [`model`](fn@crate::model).
    pub fn read(spec: &Source, overlay: Option<&Source>) -> Result<Self, Errors> {
        let document = describe(spec, overlay)?;
        let api = model_of(&document, spec)?;
        Ok(Self::new(&document, &api, &spec.name))
    }

    /// Counts the contents of `document`, which was read from `file`, and which of them `api` has.
    pub(crate) fn new(document: &Value, api: &Api, file: &str) -> Self {
        let survey = Survey::new(document, api);
        let unreported = unreported(&survey.items, &survey.links, api, file);
        let notes: Vec<Error> = api.notes.iter().chain(&unreported).cloned().collect();
        let rows = ItemKind::ALL.map(|kind| {
            let items = survey.items.iter().filter(|(item, _)| item.kind == kind);
            let held = items
                .clone()
                .filter(|(_, presence)| *presence == Presence::Present);
            Row {
                kind,
                described: items.clone().count(),
                held: held.count(),
            }
        });
        let missing = survey.items.iter().filter_map(|(item, presence)| {
            let Item { kind, name } = item;
            if *presence == Presence::Present {
                return None;
            }
            let reason = explanation(&survey.links, &api.left_out, &notes, *presence);
            Some(Missing {
                kind: *kind,
                name: name.clone(),
                reason: reason.map(ToString::to_string),
            })
        });
        Self {
            rows: rows.into(),
            missing: missing.collect(),
            unreported,
        }
    }

    /// Whether everything that is missing has a reason.
    pub fn is_explained(&self) -> bool {
        self.missing.iter().all(|missing| missing.reason.is_some())
    }
}

impl fmt::Display for Ledger {
    /// Prints a table, and the missing items with their reasons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12}  description  crate", "")?;
        for row in &self.rows {
            let Row {
                kind,
                described,
                held,
            } = row;
            writeln!(f, "{:<12}  {described:>11}  {held:>5}", kind.title())?;
        }
        let mut reasons: Vec<(Option<&str>, Vec<&Missing>)> = Vec::new();
        for missing in &self.missing {
            let reason = missing.reason.as_deref();
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, all)) => all.push(missing),
                None => reasons.push((reason, vec![missing])),
            }
        }
        for (reason, all) in reasons {
            let reason = reason
                .unwrap_or("no reason is known: please report this as an error of the generator");
            writeln!(f, "not in the crate: {reason}")?;
            for missing in all {
                writeln!(f, "  {}: {}", missing.kind.title(), missing.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_explained_if_each_loss_has_a_reason() {
        let missing = |name: &str, reason: Option<&str>| Missing {
            kind: ItemKind::Operation,
            name: name.to_owned(),
            reason: reason.map(str::to_owned),
        };
        let mut ledger = Ledger {
            rows: Vec::new(),
            missing: vec![missing("getA", Some("it has no response"))],
            unreported: Vec::new(),
        };
        assert!(ledger.is_explained());
        ledger.missing.push(missing("getB", None));
        assert!(!ledger.is_explained());
        let text = ledger.to_string();
        assert!(
            text.contains("it has no response\n  operations: getA\n"),
            "{text}"
        );
        assert!(text.contains("no reason is known"), "{text}");
    }
}
