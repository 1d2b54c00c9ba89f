//! Savings plans: the same amount, on its dates.

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::events::EventKind;
use super::orders::{MarketOrder, Side, Size};
use super::timeline::Due;
use super::world::{Refused, World};
use crate::amount::{self, Currency};

/// A plan, and where its dates are counted from: a monthly plan begun on the 31st comes on the last day of shorter months.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavingsPlan {
    pub(crate) view: SavingsPlanView,
    anchor: NaiveDate,
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavingsPlanView {
    id: Uuid,
    account_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    portfolio_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instrument_id: Option<Uuid>,
    cash_amount: Decimal,
    currency: Currency,
    frequency: Frequency,
    status: PlanStatus,
    next_execution_date: NaiveDate,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

wire_enum! {
    enum Frequency { Weekly Biweekly Monthly Quarterly }
}

wire_enum! {
    enum PlanStatus { Active Paused Cancelled }
}

#[derive(Deserialize)]
pub(crate) struct SavingsPlanCreate {
    account_id: Uuid,
    portfolio_id: Option<Uuid>,
    instrument_id: Option<Uuid>,
    cash_amount: String,
    currency: Currency,
    frequency: Frequency,
}

#[derive(Deserialize)]
pub(crate) struct SavingsPlanUpdate {
    cash_amount: Option<String>,
    frequency: Option<Frequency>,
    status: Option<PlanStatus>,
}

identified!(by view.id: SavingsPlan);

impl Frequency {
    /// The first date after `today`, counted from `anchor`.
    fn next(self, anchor: NaiveDate, today: NaiveDate) -> NaiveDate {
        let date = |number: u32| match self {
            Self::Weekly => anchor.checked_add_signed(TimeDelta::weeks(number.into())),
            Self::Biweekly => anchor.checked_add_signed(TimeDelta::weeks(i64::from(number) * 2)),
            Self::Monthly => anchor.checked_add_months(Months::new(number)),
            Self::Quarterly => anchor.checked_add_months(Months::new(number * 3)),
        };
        (1..).map_while(date).find(|date| *date > today).unwrap_or(NaiveDate::MAX)
    }
}

impl World {
    /// The first execution is one period after today: the description has no field for a start.
    pub(crate) fn create_savings_plan(
        &mut self,
        new: &SavingsPlanCreate,
    ) -> Result<&SavingsPlanView, Refused> {
        let cash_amount =
            amount::money(&new.cash_amount).map_err(|problem| Refused::invalid("cash_amount", problem))?;
        self.accounts.get(new.account_id).ok_or_else(|| Refused::unknown("account_id"))?;
        match (new.portfolio_id, new.instrument_id) {
            (Some(id), None) if self.portfolios.get(id).is_none() => {
                return Err(Refused::unknown("portfolio_id"));
            }
            (Some(id), None) if !self.is_portfolio_of(id, new.account_id) => {
                return Err(Refused::invalid("portfolio_id", "belongs to another account"));
            }
            (None, Some(id)) if self.instruments.get(id).is_none() => {
                return Err(Refused::unknown("instrument_id"));
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => {
                return Err(Refused::invalid(
                    "portfolio_id",
                    "or `instrument_id` must be given, and not both",
                ));
            }
        }
        let (id, now) = (self.time.id(), self.time.now);
        let anchor = now.date_naive();
        let view = SavingsPlanView {
            id,
            account_id: new.account_id,
            portfolio_id: new.portfolio_id,
            instrument_id: new.instrument_id,
            cash_amount,
            currency: new.currency,
            frequency: new.frequency,
            status: PlanStatus::Active,
            next_execution_date: new.frequency.next(anchor, anchor),
            created_at: now,
            updated_at: now,
        };
        self.time.emit(EventKind::PLAN_CREATED, id, &view);
        self.time.at(start_of(view.next_execution_date), Due::SavingsPlan(id));
        Ok(&self.savings_plans.insert(SavingsPlan { view, anchor }).view)
    }

    fn is_portfolio_of(&self, portfolio: Uuid, account: Uuid) -> bool {
        self.portfolios.get(portfolio).is_some_and(|portfolio| portfolio.view.account_id == account)
    }

    pub(crate) fn update_savings_plan(
        &mut self,
        id: Uuid,
        update: &SavingsPlanUpdate,
    ) -> Result<&SavingsPlanView, Refused> {
        let cash_amount = update.cash_amount.as_deref().map(amount::money).transpose();
        let cash_amount = cash_amount.map_err(|problem| Refused::invalid("cash_amount", problem))?;
        let plan = self.savings_plans.get_mut(id).ok_or(Refused::NotFound)?;
        plan.view.cash_amount = cash_amount.unwrap_or(plan.view.cash_amount);
        plan.view.frequency = update.frequency.unwrap_or(plan.view.frequency);
        let status = update.status.unwrap_or(plan.view.status);
        let pauses = status == PlanStatus::Paused && plan.view.status != status;
        plan.view.status = status;
        plan.view.updated_at = self.time.now;
        let next = plan.view.frequency.next(plan.anchor, self.time.now.date_naive());
        if next != plan.view.next_execution_date {
            plan.view.next_execution_date = next;
            self.time.at(start_of(next), Due::SavingsPlan(id));
        }
        let kind = if pauses { EventKind::PLAN_PAUSED } else { EventKind::PLAN_CHANGED };
        self.time.emit(kind, id, &plan.view);
        Ok(&plan.view)
    }

    /// A plan that is deleted is gone; its last event shows it as cancelled.
    pub(crate) fn delete_savings_plan(&mut self, id: Uuid) -> Result<(), Refused> {
        let mut plan = self.savings_plans.remove(id).ok_or(Refused::NotFound)?.view;
        (plan.status, plan.updated_at) = (PlanStatus::Cancelled, self.time.now);
        self.time.emit(EventKind::PLAN_CANCELLED, id, &plan);
        Ok(())
    }

    /// A plan ends with its account.
    pub(super) fn cancel_savings_plans(&mut self, account: Uuid) {
        let plans = self.savings_plans.rows_mut().iter_mut().map(|plan| &mut plan.view);
        for plan in plans.filter(|plan| plan.account_id == account) {
            (plan.status, plan.updated_at) = (PlanStatus::Cancelled, self.time.now);
            self.time.emit(EventKind::PLAN_CANCELLED, plan.id, plan);
        }
    }

    /// Invests where this is the day. A plan that was changed has another day, and is planned for it too.
    pub(super) fn execute_savings_plan(&mut self, id: Uuid) {
        let today = self.time.now.date_naive();
        let Some(plan) = self.savings_plans.get_mut(id).filter(|plan| plan.view.next_execution_date == today)
        else {
            return;
        };
        plan.view.next_execution_date = plan.view.frequency.next(plan.anchor, today);
        self.time.at(start_of(plan.view.next_execution_date), Due::SavingsPlan(id));
        if plan.view.status != PlanStatus::Active {
            return;
        }
        plan.view.updated_at = self.time.now;
        let view = plan.view.clone();
        self.time.emit(EventKind::PLAN_EXECUTED, id, &view);
        if let Some(portfolio) = view.portfolio_id {
            self.place_portfolio_order(portfolio, view.cash_amount, view.currency);
        } else if let Some(instrument) = view.instrument_id {
            self.place_market_order(&MarketOrder {
                account: view.account_id,
                instrument,
                side: Side::Buy,
                size: Size::Cash(view.cash_amount),
                currency: view.currency,
                job: None,
            });
        }
    }
}

fn start_of(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}
