//! Portfolios with weights that sum to 1, portfolio orders, and rebalancings.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{self, Currency, EUR};
use crate::domain::customers::accounts::Way;
use crate::domain::events::EventKind;
use crate::domain::jobs::{Purpose, Trades};
use crate::domain::rows::Row;
use crate::domain::rules::{RowOf, known};
use crate::domain::state::{Rejected, STEP, State};
use crate::domain::timeline::Due;

/// A portfolio with its weights.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Portfolio {
    pub(crate) view: PortfolioView,
    pub(crate) allocations: Vec<Allocation>,
}

/// A portfolio, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PortfolioView {
    id: Uuid,
    pub(in crate::domain) account_id: Uuid,
    name: String,
    status: PortfolioStatus,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "crate::instant::write")]
    updated_at: DateTime<Utc>,
}

lifecycle! {
    pub(crate) enum PortfolioStatus {
        Active => [Closed]
        Closed => []
    }
}

/// The share of one instrument in a portfolio, as it is sent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Allocation {
    instrument_id: Uuid,
    #[serde(deserialize_with = "amount::read_positive")]
    weight: Decimal,
}

/// An order for a whole portfolio, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PortfolioOrder {
    id: Uuid,
    portfolio_id: Uuid,
    cash_amount: Decimal,
    currency: Currency,
    status: PortfolioOrderStatus,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

lifecycle! {
    pub(crate) enum PortfolioOrderStatus {
        New => [Processing Cancelled]
        Processing => [Completed Cancelled]
        Completed => []
        Cancelled => []
    }
}

/// The body of the request for a rebalancing.
#[derive(Deserialize)]
pub(in crate::domain) struct Rebalancing {
    portfolio_id: Uuid,
}

#[derive(Deserialize)]
pub(crate) struct PortfolioCreate {
    account_id: Uuid,
    name: String,
    allocations: Vec<Allocation>,
}

#[derive(Deserialize)]
pub(crate) struct AllocationsUpdate {
    allocations: Option<Vec<Allocation>>,
}

#[derive(Deserialize)]
pub(crate) struct PortfolioUpdate {
    name: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PortfolioOrderCreate {
    #[serde(deserialize_with = "amount::read_money")]
    cash_amount: Decimal,
    currency: Currency,
}

resource!(Portfolio, "portfolio", portfolios, |it| it.view => PortfolioView, PortfolioStatus,
    PORTFOLIO_CREATED => [PORTFOLIO_CREATED PORTFOLIO_CLOSED], updated_at; by account_id);
resource!(PortfolioOrder, "portfolio order", portfolio_orders, |it| *it => Self, PortfolioOrderStatus,
    PORTFOLIO_ORDER_NEW => [PORTFOLIO_ORDER_NEW PORTFOLIO_ORDER_PROCESSING PORTFOLIO_ORDER_COMPLETED PORTFOLIO_ORDER_CANCELLED]);
impl State {
    pub(crate) fn create_portfolio(
        &mut self,
        new: PortfolioCreate,
    ) -> Result<&PortfolioView, Rejected> {
        let account_id = new.account_id;
        self.accounts.find_or_reject("account_id", account_id)?;
        self.check_not_blocked(account_id, Way::In)?;
        self.check_allocations(&new.allocations)?;
        let id = self.timeline.id();
        let now = self.timeline.now;
        let status = PortfolioStatus::Active;
        let view = PortfolioView {
            id,
            account_id,
            name: new.name,
            status,
            created_at: now,
            updated_at: now,
        };
        Ok(&self
            .add(Portfolio {
                view,
                allocations: new.allocations,
            })
            .view)
    }

    pub(crate) fn rename_portfolio(
        &mut self,
        id: Uuid,
        update: PortfolioUpdate,
    ) -> Result<&PortfolioView, Rejected> {
        let (portfolio, timeline) = self.editable::<Portfolio>(id)?;
        let portfolio = &mut portfolio.view;
        if let Some(name) = update.name {
            portfolio.name = name;
        }
        portfolio.updated_at = timeline.now;
        timeline.emit(EventKind::PORTFOLIO_CHANGED, id, portfolio);
        Ok(portfolio)
    }

