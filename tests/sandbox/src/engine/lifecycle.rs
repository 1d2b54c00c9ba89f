//! The lifecycles of rows. For each table, a file lists the transitions from one status to the next, with their delays
//! and events.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::events::EventTypes;
use super::tables::{StatusField, Table};
use super::words;

/// The default duration of a step in seconds, on the sandbox's clock.
const STEP: f64 = 1.0;
/// The minimum duration of a step, in seconds.
const MIN_STEP: f64 = 0.001;
/// The maximum duration of a step in seconds: ten years.
const MAX_STEP: f64 = 10.0 * 366.0 * 86_400.0;

/// The lifecycles of the rows of all tables, by the names of the tables.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Lifecycles(BTreeMap<String, Lifecycle>);

/// The lifecycle of the rows of one table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lifecycle {
    /// The status of a new row.
    #[serde(default)]
    pub(super) first: Option<String>,
    /// The event of a new row.
    #[serde(default)]
    pub(super) created: Option<String>,
    /// The event of a row that a request changes without changing its status.
    #[serde(default)]
    pub(super) changed: Option<String>,
    /// The rows at the start. With this list, the sandbox invents no others.
    #[serde(default)]
    pub(super) rows: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    pub(super) steps: Vec<Transition>,
    /// The changes of the status that requests may make. A row whose status allows none cannot be changed.
    #[serde(default)]
    pub(super) requests: Vec<Ending>,
    /// The transition that a `DELETE` causes instead of removing the row.
    #[serde(default)]
    pub(super) delete: Option<Ending>,
}

/// A transition from one status to the next one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transition {
    pub(super) from: String,
    pub(super) to: String,
    /// The duration of the step, in seconds.
    #[serde(default = "step")]
    after: f64,
    /// The event. By default, the event that is named after the status.
    #[serde(default)]
    pub(super) event: Option<String>,
    /// The status that replaces `to` if the rules of the table do not allow `to`.
    #[serde(default, rename = "else")]
    pub(super) otherwise: Option<String>,
    /// Whether the rules of the table decide when to take the step, instead of the clock.
    #[serde(default)]
    by_rules: bool,
}

/// A transition that a request causes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    pub(super) to: String,
    #[serde(default)]
    pub(super) event: Option<String>,
    /// The statuses that allow the transition. By default all.
    #[serde(default)]
    pub(super) from: Vec<String>,
    /// Whether the row is removed afterwards.
    #[serde(default)]
    pub(super) removes: bool,
}

/// The reason why a file of lifecycles cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LifecycleError {
    #[cfg(feature = "own-description")]
    #[error("invalid YAML: {0}")]
    Syntax(String),
    #[error("the description has no table `{table}`; its tables are {known}")]
    NoTable { table: String, known: String },
    #[error("`{table}` has no status `{status}`; its statuses are {known}")]
    NoStatus {
        table: String,
        status: String,
        known: String,
    },
    #[error("the description has no event `{event}`, which `{table}` names")]
    NoEvent { table: String, event: String },
    #[error("`after` of `{table}` must be between 0.001 and the seconds of ten years")]
    Duration { table: String },
    #[error("`{table}` has two steps from `{status}`")]
    Twice { table: String, status: String },
}

impl Lifecycles {
    #[cfg(feature = "own-description")]
    pub(crate) fn parse(text: &str) -> Result<Self, LifecycleError> {
        let options = serde_saphyr::options! { strict_booleans: true };
        serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| LifecycleError::Syntax(error.without_snippet().to_string()))
    }

    pub(super) fn of(&self, table: &str) -> Option<&Lifecycle> {
        self.0.get(table)
    }

    /// Checks that the description contains each table, status and event that the lifecycles name.
    pub(super) fn check(
        &self,
        tables: &[Table],
        events: &EventTypes,
    ) -> Result<(), LifecycleError> {
        for (name, lifecycle) in &self.0 {
            let Some(table) = tables.iter().find(|table| table.name == *name) else {
                let known: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
                return Err(LifecycleError::NoTable {
                    table: name.clone(),
                    known: known.join(", "),
                });
            };
            lifecycle.check(table, events)?;
        }
        Ok(())
    }
}

