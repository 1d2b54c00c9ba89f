//! Cancellations of orders. A request is accepted immediately and decided later.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::lifecycle::name;
use crate::domain::state::{Rejected, State};
use crate::domain::timeline::Due;
use crate::domain::trading::orders::OrderStatus;

/// The time until a cancellation is decided. It is shorter than the check of an order, so that a new order can be
/// cancelled.
const DECISION: TimeDelta = TimeDelta::milliseconds(500);

/// The cancellation of an order, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    id: Uuid,
    order_id: Uuid,
    status: CancellationStatus,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

lifecycle! {
    pub(crate) enum CancellationStatus {
        Pending => [Confirmed Rejected]
        Confirmed => []
        Rejected => []
    }
}

resource!(Cancellation, "cancellation", cancellations, |it| *it => Self, CancellationStatus,
    CANCELLATION_PENDING => [CANCELLATION_PENDING CANCELLATION_CONFIRMED CANCELLATION_REJECTED]);

impl State {
    pub(crate) fn cancel_order(&mut self, order_id: Uuid) -> Result<&Cancellation, Rejected> {
        self.orders.find(order_id)?;
        let id = self.timeline.id();
        let created_at = self.timeline.now;
        self.timeline.after(DECISION, Due::DecideCancellation(id));
        Ok(self.add(Cancellation {
            id,
            order_id,
            status: CancellationStatus::Pending,
            created_at,
        }))
    }

    /// Decides a cancellation. An order can be cancelled while it is new, or while it waits for its price.
    pub(in crate::domain) fn decide_cancellation(&mut self, id: Uuid) {
        let Some(order_id) = self.cancellations.get(id).map(|it| it.order_id) else {
            return;
        };
        let Some(order) = self.orders.get(order_id).map(|order| &order.view) else {
            return;
        };
        let instrument = self.instruments.get(order.instrument_id);
        let waits =
            || instrument.is_some_and(|instrument| instrument.waiting_orders.contains(&order_id));
        if order.status == OrderStatus::New || order.status == OrderStatus::Processing && waits() {
            self.cancel_now(order_id, "requested by the client");
            self.change::<Cancellation>(id, CancellationStatus::Confirmed);
        } else {
            let why = format!("the order is {} already", name(order.status));
            self.change_because::<Cancellation>(id, CancellationStatus::Rejected, Some(why));
        }
    }

    /// Cancels an order in any status that is not final.
    pub(in crate::domain) fn cancel_now(&mut self, id: Uuid, why: &str) {
        let Some(order) = self.orders.get(id).filter(|order| !order.view.is_final()) else {
            return;
        };
        let view = order.view.clone();
        if let Some(instrument) = self.instruments.get_mut(view.instrument_id) {
            instrument.waiting_orders.retain(|waiting| *waiting != id);
        }
        if let Some(account) = self.accounts.get_mut(view.account_id) {
            account.waiting_orders.retain(|waiting| *waiting != id);
        }
        self.end_order(id, OrderStatus::Cancelled, Some(why.to_owned()));
    }
}
