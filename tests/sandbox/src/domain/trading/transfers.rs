//! Transfers of securities from and to other institutions, and transfers of all assets between accounts.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount;
use crate::domain::customers::accounts::Way;
use crate::domain::money::ledger::TransactionType;
use crate::domain::rows::Row;
use crate::domain::state::{Rejected, State};

/// Securities that move to or from an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Securities {
    pub(crate) account: Uuid,
    pub(crate) instrument: Uuid,
    pub(crate) quantity: Decimal,
}

/// The direction of a securities transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// From another institution to an account here.
    Inbound,
    /// From an account here to another institution.
    Outbound,
}

/// The accounts of an account transfer.
#[derive(Deserialize)]
pub(in crate::domain) struct BothAccounts {
    source_account_id: Option<Uuid>,
    target_account_id: Option<Uuid>,
}

impl State {
    /// Books a securities transfer. Incoming units are valued at the current price. The description has no field for
    /// what a transfer moves, so one that no command has started moves nothing.
    pub(in crate::domain) fn move_securities(&mut self, row: &Row) -> Result<(), String> {
        let Ok(moves) = Securities::deserialize(&row.facts) else {
            return Ok(());
        };
        let is_inbound = row.value["direction"] == "INBOUND";
        let Securities {
            account,
            instrument,
            quantity,
        } = moves;
        let price = self
            .instruments
            .get(instrument)
            .map_or(Decimal::ZERO, |instrument| instrument.bid);
        let available = self
            .accounts
            .get(account)
            .map_or(Decimal::ZERO, |held| held.sellable(instrument));
        let value = amount::value(quantity, price);
        let (way, units, value) = if is_inbound {
            (Way::In, quantity, value)
        } else {
            (Way::Out, -quantity, -value)
        };
        self.may_trade(account, way)?;
        if way == Way::Out && available < quantity {
            return Err(format!(
                "{quantity} units are needed, but only {available} are available"
            ));
        }
        self.check_unit_room(account, instrument, units)?;
        self.move_in_kind(account, instrument, units, value, value);
        Ok(())
    }

    pub(in crate::domain) fn check_account_transfer(
        &self,
        new: &BothAccounts,
    ) -> Result<(), Rejected> {
        let source = new.source_account_id;
        let target = new.target_account_id;
        for (field, id) in [("source_account_id", source), ("target_account_id", target)] {
            id.map(|id| self.accounts.find_or_reject(field, id))
                .transpose()?;
        }
        if let Some((source, target)) = source.zip(target) {
            self.check_owners(source, target)
                .map_err(|why| Rejected::invalid("target_account_id", &why))?;
            self.check_not_blocked(source, Way::Out)?;
            self.check_not_blocked(target, Way::In)?;
        }
        Ok(())
    }

    /// Checks that both accounts belong to one user. Neither the description nor the documentation mentions transfers
    /// between users.
    fn check_owners(&self, source: Uuid, target: Uuid) -> Result<(), String> {
        let owner = |id| self.accounts.get(id).map(|account| account.view.user_id);
        if owner(source) == owner(target) {
            Ok(())
        } else {
            Err("belongs to another user".to_owned())
        }
    }

    /// Moves all cash and all units that are not reserved, as the description does not say what a transfer moves.
    pub(in crate::domain) fn move_everything(&mut self, row: &Row) -> Result<(), String> {
        let account = |name: &str| row.links.get(name).and_then(|id| id.parse::<Uuid>().ok());
        let both = account("source_account_id").zip(account("target_account_id"));
        let (source, target) = both.ok_or("one of its accounts is missing")?;
        if source == target {
            return Err("both accounts are the same".to_owned());
        }
        self.may_trade(source, Way::Out)?;
        self.may_trade(target, Way::In)?;
        let account = self
            .accounts
            .get(source)
            .ok_or("there is no such account")?;
        // A debt is not moved.
        let cash = account
            .cash
            .iter()
            .map(|(currency, cash)| (*currency, cash.available.max(Decimal::ZERO)));
        let cash: Vec<_> = cash.collect();
        let positions: Vec<_> = account
            .holdings
            .iter()
            .map(|holding| (holding.view.instrument_id, holding.available()))
            .collect();
        cash.iter()
            .try_for_each(|(currency, amount)| self.check_cash_room(target, *amount, *currency))?;
        positions.iter().try_for_each(|(instrument, units)| {
            self.check_unit_room(target, *instrument, *units)
        })?;
        for (currency, amount) in cash {
            self.book(source, TransactionType::Transfer, -amount, currency);
            self.book(target, TransactionType::Transfer, amount, currency);
        }
        for (instrument, quantity) in positions {
            let price = self
                .instruments
                .get(instrument)
                .map_or(Decimal::ZERO, |instrument| instrument.bid);
            let value = amount::value(quantity, price);
            let cost = self.move_in_kind(source, instrument, -quantity, Decimal::ZERO, -value);
            self.move_in_kind(target, instrument, quantity, cost, value);
        }
        Ok(())
    }
}
