//! Resources with a status, and the tables of the allowed transitions between statuses.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::domain::events::EventKind;
use crate::domain::state::{Rejected, State};
use crate::domain::table::{Identified, Table};
use crate::domain::timeline::Timeline;

/// The status of a resource.
pub(crate) trait Status: Copy + Debug + Ord + Serialize + 'static {
    /// All statuses in the order of their declaration.
    const ALL: &'static [Self];

    /// The statuses that can follow. A status without any is final.
    fn next(self) -> &'static [Self];

    fn is_final(self) -> bool {
        self.next().is_empty()
    }
}

/// A resource with a status.
pub(crate) trait Resource: Identified {
    type Status: Status;
    /// The resource as the API shows it.
    type View: Serialize;

    /// The name of the resource type, such as `account transfer`.
    const NAME: &'static str;
    /// The event when one is created.
    const CREATED: &'static EventKind;
    /// The events for the statuses, in the order of the statuses.
    const EVENTS: &'static [&'static EventKind];

    fn view(&self) -> &Self::View;
    fn status(&self) -> Self::Status;
    fn set_status(&mut self, status: Self::Status, now: DateTime<Utc>);
    fn parts(state: &mut State) -> (&mut Table<Self>, &mut Timeline);
}

/// Declares statuses, which are in capitals in JSON, each with those that can follow.
macro_rules! lifecycle {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $status:ident => [$($next:ident)*])+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        $vis enum $name {
            $($(#[$doc])* $status),+
        }

        impl crate::domain::lifecycle::Status for $name {
            const ALL: &'static [Self] = &[$(Self::$status),+];

            fn next(self) -> &'static [Self] {
                match self {
                    $(Self::$status => &[$(Self::$next),*]),+
                }
            }
        }
    };
}

/// `resource!(Order, "order", orders, |it| it.view => OrderView, OrderStatus, created => [events by status],
/// updated_at; by account_id)`: the field with the time of the last change, and the ids by which it can be found, if
/// any.
macro_rules! resource {
    (
        $name:ident, $words:literal, $table:ident, |$it:ident| $view:expr => $shown:ty, $status:ty,
        $created:ident => [$($event:ident)+] $(, $updated_at:ident)? $(; by $($($key:ident).+)+)?
    ) => {
        impl crate::domain::table::Identified for $name {
            fn id(&self) -> uuid::Uuid {
                let $it = self;
                $view.id
            }

            $(fn keys(&self) -> Vec<u128> {
                let $it = self;
                vec![crate::domain::lifecycle::key($view.status), $($view.$($key).+.as_u128()),+]
            })?
        }

        impl crate::domain::lifecycle::Resource for $name {
            type Status = $status;
            type View = $shown;

            const NAME: &'static str = $words;
            const CREATED: &'static crate::domain::events::EventKind =
                crate::domain::events::EventKind::$created;
            const EVENTS: &'static [&'static crate::domain::events::EventKind] =
                &[$(crate::domain::events::EventKind::$event),+];

            fn view(&self) -> &$shown {
                let $it = self;
                &$view
            }

            fn status(&self) -> $status {
                let $it = self;
                $view.status
            }

            fn set_status(&mut self, status: $status, _now: chrono::DateTime<chrono::Utc>) {
                let $it = self;
                $view.status = status;
                $($view.$updated_at = _now;)?
            }

            fn parts(
                state: &mut crate::domain::state::State,
            ) -> (&mut crate::domain::table::Table<Self>, &mut crate::domain::timeline::Timeline) {
                (&mut state.$table, &mut state.timeline)
            }
        }
    };
}

/// Calls a function for every type of resource.
macro_rules! each_resource {
    ($call:ident, $argument:expr) => {
        $call::<accounts::Account>($argument);
        $call::<cancellations::Cancellation>($argument);
        $call::<orders::Order>($argument);
        $call::<portfolios::Portfolio>($argument);
        $call::<portfolios::PortfolioOrder>($argument);
        $call::<users::User>($argument);
    };
}

impl State {
    /// Adds a new resource.
    pub(in crate::domain) fn add<T: Resource>(&mut self, made: T) -> &mut T {
        let (table, timeline) = T::parts(self);
        timeline.emit(T::CREATED, made.id(), made.view());
        table.insert(made)
    }

    /// Changes the status of a resource. Returns `false` and changes nothing if the transition is not allowed.
    pub(in crate::domain) fn change<T: Resource>(&mut self, id: Uuid, to: T::Status) -> bool {
        self.change_because::<T>(id, to, None)
    }

    /// As [`State::change`], with the reason why the resource was rejected or cancelled, or failed.
    pub(in crate::domain) fn change_because<T: Resource>(
        &mut self,
        id: Uuid,
        to: T::Status,
        why: Option<String>,
    ) -> bool {
        let (table, timeline) = T::parts(self);
        if table
            .get(id)
            .is_none_or(|it| !it.status().next().contains(&to))
        {
            return false;
        }
        table.update(id, |resource| {
            resource.set_status(to, timeline.now);
            let at = T::Status::ALL
                .iter()
                .position(|status| *status == to)
                .unwrap_or_default();
            timeline.emit_because(T::EVENTS[at], id, resource.view(), why);
        });
        true
    }

