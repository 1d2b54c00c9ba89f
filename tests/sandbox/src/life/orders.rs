//! Orders: accepted unseen, checked later, executed at the price, in one piece or several.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::AccountStatus;
use super::events::EventKind;
use super::instruments::{Behaviour, Instrument};
use super::jobs::JobId;
use super::ledger::TransactionType;
use super::timeline::Due;
use super::users::UserStatus;
use super::world::{Refused, STEP, World};
use crate::amount::{self, Currency, EUR};

/// An order with its executions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) view: OrderView,
    pub(crate) executions: Vec<Execution>,
    /// The claim to cash (of a purchase) or shares (of a sale) that is left.
    reserved: Decimal,
    /// Cash or units that are still to be executed.
    left: Decimal,
    job: Option<JobId>,
    slices_left: u8,
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderView {
    pub(crate) id: Uuid,
    pub(crate) account_id: Uuid,
    user_id: Uuid,
    pub(super) instrument_id: Uuid,
    pub(super) side: Side,
    r#type: OrderType,
    pub(crate) status: OrderStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cash_amount: Option<Decimal>,
    #[serde(with = "amount::unused_is_empty")]
    limit_price: Option<Decimal>,
    #[serde(with = "amount::unused_is_empty")]
    stop_price: Option<Decimal>,
    pub(super) currency: Currency,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

wire_enum! {
    pub(crate) enum Side { Buy Sell }
}

wire_enum! {
    pub(crate) enum OrderType { Market Limit Stop }
}

wire_enum! {
    pub(crate) enum OrderStatus { New Processing Filled Cancelled Rejected }
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Execution {
    id: Uuid,
    order_id: Uuid,
    status: ExecutionStatus,
    pub(super) quantity: Decimal,
    pub(super) price: Decimal,
    executed_at: DateTime<Utc>,
}

wire_enum! {
    enum ExecutionStatus { New Settled }
}

/// A request body, its amounts still as texts.
#[derive(Deserialize)]
pub(crate) struct OrderCreate {
    account_id: Uuid,
    instrument_id: Uuid,
    side: Side,
    r#type: OrderType,
    quantity: Option<String>,
    cash_amount: Option<String>,
    limit_price: Option<String>,
    stop_price: Option<String>,
    currency: Option<Currency>,
}

/// A market order to be placed.
pub(super) struct MarketOrder {
    pub(super) account: Uuid,
    pub(super) instrument: Uuid,
    pub(super) side: Side,
    pub(super) size: Size,
    pub(super) currency: Currency,
    /// What it is a part of.
    pub(super) job: Option<JobId>,
}

/// How much an order is for.
#[derive(Clone, Copy)]
pub(super) enum Size {
    Units(Decimal),
    Cash(Decimal),
}

identified!(by view.id: Order);

/// The smallest order, in units of its currency.
const MINIMUM: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

impl Side {
    /// What is paid for `quantity` at `price`, or got for it.
    fn cash(self, quantity: Decimal, price: Decimal) -> Decimal {
        match self {
            Self::Buy => amount::cost(quantity, price),
            Self::Sell => amount::value(quantity, price),
        }
    }
}

impl OrderView {
    /// The order as its creation was answered: what a repetition under the same idempotency key gets again.
    pub(crate) fn as_created(&self) -> Self {
        Self { status: OrderStatus::New, updated_at: self.created_at, ..self.clone() }
    }

    pub(super) fn is_final(&self) -> bool {
        !matches!(self.status, OrderStatus::New | OrderStatus::Processing)
    }
}

/// What an order has laid claim to: cash, or units of an instrument.
pub(super) struct Claim {
    pub(super) account: Uuid,
    pub(super) instrument: Option<Uuid>,
    pub(super) currency: Currency,
    pub(super) amount: Decimal,
}

impl Order {
    /// `None` where nothing is claimed.
    pub(super) fn claim(&self) -> Option<Claim> {
        let OrderView { account_id: account, currency, .. } = self.view;
        let instrument = (self.view.side == Side::Sell).then_some(self.view.instrument_id);
        (!self.reserved.is_zero()).then_some(Claim { account, instrument, currency, amount: self.reserved })
    }
}

impl World {
    /// Accepts an order that is well-formed, whatever the account can afford: that is looked at later (PROTOCOL 7).
    pub(crate) fn create_order(&mut self, new: &OrderCreate) -> Result<&OrderView, Refused> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let read = |field: &str, text: &Option<String>, read: fn(&str) -> Result<Decimal, &'static str>| {
            let number = given(text).map(|text| read(&text));
            number.transpose().map_err(|problem| Refused::invalid(field, problem))
        };
        let quantity = read("quantity", &new.quantity, amount::positive)?;
        let cash_amount = read("cash_amount", &new.cash_amount, amount::money)?;
        let limit_price = read("limit_price", &new.limit_price, amount::positive)?;
        let stop_price = read("stop_price", &new.stop_price, amount::positive)?;
        let size = match (quantity, cash_amount) {
            (Some(units), None) => Size::Units(units),
            (None, Some(cash)) => Size::Cash(cash),
            _ => return Err(Refused::invalid("quantity", "or `cash_amount` must be given, and not both")),
        };
        match (new.r#type, size) {
            (OrderType::Market, _) => {}
            (_, Size::Units(units)) if units.fract().is_zero() => {}
            _ => return Err(Refused::invalid("quantity", "must be a whole number in a LIMIT or STOP order")),
        }
        let needed = |field, price: Option<Decimal>, needed: bool| match (price.is_some(), needed) {
            (false, true) => Err(Refused::invalid(field, "is missing for an order of this type")),
            (true, false) => Err(Refused::invalid(field, "does not belong to an order of this type")),
            _ => Ok(()),
        };
        needed("limit_price", limit_price, new.r#type == OrderType::Limit)?;
        needed("stop_price", stop_price, new.r#type == OrderType::Stop)?;
        if self.accounts.get(new.account_id).is_none() {
            return Err(Refused::unknown("account_id"));
        }
        if self.instruments.get(new.instrument_id).is_none() {
            return Err(Refused::unknown("instrument_id"));
        }
        let (account, instrument) = (new.account_id, new.instrument_id);
        let currency = new.currency.unwrap_or(EUR);
        let id = self.place(&MarketOrder { account, instrument, side: new.side, size, currency, job: None });
        let order = self.orders.get_mut(id).ok_or(Refused::NotFound)?;
        (order.view.r#type, order.view.limit_price, order.view.stop_price) =
            (new.r#type, limit_price, stop_price);
        self.time.emit(EventKind::ORDER_NEW, id, &order.view);
        Ok(&order.view)
    }

    /// Places a market order on an account's behalf.
    pub(super) fn place_market_order(&mut self, order: &MarketOrder) {
        let id = self.place(order);
        if let Some(order) = self.orders.get(id) {
            self.time.emit(EventKind::ORDER_NEW, id, &order.view);
        }
    }

    fn place(&mut self, order: &MarketOrder) -> Uuid {
        let (id, now) = (self.time.id(), self.time.now);
        let (quantity, cash_amount) = match order.size {
            Size::Units(units) => (Some(units), None),
            Size::Cash(cash) => (None, Some(cash)),
        };
        let user_id = self.accounts.get_mut(order.account).map_or(Uuid::nil(), |account| {
            account.open_orders += 1;
            account.view.user_id
        });
        let view = OrderView {
            id,
            account_id: order.account,
            user_id,
            instrument_id: order.instrument,
            side: order.side,
            r#type: OrderType::Market,
            status: OrderStatus::New,
            quantity,
            cash_amount,
            limit_price: None,
            stop_price: None,
            currency: order.currency,
            created_at: now,
            updated_at: now,
        };
        self.orders.insert(Order {
            view,
            executions: Vec::new(),
            reserved: Decimal::ZERO,
            left: Decimal::ZERO,
            job: order.job,
            slices_left: 0,
        });
        self.time.after(STEP, Due::CheckOrder(id));
        id
    }

    /// `NEW` becomes `PROCESSING` where account, instrument and funds are in order.
    pub(super) fn check_order(&mut self, id: Uuid) {
        let Some(order) = self.orders.get(id).filter(|order| order.view.status == OrderStatus::New) else {
            return;
        };
        let view = order.view.clone();
        let user = self.users.get(view.user_id).map(|user| user.view.status);
        let Some(account) = self.accounts.get_mut(view.account_id) else { return };
        let may_act = !matches!(user, Some(UserStatus::Blocked | UserStatus::Closed));
        let allowed = match account.view.status {
            AccountStatus::Pending if may_act => return account.waiting_orders.push(id),
            AccountStatus::Open => may_act,
            AccountStatus::Closing => may_act && view.side == Side::Sell,
            AccountStatus::Pending | AccountStatus::Closed => false,
        };
        let sellable = account.sellable(view.instrument_id);
        let Some(instrument) = self.instruments.get(view.instrument_id) else { return };
        let tradeable = instrument.view.tradeable && instrument.view.currency == view.currency;
        let claim = claim(&view, instrument, sellable).filter(|_| is_worth_it(&view, instrument, sellable));
        let slices = slices(&view, instrument);
        let has_claim = allowed
            && tradeable
            && match (claim, view.side) {
                (None, _) => false,
                (Some(cash), Side::Buy) => self.reserve_cash(view.account_id, cash, view.currency),
                (Some(units), Side::Sell) => self.reserve_shares(view.account_id, view.instrument_id, units),
            };
        if !has_claim {
            return self.end_order(id, OrderStatus::Rejected);
        }
        let Some(order) = self.orders.get_mut(id) else { return };
        order.reserved = claim.unwrap_or_default();
        order.left = view.cash_amount.or(view.quantity).unwrap_or_default();
        order.slices_left = slices;
        order.view.status = OrderStatus::Processing;
        order.view.updated_at = self.time.now;
        self.time.emit(EventKind::ORDER_PROCESSING, id, &order.view);
        let Some(instrument) = self.instruments.get_mut(view.instrument_id) else { return };
        if is_triggered(&view, instrument.bid, instrument.offer) {
            self.time.after(STEP, Due::ExecuteOrder(id));
        } else {
            instrument.waiting_orders.push(id);
        }
    }

    /// Executes the orders that have waited for the price that an instrument now has.
    pub(super) fn wake_orders(&mut self, instrument: Uuid) {
        let Some(instrument) = self.instruments.get_mut(instrument) else { return };
        let (bid, offer) = (instrument.bid, instrument.offer);
        let (orders, time) = (&self.orders, &mut self.time);
        instrument.waiting_orders.retain(|id| {
            let Some(order) = orders.get(*id) else { return false };
            let ready = is_triggered(&order.view, bid, offer);
            if ready {
                time.after(STEP, Due::ExecuteOrder(*id));
            }
            !ready
        });
    }

    /// Executes the next slice of an order, or cancels what can no longer be executed.
    pub(super) fn execute_order(&mut self, id: Uuid) {
        let Some(order) = self.orders.get(id).filter(|it| it.view.status == OrderStatus::Processing) else {
            return;
        };
        let Some(instrument) = self.instruments.get_mut(order.view.instrument_id) else { return };
        // A price that has moved away again since the order was woken.
        if order.view.r#type == OrderType::Limit
            && !is_triggered(&order.view, instrument.bid, instrument.offer)
        {
            return instrument.waiting_orders.push(id);
        }
        let cancels = instrument.behaviour == Behaviour::PartialThenCancelled && order.slices_left == 1;
        let slice = next_slice(order, instrument).filter(|_| !cancels);
        let executed = slice.is_some_and(|(quantity, price)| self.settle(id, quantity, price));
        let Some(order) = self.orders.get_mut(id) else { return };
        order.slices_left = order.slices_left.saturating_sub(1);
        match (executed, order.slices_left) {
            (false, _) => self.end_order(id, OrderStatus::Cancelled),
            (true, 0) => self.end_order(id, OrderStatus::Filled),
            (true, _) => {
                self.settle_execution(id);
                self.time.after(STEP, Due::ExecuteOrder(id));
            }
        }
    }

    /// Books an execution on both sides. `false` where the account can no longer cover it.
    fn settle(&mut self, id: Uuid, quantity: Decimal, price: Decimal) -> bool {
        let Some(order) = self.orders.get(id) else { return false };
        let view = order.view.clone();
        let value = view.side.cash(quantity, price);
        let needed = if view.side == Side::Buy { value } else { quantity };
        let part = needed.min(order.reserved);
        let covered = match (needed == part, view.side) {
            (true, _) => true,
            // The price has risen above what was laid claim to: the rest comes out of what is available.
            (false, Side::Buy) => self.reserve_cash(view.account_id, needed - part, view.currency),
            (false, Side::Sell) => self.reserve_shares(view.account_id, view.instrument_id, needed - part),
        };
        if !covered {
            return false;
        }
        match view.side {
            Side::Buy => {
                self.book_claimed(view.account_id, TransactionType::OrderExecution, value, view.currency);
                self.add_shares(view.account_id, view.instrument_id, quantity, value);
            }
            Side::Sell => {
                self.release_shares(view.account_id, view.instrument_id, quantity);
                self.take_shares(view.account_id, view.instrument_id, quantity);
                self.book(view.account_id, TransactionType::OrderExecution, value, view.currency);
            }
        }
        let (execution, executed_at) = (self.time.id(), self.time.now);
        let status = ExecutionStatus::New;
        let execution = Execution { id: execution, order_id: id, status, quantity, price, executed_at };
        self.time.emit(EventKind::EXECUTION_FILLED, execution.id, &execution);
        let Some(order) = self.orders.get_mut(id) else { return false };
        order.reserved -= part;
        order.left -= if view.cash_amount.is_some() { value } else { quantity };
        // Most orders have one: room for more would be a third of all memory.
        order.executions.reserve_exact(1);
        order.executions.push(execution);
        true
    }

    /// Settlement follows at once in a sandbox (PROTOCOL 7).
    fn settle_execution(&mut self, id: Uuid) {
        let Some(order) = self.orders.get_mut(id) else { return };
        if let Some(execution) = order.executions.last_mut().filter(|it| it.status == ExecutionStatus::New) {
            execution.status = ExecutionStatus::Settled;
            self.time.emit(EventKind::EXECUTION_SETTLED, execution.id, execution);
        }
    }

    /// Ends an order: what it laid claim to and did not use is free again.
    pub(super) fn end_order(&mut self, id: Uuid, status: OrderStatus) {
        let Some(order) = self.orders.get_mut(id) else { return };
        order.view.status = status;
        order.view.updated_at = self.time.now;
        let kind = match status {
            OrderStatus::Filled => EventKind::ORDER_FILLED,
            OrderStatus::Rejected => EventKind::ORDER_REJECTED,
            _ => EventKind::ORDER_CANCELLED,
        };
        self.time.emit(kind, id, &order.view);
        let (reserved, job) = (std::mem::take(&mut order.reserved), order.job);
        let view = order.view.clone();
        match view.side {
            Side::Buy => self.release_cash(view.account_id, reserved, view.currency),
            Side::Sell => self.release_shares(view.account_id, view.instrument_id, reserved),
        }
        self.settle_execution(id);
        if let Some(account) = self.accounts.get_mut(view.account_id) {
            account.open_orders -= 1;
        }
        self.may_close(view.account_id);
        if let Some(job) = job {
            self.order_of_job_ended(job, status == OrderStatus::Filled);
        }
    }
}

/// What an order has to lay claim to: cash for a purchase, shares for a sale, with a tenth on top where the price decides
/// (PROTOCOL 7). `None` where there is nothing that it could buy or sell.
fn claim(order: &OrderView, instrument: &Instrument, sellable: Decimal) -> Option<Decimal> {
    let a_tenth_more = Decimal::new(11, 1);
    let fractional = instrument.view.fractional_trading_enabled;
    match (order.side, order.quantity, order.cash_amount) {
        // The fraction that a split has left goes with the rest.
        (Side::Sell, Some(units), _) if units == sellable => Some(units),
        (_, Some(units), _) if !fractional && !units.fract().is_zero() => None,
        (Side::Buy, Some(units), _) => Some(match (order.limit_price, order.stop_price) {
            (Some(limit), _) => amount::cost(units, limit),
            (None, stop) => {
                amount::up(amount::exact_value(units, stop.unwrap_or(instrument.offer)) * a_tenth_more)
            }
        }),
        (Side::Sell, Some(units), _) => Some(units),
        (Side::Buy, None, Some(cash)) => {
            let units = amount::units(cash, instrument.offer, fractional);
            (!units.is_zero()).then_some(cash)
        }
        (Side::Sell, None, Some(cash)) => {
            let units = amount::units_for(cash * a_tenth_more, instrument.bid, fractional);
            (!units.is_zero()).then_some(units)
        }
        (_, None, None) => None,
    }
}

/// Whether an order is for at least a cent: less cannot be paid. What is left of a holding can always be sold.
fn is_worth_it(order: &OrderView, instrument: &Instrument, sellable: Decimal) -> bool {
    let price = order.limit_price.or(order.stop_price).unwrap_or(instrument.price(order.side));
    let worth = order.quantity.map_or(MINIMUM, |units| amount::exact_value(units, price));
    worth >= MINIMUM || order.side == Side::Sell && order.quantity == Some(sellable)
}

/// In how many parts an order fills: one for each 100 of its amount begun, up to five, where the instrument is one of those.
fn slices(order: &OrderView, instrument: &Instrument) -> u8 {
    if !matches!(instrument.behaviour, Behaviour::Partial | Behaviour::PartialThenCancelled) {
        return 1;
    }
    let amount = order
        .cash_amount
        .unwrap_or_else(|| amount::value(order.quantity.unwrap_or_default(), instrument.offer));
    let begun = [101, 201, 301, 401].iter().filter(|limit| amount >= Decimal::from(**limit)).count();
    u8::try_from(begun + 1).unwrap_or(u8::MAX)
}

/// Quantity and price of the next execution. `None` where nothing is left to execute at this price.
fn next_slice(order: &Order, instrument: &Instrument) -> Option<(Decimal, Decimal)> {
    let price = instrument.price(order.view.side);
    let fractional = instrument.view.fractional_trading_enabled;
    let parts = Decimal::from(order.slices_left.max(1));
    let quantity = match (order.view.cash_amount, order.slices_left > 1) {
        (Some(_), _) => {
            let cash = (order.left / parts).round_dp_with_strategy(2, rust_decimal::RoundingStrategy::ToZero);
            match order.view.side {
                Side::Buy => amount::units(cash, price, fractional),
                Side::Sell => amount::units_for(cash, price, fractional),
            }
        }
        (None, true) => amount::units(order.left, parts, fractional),
        (None, false) => order.left,
    };
    (!quantity.is_zero()).then_some((quantity, price))
}

/// Whether the price is one at which the order executes.
fn is_triggered(order: &OrderView, bid: Decimal, offer: Decimal) -> bool {
    match (order.side, order.limit_price, order.stop_price) {
        (Side::Buy, Some(limit), _) => offer <= limit,
        (Side::Sell, Some(limit), _) => bid >= limit,
        (Side::Buy, None, Some(stop)) => offer >= stop,
        (Side::Sell, None, Some(stop)) => bid <= stop,
        (_, None, None) => true,
    }
}
