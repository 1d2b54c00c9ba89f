//! Applies the consequences of a request to a row: changes its status, sends events, and plans further steps.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Engine;
use super::events::EventType;
use super::lifecycle::{first_status, last_statuses, status_after};
use super::references::is_named_after;
use super::serve::{BY_CLIENT, status_of};
use super::tables::{StatusField, Table};
use super::values::{Fill, instant};
use super::words::{self, is_one_of};
use crate::digest::short_digest;
use crate::domain::rows::{Row, Step};
use crate::domain::state::{Rejected, State};
use crate::domain::timeline::Due;

/// The duration of a step that no file describes.
const STEP: TimeDelta = TimeDelta::seconds(1);

impl Engine {
    /// Processes everything that is due by `until`.
    pub(crate) fn run_until(&self, state: &mut State, until: DateTime<Utc>) {
        state.run_until(until, |state, step| self.take(state, step));
    }

    fn take(&self, state: &mut State, step: &Step) {
        let Ok(at) = self.table_named(&step.table) else {
            return;
        };
        let Some(row) = state.rows.get(&step.table, step.row) else {
            return;
        };
        let status = status_of(&self.tables[at], row);
        if step.from.is_some() && step.from != status {
            return;
        }
        let Some(to) = &step.to else {
            self.remove(state, at, step.row);
            return;
        };
        let allowed = self.apply_rules(state, at, step.row, to);
        match (allowed, &step.otherwise) {
            (Err(why), Some(otherwise)) => {
                self.set_status_and_send_event(state, at, step.row, otherwise, None, Some(why));
            }
            (Err(why), None) => self.send_event_of_kept_status(state, at, step, why),
            (Ok(()), _) => {
                let why = step.why.clone();
                self.set_status_and_send_event(state, at, step.row, to, step.event.as_deref(), why);
            }
        }
    }

    /// Sends the event of the status that a row keeps because the rules rejected its step, with the reason.
    fn send_event_of_kept_status(&self, state: &mut State, at: usize, step: &Step, why: String) {
        let status = step.from.as_deref().into_iter();
        let status: Vec<_> = status.collect();
        if let Some(event) = self.events.after(at, &status) {
            self.emit_because(state, event, at, step.row, Some(why));
        }
    }

    /// Updates everything that depends on a row that is new or was changed, such as deliveries to a subscription.
    pub(super) fn update_dependents(&self, state: &mut State, at: usize, number: u64) {
        self.follow_subscription(state, at, number);
        let table = &self.tables[at].name;
        let row = state.rows.get(table, number).cloned();
        if let Some(row) = row.filter(|_| self.description.has_rules()) {
            state.after_change(table, &row);
        }
    }

    /// Applies the rules of a table to the status that a row is about to get. Returns the reason if the row cannot get
    /// it.
    fn apply_rules(
        &self,
        state: &mut State,
        at: usize,
        number: u64,
        to: &str,
    ) -> Result<(), String> {
        if !self.description.has_rules() {
            return Ok(());
        }
        let table = &self.tables[at].name;
        let Some(mut row) = state.rows.get(table, number).cloned() else {
            return Ok(());
        };
        state.before_status(table, &mut row, to)?;
        if let Some(known) = state.rows.get_mut(table, number) {
            known.value = row.value;
            known.facts = row.facts;
        }
        Ok(())
    }

