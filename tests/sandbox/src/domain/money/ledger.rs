//! The ledger. Every booking has two sides: the account, and the world outside of the sandbox.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{self, Currency};
use crate::domain::customers::accounts::Account;
use crate::domain::events::EventKind;
use crate::domain::state::State;

/// Cash in one currency. Cash that orders and withdrawals have reserved is pending.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cash {
    pub(in crate::domain) available: Decimal,
    pub(in crate::domain) pending: Decimal,
}

/// The cash of an account in one currency, as it is sent.
#[derive(Debug, Serialize)]
pub(crate) struct CashBalance {
    account_id: Uuid,
    available: Decimal,
    pending: Decimal,
    total: Decimal,
    currency: Currency,
}

/// A cash booking of an account. Positive for incoming cash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transaction {
    id: Uuid,
    account_id: Uuid,
    pub(in crate::domain) r#type: TransactionType,
    pub(in crate::domain) amount: Decimal,
    pub(in crate::domain) currency: Currency,
    #[serde(serialize_with = "crate::instant::write")]
    pub(in crate::domain) created_at: DateTime<Utc>,
}

wire_enum! {
    pub(crate) enum TransactionType { OrderExecution Fee Dividend Transfer DirectDebit Withdrawal }
}

/// A booking of units without cash. Positive for incoming units.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::domain) struct InKind {
    #[serde(serialize_with = "crate::instant::write")]
    pub(in crate::domain) at: DateTime<Utc>,
    pub(in crate::domain) instrument: Uuid,
    pub(in crate::domain) units: Decimal,
    /// Their value at that time. Zero for a split.
    pub(in crate::domain) value: Decimal,
}

/// A position, with data that the API does not show.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Holding {
    pub(crate) view: Position,
    /// The units that sell orders have reserved.
    pub(in crate::domain) reserved: Decimal,
    /// The total cost of the units.
    pub(in crate::domain) cost: Decimal,
}

/// The units of one instrument in an account, as they are sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) id: Uuid,
    account_id: Uuid,
    pub(in crate::domain) instrument_id: Uuid,
    pub(in crate::domain) quantity: Decimal,
    average_buy_in_price: Decimal,
    currency: Currency,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "crate::instant::write")]
    updated_at: DateTime<Utc>,
}

impl Cash {
    pub(in crate::domain) fn total(&self) -> Decimal {
        self.available + self.pending
    }
}

impl Account {
    pub(in crate::domain) fn available(&self, currency: Currency) -> Decimal {
        self.cash
            .get(&currency)
            .map_or(Decimal::ZERO, |cash| cash.available)
    }

    pub(crate) fn cash_balances(&self) -> impl Iterator<Item = CashBalance> {
        self.cash.iter().map(|(currency, cash)| CashBalance {
            account_id: self.view.id,
            available: cash.available,
            pending: cash.pending,
            total: cash.total(),
            currency: *currency,
        })
    }

    pub(in crate::domain) fn holding(&self, instrument: Uuid) -> Option<&Holding> {
        self.holdings
            .iter()
            .find(|holding| holding.view.instrument_id == instrument)
    }

    /// The units of an instrument that are not reserved.
    pub(in crate::domain) fn sellable(&self, instrument: Uuid) -> Decimal {
        self.holding(instrument)
            .map_or(Decimal::ZERO, Holding::available)
    }
}

impl Holding {
    pub(in crate::domain) fn available(&self) -> Decimal {
        self.view.quantity - self.reserved
    }
}

impl State {
    /// Adds an amount to the available cash, or takes it if it is negative, and records the transaction.
    pub(in crate::domain) fn book(
        &mut self,
        account: Uuid,
        kind: TransactionType,
        amount: Decimal,
        currency: Currency,
    ) {
        self.enter(account, kind, amount, currency, |cash| &mut cash.available);
    }

    /// Books an outgoing payment against the reserved cash.
    pub(in crate::domain) fn book_from_reserved(
        &mut self,
        account: Uuid,
        kind: TransactionType,
        amount: Decimal,
        currency: Currency,
    ) {
        self.enter(account, kind, -amount, currency, |cash| &mut cash.pending);
    }