    pub(crate) fn replace_allocations(
        &mut self,
        id: Uuid,
        update: AllocationsUpdate,
    ) -> Result<&[Allocation], Rejected> {
        self.portfolios.find(id)?;
        let allocations = update.allocations.unwrap_or_default();
        self.check_allocations(&allocations)?;
        let (portfolio, timeline) = self.editable::<Portfolio>(id)?;
        portfolio.allocations = allocations;
        portfolio.view.updated_at = timeline.now;
        timeline.emit(EventKind::ALLOCATION_CHANGED, id, &portfolio.view);
        Ok(&portfolio.allocations)
    }

    /// Checks that each instrument occurs once, and that the weights sum to exactly 1.
    fn check_allocations(&self, allocations: &[Allocation]) -> Result<(), Rejected> {
        let mut seen = BTreeSet::new();
        for (at, Allocation { instrument_id, .. }) in allocations.iter().enumerate() {
            let field = format!("allocations.{at}.instrument_id");
            self.instruments.find_or_reject(&field, *instrument_id)?;
            if !seen.insert(*instrument_id) {
                return Err(Rejected::invalid(
                    &field,
                    "has the same instrument as another allocation",
                ));
            }
        }
        let sum: Decimal = allocations.iter().map(|allocation| allocation.weight).sum();
        let problem = || format!("have weights that sum to {sum} instead of 1");
        if sum == Decimal::ONE {
            Ok(())
        } else {
            Err(Rejected::invalid("allocations", &problem()))
        }
    }

    /// Closes the portfolios of a closed account.
    pub(in crate::domain) fn close_portfolios(&mut self, account: Uuid) {
        let of_it = self
            .portfolios
            .with(&[account.as_u128()])
            .map(|portfolio| portfolio.view.id);
        for portfolio in of_it.collect::<Vec<_>>() {
            self.change::<Portfolio>(portfolio, PortfolioStatus::Closed);
        }
    }

    pub(crate) fn create_portfolio_order(
        &mut self,
        portfolio: Uuid,
        new: &PortfolioOrderCreate,
    ) -> Result<&PortfolioOrder, Rejected> {
        let account = self.editable::<Portfolio>(portfolio)?.0.view.account_id;
        self.check_not_blocked(account, Way::In)?;
        Ok(self.place_portfolio_order(portfolio, new.cash_amount, new.currency))
    }

    pub(in crate::domain) fn place_portfolio_order(
        &mut self,
        portfolio_id: Uuid,
        cash_amount: Decimal,
        currency: Currency,
    ) -> &PortfolioOrder {
        let id = self.timeline.id();
        let created_at = self.timeline.now;
        let status = PortfolioOrderStatus::New;
        self.timeline.after(STEP, Due::PortfolioOrder(id));
        self.add(PortfolioOrder {
            id,
            portfolio_id,
            cash_amount,
            currency,
            status,
            created_at,
        })
    }

    /// Splits a portfolio order by weight, to the cent.
    pub(in crate::domain) fn work_off_portfolio_order(&mut self, id: Uuid) {
        let Some(order) = self.portfolio_orders.get(id).cloned() else {
            return;
        };
        let Some(portfolio) = self.portfolios.get(order.portfolio_id) else {
            return;
        };
        let account = portfolio.view.account_id;
        let available = self
            .accounts
            .get(account)
            .map_or(Decimal::ZERO, |it| it.available(order.currency));
        let why = if order.currency != EUR {
            Some(format!("nothing can be bought in {}", order.currency))
        } else if available < order.cash_amount {
            Some(format!(
                "{} EUR are needed, but only {available} are available",
                order.cash_amount
            ))
        } else {
            self.may_trade(account, Way::In).err()
        };
        if why.is_some() {
            self.change_because::<PortfolioOrder>(id, PortfolioOrderStatus::Cancelled, why);
            return;
        }
        let then_buy = split(order.cash_amount, &portfolio.allocations);
        self.change::<PortfolioOrder>(id, PortfolioOrderStatus::Processing);
        self.start_job(
            Purpose::PortfolioOrder(id),
            account,
            Trades {
                then_buy,
                ..Trades::default()
            },
        );
    }

