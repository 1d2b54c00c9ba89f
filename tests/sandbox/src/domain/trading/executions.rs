//! Executes orders, in one or several parts.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::amount;
use crate::domain::events::EventKind;
use crate::domain::money::ledger::TransactionType;
use crate::domain::state::{STEP, State};
use crate::domain::timeline::Due;
use crate::domain::trading::instruments::{Behaviour, Instrument};
use crate::domain::trading::orders::{
    Execution, ExecutionStatus, Order, OrderStatus, OrderType, Side, is_triggered,
};

impl State {
    /// Executes the orders that have waited for the current price of an instrument.
    pub(in crate::domain) fn wake_orders(&mut self, instrument: Uuid) {
        if !self.venue_is_open() {
            return;
        }
        let Some(instrument) = self.instruments.get_mut(instrument) else {
            return;
        };
        if !instrument.view.tradeable {
            return;
        }
        let waiting = std::mem::take(&mut instrument.waiting_orders);
        let is_ready = |id: &Uuid| {
            self.orders
                .get(*id)
                .is_none_or(|it| is_triggered(&it.view, instrument))
        };
        let (ready, waiting): (Vec<_>, _) = waiting.into_iter().partition(is_ready);
        instrument.waiting_orders = waiting;
        for id in ready {
            self.timeline.after(STEP, Due::ExecuteOrder(id));
        }
    }

    /// Executes the next part of an order, or cancels the rest if it can no longer be executed.
    pub(in crate::domain) fn execute_order(&mut self, id: Uuid) {
        let Some(order) = self
            .orders
            .get(id)
            .filter(|it| it.view.status == OrderStatus::Processing)
        else {
            return;
        };
        let account = order.view.account_id;
        let side = order.view.side;
        let allowed = self.may_trade(account, side.way());
        let is_open = self.venue_is_open();
        let Some(instrument) = self.instruments.get_mut(order.view.instrument_id) else {
            return;
        };
        // Since this step was planned, the venue has closed, trading has stopped, or the price has changed again.
        if !is_open
            || !instrument.view.tradeable
            || order.view.r#type == OrderType::Limit && !is_triggered(&order.view, instrument)
        {
            return instrument.waiting_orders.push(id);
        }
        let cancels =
            instrument.behaviour == Behaviour::PartialThenCancelled && order.slices_left == 1;
        let slice = match next_slice(order, instrument) {
            _ if cancels => Err("the venue cancelled the rest".to_owned()),
            Some(slice) => allowed.map(|()| slice),
            None => Err("the rest of the amount is too small for this price".to_owned()),
        };
        let executed = slice.and_then(|(quantity, price)| self.settle(id, quantity, price));
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        order.slices_left = order.slices_left.saturating_sub(1);
        match (executed, order.slices_left) {
            (Err(why), _) => self.end_order(id, OrderStatus::Cancelled, Some(why)),
            (Ok(()), 0) => self.end_order(id, OrderStatus::Filled, None),
            (Ok(()), _) => {
                self.settle_execution(id);
                self.timeline.after(STEP, Due::ExecuteOrder(id));
            }
        }
    }

    /// Books an execution, unless the account has too little cash or too few units.
    fn settle(&mut self, id: Uuid, quantity: Decimal, price: Decimal) -> Result<(), String> {
        let order = self.orders.get(id).ok_or("there is no such order")?;
        let view = order.view.clone();
        let value = view.side.cash(quantity, price);
        let needed = if view.side == Side::Buy {
            value
        } else {
            quantity
        };
        let part = needed.min(order.reserved);
        match view.side {
            Side::Buy => self.check_unit_room(view.account_id, view.instrument_id, quantity)?,
            Side::Sell => self.check_cash_room(view.account_id, value, view.currency)?,
        }
        // The price has risen above the reserved amount, so the rest is taken from the available cash.
        match (needed == part, view.side) {
            (true, _) => {}
            (false, Side::Buy) => {
                self.reserve_cash(view.account_id, needed - part, view.currency)?;
            }
            (false, Side::Sell) => {
                self.reserve_units(view.account_id, view.instrument_id, needed - part)?;
            }
        }
        match view.side {
            Side::Buy => {
                self.book_from_reserved(
                    view.account_id,
                    TransactionType::OrderExecution,
                    value,
                    view.currency,
                );
                self.add_units(view.account_id, view.instrument_id, quantity, value);
            }
            Side::Sell => {
                self.release_units(view.account_id, view.instrument_id, quantity);
                self.take_units(view.account_id, view.instrument_id, quantity);
                self.book(
                    view.account_id,
                    TransactionType::OrderExecution,
                    value,
                    view.currency,
                );
            }
        }
        let execution = self.timeline.id();
        let executed_at = self.timeline.now;
        let status = ExecutionStatus::New;
        let execution = Execution {
            id: execution,
            order_id: id,
            status,
            quantity,
            price,
            executed_at,
        };
        self.timeline
            .emit(EventKind::EXECUTION_FILLED, execution.id, &execution);
        let order = self.orders.get_mut(id).ok_or("there is no such order")?;
        order.reserved -= part;
        order.left -= if view.cash_amount.is_some() {
            value
        } else {
            quantity
        };
        // Most orders have one execution. Unused capacity would be a third of the memory of all orders.
        order.executions.reserve_exact(1);
        order.executions.push(execution);
        Ok(())
    }

    /// Settles an execution. In the sandbox this happens immediately (PROTOCOL 7).
    pub(super) fn settle_execution(&mut self, id: Uuid) {
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        if let Some(execution) = order
            .executions
            .last_mut()
            .filter(|it| it.status == ExecutionStatus::New)
        {
            execution.status = ExecutionStatus::Settled;
            self.timeline
                .emit(EventKind::EXECUTION_SETTLED, execution.id, execution);
        }
    }
}

/// The quantity and the price of the next execution. `None` if nothing can be executed at this price.
fn next_slice(order: &Order, instrument: &Instrument) -> Option<(Decimal, Decimal)> {
    let price = instrument.price(order.view.side);
    let fractional = instrument.view.fractional_trading_enabled;
    let slices = Decimal::from(order.slices_left.max(1));
    let quantity = match (order.view.cash_amount, order.slices_left > 1) {
        (Some(_), _) => {
            // `left` is cash if the order has an amount, and units otherwise.
            let cash = (order.left / slices)
                .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::ToZero);
            match order.view.side {
                Side::Buy => amount::units(cash, price, fractional),
                Side::Sell => amount::units_for(cash, price, fractional),
            }
        }
        (None, true) => amount::units(order.left, slices, fractional),
        (None, false) => order.left,
    };
    (!quantity.is_zero()).then_some((quantity, price))
}