    /// Adds an amount to the chosen part of the cash, and records the transaction.
    fn enter(
        &mut self,
        account: Uuid,
        kind: TransactionType,
        amount: Decimal,
        currency: Currency,
        part: fn(&mut Cash) -> &mut Decimal,
    ) {
        if amount.is_zero() {
            return;
        }
        let Some(account) = self.accounts.get_mut(account) else {
            return;
        };
        let id = self.timeline.id();
        let account_id = account.view.id;
        let transaction = Transaction {
            id,
            account_id,
            r#type: kind,
            amount,
            currency,
            created_at: self.timeline.now,
        };
        self.timeline.emit(EventKind::TRANSACTION, id, &transaction);
        account.transactions.push(transaction);
        *part(account.cash.entry(currency).or_default()) += amount;
        *self.outside.cash.entry(currency).or_default() -= amount;
        self.emit_cash_changed(account_id, currency);
        self.may_close(account_id);
    }

    /// Checks the maximum of cash in an account. It is bounded, so that sums and products do not overflow.
    pub(in crate::domain) fn check_cash_room(
        &self,
        account: Uuid,
        amount: Decimal,
        currency: Currency,
    ) -> Result<(), String> {
        let held = self
            .accounts
            .get(account)
            .and_then(|it| it.cash.get(&currency))
            .map(Cash::total);
        let fits = held.unwrap_or_default().saturating_add(amount) <= amount::MAX_CASH;
        fits.then_some(()).ok_or_else(|| {
            format!(
                "an account can have at most {} {currency}",
                amount::MAX_CASH
            )
        })
    }

    /// Checks the maximum of units in an account.
    pub(in crate::domain) fn check_unit_room(
        &self,
        account: Uuid,
        instrument: Uuid,
        units: Decimal,
    ) -> Result<(), String> {
        let held = self
            .accounts
            .get(account)
            .and_then(|it| it.holding(instrument));
        let held = held.map_or(Decimal::ZERO, |holding| holding.view.quantity);
        let fits = held.saturating_add(units) <= amount::MAX_UNITS;
        fits.then_some(())
            .ok_or_else(|| format!("an account can have at most {} units", amount::MAX_UNITS))
    }

    /// Reserves cash. If there is too little, nothing changes.
    pub(in crate::domain) fn reserve_cash(
        &mut self,
        account: Uuid,
        amount: Decimal,
        currency: Currency,
    ) -> Result<(), String> {
        let holder = self
            .accounts
            .get_mut(account)
            .ok_or("there is no such account")?;
        let available = holder.available(currency);
        if available < amount {
            return Err(format!(
                "{amount} {currency} are needed, but only {available} are available"
            ));
        }
        let cash = holder.cash.entry(currency).or_default();
        cash.available -= amount;
        cash.pending += amount;
        self.emit_cash_changed(account, currency);
        Ok(())
    }

    /// Releases reserved cash.
    pub(in crate::domain) fn release_cash(
        &mut self,
        account: Uuid,
        amount: Decimal,
        currency: Currency,
    ) {
        if amount.is_zero() {
            return;
        }
        let Some(holder) = self.accounts.get_mut(account) else {
            return;
        };
        let cash = holder.cash.entry(currency).or_default();
        cash.pending -= amount;
        cash.available += amount;
        self.emit_cash_changed(account, currency);
    }

    fn emit_cash_changed(&mut self, account: Uuid, currency: Currency) {
        let Some(account) = self.accounts.get(account) else {
            return;
        };
        if let Some(balance) = account
            .cash_balances()
            .find(|balance| balance.currency == currency)
        {
            self.timeline
                .emit(EventKind::CASH_CHANGED, account.view.id, &balance);
        }
    }

    /// Reserves units. If there are too few, nothing changes.
    pub(in crate::domain) fn reserve_units(
        &mut self,
        account: Uuid,
        instrument: Uuid,
        quantity: Decimal,
    ) -> Result<(), String> {
        let holding = self.holding_mut(account, instrument);
        let available = holding
            .as_ref()
            .map_or(Decimal::ZERO, |holding| holding.available());
        match holding.filter(|_| available >= quantity) {
            Some(holding) => holding.reserved += quantity,
            None => {
                return Err(format!(
                    "{quantity} units are needed, but only {available} are available"
                ));
            }
        }
        Ok(())
    }

    /// Releases reserved units.
    pub(in crate::domain) fn release_units(
        &mut self,
        account: Uuid,
        instrument: Uuid,
        quantity: Decimal,
    ) {
        if let Some(holding) = self.holding_mut(account, instrument) {
            holding.reserved -= quantity;
        }
    }

