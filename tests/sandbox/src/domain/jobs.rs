//! Jobs: groups of orders for a portfolio order, a rebalancing or a liquidation. A job ends when all of its orders have
//! ended.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::EUR;
use crate::domain::rules::RowOf;
use crate::domain::state::State;
use crate::domain::trading::orders::{MarketOrder, Side, Size};
use crate::domain::trading::portfolios::{PortfolioOrder, PortfolioOrderStatus};

/// The index of a job in [`State::jobs`].
pub(in crate::domain) type JobId = u32;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::domain) struct Job {
    purpose: Purpose,
    account: Uuid,
    open: usize,
    filled: usize,
    ended_otherwise: usize,
    /// The cash amount of all executions.
    executed: Decimal,
    /// Why the first unfilled order was not filled.
    why: Option<String>,
    /// The purchases that follow the sales and are paid by them: instrument and cash amount.
    then_buy: Vec<(Uuid, Decimal)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::domain) enum Purpose {
    PortfolioOrder(Uuid),
    /// A rebalancing or a liquidation.
    Row(RowOf),
}

/// How an order of a job ended.
pub(in crate::domain) struct OrderEnd {
    pub(in crate::domain) filled: bool,
    pub(in crate::domain) executed: Decimal,
    pub(in crate::domain) why: Option<String>,
}

/// The sales and the subsequent purchases of a job.
#[derive(Default)]
pub(in crate::domain) struct Trades {
    pub(in crate::domain) sell: Vec<(Uuid, Decimal)>,
    pub(in crate::domain) then_buy: Vec<(Uuid, Decimal)>,
}

impl State {
    /// Places the orders of a job. A job without orders ends immediately.
    pub(in crate::domain) fn start_job(&mut self, purpose: Purpose, account: Uuid, trades: Trades) {
        let id = JobId::try_from(self.jobs.len()).unwrap_or(JobId::MAX);
        let Trades { sell, then_buy } = trades;
        let filled = 0;
        let ended_otherwise = 0;
        let executed = Decimal::ZERO;
        let why = None;
        self.jobs.push(Job {
            purpose,
            account,
            open: 0,
            filled,
            ended_otherwise,
            executed,
            why,
            then_buy,
        });
        self.place_all(id, Side::Sell, sell);
        self.go_on(id);
    }

    pub(in crate::domain) fn order_of_job_ended(&mut self, id: JobId, end: OrderEnd) {
        let Some(job) = self.jobs.get_mut(id as usize) else {
            return;
        };
        job.open = job.open.saturating_sub(1);
        job.executed += end.executed;
        if end.filled {
            job.filled += 1;
        } else {
            job.ended_otherwise += 1;
            job.why = job.why.take().or(end.why);
        }
        self.go_on(id);
    }

    /// Starts the purchases when all sales are done, and ends the job when all purchases are done.
    fn go_on(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(id as usize).filter(|job| job.open == 0) else {
            return;
        };
        let purchases = std::mem::take(&mut job.then_buy);
        if self.place_all(id, Side::Buy, purchases) {
            return;
        }
        let Some(job) = self.jobs.get(id as usize) else {
            return;
        };
        let all = job.filled + job.ended_otherwise;
        let why = (job.ended_otherwise > 0).then(|| {
            let why = job.why.as_deref().unwrap_or("an order was not filled");
            format!(
                "{} of {all} orders filled, {} EUR executed: {why}",
                job.filled, job.executed
            )
        });
        let (to, order) = match why {
            None => ("COMPLETED", PortfolioOrderStatus::Completed),
            Some(_) => ("FAILED", PortfolioOrderStatus::Cancelled),
        };
        match job.purpose.clone() {
            Purpose::PortfolioOrder(id) => {
                self.change_because::<PortfolioOrder>(id, order, why);
            }
            Purpose::Row(row) => self.plan_status(&row, "PROCESSING", to, why),
        }
    }

    /// Places an order for each instrument. Returns `false` if there are none.
    fn place_all(&mut self, id: JobId, side: Side, orders: Vec<(Uuid, Decimal)>) -> bool {
        let orders: Vec<_> = orders
            .into_iter()
            .filter(|(_, how_much)| !how_much.is_zero())
            .collect();
        let Some(job) = self.jobs.get_mut(id as usize) else {
            return false;
        };
        let account = job.account;
        let any = !orders.is_empty();
        job.open = orders.len();
        for (instrument, how_much) in orders {
            self.place_market_order(&MarketOrder {
                account,
                instrument,
                side,
                size: if side == Side::Buy {
                    Size::Cash(how_much)
                } else {
                    Size::Units(how_much)
                },
                currency: EUR,
                job: Some(id),
            });
        }
        any
    }
}
