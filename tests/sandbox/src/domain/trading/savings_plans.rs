//! Savings plans, which invest an amount on regular dates.

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::amount::{self, Currency};
use crate::domain::customers::accounts::Way;
use crate::domain::events::EventKind;
use crate::domain::rows::Row;
use crate::domain::rules::{RowOf, known, read};
use crate::domain::state::{Rejected, State};
use crate::domain::timeline::Due;
use crate::domain::trading::orders::{MarketOrder, Side, Size};
use crate::domain::trading::portfolios::Portfolio;
use crate::instant;

/// What the rules know of a plan.
#[derive(Deserialize)]
pub(in crate::domain) struct SavingsPlan {
    account_id: Uuid,
    portfolio_id: Option<Uuid>,
    instrument_id: Option<Uuid>,
    #[serde(deserialize_with = "amount::read_money")]
    cash_amount: Decimal,
    currency: Currency,
    frequency: Frequency,
    next_execution_date: Option<NaiveDate>,
    /// The dates are counted from its day. A monthly plan from the 31st runs on the last day of shorter months.
    created_at: Option<DateTime<Utc>>,
}

wire_enum! {
    enum Frequency { Weekly Biweekly Monthly Quarterly }
}

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
    /// Checks a new plan. Its first execution is one period after today, as the description has no field for a start.
    pub(in crate::domain) fn check_savings_plan(
        &mut self,
        new: &SavingsPlan,
        mut fields: Value,
    ) -> Result<Value, Rejected> {
        self.accounts.find_or_reject("account_id", new.account_id)?;
        match (new.portfolio_id, new.instrument_id) {
            (Some(id), None) => {
                if self
                    .portfolios
                    .find_or_reject("portfolio_id", id)?
                    .view
                    .account_id
                    != new.account_id
                {
                    return Err(Rejected::invalid(
                        "portfolio_id",
                        "belongs to another account",
                    ));
                }
                self.editable::<Portfolio>(id)?;
            }
            (None, Some(id)) => {
                self.instruments.find_or_reject("instrument_id", id)?;
            }
            _ => {
                let problem = "or `instrument_id` must be given, and not both";
                return Err(Rejected::invalid("portfolio_id", problem));
            }
        }
        self.check_not_blocked(new.account_id, Way::In)?;
        let today = self.timeline.now.date_naive();
        fields["next_execution_date"] = json!(new.frequency.next(today, today));
        Ok(fields)
    }

    /// Checks a change of a plan. Another frequency can have another next date.
    pub(in crate::domain) fn check_change_of_plan(
        &self,
        row: &Row,
        mut changes: Value,
    ) -> Result<Value, Rejected> {
        let mut all = row.value.clone();
        for (name, value) in changes.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let plan: SavingsPlan = read(&all)?;
        changes["next_execution_date"] = json!(plan.next(self.timeline.now.date_naive()));
        Ok(changes)
    }

    pub(in crate::domain) fn plan_next_execution(&mut self, row: &Row) {
        let plan: Result<SavingsPlan, _> = known(row);
        let id = row.id.parse().ok();
        let date = plan.ok().and_then(|plan| plan.next_execution_date);
        if let Some((date, id)) = date.zip(id) {
            self.timeline.at(start_of(date), Due::SavingsPlan(id));
        }
    }

    /// Cancels the plans of a closed account.
    pub(in crate::domain) fn cancel_savings_plans(&mut self, account: Uuid) {
        let plans = self.rows.of("savings_plans");
        let of_it = plans.filter(|row| row.value["account_id"] == account.to_string());
        let open = of_it.filter(|row| row.value["status"] != "CANCELLED");
        let open: Vec<_> = open
            .map(|row| (RowOf::new("savings_plans", row), row.status()))
            .collect();
        for (plan, status) in open {
            let why = Some("the account is CLOSED".to_owned());
            self.plan_status(&plan, &status, "CANCELLED", why);
        }
    }

    /// Invests if this is the plan's day. If the plan was changed, its day may be another one, for which there is a
    /// step of its own.
    pub(in crate::domain) fn execute_savings_plan(&mut self, id: Uuid) {
        let today = self.timeline.now.date_naive();
        let row = self.rows.find("savings_plans", id);
        let plan = row.and_then(|row| known::<SavingsPlan>(row).ok());
        let Some(plan) = plan.filter(|plan| plan.next_execution_date == Some(today)) else {
            return;
        };
        let next = plan.next(today);
        self.timeline.at(start_of(next), Due::SavingsPlan(id));
        let now = self.timeline.now;
        let Some(row) = self.rows.find_mut("savings_plans", id) else {
            return;
        };
        row.value["next_execution_date"] = json!(next);
        if row.value["status"] != "ACTIVE" {
            return;
        }
        row.value["updated_at"] = json!(instant::text(now));
        self.timeline.emit(EventKind::PLAN_EXECUTED, id, &row.value);
        if let Some(portfolio) = plan.portfolio_id {
            self.place_portfolio_order(portfolio, plan.cash_amount, plan.currency);
        } else if let Some(instrument) = plan.instrument_id {
            self.place_market_order(&MarketOrder {
                account: plan.account_id,
                instrument,
                side: Side::Buy,
                size: Size::Cash(plan.cash_amount),
                currency: plan.currency,
                job: None,
            });
        }
    }
}

impl SavingsPlan {
    fn next(&self, today: NaiveDate) -> NaiveDate {
        let anchor = self.created_at.map_or(today, |at| at.date_naive());
        self.frequency.next(anchor, today)
    }
}

fn start_of(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}
