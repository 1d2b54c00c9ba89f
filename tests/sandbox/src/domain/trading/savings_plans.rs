//! Savings plans, which invest an amount on regular dates.

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{self, Currency};
use crate::domain::customers::accounts::Way;
use crate::domain::events::EventKind;
use crate::domain::state::{Refused, State};
use crate::domain::timeline::Due;
use crate::domain::trading::orders::{MarketOrder, Side, Size};
use crate::domain::trading::portfolios::Portfolio;

/// A plan with the day from which its dates are counted. A monthly plan from the 31st runs on the last day of shorter
/// months.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavingsPlan {
    pub(crate) view: SavingsPlanView,
    anchor: NaiveDate,
}

/// As in the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavingsPlanView {
    id: Uuid,
    #[serde(flatten)]
    plan: SavingsPlanCreate,
    status: PlanStatus,
    next_execution_date: NaiveDate,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "crate::instant::write")]
    updated_at: DateTime<Utc>,
}

wire_enum! {
    enum Frequency { Weekly Biweekly Monthly Quarterly }
}

lifecycle! {
    pub(crate) enum PlanStatus {
        Active => [Paused Cancelled]
        Paused => [Active Cancelled]
        Cancelled => []
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavingsPlanCreate {
    account_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    portfolio_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instrument_id: Option<Uuid>,
    #[serde(deserialize_with = "amount::read_money")]
    cash_amount: Decimal,
    currency: Currency,
    frequency: Frequency,
}

#[derive(Deserialize)]
pub(crate) struct SavingsPlanUpdate {
    #[serde(default, deserialize_with = "amount::read_money_or_none")]
    cash_amount: Option<Decimal>,
    frequency: Option<Frequency>,
    status: Option<PlanStatus>,
}

resource!(SavingsPlan, "savings plan", savings_plans, |it| it.view => SavingsPlanView, PlanStatus,
    PLAN_CREATED => [PLAN_RESUMED PLAN_PAUSED PLAN_CANCELLED], updated_at; by plan.account_id);

impl Frequency {
    /// The first date after `today`, counted from `anchor`.
    fn next(self, anchor: NaiveDate, today: NaiveDate) -> NaiveDate {
        let date = |number: u32| match self {
            Self::Weekly => anchor.checked_add_signed(TimeDelta::weeks(number.into())),
            Self::Biweekly => anchor.checked_add_signed(TimeDelta::weeks(i64::from(number) * 2)),
            Self::Monthly => anchor.checked_add_months(Months::new(number)),
            Self::Quarterly => anchor.checked_add_months(Months::new(number * 3)),
        };
        (1..)
            .map_while(date)
            .find(|date| *date > today)
            .unwrap_or(NaiveDate::MAX)
    }
}

impl State {
    /// Creates a plan. Its first execution is one period after today, as the description has no field for a start.
    pub(crate) fn create_savings_plan(
        &mut self,
        new: SavingsPlanCreate,
    ) -> Result<&SavingsPlanView, Refused> {
        self.accounts.named("account_id", new.account_id)?;
        match (new.portfolio_id, new.instrument_id) {
            (Some(id), None) => {
                if self.portfolios.named("portfolio_id", id)?.view.account_id != new.account_id {
                    return Err(Refused::invalid(
                        "portfolio_id",
                        "belongs to another account",
                    ));
                }
                self.editable::<Portfolio>(id)?;
            }
            (None, Some(id)) => {
                self.instruments.named("instrument_id", id)?;
            }
            _ => {
                let problem = "or `instrument_id` must be given, and not both";
                return Err(Refused::invalid("portfolio_id", problem));
            }
        }
        self.check_bars(new.account_id, Way::In)?;
        let id = self.time.id();
        let now = self.time.now;
        let anchor = now.date_naive();
        let view = SavingsPlanView {
            id,
            next_execution_date: new.frequency.next(anchor, anchor),
            plan: new,
            status: PlanStatus::Active,
            created_at: now,
            updated_at: now,
        };
        self.time
            .at(start_of(view.next_execution_date), Due::SavingsPlan(id));
        Ok(&self.add(SavingsPlan { view, anchor }).view)
    }

    pub(crate) fn update_savings_plan(
        &mut self,
        id: Uuid,
        update: &SavingsPlanUpdate,
    ) -> Result<&SavingsPlanView, Refused> {
        let (plan, time) = self.editable::<SavingsPlan>(id)?;
        let saved = &mut plan.view.plan;
        saved.cash_amount = update.cash_amount.unwrap_or(saved.cash_amount);
        saved.frequency = update.frequency.unwrap_or(saved.frequency);
        plan.view.updated_at = time.now;
        let next = plan
            .view
            .plan
            .frequency
            .next(plan.anchor, time.now.date_naive());
        if next != plan.view.next_execution_date {
            plan.view.next_execution_date = next;
            time.at(start_of(next), Due::SavingsPlan(id));
        }
        match update.status.filter(|status| *status != plan.view.status) {
            Some(status) => self.change_by_call::<SavingsPlan>(id, status)?,
            None => time.emit(EventKind::PLAN_CHANGED, id, &plan.view),
        }
        Ok(&self.savings_plans.find(id)?.view)
    }

    /// Deletes a plan. Its last event shows it as cancelled.
    pub(crate) fn delete_savings_plan(&mut self, id: Uuid) -> Result<(), Refused> {
        self.change_because::<SavingsPlan>(
            id,
            PlanStatus::Cancelled,
            Some("it was deleted".to_owned()),
        );
        self.savings_plans
            .remove(id)
            .map(drop)
            .ok_or(Refused::NotFound)
    }

    /// Cancels the plans of a closed account.
    pub(in crate::domain) fn cancel_savings_plans(&mut self, account: Uuid) {
        let of_it = self
            .savings_plans
            .with(&[account.as_u128()])
            .map(|plan| plan.view.id);
        for plan in of_it.collect::<Vec<_>>() {
            let why = Some("the account is CLOSED".to_owned());
            self.change_because::<SavingsPlan>(plan, PlanStatus::Cancelled, why);
        }
    }

    /// Invests if this is the plan's day. If the plan was changed, its day may be another one, for which there is a
    /// step of its own.
    pub(in crate::domain) fn execute_savings_plan(&mut self, id: Uuid) {
        let today = self.time.now.date_naive();
        let Some(plan) = self
            .savings_plans
            .get_mut(id)
            .filter(|plan| plan.view.next_execution_date == today)
        else {
            return;
        };
        plan.view.next_execution_date = plan.view.plan.frequency.next(plan.anchor, today);
        self.time.at(
            start_of(plan.view.next_execution_date),
            Due::SavingsPlan(id),
        );
        if plan.view.status != PlanStatus::Active {
            return;
        }
        plan.view.updated_at = self.time.now;
        self.time.emit(EventKind::PLAN_EXECUTED, id, &plan.view);
        let view = plan.view.plan.clone();
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
