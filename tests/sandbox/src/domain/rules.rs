//! The rules that are attached to tables of the engine.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::amount::OURS;
use crate::domain::lifecycle::Resource;
use crate::domain::rows::Row;
use crate::domain::state::{Refused, State};
use crate::domain::table::Table;

impl State {
    /// A resource that the engine does not serve, as the API shows it. Its table is named like one of the engine.
    pub(crate) fn resource(&self, table: &str, id: &str) -> Option<Value> {
        let id = id.parse().ok()?;
        match table {
            "users" => shown(&self.users, id),
            "accounts" => shown(&self.accounts, id),
            _ => None,
        }
    }

    /// Checks a new row. Returns its fields.
    pub(crate) fn check_new(&self, table: &str, fields: Value) -> Result<Value, Refused> {
        match table {
            "direct_debits" => Ok(json!(self.check_direct_debit(read(&fields)?)?)),
            "withdrawals" => Ok(json!(self.check_withdrawal(read(&fields)?)?)),
            "account_transfers" => self
                .check_account_transfer(&read(&fields)?)
                .map(|()| fields),
            _ => Ok(fields),
        }
    }

    /// Does what a status means that a row is about to get, or says why it cannot get it.
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
            ("reports", "READY") => self.finish_report(row),
            _ => Ok(()),
        }
    }
}

fn shown<T: Resource>(table: &Table<T>, id: Uuid) -> Option<Value> {
    serde_json::to_value(table.get(id)?.view()).ok()
}

/// Reads the body of a request.
pub(crate) fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Refused> {
    // Contains only the path, as serde's own message may quote the value, which may be personal data.
    serde_path_to_error::deserialize(body).map_err(|error| {
        let problem = error.inner().to_string();
        let problem = problem.strip_prefix(OURS).unwrap_or("has an invalid value");
        Refused::invalid(&error.path().to_string(), problem)
    })
}

/// What the rules know of a row.
pub(in crate::domain) fn known<T: DeserializeOwned>(row: &Row) -> Result<T, String> {
    T::deserialize(&row.value).map_err(|_| "its fields are not those of the request".to_owned())
}
