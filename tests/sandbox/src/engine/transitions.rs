//! What happens to a row after a request: its status changes, events are sent, and further steps are planned.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::events::EventType;
use super::life::{first_status, last_statuses, status_after};
use super::request::Rejection;
use super::rows::{Row, Step};
use super::serve::status_of;
use super::tables::{StatusField, Table};
use super::values::{Fill, instant};
use super::words::{self, is_one_of};
use super::{Engine, World};
use crate::digest::short_digest;

/// How long a step takes that no file describes.
const STEP: TimeDelta = TimeDelta::seconds(1);

impl Engine {
    /// Carries out the steps that are due by `until`.
    pub(crate) fn run_until(&self, world: &mut World<'_>, until: DateTime<Utc>) {
        while let Some((at, step)) = world.rows.pop(until) {
            world.time.now = world.time.now.max(at);
            self.take(world, &step);
        }
    }

    fn take(&self, world: &mut World<'_>, step: &Step) {
        let Ok(at) = self.table_named(&step.table) else {
            return;
        };
        let Some(row) = world.rows.get(&step.table, step.row) else {
            return;
        };
        let status = status_of(&self.tables[at], row);
        if step.from.is_some() && step.from != status {
            return;
        }
        match &step.to {
            Some(to) => self.enter(world, at, step.row, to, step.event.as_deref()),
            None => self.remove(world, at, step.row),
        }
    }