    pub(in crate::domain) fn check_rebalancing(
        &mut self,
        new: &Rebalancing,
    ) -> Result<(), Rejected> {
        let portfolio = self.editable::<Portfolio>(new.portfolio_id)?.0;
        let account = portfolio.view.account_id;
        self.check_not_blocked(account, Way::In)
    }

    pub(in crate::domain) fn may_rebalance(&self, it: &Rebalancing) -> Result<(), String> {
        let portfolio = self.portfolios.get(it.portfolio_id);
        let portfolio = portfolio.ok_or("there is no such portfolio")?;
        self.may_trade(portfolio.view.account_id, Way::In)
    }

    /// Sells the instruments above their weights, then buys those below with the proceeds.
    pub(in crate::domain) fn start_rebalancing(&mut self, row: &Row) {
        let Some(portfolio) = known(row)
            .ok()
            .and_then(|it: Rebalancing| self.portfolios.get(it.portfolio_id))
        else {
            return;
        };
        let account = portfolio.view.account_id;
        let trades = self.rebalancing_trades(portfolio);
        let purpose = Purpose::Row(RowOf::new("rebalancing", row));
        self.start_job(purpose, account, trades);
    }

    /// The trades that bring the portfolio to its target weights.
    fn rebalancing_trades(&self, portfolio: &Portfolio) -> Trades {
        let Some(account) = self.accounts.get(portfolio.view.account_id) else {
            return Trades::default();
        };
        let held: Vec<_> = portfolio
            .allocations
            .iter()
            .filter_map(|allocation| {
                let instrument = self.instruments.get(allocation.instrument_id)?;
                let units = account.sellable(allocation.instrument_id);
                Some((
                    allocation,
                    instrument,
                    units,
                    amount::value(units, instrument.bid),
                ))
            })
            .collect();
        let total: Decimal = held.iter().map(|(.., value)| *value).sum();
        let mut trades = Trades::default();
        let mut proceeds = Decimal::ZERO;
        let mut wanted = Vec::new();
        for (allocation, instrument, units, value) in held {
            let target = amount::rounded_down(total * allocation.weight);
            if value > target {
                let fractional = instrument.view.fractional_trading_enabled;
                let surplus =
                    amount::units_for(value - target, instrument.bid, fractional).min(units);
                let paid = amount::value(surplus, instrument.bid);
                // Skip sales that would pay nothing.
                if !paid.is_zero() {
                    proceeds += paid;
                    trades.sell.push((allocation.instrument_id, surplus));
                }
            } else {
                wanted.push((allocation.instrument_id, target - value));
            }
        }
        // The sales pay for the purchases, so rounding must not leave a cent missing.
        for (instrument, cash) in wanted {
            let cash = cash.min(proceeds);
            proceeds -= cash;
            trades.then_buy.push((instrument, cash));
        }
        trades
    }
}

/// Splits an amount by weight into whole cents. The remainder of rounding is added to the first part.
fn split(cash: Decimal, allocations: &[Allocation]) -> Vec<(Uuid, Decimal)> {
    let part = |weight: Decimal| {
        (cash * weight).round_dp_with_strategy(2, rust_decimal::RoundingStrategy::ToZero)
    };
    let mut parts: Vec<_> = allocations
        .iter()
        .map(|it| (it.instrument_id, part(it.weight)))
        .collect();
    let given: Decimal = parts.iter().map(|(_, part)| *part).sum();
    if let Some((_, first)) = parts.first_mut() {
        *first += cash - given;
    }
    parts
}
