//! Checks that the books are consistent: no money and no units appear from nowhere or are lost.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::amount::Currency;
use crate::domain::customers::accounts::Account;
use crate::domain::money::ledger::TransactionType;
use crate::domain::state::State;
use crate::domain::trading::orders::Side;

impl State {
    /// All errors in the books. Empty if they are consistent.
    pub(crate) fn audit(&self) -> Vec<String> {
        let mut findings = self.panics.clone();
        let mut cash = self.outside.cash.clone();
        let mut units = self.outside.units.clone();
        for account in self.accounts.rows() {
            audit_account(account, &mut findings);
            for (currency, held) in &account.cash {
                *cash.entry(*currency).or_default() += held.total();
            }
            for holding in &account.holdings {
                *units.entry(holding.view.instrument_id).or_default() += holding.view.quantity;
            }
        }
        let lost = |what: String, rest: &Decimal| {
            (!rest.is_zero()).then(|| format!("{rest} {what} came from nowhere"))
        };
        findings.extend(
            cash.iter()
                .filter_map(|(currency, rest)| lost(currency.to_string(), rest)),
        );
        findings.extend(
            units
                .iter()
                .filter_map(|(instrument, rest)| lost(format!("units of {instrument}"), rest)),
        );
        findings.extend(self.audit_reservations());
        self.audit_trades(&mut findings);
        findings
    }

    /// Checks with the bookings that trading alone does not make money: the proceeds of an account's sales minus the
    /// cost of its purchases are at most the value of the same units at the prices of the trades. Also checks that an
    /// account holds the units that it traded or got without cash.
    fn audit_trades(&self, findings: &mut Vec<String>) {
        let mut worth: HashMap<(Uuid, Currency), Decimal> = HashMap::new();
        let mut units: HashMap<(Uuid, Uuid), Decimal> = HashMap::new();
        for order in self.orders.rows() {
            let view = &order.view;
            let sign = if view.side == Side::Sell {
                Decimal::ONE
            } else {
                Decimal::NEGATIVE_ONE
            };
            for it in &order.executions {
                *worth.entry((view.account_id, view.currency)).or_default() +=
                    sign * it.quantity * it.price;
                *units
                    .entry((view.account_id, view.instrument_id))
                    .or_default() -= sign * it.quantity;
            }
        }
        for account in self.accounts.rows() {
            let id = account.view.id;
            for moved in &account.in_kind {
                *units.entry((id, moved.instrument)).or_default() += moved.units;
            }
            let trades = account
                .transactions
                .iter()
                .filter(|it| it.r#type == TransactionType::OrderExecution);
            let mut booked: BTreeMap<Currency, Decimal> = BTreeMap::new();
            for trade in trades {
                *booked.entry(trade.currency).or_default() += trade.amount;
            }
            for (currency, booked) in booked {
                let made = booked - worth.remove(&(id, currency)).unwrap_or_default();
                if made > Decimal::ZERO {
                    findings.push(format!(
                        "account {id}: trading made {made} {currency} out of nothing"
                    ));
                }
            }
            for holding in &account.holdings {
                let booked = units
                    .remove(&(id, holding.view.instrument_id))
                    .unwrap_or_default();
                if booked != holding.view.quantity {
                    findings.push(format!(
                        "account {id}: {booked} units booked, {} held",
                        holding.view.quantity
                    ));
                }
            }
        }
        let left = units.iter().filter(|(_, units)| !units.is_zero());
        findings.extend(
            left.map(|((id, _), units)| format!("account {id}: {units} units booked, none held")),
        );
    }

    /// Checks that the reserved cash and units are those that open orders and withdrawals have reserved.
    fn audit_reservations(&self) -> Vec<String> {
        let mut cash: BTreeMap<(Uuid, Currency), Decimal> = BTreeMap::new();
        let mut units: BTreeMap<(Uuid, Uuid), Decimal> = BTreeMap::new();
        for reservation in self
            .orders
            .rows()
            .iter()
            .filter_map(crate::domain::trading::orders::Order::reservation)
        {
            match reservation.instrument {
                None => {
                    *cash
                        .entry((reservation.account, reservation.currency))
                        .or_default() += reservation.amount;
                }
                Some(instrument) => {
                    *units.entry((reservation.account, instrument)).or_default() +=
                        reservation.amount;
                }
            }
        }
        for it in self.reserved_withdrawals() {
            *cash.entry((it.account_id, it.currency)).or_default() += it.cash_amount;
        }
        let mut findings = Vec::new();
        for account in self.accounts.rows() {
            let id = account.view.id;
            for (currency, held) in &account.cash {
                let reserved = cash.remove(&(id, *currency)).unwrap_or_default();
                if reserved != held.pending {
                    findings.push(format!(
                        "account {id}: {} {currency} pending, {reserved} reserved by orders and withdrawals",
                        held.pending
                    ));
                }
            }
            for holding in &account.holdings {
                let reserved = units
                    .remove(&(id, holding.view.instrument_id))
                    .unwrap_or_default();
                if reserved != holding.reserved {
                    findings.push(format!(
                        "account {id}: {} units reserved, {reserved} reserved by orders",
                        holding.reserved
                    ));
                }
            }
        }
        let left = cash
            .values()
            .chain(units.values())
            .filter(|amount| !amount.is_zero());
        findings.extend(left.map(|amount| format!("a reservation of {amount} without an account")));
        findings
    }
}

fn audit_account(account: &Account, findings: &mut Vec<String>) {
    let id = account.view.id;
    let mut booked: BTreeMap<Currency, Decimal> = BTreeMap::new();
    // A bank may take back more than the account has.
    let mut taken_back: BTreeMap<Currency, Decimal> = BTreeMap::new();
    for transaction in &account.transactions {
        if transaction.r#type == TransactionType::DirectDebit && transaction.amount < Decimal::ZERO
        {
            *taken_back.entry(transaction.currency).or_default() -= transaction.amount;
        }
        *booked.entry(transaction.currency).or_default() += transaction.amount;
    }
    for (currency, held) in &account.cash {
        let booked = booked.remove(currency).unwrap_or_default();
        if booked != held.total() {
            findings.push(format!(
                "account {id}: {booked} {currency} booked, {} held",
                held.total()
            ));
        }
        let debt = taken_back.remove(currency).unwrap_or_default();
        if held.available + debt < Decimal::ZERO || held.pending < Decimal::ZERO {
            findings.push(format!("account {id}: negative cash in {currency}"));
        }
    }
    for holding in &account.holdings {
        let quantity = holding.view.quantity;
        if quantity <= Decimal::ZERO
            || holding.reserved < Decimal::ZERO
            || holding.available() < Decimal::ZERO
        {
            findings.push(format!(
                "account {id}: {quantity} units, {} reserved",
                holding.reserved
            ));
        }
        if holding.cost < Decimal::ZERO {
            findings.push(format!("account {id}: negative cost of units"));
        }
    }
}
