//! The state of a client.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::Currency;
use crate::description::Description;
use crate::domain::customers::accounts::{Account, AccountGroup};
use crate::domain::customers::reports::StoredFile;
use crate::domain::customers::users::User;
use crate::domain::jobs::Job;
use crate::domain::rows::{Rows, Step};
use crate::domain::table::Table;
use crate::domain::timeline::{Due, Timeline};
use crate::domain::trading::cancellations::Cancellation;
use crate::domain::trading::instruments::Instrument;
use crate::domain::trading::orders::Order;
use crate::domain::trading::portfolios::{Portfolio, PortfolioOrder};
use crate::domain::trading::venue::VenueHours;
use crate::hosts::Hosts;

/// The duration of each step in the processing of a resource, on the sandbox's clock.
pub(crate) const STEP: TimeDelta = TimeDelta::seconds(1);

/// All users, accounts, orders and money. Only its methods change it, when a request calls them or when they are due.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) timeline: Timeline,
    /// The resources that the engine serves.
    pub(crate) rows: Rows,
    pub(crate) users: Table<User>,
    pub(crate) groups: Table<AccountGroup>,
    pub(crate) accounts: Table<Account>,
    pub(crate) instruments: Table<Instrument>,
    pub(crate) orders: Table<Order>,
    pub(crate) cancellations: Table<Cancellation>,
    pub(crate) portfolios: Table<Portfolio>,
    pub(crate) portfolio_orders: Table<PortfolioOrder>,
    pub(crate) files: Table<StoredFile>,
    /// Groups of orders.
    pub(in crate::domain) jobs: Vec<Job>,
    /// The other side of a booking whose cash or units enter or leave the sandbox.
    pub(in crate::domain) outside: Outside,
    #[serde(default)]
    pub(in crate::domain) venue_hours: Option<VenueHours>,
    /// The panics in the sandbox itself.
    pub(in crate::domain) panics: Vec<String>,
    /// Further hosts, besides this machine, to which events may be delivered.
    #[serde(skip)]
    pub(crate) webhook_hosts: Hosts,
    #[serde(skip, default = "categories")]
    pub(in crate::domain) categories: Vec<String>,
}

/// The counter-balance for cash and units that enter or leave the sandbox. For each currency and instrument, the
/// counter-balance and the balances of all accounts add up to zero.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::domain) struct Outside {
    pub(in crate::domain) cash: BTreeMap<Currency, Decimal>,
    pub(in crate::domain) units: BTreeMap<Uuid, Decimal>,
}

/// Why a call failed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The id in the path does not exist.
    NotFound,
    /// A field is invalid, although it matches its schema.
    Invalid(String),
    /// The id in this field of the body does not exist. Only the engine returns this.
    Unknown(String),
    /// The status of the resource does not allow the call.
    Conflict(String),
}

impl Rejected {
    pub(crate) fn invalid(field: &str, problem: &str) -> Self {
        Self::Invalid(format!("`{field}` {problem}"))
    }

    /// A field contains an id that does not exist.
    pub(crate) fn unknown(field: &str) -> Self {
        Self::invalid(field, "does not exist for this client")
    }
}

impl State {
    /// A state without resources, for descriptions that the rules here do not know.
    pub(crate) fn empty(now: DateTime<Utc>, seed: u64, event_limit: usize) -> Self {
        Self {
            timeline: Timeline::new(now, seed, event_limit),
            categories: categories(),
            ..Self::default()
        }
    }

    pub(crate) fn new(now: DateTime<Utc>, seed: u64, event_limit: usize) -> Self {
        let mut state = Self::empty(now, seed, event_limit);
        state.add_mock_instruments();
        state.timeline.at(next_midnight(now), Due::Midnight);
        state
            .timeline
            .at(now + TimeDelta::hours(1), Due::MovePrices);
        state
    }

    /// Whether there is nothing to process by `now`.
    pub(crate) fn is_up_to_date(&self, now: DateTime<Utc>) -> bool {
        self.timeline.next_due().is_none_or(|due| due > now)
    }

    /// Processes everything that is due by `until`. `take` takes the steps of rows.
    pub(crate) fn run_until(
        &mut self,
        until: DateTime<Utc>,
        mut take: impl FnMut(&mut Self, &Step),
    ) {
        while let Some(due) = self.timeline.pop(until) {
            self.survive(&format!("{due:?}"), |state| match due {
                Due::Row(step) => take(state, &step),
                due => state.do_what_is_due(&due),
            });
        }
        self.timeline.now = self.timeline.now.max(until);
    }

    /// Runs `work`. A panic in it ends only this work, and the audit reports it.
    pub(crate) fn survive<T>(
        &mut self,
        what: &str,
        does: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(|| does(self)));
        if done.is_err() {
            self.record_panic(what);
        }
        done.ok()
    }

    /// Makes the audit report a panic.
    pub(crate) fn record_panic(&mut self, what: &str) {
        self.panics.push(format!(
            "{what} ended with a panic, which is a bug of the sandbox"
        ));
    }

    fn do_what_is_due(&mut self, due: &Due) {
        match due {
            // Planned first, so that the next one takes place even if this one fails.
            Due::Midnight => self
                .timeline
                .at(next_midnight(self.timeline.now), Due::Midnight),
            Due::MovePrices => self.timeline.after(TimeDelta::hours(1), Due::MovePrices),
            _ => {}
        }
        match due {
            Due::Row(_) => {}
            Due::FinishChecks(user) => self.finish_checks(*user),
            Due::OpenAccount(account) => self.open_account(*account),
            Due::CloseAccount(account) => self.finish_closing(*account),
            Due::CheckOrder(order) => self.check_order(*order),
            Due::ExecuteOrder(order) => self.execute_order(*order),
            Due::DecideCancellation(cancellation) => self.decide_cancellation(*cancellation),
            Due::PortfolioOrder(order) => self.work_off_portfolio_order(*order),
            Due::SavingsPlan(plan) => self.execute_savings_plan(*plan),
            Due::OpenVenue => self.open_venue(),
            Due::Midnight => self.value_all_accounts(),
            Due::MovePrices => self.move_prices(),
        }
    }
}

fn next_midnight(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = now
        .date_naive()
        .checked_add_days(Days::new(1))
        .unwrap_or(chrono::NaiveDate::MAX);
    tomorrow.and_time(NaiveTime::MIN).and_utc()
}

/// The event categories of the description.
fn categories() -> Vec<String> {
    let place = "/components/schemas/WebhookSubscription/properties/event_categories/items/enum";
    let description = Description::bundled();
    let categories = description.document().pointer(place);
    let categories = categories.and_then(serde_json::Value::as_array);
    categories
        .into_iter()
        .flatten()
        .filter_map(|category| Some(category.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_costs_what_it_happens_in_and_the_audit_says_so() {
        let mut state = State::new(DateTime::UNIX_EPOCH, 0, 1);
        assert_eq!(
            state.survive("this", |_| -> u8 { panic!("on purpose") }),
            None
        );
        assert_eq!(state.survive("that", |_| 1), Some(1));
        assert_eq!(
            state.audit(),
            ["this ended with a panic, which is a bug of the sandbox"]
        );
    }
}
