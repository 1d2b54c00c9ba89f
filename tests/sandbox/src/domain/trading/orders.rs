//! Orders. They are accepted first, checked later, and executed in `executions`.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{self, Currency, EUR};
use crate::domain::customers::accounts::Way;
use crate::domain::jobs::{JobId, OrderEnd};
use crate::domain::lifecycle::Status as _;
use crate::domain::state::{Rejected, STEP, State};
use crate::domain::timeline::Due;
use crate::domain::trading::instruments::{Behaviour, Instrument};

/// An order with its executions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) view: OrderView,
    pub(crate) executions: Vec<Execution>,
    /// The reserved cash (of a purchase) or units (of a sale) that has not been used.
    pub(super) reserved: Decimal,
    /// The cash or the units that have not been executed.
    pub(super) left: Decimal,
    pub(super) job: Option<JobId>,
    pub(super) slices_left: u8,
}

/// An order, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderView {
    pub(crate) id: Uuid,
    pub(crate) account_id: Uuid,
    user_id: Uuid,
    pub(in crate::domain) instrument_id: Uuid,
    pub(in crate::domain) side: Side,
    pub(super) r#type: OrderType,
    pub(crate) status: OrderStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cash_amount: Option<Decimal>,
    #[serde(with = "amount::none_as_empty_text")]
    limit_price: Option<Decimal>,
    #[serde(with = "amount::none_as_empty_text")]
    stop_price: Option<Decimal>,
    pub(in crate::domain) currency: Currency,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "crate::instant::write")]
    updated_at: DateTime<Utc>,
}

wire_enum! {
    pub(crate) enum Side { Buy Sell }
}

wire_enum! {
    pub(crate) enum OrderType { Market Limit Stop }
}

lifecycle! {
    pub(crate) enum OrderStatus {
        New => [Processing Cancelled Rejected]
        Processing => [Filled Cancelled]
        Filled => []
        Cancelled => []
        Rejected => []
    }
}

/// One execution of an order, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Execution {
    pub(super) id: Uuid,
    pub(super) order_id: Uuid,
    pub(super) status: ExecutionStatus,
    pub(in crate::domain) quantity: Decimal,
    pub(in crate::domain) price: Decimal,
    #[serde(serialize_with = "crate::instant::write")]
    pub(super) executed_at: DateTime<Utc>,
}

wire_enum! {
    pub(super) enum ExecutionStatus { New Settled }
}

/// A request body, with amounts as texts.
#[derive(Deserialize)]
pub(crate) struct OrderCreate {
    account_id: Uuid,
    instrument_id: Uuid,
    side: Side,
    r#type: OrderType,
    #[serde(default, deserialize_with = "amount::read_positive_or_none")]
    quantity: Option<Decimal>,
    #[serde(default, deserialize_with = "amount::read_money_or_none")]
    cash_amount: Option<Decimal>,
    #[serde(default, deserialize_with = "amount::read_positive_or_none")]
    limit_price: Option<Decimal>,
    #[serde(default, deserialize_with = "amount::read_positive_or_none")]
    stop_price: Option<Decimal>,
    currency: Option<Currency>,
}

/// A market order to place.
pub(in crate::domain) struct MarketOrder {
    pub(in crate::domain) account: Uuid,
    pub(in crate::domain) instrument: Uuid,
    pub(in crate::domain) side: Side,
    pub(in crate::domain) size: Size,
    pub(in crate::domain) currency: Currency,
    /// The job to which it belongs.
    pub(in crate::domain) job: Option<JobId>,
}

/// The size of an order.
#[derive(Clone, Copy)]
pub(in crate::domain) enum Size {
    Units(Decimal),
    Cash(Decimal),
}

resource!(Order, "order", orders, |it| it.view => OrderView, OrderStatus,
    ORDER_NEW => [ORDER_NEW ORDER_PROCESSING ORDER_FILLED ORDER_CANCELLED ORDER_REJECTED], updated_at; by account_id user_id);

/// The smallest order, in units of its currency.
const MINIMUM: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

impl Side {
    pub(super) fn way(self) -> Way {
        match self {
            Self::Buy => Way::In,
            Self::Sell => Way::Out,
        }
    }

    /// The cash for `quantity` at `price`.
    pub(super) fn cash(self, quantity: Decimal, price: Decimal) -> Decimal {
        match self {
            Self::Buy => amount::cost(quantity, price),
            Self::Sell => amount::value(quantity, price),
        }
    }
}

impl OrderView {
    /// The order as it was when it was created, for the response to a request with the same idempotency key.
    pub(crate) fn as_created(&self) -> Self {
        Self {
            status: OrderStatus::New,
            updated_at: self.created_at,
            ..self.clone()
        }
    }

    pub(in crate::domain) fn is_final(&self) -> bool {
        self.status.is_final()
    }
}

/// A reservation of an order: cash, or units of an instrument.
pub(in crate::domain) struct Reservation {
    pub(in crate::domain) account: Uuid,
    pub(in crate::domain) instrument: Option<Uuid>,
    pub(in crate::domain) currency: Currency,
    pub(in crate::domain) amount: Decimal,
}