impl Lifecycle {
    fn check(&self, table: &Table, events: &EventTypes) -> Result<(), LifecycleError> {
        let known = table
            .status
            .as_ref()
            .map_or(&[][..], |status| &status.values);
        let steps = self.steps.iter();
        let of_steps = steps.clone();
        let of_steps = of_steps.flat_map(|it| [&it.from, &it.to].into_iter().chain(&it.otherwise));
        let of_delete = self.delete.iter().chain(&self.requests);
        let of_delete = of_delete.flat_map(|end| end.from.iter().chain([&end.to]));
        for status in of_steps.chain(&self.first).chain(of_delete) {
            if !known.contains(status) {
                return Err(LifecycleError::NoStatus {
                    table: table.name.clone(),
                    status: status.clone(),
                    known: known.join(", "),
                });
            }
        }
        let of_steps = steps.clone().filter_map(|step| step.event.as_ref());
        let of_delete = self.delete.iter().chain(&self.requests);
        let of_delete = of_delete.filter_map(|end| end.event.as_ref());
        let of_row = self.created.iter().chain(&self.changed);
        for event in of_steps.chain(of_delete).chain(of_row) {
            if events.named(event).is_none() {
                return Err(LifecycleError::NoEvent {
                    table: table.name.clone(),
                    event: event.clone(),
                });
            }
        }
        let mut durations = self.steps.iter().map(|step| step.after);
        // Steps that take no time could follow each other without an end.
        if durations.any(|after| !(MIN_STEP..=MAX_STEP).contains(&after)) {
            return Err(LifecycleError::Duration {
                table: table.name.clone(),
            });
        }
        let mut from = BTreeSet::new();
        if let Some(twice) = self.steps.iter().find(|step| !from.insert(&step.from)) {
            return Err(LifecycleError::Twice {
                table: table.name.clone(),
                status: twice.from.clone(),
            });
        }
        Ok(())
    }

    /// Returns the event that the file names for a status.
    pub(super) fn event_of(&self, status: &str) -> Option<&str> {
        let is_first = self.first.as_deref() == Some(status);
        let created = self.created.as_ref().filter(|_| is_first);
        let mut steps = self.steps.iter();
        let step = steps.find(|step| step.to == status);
        let asked = self.asked(status).and_then(|it| it.event.as_ref());
        let event = asked.or(created).or_else(|| step?.event.as_ref());
        event.map(String::as_str)
    }

    /// Returns the transition to a status that a request causes.
    fn asked(&self, to: &str) -> Option<&Ending> {
        let mut endings = self.requests.iter().chain(&self.delete);
        endings.find(|it| it.to == to)
    }

    /// Checks that a request may change a row. Returns the reason if not. `to` is the requested status.
    pub(super) fn check_request(&self, from: &str, to: Option<&str>) -> Result<(), String> {
        let to = to.filter(|to| *to != from);
        let mut requests = self.requests.iter();
        let allows = |it: &Ending| {
            let is_from = it.from.is_empty() || it.from.iter().any(|status| status == from);
            is_from && to.is_none_or(|to| it.to == to)
        };
        if self.requests.is_empty() || requests.any(allows) {
            return Ok(());
        }
        Err(format!(
            "the resource is {from}, and this status does not allow the change"
        ))
    }

    /// The statuses that can follow each other, in pairs.
    pub(super) fn transitions(&self) -> impl Iterator<Item = (&str, &str)> {
        let steps = self.steps.iter();
        let steps = steps.flat_map(|it| {
            let to = std::iter::once(&it.to).chain(&it.otherwise);
            to.map(|to| (it.from.as_str(), to.as_str()))
        });
        let endings = self.requests.iter().chain(&self.delete);
        let endings = endings.flat_map(|it| {
            let from = it.from.iter();
            from.map(|from| (from.as_str(), it.to.as_str()))
        });
        steps.chain(endings)
    }

    /// Returns the transition that follows a status without a request.
    pub(super) fn next(&self, status: &str) -> Option<&Transition> {
        let mut steps = self.steps.iter();
        steps.find(|step| step.from == status && !step.by_rules)
    }
}

impl Transition {
    pub(super) fn delay(&self) -> TimeDelta {
        #[expect(clippy::cast_possible_truncation, reason = "the file was checked")]
        let millis = (self.after * 1000.0) as i64;
        TimeDelta::milliseconds(millis)
    }
}

/// The status of a new row without a lifecycle of its own.
pub(super) fn first_status(status: &StatusField) -> Option<&str> {
    let usual = words::FIRST.into_iter();
    let mut usual = usual.filter(|first| status.values.iter().any(|value| value == first));
    status
        .default
        .as_deref()
        .filter(|default| status.values.iter().any(|value| value == default))
        .or_else(|| usual.next())
        .or_else(|| status.values.first().map(String::as_str))
}

/// Returns the statuses of a row that a request ends, in their order.
pub(super) fn last_statuses(status: &StatusField) -> Vec<&str> {
    let known = |wanted: &&str| status.values.iter().any(|value| value == wanted);
    let ending = words::ENDING.into_iter().find(known);
    let ended = words::ENDED.into_iter().find(known);
    ending.into_iter().chain(ended).collect()
}

/// Returns the status whose name matches the last segment of a path: `CANCELLED` for `/orders/{id}/cancel`.
pub(super) fn status_after<'a>(status: &'a StatusField, verb: &str) -> Option<&'a str> {
    let verb = words::plain(verb);
    let stem: String = verb.chars().take(verb.len().min(5)).collect();
    let mut values = status.values.iter();
    let found = values.find(|value| stem.len() >= 4 && words::plain(value).starts_with(&stem));
    found.map(String::as_str)
}

fn step() -> f64 {
    STEP
}
