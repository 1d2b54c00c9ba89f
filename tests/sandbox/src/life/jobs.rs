//! What several orders together are for: a portfolio order, a rebalancing, a liquidation. It ends when all of them have.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::orders::{MarketOrder, Side, Size};
use super::world::World;
use crate::amount::EUR;

/// The place of a job in [`World::jobs`].
pub(super) type JobId = u32;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    purpose: Purpose,
    account: Uuid,
    open: u32,
    filled: u32,
    ended_otherwise: u32,
    /// Purchases that are paid for by the sales before them: instrument and cash.
    then_buy: Vec<(Uuid, Decimal)>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Purpose {
    PortfolioOrder(Uuid),
    Rebalancing(Uuid),
    Liquidation(Uuid),
}

/// How the orders of a job went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum JobEnd {
    Whole,
    Part,
    Nothing,
}

/// What a job sells and then buys.
#[derive(Default)]
pub(super) struct Trades {
    pub(super) sell: Vec<(Uuid, Decimal)>,
    pub(super) then_buy: Vec<(Uuid, Decimal)>,
}

impl World {
    /// Places the orders of a job. One without orders has ended already.
    pub(super) fn start_job(&mut self, purpose: Purpose, account: Uuid, trades: Trades) {
        let id = JobId::try_from(self.jobs.len()).unwrap_or(JobId::MAX);
        self.jobs.push(Job {
            purpose,
            account,
            open: 0,
            filled: 0,
            ended_otherwise: 0,
            then_buy: trades.then_buy,
        });
        let sales = trades.sell.into_iter().filter(|(_, units)| !units.is_zero());
        let sales: Vec<_> = sales.collect();
        self.job(id, |job| job.open = u32::try_from(sales.len()).unwrap_or(u32::MAX));
        for (instrument, units) in sales {
            self.place_market_order(&order(id, account, instrument, Side::Sell, Size::Units(units)));
        }
        self.go_on(id);
    }

    pub(super) fn order_of_job_ended(&mut self, id: JobId, filled: bool) {
        self.job(id, |job| {
            job.open -= 1;
            if filled { job.filled += 1 } else { job.ended_otherwise += 1 }
        });
        self.go_on(id);
    }

    fn go_on(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(id as usize).filter(|job| job.open == 0) else { return };
        let purchases = std::mem::take(&mut job.then_buy);
        let purchases: Vec<_> = purchases.into_iter().filter(|(_, cash)| !cash.is_zero()).collect();
        let (account, purpose) = (job.account, job.purpose);
        if purchases.is_empty() {
            let end = match (job.filled, job.ended_otherwise) {
                (_, 0) => JobEnd::Whole,
                (0, _) => JobEnd::Nothing,
                _ => JobEnd::Part,
            };
            return match purpose {
                Purpose::PortfolioOrder(order) => self.end_portfolio_order(order, end),
                Purpose::Rebalancing(rebalancing) => self.end_rebalancing(rebalancing, end),
                Purpose::Liquidation(liquidation) => self.end_liquidation(liquidation, end),
            };
        }
        job.open = u32::try_from(purchases.len()).unwrap_or(u32::MAX);
        for (instrument, cash) in purchases {
            self.place_market_order(&order(id, account, instrument, Side::Buy, Size::Cash(cash)));
        }
    }

    fn job(&mut self, id: JobId, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.jobs.get_mut(id as usize) {
            change(job);
        }
    }
}

fn order(job: JobId, account: Uuid, instrument: Uuid, side: Side, how_much: Size) -> MarketOrder {
    MarketOrder { account, instrument, side, size: how_much, currency: EUR, job: Some(job) }
}