    pub(super) fn first_status<'a>(
        &'a self,
        table: &Table,
        status: &'a StatusField,
    ) -> Option<&'a str> {
        let life = self.life.of(&table.name);
        let first = life.and_then(|life| life.first.as_deref());
        first.or_else(|| first_status(status))
    }

    /// Sends the event of a new row, and plans its first step.
    pub(super) fn begin_life(
        &self,
        world: &mut World<'_>,
        at: usize,
        number: u64,
        actions: &[&str],
    ) {
        let table = &self.tables[at];
        let Some(row) = world.rows.get(&table.name, number) else {
            return;
        };
        let status = status_of(table, row);
        let life = self.life.of(&table.name);
        let named = life.and_then(|life| life.created.as_deref());
        let named = named.and_then(|name| self.events.named(name));
        let of_status = status.as_deref().into_iter();
        let actions: Vec<_> = actions.iter().copied().chain(of_status).collect();
        if let Some(event) = named.or_else(|| self.events.after(at, &actions)) {
            self.emit(world, event, at, number);
        }
        self.plan_next(world, at, number);
    }

    /// Sends the event of a row that a request has changed.
    pub(super) fn tell_change(
        &self,
        world: &mut World<'_>,
        at: usize,
        number: u64,
        before: Option<&str>,
    ) {
        let table = &self.tables[at];
        let Some(row) = world.rows.get(&table.name, number) else {
            return;
        };
        let status = status_of(table, row);
        let is_new = status.as_deref() != before;
        let of_status = status.as_deref().filter(|_| is_new).into_iter();
        let actions: Vec<_> = of_status.chain(["UPDATED", "CHANGED"]).collect();
        if let Some(event) = self.events.after(at, &actions) {
            self.emit(world, event, at, number);
        }
        if is_new {
            self.plan_next(world, at, number);
        }
    }

    /// Gives a row a status, sends the event, and plans what follows.
    fn enter(
        &self,
        world: &mut World<'_>,
        at: usize,
        number: u64,
        status: &str,
        event: Option<&str>,
    ) {
        let table = &self.tables[at];
        self.set_status(world, at, number, status);
        let named = event.and_then(|name| self.events.named(name));
        if let Some(event) = named.or_else(|| self.events.after(at, &[status, "UPDATED"])) {
            self.emit(world, event, at, number);
        }
        self.follow_subscription(world, at, number);
        if self.life.of(&table.name).is_some() {
            self.plan_next(world, at, number);
        }
    }

    fn set_status(&self, world: &mut World<'_>, at: usize, number: u64, to: &str) {
        let table = &self.tables[at];
        let Some(status) = &table.status else { return };
        let now = instant(world.time.now);
        let Some(row) = world.rows.get(&table.name, number) else {
            return;
        };
        let mut value = row.value.clone();
        if let Value::Object(fields) = &mut value {
            fields.insert(status.name.clone(), json!(to));
            self.set_times(table, fields, &now, false);
        }
        // A status can require further fields.
        let value = self.row_value(world, at, &value);
        if let Some(row) = world.rows.get_mut(&table.name, number) {
            row.value = value;
        }
    }

    fn plan_next(&self, world: &mut World<'_>, at: usize, number: u64) {
        let table = &self.tables[at];
        let row = world.rows.get(&table.name, number);
        let status = row.and_then(|row| status_of(table, row));
        let life = self.life.of(&table.name);
        let Some(next) = life
            .zip(status)
            .and_then(|(life, status)| life.next(&status))
        else {
            return;
        };
        let step = Step {
            table: table.name.clone(),
            row: number,
            from: Some(next.from.clone()),
            to: Some(next.to.clone()),
            event: next.event.clone(),
        };
        world.rows.plan(world.time.now + next.delay(), step);
    }

    /// Ends a row by a `DELETE`: at once, or, if the response says that it was only accepted, a step later.
    pub(super) fn end_life(
        &self,
        world: &mut World<'_>,
        at: usize,
        number: u64,
        is_later: bool,
    ) -> Result<(), Rejection> {
        let table = &self.tables[at];
        let row = world.rows.get(&table.name, number);
        let status = row.and_then(|row| status_of(table, row));
        let life = self.life.of(&table.name);
        if let Some(ending) = life.and_then(|life| life.delete.as_ref()) {
            let status = status.unwrap_or_default();
            if !ending.from.is_empty() && !ending.from.contains(&status) || ending.to == status {
                let problem = format!("the resource is {status}");
                return Err(Rejection::Conflict(problem));
            }
            self.enter(world, at, number, &ending.to, ending.event.as_deref());
            return Ok(());
        }
        if !is_later {
            self.remove(world, at, number);
            return Ok(());
        }
        let last = table.status.as_ref().map(last_statuses).unwrap_or_default();
        let step = |to: Option<&str>, from: Option<&str>| Step {
            table: table.name.clone(),
            row: number,
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            event: None,
        };
        let due = world.time.now + STEP;
        match last.as_slice() {
            [] => world.rows.plan(due, step(None, None)),
            [only] => self.enter(world, at, number, only, None),
            [first, later, ..] => {
                self.enter(world, at, number, first, None);
                world.rows.plan(due, step(Some(later), Some(first)));
            }
        }
        Ok(())
    }

    fn remove(&self, world: &mut World<'_>, at: usize, number: u64) {
        let table = &self.tables[at];
        let ended = table.status.as_ref().map(last_statuses).unwrap_or_default();
        let actions: Vec<_> = ["DELETED", "REMOVED"].into_iter().chain(ended).collect();
        if let Some(event) = self.events.after(at, &actions) {
            self.emit(world, event, at, number);
        }
        self.end_subscription(world, at, number);
        world.rows.remove(&table.name, number);
    }

    /// Changes a row as the last segment of a path says, such as `cancel`.
    pub(super) fn change_as_asked(
        &self,
        world: &mut World<'_>,
        at: usize,
        number: u64,
        verb: &str,
    ) {
        let table = &self.tables[at];
        let status = table.status.as_ref();
        let to = status
            .and_then(|status| status_after(status, verb))
            .map(str::to_owned);
        if let Some(to) = to {
            self.enter(world, at, number, &to, None);
        }
    }

    /// Gives a row a status by hand.
    pub(crate) fn set_status_of(
        &self,
        world: &mut World<'_>,
        table: Option<&str>,
        id: &str,
        status: &str,
    ) -> Result<(), String> {
        let at = match table {
            Some(name) => self.table_named(name)?,
            None => self
                .table_with(world, id)
                .ok_or("no resource has this id")?,
        };
        let table = &self.tables[at];
        let rows = world.rows.table(&table.name);
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
        self.enter(world, at, number, status, None);
        Ok(())
    }

    fn table_with(&self, world: &World<'_>, id: &str) -> Option<usize> {
        self.tables.iter().position(|table| {
            let rows = world.rows.table(&table.name);
            rows.is_some_and(|rows| !rows.with_id(id).is_empty())
        })
    }

    /// Sends an event of the description about a new resource. Returns the ids of the event and of the resource.
    pub(crate) fn trigger(
        &self,
        world: &mut World<'_>,
        name: &str,
    ) -> Result<(Uuid, Uuid), String> {
        let event = self.events.named(name).ok_or_else(|| {
            format!("the description has no event `{name}`; `GET /_sandbox/event_types` lists all")
        })?;
        if let Some(at) = event.table {
            let number = self.seed_for_event(world, at, event);
            return Ok(self.emit(world, event, at, number));
        }
        let object = event.object.clone().unwrap_or_default();
        let random = world.time.random();
        let mut maker = self.maker(world.time.now, random, Fill::All);
        let object = maker.value(&object, None, "");
        let about = object["id"].as_str().map_or_else(Uuid::nil, as_uuid);
        let id = world.time.emit_because(event.kind, about, &object, None);
        Ok((id, about))
    }

    /// A new row with the status that the event is named after.
    fn seed_for_event(&self, world: &mut World<'_>, at: usize, event: &EventType) -> u64 {
        let table = &self.tables[at];
        let status = table.status.as_ref();
        let value = status.and_then(|status| Some((&status.name, event.value_in(&status.values)?)));
        let fields = match value {
            Some((name, value)) => json!({ name: value }),
            None => json!({}),
        };
        let links = std::collections::BTreeMap::new();
        self.insert(world, at, None, &fields, links)
    }

    /// Sends an event whose resource is the row. Returns the ids of the event and of the resource.
    fn emit(
        &self,
        world: &mut World<'_>,
        event: &EventType,
        at: usize,
        number: u64,
    ) -> (Uuid, Uuid) {
        let row = world.rows.get(&self.tables[at].name, number);
        let (about, object) = match row {
            Some(row) => (as_uuid(&row.id), self.object(world.time.now, event, row)),
            None => (Uuid::nil(), Value::Null),
        };
        let id = world.time.emit_because(event.kind, about, &object, None);
        (id, about)
    }

    /// The row, with the fields that the schema of the event requires.
    fn object(&self, now: DateTime<Utc>, event: &EventType, row: &Row) -> Value {
        let Some(schema) = &event.object else {
            return row.value.clone();
        };
        let mut maker = self.maker(now, super::replies::random_of(row.number), Fill::Known);
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

/// An id as a UUID. An id that is not one gets the same one each time.
fn as_uuid(id: &str) -> Uuid {
    let digest = || Uuid::from_bytes(short_digest(&[id.as_bytes()]));
    id.parse().unwrap_or_else(|_| digest())
}