    /// A resource that a call may change. A resource with a final status cannot be changed.
    pub(in crate::domain) fn editable<T: Resource>(
        &mut self,
        id: Uuid,
    ) -> Result<(&mut T, &mut Timeline), Rejected> {
        let (table, timeline) = T::parts(self);
        let resource = table.get_mut(id).ok_or(Rejected::NotFound)?;
        if resource.status().is_final() {
            return Err(stays::<T>(resource.status()));
        }
        Ok((resource, timeline))
    }

    /// As [`State::change`], for a call of the client.
    pub(in crate::domain) fn change_by_call<T: Resource>(
        &mut self,
        id: Uuid,
        to: T::Status,
    ) -> Result<(), Rejected> {
        let status = T::parts(self).0.find(id)?.status();
        let why = to.is_final().then(|| "requested by the client".to_owned());
        if self.change_because::<T>(id, to, why) {
            Ok(())
        } else {
            Err(stays::<T>(status))
        }
    }
}

fn stays<T: Resource>(status: T::Status) -> Rejected {
    Rejected::Conflict(format!(
        "The {} is {}, and this status does not allow the change.",
        T::NAME,
        name(status)
    ))
}

/// A status as a key of a [`Table`]. It differs from all ids, as these are larger numbers.
pub(crate) fn key<S: Status>(status: S) -> u128 {
    S::ALL
        .iter()
        .position(|it| *it == status)
        .map_or(0, |at| at as u128)
}

/// A status as in JSON.
pub(crate) fn name(status: impl Status) -> String {
    serde_json::to_value(status)
        .ok()
        .and_then(|it| Some(it.as_str()?.to_owned()))
        .unwrap_or_default()
}

/// The allowed transitions of each resource type with their events, for the control API.
pub(crate) fn table() -> serde_json::Map<String, serde_json::Value> {
    use super::customers::{accounts, users};
    use super::trading::{cancellations, orders, portfolios};
    let mut table = serde_json::Map::new();
    each_resource!(rows, &mut table);
    table
}

fn rows<T: Resource>(table: &mut serde_json::Map<String, serde_json::Value>) {
    let rows = T::Status::ALL.iter().zip(T::EVENTS).map(|(status, event)| {
        let next: Vec<_> = status.next().iter().map(|status| name(*status)).collect();
        (
            name(*status),
            serde_json::json!({ "next": next, "event": event.event_type }),
        )
    });
    table.insert(
        T::NAME.to_owned(),
        rows.collect::<serde_json::Map<_, _>>().into(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customers::{accounts, users};
    use crate::domain::trading::instruments::instrument_id;
    use crate::domain::trading::{cancellations, orders, portfolios};
    use serde_json::{from_value, json};

    /// A state with one of everything.
    fn state() -> State {
        let mut state = State::new(DateTime::UNIX_EPOCH, 0, 1_000);
        let group = uuid::Uuid::max();
        state.create_account_group(Some(group));
        let account = state.demo_account(group).unwrap();
        let later = DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(5);
        state.run_until(later, |_, _| {});
        let instrument = instrument_id("IE0032077012");
        let body = json!({ "account_id": account, "instrument_id": instrument, "cash_amount": "1.00",
            "currency": "EUR", "side": "BUY", "type": "MARKET", "name": "All",
            "allocations": [{ "instrument_id": instrument, "weight": "1" }] });
        let order = state
            .create_order(&from_value(body.clone()).unwrap())
            .unwrap()
            .id;
        state.cancel_order(order).unwrap();
        let portfolio = state
            .create_portfolio(from_value(body.clone()).unwrap())
            .unwrap();
        let portfolio = serde_json::to_value(portfolio).unwrap()["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        state
            .create_portfolio_order(portfolio, &from_value(body.clone()).unwrap())
            .unwrap();
        state
    }

    fn at<S: Status>(status: S) -> usize {
        S::ALL.iter().position(|it| *it == status).unwrap()
    }

    fn exhaust<T: Resource>(state: &mut State) {
        let id = T::parts(state)
            .0
            .rows()
            .first()
            .unwrap_or_else(|| panic!("no {}", T::NAME))
            .id();
        for from in T::Status::ALL {
            for to in T::Status::ALL {
                let (table, timeline) = T::parts(state);
                let now = timeline.now;
                table.get_mut(id).unwrap().set_status(*from, now);
                let before = timeline.events.count;
                let changed = state.change::<T>(id, *to);
                let (table, timeline) = T::parts(state);
                let allowed = from.next().contains(to);
                assert_eq!(changed, allowed, "{} from {from:?} to {to:?}", T::NAME);
                assert_eq!(
                    table.get(id).unwrap().status(),
                    if allowed { *to } else { *from }
                );
                assert_eq!(timeline.events.count - before, u64::from(allowed));
                if allowed {
                    assert_eq!(
                        timeline.events.recent.back().unwrap().kind,
                        T::EVENTS[at(*to)]
                    );
                }
            }
        }
        assert!(
            T::Status::ALL
                .iter()
                .all(|status| !status.next().contains(status))
        );
        assert_eq!(T::EVENTS.len(), T::Status::ALL.len());
    }

    #[test]
    fn every_resource_changes_its_status_only_as_its_table_allows() {
        let mut state = state();
        each_resource!(exhaust, &mut state);
    }
}