    /// Books units without cash. `units` is negative if they leave the account. `cost` is the cost of incoming units.
    /// Returns the cost of outgoing units, and zero for incoming units.
    pub(in crate::domain) fn move_in_kind(
        &mut self,
        account: Uuid,
        instrument: Uuid,
        units: Decimal,
        cost: Decimal,
        value: Decimal,
    ) -> Decimal {
        let at = self.timeline.now;
        if units.is_zero() {
            return Decimal::ZERO;
        }
        let Some(holder) = self.accounts.get_mut(account) else {
            return Decimal::ZERO;
        };
        holder.in_kind.push(InKind {
            at,
            instrument,
            units,
            value,
        });
        if units.is_sign_negative() {
            return self.take_units(account, instrument, -units);
        }
        self.add_units(account, instrument, units, cost);
        Decimal::ZERO
    }

    /// Adds units with this cost to an account.
    pub(in crate::domain) fn add_units(
        &mut self,
        account: Uuid,
        instrument: Uuid,
        quantity: Decimal,
        cost: Decimal,
    ) {
        let now = self.timeline.now;
        let id = self.timeline.id();
        let currency = self
            .instruments
            .get(instrument)
            .map_or(amount::EUR, |it| it.view.currency);
        if quantity.is_zero() {
            return;
        }
        let Some(holder) = self.accounts.get_mut(account) else {
            return;
        };
        *self.outside.units.entry(instrument).or_default() -= quantity;
        let place = holder
            .holdings
            .iter()
            .position(|holding| holding.view.instrument_id == instrument);
        let place = place.unwrap_or_else(|| {
            let view = Position {
                id,
                account_id: account,
                instrument_id: instrument,
                quantity: Decimal::ZERO,
                average_buy_in_price: Decimal::ZERO,
                currency,
                created_at: now,
                updated_at: now,
            };
            holder.holdings.push(Holding {
                view,
                reserved: Decimal::ZERO,
                cost: Decimal::ZERO,
            });
            holder.holdings.len() - 1
        });
        let holding = &mut holder.holdings[place];
        holding.view.quantity = (holding.view.quantity + quantity).normalize();
        holding.cost += cost;
        holding.refresh(now);
        self.timeline
            .emit(EventKind::POSITION_CHANGED, holding.view.id, &holding.view);
    }

    /// Removes units from an account and returns their share of the cost.
    pub(in crate::domain) fn take_units(
        &mut self,
        account: Uuid,
        instrument: Uuid,
        quantity: Decimal,
    ) -> Decimal {
        let now = self.timeline.now;
        if quantity.is_zero() {
            return Decimal::ZERO;
        }
        let Some(holder) = self.accounts.get_mut(account) else {
            return Decimal::ZERO;
        };
        let place = holder
            .holdings
            .iter()
            .position(|holding| holding.view.instrument_id == instrument);
        let Some(place) = place else {
            return Decimal::ZERO;
        };
        *self.outside.units.entry(instrument).or_default() += quantity;
        let holding = &mut holder.holdings[place];
        let cost = if quantity == holding.view.quantity {
            holding.cost
        } else {
            let part = quantity
                .checked_div(holding.view.quantity)
                .unwrap_or(Decimal::ONE);
            holding.cost.saturating_mul(part).round_dp(10)
        };
        holding.cost -= cost;
        holding.view.quantity = (holding.view.quantity - quantity).normalize();
        holding.refresh(now);
        let is_gone = holding.view.quantity.is_zero();
        self.timeline
            .emit(EventKind::POSITION_CHANGED, holding.view.id, &holding.view);
        if is_gone {
            holder.holdings.remove(place);
        }
        self.may_close(account);
        cost
    }

    /// Increases the cost of a position without changing its units.
    pub(in crate::domain) fn add_cost(&mut self, account: Uuid, instrument: Uuid, cost: Decimal) {
        let now = self.timeline.now;
        let Some(holder) = self.accounts.get_mut(account) else {
            return;
        };
        let mut holdings = holder.holdings.iter_mut();
        if let Some(holding) = holdings.find(|holding| holding.view.instrument_id == instrument) {
            holding.cost += cost;
            holding.refresh(now);
            self.timeline
                .emit(EventKind::POSITION_CHANGED, holding.view.id, &holding.view);
        }
    }

    pub(in crate::domain) fn holding_mut(
        &mut self,
        account: Uuid,
        instrument: Uuid,
    ) -> Option<&mut Holding> {
        let holdings = &mut self.accounts.get_mut(account)?.holdings;
        holdings
            .iter_mut()
            .find(|holding| holding.view.instrument_id == instrument)
    }
}

impl Holding {
    fn refresh(&mut self, now: DateTime<Utc>) {
        let average = self
            .cost
            .checked_div(self.view.quantity)
            .unwrap_or(Decimal::ZERO);
        self.view.average_buy_in_price = average.round_dp(4).normalize();
        self.view.updated_at = now;
    }
}
