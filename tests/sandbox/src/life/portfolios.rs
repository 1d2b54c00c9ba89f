//! Portfolios: weights that sum to 1, orders for the whole, and trades back to the weights.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::events::EventKind;
use super::jobs::{JobEnd, Purpose, Trades};
use super::timeline::Due;
use super::world::{Refused, STEP, World};
use crate::amount::{self, Currency, EUR};

/// A portfolio with its weights.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Portfolio {
    pub(crate) view: PortfolioView,
    pub(crate) allocations: Vec<Allocation>,
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PortfolioView {
    id: Uuid,
    pub(super) account_id: Uuid,
    name: String,
    status: PortfolioStatus,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

wire_enum! {
    enum PortfolioStatus { Active Closed }
}

/// As the API shows it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Allocation {
    instrument_id: Uuid,
    weight: Decimal,
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PortfolioOrder {
    id: Uuid,
    portfolio_id: Uuid,
    cash_amount: Decimal,
    currency: Currency,
    status: PortfolioOrderStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum PortfolioOrderStatus { New Processing Completed Cancelled }
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rebalancing {
    id: Uuid,
    pub(crate) portfolio_id: Uuid,
    status: RebalancingStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum RebalancingStatus { New Processing Completed Failed }
}

#[derive(Deserialize)]
pub(crate) struct PortfolioCreate {
    account_id: Uuid,
    name: String,
    allocations: Vec<AllocationCreate>,
}

#[derive(Deserialize)]
pub(crate) struct AllocationCreate {
    instrument_id: Uuid,
    weight: String,
}

#[derive(Deserialize)]
pub(crate) struct AllocationsUpdate {
    allocations: Option<Vec<AllocationCreate>>,
}

#[derive(Deserialize)]
pub(crate) struct PortfolioUpdate {
    name: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PortfolioOrderCreate {
    cash_amount: String,
    currency: Currency,
}

identified!(by view.id: Portfolio);
identified!(by id: PortfolioOrder Rebalancing);

impl World {
    pub(crate) fn create_portfolio(&mut self, new: PortfolioCreate) -> Result<&PortfolioView, Refused> {
        let account_id = new.account_id;
        self.accounts.get(account_id).ok_or_else(|| Refused::unknown("account_id"))?;
        let allocations = self.read_allocations(&new.allocations)?;
        let (id, now) = (self.time.id(), self.time.now);
        let status = PortfolioStatus::Active;
        let view = PortfolioView { id, account_id, name: new.name, status, created_at: now, updated_at: now };
        self.time.emit(EventKind::PORTFOLIO_CREATED, id, &view);
        Ok(&self.portfolios.insert(Portfolio { view, allocations }).view)
    }

    pub(crate) fn rename_portfolio(
        &mut self,
        id: Uuid,
        update: PortfolioUpdate,
    ) -> Result<&PortfolioView, Refused> {
        let portfolio = &mut self.portfolios.get_mut(id).ok_or(Refused::NotFound)?.view;
        if let Some(name) = update.name {
            portfolio.name = name;
        }
        portfolio.updated_at = self.time.now;
        self.time.emit(EventKind::PORTFOLIO_CHANGED, id, portfolio);
        Ok(portfolio)
    }

    pub(crate) fn replace_allocations(
        &mut self,
        id: Uuid,
        update: &AllocationsUpdate,
    ) -> Result<&[Allocation], Refused> {
        self.portfolios.get(id).ok_or(Refused::NotFound)?;
        let allocations = self.read_allocations(update.allocations.as_deref().unwrap_or_default())?;
        let portfolio = self.portfolios.get_mut(id).ok_or(Refused::NotFound)?;
        portfolio.allocations = allocations;
        portfolio.view.updated_at = self.time.now;
        self.time.emit(EventKind::ALLOCATION_CHANGED, id, &portfolio.view);
        Ok(&portfolio.allocations)
    }

    /// Each instrument once, each weight above 0, all weights together exactly 1.
    fn read_allocations(&self, allocations: &[AllocationCreate]) -> Result<Vec<Allocation>, Refused> {
        let (mut read, mut seen, mut sum) = (Vec::new(), BTreeSet::new(), Decimal::ZERO);
        for (at, AllocationCreate { instrument_id, weight }) in allocations.iter().enumerate() {
            let weight = amount::positive(weight)
                .map_err(|problem| Refused::invalid(&format!("allocations.{at}.weight"), problem))?;
            let field = format!("allocations.{at}.instrument_id");
            if self.instruments.get(*instrument_id).is_none() {
                return Err(Refused::unknown(&field));
            }
            if !seen.insert(*instrument_id) {
                return Err(Refused::invalid(
                    &field,
                    "names an instrument that another allocation names too",
                ));
            }
            sum += weight;
            read.push(Allocation { instrument_id: *instrument_id, weight });
        }
        if sum == Decimal::ONE {
            Ok(read)
        } else {
            Err(Refused::invalid("allocations", &format!("have weights that sum to {sum} instead of 1")))
        }
    }

    /// A portfolio ends with its account.
    pub(super) fn close_portfolios(&mut self, account: Uuid) {
        let portfolios = self.portfolios.rows_mut().iter_mut().map(|portfolio| &mut portfolio.view);
        for portfolio in portfolios.filter(|portfolio| portfolio.account_id == account) {
            (portfolio.status, portfolio.updated_at) = (PortfolioStatus::Closed, self.time.now);
            self.time.emit(EventKind::PORTFOLIO_CLOSED, portfolio.id, portfolio);
        }
    }

    pub(crate) fn create_portfolio_order(
        &mut self,
        portfolio: Uuid,
        new: &PortfolioOrderCreate,
    ) -> Result<&PortfolioOrder, Refused> {
        self.portfolios.get(portfolio).ok_or(Refused::NotFound)?;
        let cash_amount =
            amount::money(&new.cash_amount).map_err(|problem| Refused::invalid("cash_amount", problem))?;
        Ok(self.place_portfolio_order(portfolio, cash_amount, new.currency))
    }

    pub(super) fn place_portfolio_order(
        &mut self,
        portfolio_id: Uuid,
        cash_amount: Decimal,
        currency: Currency,
    ) -> &PortfolioOrder {
        let (id, created_at) = (self.time.id(), self.time.now);
        let status = PortfolioOrderStatus::New;
        let order = PortfolioOrder { id, portfolio_id, cash_amount, currency, status, created_at };
        self.time.emit(EventKind::PORTFOLIO_ORDER_NEW, id, &order);
        self.time.after(STEP, Due::PortfolioOrder(id));
        self.portfolio_orders.insert(order)
    }

    /// Splits a portfolio order by weight, to the cent.
    pub(super) fn work_off_portfolio_order(&mut self, id: Uuid) {
        let Some(order) = self.portfolio_orders.get(id).cloned() else { return };
        let Some(portfolio) = self.portfolios.get(order.portfolio_id) else { return };
        let account = portfolio.view.account_id;
        let covered =
            self.accounts.get(account).is_some_and(|it| it.available(order.currency) >= order.cash_amount);
        if !covered || order.currency != EUR {
            return self.set_portfolio_order(id, PortfolioOrderStatus::Cancelled);
        }
        let then_buy = split(order.cash_amount, &portfolio.allocations);
        self.set_portfolio_order(id, PortfolioOrderStatus::Processing);
        self.start_job(Purpose::PortfolioOrder(id), account, Trades { then_buy, ..Trades::default() });
    }

    pub(super) fn end_portfolio_order(&mut self, id: Uuid, end: JobEnd) {
        let nothing = end == JobEnd::Nothing;
        let status = if nothing { PortfolioOrderStatus::Cancelled } else { PortfolioOrderStatus::Completed };
        self.set_portfolio_order(id, status);
    }

    fn set_portfolio_order(&mut self, id: Uuid, status: PortfolioOrderStatus) {
        let Some(order) = self.portfolio_orders.get_mut(id) else { return };
        order.status = status;
        let kind = match status {
            PortfolioOrderStatus::New => EventKind::PORTFOLIO_ORDER_NEW,
            PortfolioOrderStatus::Processing => EventKind::PORTFOLIO_ORDER_PROCESSING,
            PortfolioOrderStatus::Completed => EventKind::PORTFOLIO_ORDER_COMPLETED,
            PortfolioOrderStatus::Cancelled => EventKind::PORTFOLIO_ORDER_CANCELLED,
        };
        self.time.emit(kind, id, order);
    }

    pub(crate) fn create_rebalancing(&mut self, portfolio_id: Uuid) -> Result<&Rebalancing, Refused> {
        self.portfolios.get(portfolio_id).ok_or(Refused::NotFound)?;
        let (id, created_at) = (self.time.id(), self.time.now);
        let rebalancing = Rebalancing { id, portfolio_id, status: RebalancingStatus::New, created_at };
        self.time.emit(EventKind::REBALANCING_NEW, id, &rebalancing);
        self.time.after(STEP, Due::Rebalancing(id));
        Ok(self.rebalancings.insert(rebalancing))
    }

    /// Sells what is above its weight, then buys what is below with the proceeds.
    pub(super) fn work_off_rebalancing(&mut self, id: Uuid) {
        let Some(rebalancing) = self.rebalancings.get(id) else { return };
        let Some(portfolio) = self.portfolios.get(rebalancing.portfolio_id) else { return };
        let account = portfolio.view.account_id;
        let trades = self.trades_to_weights(portfolio);
        self.set_rebalancing(id, RebalancingStatus::Processing);
        self.start_job(Purpose::Rebalancing(id), account, trades);
    }

    fn trades_to_weights(&self, portfolio: &Portfolio) -> Trades {
        let Some(account) = self.accounts.get(portfolio.view.account_id) else { return Trades::default() };
        let held: Vec<_> = portfolio
            .allocations
            .iter()
            .filter_map(|allocation| {
                let instrument = self.instruments.get(allocation.instrument_id)?;
                let units = account.sellable(allocation.instrument_id);
                Some((allocation, instrument, units, amount::value(units, instrument.bid)))
            })
            .collect();
        let total: Decimal = held.iter().map(|(.., value)| *value).sum();
        let mut trades = Trades::default();
        let mut proceeds = Decimal::ZERO;
        let mut wanted = Vec::new();
        for (allocation, instrument, units, value) in held {
            let target = amount::down(total * allocation.weight);
            if value > target {
                let fractional = instrument.view.fractional_trading_enabled;
                let surplus = amount::units_for(value - target, instrument.bid, fractional).min(units);
                let paid = amount::value(surplus, instrument.bid);
                // What nothing would be paid for stays.
                if !paid.is_zero() {
                    proceeds += paid;
                    trades.sell.push((allocation.instrument_id, surplus));
                }
            } else {
                wanted.push((allocation.instrument_id, target - value));
            }
        }
        // What is sold pays for what is bought: a cent of rounding must not be missing.
        for (instrument, cash) in wanted {
            let cash = cash.min(proceeds);
            proceeds -= cash;
            trades.then_buy.push((instrument, cash));
        }
        trades
    }

    pub(super) fn end_rebalancing(&mut self, id: Uuid, end: JobEnd) {
        let whole = end == JobEnd::Whole;
        self.set_rebalancing(
            id,
            if whole { RebalancingStatus::Completed } else { RebalancingStatus::Failed },
        );
    }

    fn set_rebalancing(&mut self, id: Uuid, status: RebalancingStatus) {
        let Some(rebalancing) = self.rebalancings.get_mut(id) else { return };
        rebalancing.status = status;
        let kind = match status {
            RebalancingStatus::New => EventKind::REBALANCING_NEW,
            RebalancingStatus::Processing => EventKind::REBALANCING_PROCESSING,
            RebalancingStatus::Completed => EventKind::REBALANCING_COMPLETED,
            RebalancingStatus::Failed => EventKind::REBALANCING_FAILED,
        };
        self.time.emit(kind, id, rebalancing);
    }
}

/// Cuts an amount into cents by weight; what rounding leaves over goes to the first.
fn split(cash: Decimal, allocations: &[Allocation]) -> Vec<(Uuid, Decimal)> {
    let part =
        |weight: Decimal| (cash * weight).round_dp_with_strategy(2, rust_decimal::RoundingStrategy::ToZero);
    let mut parts: Vec<_> = allocations.iter().map(|it| (it.instrument_id, part(it.weight))).collect();
    let given: Decimal = parts.iter().map(|(_, part)| *part).sum();
    if let Some((_, first)) = parts.first_mut() {
        *first += cash - given;
    }
    parts
}
