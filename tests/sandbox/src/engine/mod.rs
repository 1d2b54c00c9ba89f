//! Serves an API from nothing but its description.
//!
//! ```text
//! description -> tables, actions, events          derived once
//! request -> action -> rows -> response              serve
//!                   -> lifecycle, events, webhooks     what happens to a row afterwards
//! ```
//!
//! Nothing here knows an API. The words by which it recognizes pages, statuses and subscriptions are in [`words`].

mod actions;
mod events;
mod lifecycle;
mod listing;
mod numbers;
mod patterns;
mod problems;
mod references;
mod request;
mod responses;
mod seeds;
mod serve;
mod tables;
mod transitions;
mod values;
mod webhooks;
mod words;
mod written;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use crate::description::{Description, Operation};
use actions::Action;
use events::EventTypes;
use patterns::PatternTexts;
use tables::Table;

use lifecycle::Lifecycle;
pub(crate) use lifecycle::{LifecycleError, Lifecycles};
pub(crate) use request::{Request, Response};
pub(crate) use words::plain;

/// The tables of a description, and the actions of its operations on them. It has no state.
pub(crate) struct Engine {
    description: Arc<Description>,
    tables: Vec<Table>,
    /// In the order of the operations.
    actions: Vec<Action>,
    events: EventTypes,
    lifecycles: Lifecycles,
    texts: PatternTexts,
}

/// The engine for the description of this workspace.
static BUNDLED: LazyLock<Arc<Engine>> = LazyLock::new(|| {
    let lifecycles = serde_json::from_str(include_str!("../../lifecycles.json"))
        .expect("a test compares the file with the one in YAML");
    let engine = Engine::new(Description::bundled(), lifecycles);
    Arc::new(engine.expect("every test of the sandbox starts with it"))
});

impl Engine {
    /// Returns the engine for the description of this workspace. The rules in `domain` serve the operations for which
    /// it has no table.
    pub(crate) fn bundled() -> Arc<Self> {
        Arc::clone(&BUNDLED)
    }

    pub(crate) fn new(
        description: Arc<Description>,
        lifecycles: Lifecycles,
    ) -> Result<Self, LifecycleError> {
        let (mut tables, of_operation) = tables::tables(&description);
        let actions = actions::actions(&description, &mut tables, &of_operation);
        let events = EventTypes::read(&description, &tables);
        lifecycles.check(&tables, &events)?;
        for table in &mut tables {
            let lifecycle = lifecycles.of(&table.name);
            table.has_create |= lifecycle.is_some_and(|lifecycle| lifecycle.rows.is_some());
        }
        Ok(Self {
            description,
            tables,
            actions,
            events,
            lifecycles,
            texts: PatternTexts::default(),
        })
    }

    /// The names of the events of the description.
    pub(crate) fn event_types(&self) -> Vec<&'static str> {
        self.events.names()
    }

    /// The statuses of each table.
    pub(crate) fn statuses(&self) -> BTreeMap<&str, &[String]> {
        let tables = self.tables.iter();
        let with_status = tables.filter_map(|table| {
            let status = table.status.as_ref()?;
            Some((table.name.as_str(), status.values.as_slice()))
        });
        with_status.collect()
    }

    /// Returns, for each table with a lifecycle from a file, its statuses with the next statuses and the events.
    pub(crate) fn transitions(&self) -> BTreeMap<&str, Value> {
        let tables = self.tables.iter().enumerate();
        let lifecycles = tables.filter_map(|(at, table)| {
            let lifecycle = self.lifecycles.of(&table.name)?;
            let statuses = table.status.as_ref()?.values.iter();
            let rows = statuses.filter_map(|status| {
                let event = self.event_of_status(at, lifecycle, status)?;
                let next = lifecycle.transitions().filter(|(from, _)| from == status);
                let next: Vec<_> = next.map(|(_, to)| to).collect();
                Some((status.clone(), json!({ "next": next, "event": event })))
            });
            let rows: Map<_, _> = rows.collect();
            (!rows.is_empty()).then(|| (table.name.as_str(), rows.into()))
        });
        lifecycles.collect()
    }

    /// Returns the event that is sent when a row gets a status.
    fn event_of_status(
        &self,
        at: usize,
        lifecycle: &Lifecycle,
        status: &str,
    ) -> Option<&'static str> {
        let named = lifecycle
            .event_of(status)
            .and_then(|name| self.events.named(name));
        let event = named.or_else(|| self.events.after(at, &[status]))?;
        (event.table == Some(at)).then_some(event.kind.event_type)
    }

    /// Returns the index of an operation in the description.
    pub(crate) fn number_of(&self, operation: &str) -> Option<usize> {
        let mut operations = self.description.operations().iter();
        operations.position(|it| it.id == operation)
    }

    fn operation(&self, at: usize) -> &Operation {
        &self.description.operations()[at]
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("tables", &self.tables.len())
            .finish_non_exhaustive()
    }
}
