//! Cancellations: asked for at once, decided a little later.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::events::EventKind;
use super::orders::OrderStatus;
use super::timeline::Due;
use super::world::{Refused, World};

/// A cancellation is decided before an order that was placed at the same time is checked.
const DECISION: TimeDelta = TimeDelta::milliseconds(500);

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    id: Uuid,
    order_id: Uuid,
    status: CancellationStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum CancellationStatus { Pending Confirmed Rejected }
}

identified!(by id: Cancellation);

impl World {
    pub(crate) fn cancel_order(&mut self, order: Uuid) -> Result<&Cancellation, Refused> {
        self.orders.get(order).ok_or(Refused::NotFound)?;
        let (id, created_at) = (self.time.id(), self.time.now);
        let cancellation =
            Cancellation { id, order_id: order, status: CancellationStatus::Pending, created_at };
        self.time.emit(EventKind::CANCELLATION_PENDING, id, &cancellation);
        self.time.after(DECISION, Due::DecideCancellation(id));
        Ok(self.cancellations.insert(cancellation))
    }

    /// An order can be cancelled while it is new, or while it waits for its price.
    pub(super) fn decide_cancellation(&mut self, id: Uuid) {
        let Some(cancellation) = self.cancellations.get(id) else { return };
        let order = cancellation.order_id;
        let confirmed = self.orders.get(order).is_some_and(|order| match order.view.status {
            OrderStatus::New => true,
            OrderStatus::Processing => {
                let instrument = self.instruments.get(order.view.instrument_id);
                instrument.is_some_and(|instrument| instrument.waiting_orders.contains(&order.view.id))
            }
            _ => false,
        });
        if confirmed {
            self.cancel_now(order);
        }
        let (status, kind) = if confirmed {
            (CancellationStatus::Confirmed, EventKind::CANCELLATION_CONFIRMED)
        } else {
            (CancellationStatus::Rejected, EventKind::CANCELLATION_REJECTED)
        };
        let Some(cancellation) = self.cancellations.get_mut(id) else { return };
        cancellation.status = status;
        self.time.emit(kind, id, cancellation);
    }

    /// Cancels an order wherever it stands, but where it has ended.
    pub(super) fn cancel_now(&mut self, id: Uuid) {
        let Some(order) = self.orders.get(id).filter(|order| !order.view.is_final()) else { return };
        let view = order.view.clone();
        if let Some(instrument) = self.instruments.get_mut(view.instrument_id) {
            instrument.waiting_orders.retain(|waiting| *waiting != id);
        }
        if let Some(account) = self.accounts.get_mut(view.account_id) {
            account.waiting_orders.retain(|waiting| *waiting != id);
        }
        self.end_order(id, OrderStatus::Cancelled);
    }
}
