//! The time, the schedule, the generator of ids, and the events.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::events::{Event, EventKind, Events};
use crate::domain::rows::Step;

/// The time, the schedule, the generator of ids, and the events.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timeline {
    pub(crate) now: DateTime<Utc>,
    pub(crate) events: Events,
    schedule: Schedule,
    seed: u64,
    drawn: u64,
}

/// A scheduled step. The ids are those of the resources that it changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Due {
    /// A step in the lifecycle of a row that the engine serves. In a box, as a million orders have other steps.
    Row(Box<Step>),
    FinishChecks(Uuid),
    OpenAccount(Uuid),
    CloseAccount(Uuid),
    CheckOrder(Uuid),
    ExecuteOrder(Uuid),
    DecideCancellation(Uuid),
    PortfolioOrder(Uuid),
    SavingsPlan(Uuid),
    OpenVenue,
    Midnight,
    MovePrices,
}

/// Sorted by time. Steps that are due at the same time are processed in the order in which they were planned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Planned>", into = "Vec<Planned>")]
struct Schedule {
    planned: BTreeMap<(DateTime<Utc>, u64), Due>,
    count: u64,
}

#[derive(Serialize, Deserialize)]
struct Planned {
    at: DateTime<Utc>,
    due: Due,
}

impl Timeline {
    pub(crate) fn new(now: DateTime<Utc>, seed: u64, event_limit: usize) -> Self {
        let events = Events::new(event_limit);
        let schedule = Schedule::default();
        Self {
            now,
            events,
            schedule,
            seed,
            drawn: 0,
        }
    }

    /// A new generator of random numbers, seeded with the seed and the number of earlier calls.
    pub(crate) fn next_rng(&mut self) -> StdRng {
        self.drawn += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&self.drawn.to_le_bytes());
        StdRng::from_seed(seed)
    }

    pub(crate) fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.next_rng().random()).into_uuid()
    }

    /// Creates an event. `object` is the resource in its current state.
    pub(crate) fn emit(&mut self, kind: &'static EventKind, about: Uuid, object: &impl Serialize) {
        self.emit_because(kind, about, object, None);
    }

    /// As [`Timeline::emit`], with the reason why the resource was rejected or cancelled, or failed. Returns the id of
    /// the event.
    pub(crate) fn emit_because(
        &mut self,
        kind: &'static EventKind,
        about: Uuid,
        object: &impl Serialize,
        reason: Option<String>,
    ) -> Uuid {
        let id = self.id();
        let object =
            serde_json::value::to_raw_value(object).expect("the state can be written as JSON");
        self.events.take(Event {
            id,
            created_at: self.now,
            kind,
            about,
            object,
            reason,
        });
        id
    }

    pub(crate) fn after(&mut self, delay: TimeDelta, due: Due) {
        self.at(self.now + delay, due);
    }

    pub(crate) fn at(&mut self, at: DateTime<Utc>, due: Due) {
        self.schedule.count += 1;
        self.schedule.planned.insert((at, self.schedule.count), due);
    }

    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.schedule
            .planned
            .first_key_value()
            .map(|((at, _), _)| *at)
    }

    /// Removes the next step that is due by `until`, and sets the time to when it is due.
    pub(crate) fn pop(&mut self, until: DateTime<Utc>) -> Option<Due> {
        let entry = self
            .schedule
            .planned
            .first_entry()
            .filter(|entry| entry.key().0 <= until)?;
        let ((at, _), due) = entry.remove_entry();
        self.now = self.now.max(at);
        Some(due)
    }
}

impl From<Vec<Planned>> for Schedule {
    fn from(planned: Vec<Planned>) -> Self {
        let count = planned.len() as u64;
        let planned = (1..)
            .zip(planned)
            .map(|(number, planned)| ((planned.at, number), planned.due));
        Self {
            planned: planned.collect(),
            count,
        }
    }
}

impl From<Schedule> for Vec<Planned> {
    fn from(schedule: Schedule) -> Self {
        schedule
            .planned
            .into_iter()
            .map(|((at, _), due)| Planned { at, due })
            .collect()
    }
}