    pub(super) fn first_status<'a>(
        &'a self,
        table: &Table,
        status: &'a StatusField,
    ) -> Option<&'a str> {
        let lifecycle = self.lifecycles.of(&table.name);
        let first = lifecycle.and_then(|lifecycle| lifecycle.first.as_deref());
        first.or_else(|| first_status(status))
    }

    /// Sends the event of a new row, and plans its first step.
    pub(super) fn begin_row(&self, state: &mut State, at: usize, number: u64, actions: &[&str]) {
        let table = &self.tables[at];
        let Some(row) = state.rows.get(&table.name, number) else {
            return;
        };
        let status = status_of(table, row);
        let lifecycle = self.lifecycles.of(&table.name);
        let named = lifecycle.and_then(|lifecycle| lifecycle.created.as_deref());
        let named = named.and_then(|name| self.events.named(name));
        let of_status = status.as_deref().into_iter();
        let actions: Vec<_> = actions.iter().copied().chain(of_status).collect();
        if let Some(event) = named.or_else(|| self.events.after(at, &actions)) {
            self.emit(state, event, at, number);
        }
        self.plan_next(state, at, number);
    }

    /// Sends the event of a row that a request has changed.
    pub(super) fn send_change_event(
        &self,
        state: &mut State,
        at: usize,
        number: u64,
        before: Option<&str>,
    ) {
        let table = &self.tables[at];
        let Some(row) = state.rows.get(&table.name, number) else {
            return;
        };
        let status = status_of(table, row);
        let is_new = status.as_deref() != before;
        let lifecycle = self.lifecycles.of(&table.name);
        let new = status.as_deref().filter(|_| is_new);
        let named = lifecycle.and_then(|lifecycle| match new {
            Some(status) => lifecycle.event_of(status),
            None => lifecycle.changed.as_deref(),
        });
        let named = named.and_then(|name| self.events.named(name));
        let actions: Vec<_> = new.into_iter().chain(["UPDATED", "CHANGED"]).collect();
        let why = new.map(|_| BY_CLIENT.to_owned());
        if let Some(event) = named.or_else(|| self.events.after(at, &actions)) {
            self.emit_because(state, event, at, number, why);
        }
        if is_new {
            self.plan_next(state, at, number);
        }
    }

    /// Gives a row a status, sends the event, and plans the next step.
    fn set_status_and_send_event(
        &self,
        state: &mut State,
        at: usize,
        number: u64,
        status: &str,
        event: Option<&str>,
        why: Option<String>,
    ) {
        let table = &self.tables[at];
        self.set_status(state, at, number, status);
        let lifecycle = self.lifecycles.of(&table.name);
        let named = event.or_else(|| lifecycle?.event_of(status));
        let named = named.and_then(|name| self.events.named(name));
        if let Some(event) = named.or_else(|| self.events.after(at, &[status, "UPDATED"])) {
            self.emit_because(state, event, at, number, why);
        }
        self.update_dependents(state, at, number);
        if lifecycle.is_some() {
            self.plan_next(state, at, number);
        }
    }

    fn set_status(&self, state: &mut State, at: usize, number: u64, to: &str) {
        let table = &self.tables[at];
        let Some(status) = &table.status else { return };
        let now = instant(state.timeline.now);
        let Some(row) = state.rows.get(&table.name, number) else {
            return;
        };
        let mut value = row.value.clone();
        if let Value::Object(fields) = &mut value {
            fields.insert(status.name.clone(), json!(to));
            self.set_times(table, fields, &now, false);
        }
        // A status can require further fields.
        let value = self.row_value(state, at, &value);
        if let Some(row) = state.rows.get_mut(&table.name, number) {
            row.value = value;
        }
    }

    fn plan_next(&self, state: &mut State, at: usize, number: u64) {
        let table = &self.tables[at];
        let row = state.rows.get(&table.name, number);
        let status = row.and_then(|row| status_of(table, row));
        let lifecycle = self.lifecycles.of(&table.name);
        let Some(next) = lifecycle
            .zip(status)
            .and_then(|(lifecycle, status)| lifecycle.next(&status))
        else {
            return;
        };
        let step = Step {
            table: table.name.clone(),
            row: number,
            from: Some(next.from.clone()),
            to: Some(next.to.clone()),
            event: next.event.clone(),
            otherwise: next.otherwise.clone(),
            why: None,
        };
        state.timeline.after(next.delay(), Due::Row(Box::new(step)));
    }

    /// Ends a row because of a `DELETE`: at once, or one step later if the response says that the request was only
    /// accepted.
    pub(super) fn end_row(
        &self,
        state: &mut State,
        at: usize,
        number: u64,
        is_later: bool,
        why: &str,
    ) -> Result<(), Rejected> {
        let table = &self.tables[at];
        let row = state.rows.get(&table.name, number);
        let status = row.and_then(|row| status_of(table, row));
        let lifecycle = self.lifecycles.of(&table.name);
        if let Some(ending) = lifecycle.and_then(|lifecycle| lifecycle.delete.as_ref()) {
            let status = status.unwrap_or_default();
            let is_done = ending.to == status && !ending.removes;
            if !ending.from.is_empty() && !ending.from.contains(&status) || is_done {
                let problem = format!("the resource is {status}");
                return Err(Rejected::Conflict(problem));
            }
            self.apply_rules(state, at, number, &ending.to)
                .map_err(Rejected::Conflict)?;
            let why = Some(why.to_owned());
            if ending.to != status {
                self.set_status_and_send_event(
                    state,
                    at,
                    number,
                    &ending.to,
                    ending.event.as_deref(),
                    why,
                );
            }
            if ending.removes {
                self.end_subscription(state, at, number);
                state.rows.remove(&table.name, number);
            }
            return Ok(());
        }
        if !is_later {
            self.remove(state, at, number);
            return Ok(());
        }
        let last = table.status.as_ref().map(last_statuses).unwrap_or_default();
        let step = |to: Option<&str>, from: Option<&str>| Step {
            table: table.name.clone(),
            row: number,
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            event: None,
            otherwise: None,
            why: None,
        };
        match last.as_slice() {
            [] => state
                .timeline
                .after(STEP, Due::Row(Box::new(step(None, None)))),
            [only] => self.set_status_and_send_event(state, at, number, only, None, None),
            [first, later, ..] => {
                self.set_status_and_send_event(state, at, number, first, None, None);
                let later = step(Some(later), Some(first));
                state.timeline.after(STEP, Due::Row(Box::new(later)));
            }
        }
        Ok(())
    }

    /// Ends the lifecycle of a row on request, as the method `DELETE` does.
    pub(crate) fn end(
        &self,
        state: &mut State,
        table: &str,
        id: Uuid,
        why: &str,
    ) -> Result<(), Rejected> {
        let at = self.table_named(table).map_err(|_| Rejected::NotFound)?;
        let number = state.rows.find(table, id).ok_or(Rejected::NotFound)?.number;
        self.end_row(state, at, number, false, why)
    }

    fn remove(&self, state: &mut State, at: usize, number: u64) {
        let table = &self.tables[at];
        let ended = table.status.as_ref().map(last_statuses).unwrap_or_default();
        let actions: Vec<_> = ["DELETED", "REMOVED"].into_iter().chain(ended).collect();
        if let Some(event) = self.events.after(at, &actions) {
            self.emit(state, event, at, number);
        }
        self.end_subscription(state, at, number);
        state.rows.remove(&table.name, number);
    }

    /// Changes a row according to the last segment of a path, such as `cancel`.
    pub(super) fn change_as_asked(&self, state: &mut State, at: usize, number: u64, verb: &str) {
        let table = &self.tables[at];
        let status = table.status.as_ref();
        let to = status
            .and_then(|status| status_after(status, verb))
            .map(str::to_owned);
        if let Some(to) = to {
            self.set_status_and_send_event(state, at, number, &to, None, None);
        }
    }

    /// Gives a row a status by hand.
    pub(crate) fn set_status_of(
        &self,
        state: &mut State,
        table: Option<&str>,
        id: &str,
        status: &str,
    ) -> Result<(), String> {
        let at = match table {
            Some(name) => self.table_named(name)?,
            None => self
                .table_with(state, id)
                .ok_or("no resource has this id")?,
        };
        let table = &self.tables[at];
        let rows = state.rows.table(&table.name);
        let row = rows.and_then(|rows| rows.with_id(id).first().copied());
        let number = row.ok_or("no resource has this id")?.number;
        let known = table
            .status
            .as_ref()
            .map_or(&[][..], |it| it.values.as_slice());
        if !known.iter().any(|it| it == status) {
            let known = known.join(", ");
            return Err(format!("`{}` has only the statuses {known}", table.name));
        }
        self.set_status_and_send_event(state, at, number, status, None, None);
        Ok(())
    }

    fn table_with(&self, state: &State, id: &str) -> Option<usize> {
        self.tables.iter().position(|table| {
            let rows = state.rows.table(&table.name);
            rows.is_some_and(|rows| !rows.with_id(id).is_empty())
        })
    }

    /// Sends an event of the description about a new resource. Returns the ids of the event and of the resource.
    pub(crate) fn trigger(&self, state: &mut State, name: &str) -> Result<(Uuid, Uuid), String> {
        let event = self.events.named(name).ok_or_else(|| {
            format!("the description has no event `{name}`; `GET /_sandbox/event_types` lists all")
        })?;
        if let Some(at) = event.table {
            let number = self.seed_for_event(state, at, event);
            return Ok(self.emit(state, event, at, number));
        }
        let object = event.object.clone().unwrap_or_default();
        let random = state.timeline.next_rng();
        let mut maker = self.maker(state.timeline.now, random, Fill::All);
        let object = maker.value(&object, None, "");
        let about = object["id"].as_str().map_or_else(Uuid::nil, as_uuid);
        let id = state
            .timeline
            .emit_because(event.kind, about, &object, None);
        Ok((id, about))
    }

    /// Makes a new row with the status after which the event is named.
    fn seed_for_event(&self, state: &mut State, at: usize, event: &EventType) -> u64 {
        let table = &self.tables[at];
        let status = table.status.as_ref();
        let value = status.and_then(|status| Some((&status.name, event.value_in(&status.values)?)));
        let fields = match value {
            Some((name, value)) => json!({ name: value }),
            None => json!({}),
        };
        let links = std::collections::BTreeMap::new();
        self.insert(state, at, None, &fields, links)
    }

    /// Sends an event about a row. Returns the ids of the event and of the resource.
    fn emit(&self, state: &mut State, event: &EventType, at: usize, number: u64) -> (Uuid, Uuid) {
        self.emit_because(state, event, at, number, None)
    }

    /// As [`Self::emit`], with the reason why the row has failed or ended.
    fn emit_because(
        &self,
        state: &mut State,
        event: &EventType,
        at: usize,
        number: u64,
        why: Option<String>,
    ) -> (Uuid, Uuid) {
        let row = state.rows.get(&self.tables[at].name, number);
        let parent = row.and_then(|row| self.parent_that_event_is_about(state, event, at, row));
        let (about, object) = match (parent, row) {
            (Some(parent), _) => parent,
            (None, Some(row)) => (
                as_uuid(&row.id),
                self.object(state.timeline.now, event, row),
            ),
            (None, None) => (Uuid::nil(), Value::Null),
        };
        let id = state.timeline.emit_because(event.kind, about, &object, why);
        (id, about)
    }

    /// Returns the parent of the row, if the event's type belongs to the table of the parent.
    fn parent_that_event_is_about(
        &self,
        state: &State,
        event: &EventType,
        at: usize,
        row: &Row,
    ) -> Option<(Uuid, Value)> {
        let table = &self.tables[event.table.filter(|of| *of != at)?];
        let mut links = row.links.iter();
        let (_, id) = links.find(|(name, _)| is_named_after(name, table))?;
        let rows = state.rows.table(&table.name);
        let parent = rows.and_then(|rows| rows.with_id(id).first().copied());
        let object = match parent {
            Some(parent) => self.object(state.timeline.now, event, parent),
            None => state.resource(&table.name, id)?,
        };
        Some((as_uuid(id), object))
    }

    /// Returns the row, with the fields that the schema of the event requires.
    fn object(&self, now: DateTime<Utc>, event: &EventType, row: &Row) -> Value {
        let Some(schema) = &event.object else {
            return row.value.clone();
        };
        let mut maker = self.maker(now, super::written::random_of(row.number), Fill::Known);
        let mut object = maker.value(schema, Some(&row.value), "");
        if let (Value::Object(object), Value::Object(row)) = (&mut object, &row.value) {
            for (name, value) in row {
                if is_one_of(name, &words::STATUS) {
                    object.insert(name.clone(), value.clone());
                }
            }
        }
        object
    }
}

/// Returns an id as a UUID. An id that is not a UUID always becomes the same UUID.
fn as_uuid(id: &str) -> Uuid {
    let digest = || Uuid::from_bytes(short_digest(&[id.as_bytes()]));
    id.parse().unwrap_or_else(|_| digest())
}
