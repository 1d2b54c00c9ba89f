//! Serves an API from nothing but its description.
//!
//! ```text
//! description -> tables, actions, events          derived once
//! request -> action -> rows -> reply              serve
//!                   -> life, events, webhooks     what happens to a row afterwards
//! ```
//!
//! Nothing here knows an API. The words by which it recognizes pages, statuses and subscriptions are in [`words`].

mod actions;
mod events;
mod life;
mod listing;
mod patterns;
mod problems;
mod references;
mod replies;
mod request;
mod responses;
mod rows;
mod seeds;
mod serve;
mod tables;
mod transitions;
mod values;
mod webhooks;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::description::{Description, Operation};
use crate::domain::timeline::Timeline;
use actions::Action;
use events::EventTypes;
use patterns::PatternTexts;
use tables::Table;

pub(crate) use life::{Life, LifeError};
pub(crate) use request::{Rejection, Reply, Request};
pub(crate) use rows::Rows;

/// What the operations of a description do with its tables. It has no state.
pub(crate) struct Engine {
    description: Arc<Description>,
    tables: Vec<Table>,
    /// In the order of the operations.
    actions: Vec<Action>,
    events: EventTypes,
    life: Life,
    texts: PatternTexts,
}

/// What requests change.
pub(crate) struct World<'a> {
    pub(crate) rows: &'a mut Rows,
    pub(crate) time: &'a mut Timeline,
}

impl Engine {
    pub(crate) fn new(description: Arc<Description>, life: Life) -> Result<Self, LifeError> {
        let (mut tables, of_operation) = tables::tables(&description);
        let actions = actions::actions(&description, &mut tables, &of_operation);
        let events = EventTypes::read(&description, &tables);
        life.check(&tables, &events)?;
        Ok(Self {
            description,
            tables,
            actions,
            events,
            life,
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