impl Order {
    /// `None` if nothing is reserved.
    pub(in crate::domain) fn reservation(&self) -> Option<Reservation> {
        let OrderView {
            account_id: account,
            currency,
            ..
        } = self.view;
        let instrument = (self.view.side == Side::Sell).then_some(self.view.instrument_id);
        (!self.reserved.is_zero()).then_some(Reservation {
            account,
            instrument,
            currency,
            amount: self.reserved,
        })
    }
}

impl State {
    /// Accepts a valid order. Whether the account has enough cash or units is checked later (PROTOCOL 7).
    pub(crate) fn create_order(&mut self, new: &OrderCreate) -> Result<&OrderView, Rejected> {
        let OrderCreate {
            quantity,
            cash_amount,
            limit_price,
            stop_price,
            ..
        } = *new;
        let size = match (quantity, cash_amount) {
            (Some(units), None) => Size::Units(units),
            (None, Some(cash)) => Size::Cash(cash),
            _ => {
                return Err(Rejected::invalid(
                    "quantity",
                    "or `cash_amount` must be given, and not both",
                ));
            }
        };
        match (new.r#type, size) {
            (OrderType::Market, _) => {}
            (_, Size::Units(units)) if units.fract().is_zero() => {}
            _ => {
                return Err(Rejected::invalid(
                    "quantity",
                    "is required in a LIMIT or STOP order, and must be a whole number",
                ));
            }
        }
        let needed = |field, price: Option<Decimal>, needed: bool| match (price.is_some(), needed) {
            (false, true) => Err(Rejected::invalid(
                field,
                "is missing for an order of this type",
            )),
            (true, false) => Err(Rejected::invalid(
                field,
                "does not belong to an order of this type",
            )),
            _ => Ok(()),
        };
        needed("limit_price", limit_price, new.r#type == OrderType::Limit)?;
        needed("stop_price", stop_price, new.r#type == OrderType::Stop)?;
        self.accounts.find_or_reject("account_id", new.account_id)?;
        self.instruments
            .find_or_reject("instrument_id", new.instrument_id)?;
        let account = new.account_id;
        let instrument = new.instrument_id;
        let currency = new.currency.unwrap_or(EUR);
        let order = MarketOrder {
            account,
            instrument,
            side: new.side,
            size,
            currency,
            job: None,
        };
        Ok(self.place(&order, new.r#type, limit_price, stop_price))
    }

    /// Places a market order for an account.
    pub(in crate::domain) fn place_market_order(&mut self, order: &MarketOrder) {
        self.place(order, OrderType::Market, None, None);
    }

    fn place(
        &mut self,
        order: &MarketOrder,
        r#type: OrderType,
        limit_price: Option<Decimal>,
        stop_price: Option<Decimal>,
    ) -> &OrderView {
        let id = self.timeline.id();
        let now = self.timeline.now;
        let (quantity, cash_amount) = match order.size {
            Size::Units(units) => (Some(units), None),
            Size::Cash(cash) => (None, Some(cash)),
        };
        let user_id = self
            .accounts
            .get_mut(order.account)
            .map_or(Uuid::nil(), |account| {
                account.open_orders += 1;
                account.view.user_id
            });
        let view = OrderView {
            id,
            account_id: order.account,
            user_id,
            instrument_id: order.instrument,
            side: order.side,
            r#type,
            status: OrderStatus::New,
            quantity,
            cash_amount,
            limit_price,
            stop_price,
            currency: order.currency,
            created_at: now,
            updated_at: now,
        };
        self.timeline.after(STEP, Due::CheckOrder(id));
        let order = self.add(Order {
            view,
            executions: Vec::new(),
            reserved: Decimal::ZERO,
            left: Decimal::ZERO,
            job: order.job,
            slices_left: 0,
        });
        &order.view
    }

    /// Changes an order from `NEW` to `PROCESSING`, or rejects it because of its account, instrument or funds.
    pub(in crate::domain) fn check_order(&mut self, id: Uuid) {
        let Some(order) = self
            .orders
            .get(id)
            .filter(|order| order.view.status == OrderStatus::New)
        else {
            return;
        };
        let view = order.view.clone();
        if self.has_yet_to_open(view.account_id)
            && let Some(account) = self.accounts.get_mut(view.account_id)
        {
            return account.waiting_orders.push(id);
        }
        let reserved = match self.reserve_for(&view) {
            Ok(reserved) => reserved,
            Err(why) => return self.end_order(id, OrderStatus::Rejected, Some(why)),
        };
        let Some(instrument) = self.instruments.get(view.instrument_id) else {
            return;
        };
        let slices = slices(&view, instrument);
        let triggered = is_triggered(&view, instrument);
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        order.reserved = reserved;
        order.left = view.cash_amount.or(view.quantity).unwrap_or_default();
        order.slices_left = slices;
        self.change::<Order>(id, OrderStatus::Processing);
        if triggered {
            self.timeline.after(STEP, Due::ExecuteOrder(id));
        } else if let Some(instrument) = self.instruments.get_mut(view.instrument_id) {
            instrument.waiting_orders.push(id);
        }
    }

    /// Reserves the cash or the units that an order needs.
    fn reserve_for(&mut self, order: &OrderView) -> Result<Decimal, String> {
        self.may_trade(order.account_id, order.side.way())?;
        let sellable = self
            .accounts
            .get(order.account_id)
            .map(|account| account.sellable(order.instrument_id));
        let instrument = self
            .instruments
            .get(order.instrument_id)
            .ok_or("there is no such instrument")?;
        if !instrument.view.tradeable {
            return Err("the instrument is not tradeable".to_owned());
        }
        if instrument.view.currency != order.currency {
            return Err(format!(
                "the instrument is not traded in {}",
                order.currency
            ));
        }
        let needed = needed(order, instrument, sellable.unwrap_or_default())?;
        match order.side {
            Side::Buy => self.reserve_cash(order.account_id, needed, order.currency)?,
            Side::Sell => self.reserve_units(order.account_id, order.instrument_id, needed)?,
        }
        Ok(needed)
    }

    /// Ends an order and releases its unused reservation.
    pub(in crate::domain) fn end_order(
        &mut self,
        id: Uuid,
        status: OrderStatus,
        why: Option<String>,
    ) {
        if !self.change_because::<Order>(id, status, why.clone()) {
            return;
        }
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        let reserved = std::mem::take(&mut order.reserved);
        let job = order.job;
        let view = order.view.clone();
        let executed = order
            .executions
            .iter()
            .map(|it| view.side.cash(it.quantity, it.price))
            .sum();
        match view.side {
            Side::Buy => self.release_cash(view.account_id, reserved, view.currency),
            Side::Sell => self.release_units(view.account_id, view.instrument_id, reserved),
        }
        self.settle_execution(id);
        if let Some(account) = self.accounts.get_mut(view.account_id) {
            account.open_orders -= 1;
        }
        self.may_close(view.account_id);
        if let Some(job) = job {
            self.order_of_job_ended(
                job,
                OrderEnd {
                    filled: status == OrderStatus::Filled,
                    executed,
                    why,
                },
            );
        }
    }
}

/// The reservation for an order: cash for a purchase or units for a sale, plus ten percent if it depends on the price
/// (PROTOCOL 7). An error if the order cannot buy or sell anything.
fn needed(
    order: &OrderView,
    instrument: &Instrument,
    sellable: Decimal,
) -> Result<Decimal, String> {
    let a_tenth_more = Decimal::new(11, 1);
    let fractional = instrument.view.fractional_trading_enabled;
    let Some(units) = order.quantity else {
        let cash = order.cash_amount.unwrap_or_default();
        let (units, needed) = match order.side {
            Side::Buy => (amount::units(cash, instrument.offer, fractional), cash),
            Side::Sell => {
                let units = amount::units_for(
                    cash.saturating_mul(a_tenth_more),
                    instrument.bid,
                    fractional,
                );
                (units, units)
            }
        };
        return if units.is_zero() {
            Err(format!("{cash} is less than one unit"))
        } else {
            Ok(needed)
        };
    };
    // A position may be sold completely, even if it has a fraction after a split or is worth less than the minimum.
    if order.side == Side::Sell && units == sellable {
        return Ok(units);
    }
    if !fractional && !units.fract().is_zero() {
        return Err("the instrument is traded in whole units".to_owned());
    }
    let price = order
        .limit_price
        .or(order.stop_price)
        .unwrap_or(instrument.price(order.side));
    let worth = amount::exact_value(units, price);
    if worth < MINIMUM {
        return Err(format!(
            "the order is for less than {MINIMUM} {}",
            order.currency
        ));
    }
    Ok(match order.side {
        Side::Sell => units,
        Side::Buy if order.limit_price.is_some() => amount::rounded_up(worth),
        Side::Buy => amount::rounded_up(worth.saturating_mul(a_tenth_more)),
    })
}

/// The number of executions of an order: one, or, for some instruments, one for each started 100 of its amount, up to
/// five.
fn slices(order: &OrderView, instrument: &Instrument) -> u8 {
    if !matches!(
        instrument.behaviour,
        Behaviour::Partial | Behaviour::PartialThenCancelled
    ) {
        return 1;
    }
    let amount = order
        .cash_amount
        .unwrap_or_else(|| amount::value(order.quantity.unwrap_or_default(), instrument.offer));
    let begun = [101, 201, 301, 401]
        .iter()
        .filter(|limit| amount >= Decimal::from(**limit))
        .count();
    u8::try_from(begun + 1).unwrap_or(u8::MAX)
}

/// Whether the order can be executed at the current price.
pub(super) fn is_triggered(order: &OrderView, instrument: &Instrument) -> bool {
    let Instrument { bid, offer, .. } = *instrument;
    match (order.side, order.limit_price, order.stop_price) {
        (Side::Buy, Some(limit), _) => offer <= limit,
        (Side::Sell, Some(limit), _) => bid >= limit,
        (Side::Buy, None, Some(stop)) => offer >= stop,
        (Side::Sell, None, Some(stop)) => bid <= stop,
        (_, None, None) => true,
    }
}
