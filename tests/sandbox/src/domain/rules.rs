//! The rules that are attached to tables of the engine.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::amount::OURS;
use crate::domain::lifecycle::Resource;
use crate::domain::rows::{Row, Step};
use crate::domain::state::{Rejected, State};
use crate::domain::table::Table;
use crate::domain::timeline::Due;

impl State {
    /// A resource that the engine does not serve, as the API shows it. Its table is named like one of the engine.
    pub(crate) fn resource(&self, table: &str, id: &str) -> Option<Value> {
        let id = id.parse().ok()?;
        match table {
            "users" => shown(&self.users, id),
            "accounts" => shown(&self.accounts, id),
            "portfolios" => shown(&self.portfolios, id),
            _ => None,
        }
    }

    /// Checks a new row. Returns its fields, some of which the checks add or change.
    pub(crate) fn check_new(&mut self, table: &str, fields: Value) -> Result<Value, Rejected> {
        match table {
            "direct_debits" => Ok(json!(self.check_direct_debit(read(&fields)?)?)),
            "withdrawals" => Ok(json!(self.check_withdrawal(read(&fields)?)?)),
            "account_transfers" => self
                .check_account_transfer(&read(&fields)?)
                .map(|()| fields),
            "liquidations" => self.check_liquidation(&read(&fields)?).map(|()| fields),
            "rebalancing" => self.check_rebalancing(&read(&fields)?).map(|()| fields),
            "savings_plans" => self.check_savings_plan(&read(&fields)?, fields),
            "webhooks" => self.check_subscription(&read(&fields)?).map(|()| fields),
            _ => Ok(fields),
        }
    }

    /// Checks a change of a row by a request. Returns the fields that change.
    pub(crate) fn check_change(
        &self,
        table: &str,
        row: &Row,
        changes: Value,
    ) -> Result<Value, Rejected> {
        match table {
            "savings_plans" => self.check_change_of_plan(row, changes),
            "webhooks" => self.check_subscription(&read(&changes)?).map(|()| changes),
            _ => Ok(changes),
        }
    }

    /// Does what follows from a row that is new or was changed.
    pub(crate) fn after_change(&mut self, table: &str, row: &Row) {
        match (table, row.value["status"].as_str().unwrap_or_default()) {
            ("liquidations", "PROCESSING") => self.start_liquidation(row),
            ("rebalancing", "PROCESSING") => self.start_rebalancing(row),
            ("savings_plans", _) => self.plan_next_execution(row),
            ("corporate_actions", "ANNOUNCED") => self.plan_corporate_action(row),
            ("corporate_actions", "PROCESSED") => self.process_corporate_action(row),
            _ => {}
        }
    }

    /// Gives a row a status as soon as what happens now is done.
    pub(in crate::domain) fn plan_status(
        &mut self,
        target: &RowOf,
        from: &str,
        to: &str,
        why: Option<String>,
    ) {
        self.plan_status_at(self.timeline.now, target, from, to, why);
    }

    pub(in crate::domain) fn plan_status_at(
        &mut self,
        at: DateTime<Utc>,
        target: &RowOf,
        from: &str,
        to: &str,
        why: Option<String>,
    ) {
        let step = Step {
            table: target.table.clone(),
            row: target.number,
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
            event: None,
            otherwise: None,
            why,
        };
        self.timeline.at(at, Due::Row(Box::new(step)));
    }

    /// Applies the effects of a status before a row gets it. Returns the reason if the row cannot get it.
    pub(crate) fn before_status(
        &mut self,
        table: &str,
        row: &mut Row,
        to: &str,
    ) -> Result<(), String> {
        match (table, to) {
            ("direct_debits", "PROCESSING") => self.account_to_credit(&known(row)?).map(drop),
            ("direct_debits", "COMPLETED") => self.collect(row),
            ("direct_debits", "REVERSED") => self.take_back(row),
            ("withdrawals", "PROCESSING") => self.reserve_withdrawal(&known(row)?),
            ("withdrawals", "COMPLETED") => self.pay_out(&known(row)?),
            ("securities_transfers", "COMPLETED") => self.move_securities(row),
            ("account_transfers", "COMPLETED") => self.move_everything(row),
            ("liquidations", "PROCESSING") => self.may_liquidate(&known(row)?),
            ("rebalancing", "PROCESSING") => self.may_rebalance(&known(row)?),
            ("corporate_actions", "PROCESSED") => self.may_process(row),
            ("reports", "READY") => self.finish_report(row),
            _ => Ok(()),
        }
    }
}

/// A row of a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::domain) struct RowOf {
    pub(in crate::domain) table: String,
    pub(in crate::domain) number: u64,
}

impl RowOf {
    pub(in crate::domain) fn new(table: &str, row: &Row) -> Self {
        Self {
            table: table.to_owned(),
            number: row.number,
        }
    }
}

fn shown<T: Resource>(table: &Table<T>, id: Uuid) -> Option<Value> {
    serde_json::to_value(table.get(id)?.view()).ok()
}

/// Reads the body of a request.
pub(crate) fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Rejected> {
    // Contains only the path, as serde's own message may quote the value, which may be personal data.
    serde_path_to_error::deserialize(body).map_err(|error| {
        let problem = error.inner().to_string();
        let problem = problem.strip_prefix(OURS).unwrap_or("has an invalid value");
        Rejected::invalid(&error.path().to_string(), problem)
    })
}

/// What the rules know of a row.
pub(in crate::domain) fn known<T: DeserializeOwned>(row: &Row) -> Result<T, String> {
    T::deserialize(&row.value).map_err(|_| "its fields are not those of the request".to_owned())
}
