//! Transfers: securities from and to other institutions, and everything from one account to another.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::AccountStatus;
use super::events::EventKind;
use super::ledger::TransactionType;
use super::timeline::Due;
use super::world::{Refused, STEP, World};
use crate::amount;

/// As the API shows it, and what moves: the description has no field for that, so that only the control API can say it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SecuritiesTransfer {
    pub(crate) view: SecuritiesTransferView,
    moves: Option<Securities>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecuritiesTransferView {
    id: Uuid,
    status: TransferStatus,
    direction: Direction,
    created_at: DateTime<Utc>,
}

/// Securities that move to or from an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Securities {
    pub(crate) account: Uuid,
    pub(crate) instrument: Uuid,
    pub(crate) quantity: Decimal,
}

/// As the API shows it, and the two accounts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccountTransfer {
    pub(crate) view: AccountTransferView,
    source: Option<Uuid>,
    target: Option<Uuid>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountTransferView {
    id: Uuid,
    status: TransferStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum TransferStatus { New Processing Completed Failed }
}

/// Which way securities go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// From another institution to an account here.
    Inbound,
    /// From an account here to another institution.
    Outbound,
}

#[derive(Deserialize)]
pub(crate) struct SecuritiesTransferCreate {
    pub(crate) direction: Direction,
}

#[derive(Deserialize)]
pub(crate) struct AccountTransferCreate {
    source_account_id: Option<Uuid>,
    target_account_id: Option<Uuid>,
}

identified!(by view.id: SecuritiesTransfer AccountTransfer);

impl World {
    pub(crate) fn create_securities_transfer(
        &mut self,
        direction: Direction,
        moves: Option<Securities>,
    ) -> Result<&SecuritiesTransferView, Refused> {
        if let Some(securities) = moves {
            self.accounts.get(securities.account).ok_or_else(|| Refused::unknown("account_id"))?;
            self.instruments.get(securities.instrument).ok_or_else(|| Refused::unknown("instrument_id"))?;
        }
        let (id, created_at) = (self.time.id(), self.time.now);
        let view = SecuritiesTransferView { id, status: TransferStatus::New, direction, created_at };
        self.time.emit(EventKind::SECURITIES_TRANSFER_NEW, id, &view);
        self.time.after(STEP, Due::SecuritiesTransfer(id));
        Ok(&self.securities_transfers.insert(SecuritiesTransfer { view, moves }).view)
    }

    pub(super) fn move_securities_transfer(&mut self, id: Uuid) {
        let Some(transfer) = self.securities_transfers.get(id) else { return };
        let (status, direction, moves) = (transfer.view.status, transfer.view.direction, transfer.moves);
        let (status, kind) = match status {
            TransferStatus::New => {
                self.time.after(STEP, Due::SecuritiesTransfer(id));
                (TransferStatus::Processing, EventKind::SECURITIES_TRANSFER_PROCESSING)
            }
            _ if moves.is_none_or(|securities| self.move_securities(direction, securities)) => {
                (TransferStatus::Completed, EventKind::SECURITIES_TRANSFER_COMPLETED)
            }
            _ => (TransferStatus::Failed, EventKind::SECURITIES_TRANSFER_FAILED),
        };
        let Some(transfer) = self.securities_transfers.get_mut(id) else { return };
        transfer.view.status = status;
        self.time.emit(kind, id, &transfer.view);
    }

    /// What comes in is counted at its price of the day. `false` where the account cannot take or give it.
    fn move_securities(&mut self, direction: Direction, moves: Securities) -> bool {
        let Securities { account, instrument, quantity } = moves;
        let Some(price) = self.instruments.get(instrument).map(|instrument| instrument.bid) else {
            return false;
        };
        let Some(held) = self.accounts.get_mut(account) else { return false };
        let value = amount::value(quantity, price);
        let (possible, units, value) = match direction {
            Direction::Inbound => (held.view.status == AccountStatus::Open, quantity, value),
            Direction::Outbound => (held.sellable(instrument) >= quantity, -quantity, -value),
        };
        if possible {
            self.move_in_kind(account, instrument, units, value, value);
        }
        possible
    }

    pub(crate) fn create_account_transfer(
        &mut self,
        new: &AccountTransferCreate,
    ) -> Result<&AccountTransferView, Refused> {
        let (source, target) = (new.source_account_id, new.target_account_id);
        for (field, id) in [("source_account_id", source), ("target_account_id", target)] {
            if id.is_some_and(|id| self.accounts.get(id).is_none()) {
                return Err(Refused::unknown(field));
            }
        }
        let (id, created_at) = (self.time.id(), self.time.now);
        let view = AccountTransferView { id, status: TransferStatus::New, created_at };
        self.time.emit(EventKind::ACCOUNT_TRANSFER_NEW, id, &view);
        self.time.after(STEP, Due::AccountTransfer(id));
        Ok(&self.account_transfers.insert(AccountTransfer { view, source, target }).view)
    }

    pub(super) fn move_account_transfer(&mut self, id: Uuid) {
        let Some(transfer) = self.account_transfers.get(id) else { return };
        let (status, both) = (transfer.view.status, transfer.source.zip(transfer.target));
        let (status, kind) = match status {
            TransferStatus::New => {
                self.time.after(STEP, Due::AccountTransfer(id));
                (TransferStatus::Processing, EventKind::ACCOUNT_TRANSFER_PROCESSING)
            }
            _ if both.is_some_and(|(source, target)| self.move_everything(source, target)) => {
                (TransferStatus::Completed, EventKind::ACCOUNT_TRANSFER_COMPLETED)
            }
            _ => (TransferStatus::Failed, EventKind::ACCOUNT_TRANSFER_FAILED),
        };
        let Some(transfer) = self.account_transfers.get_mut(id) else { return };
        transfer.view.status = status;
        self.time.emit(kind, id, &transfer.view);
    }

    /// Moves all cash and all shares that nothing has laid claim to: the description does not say what a transfer moves.
    fn move_everything(&mut self, source: Uuid, target: Uuid) -> bool {
        let is_open = |id| self.accounts.get(id).is_some_and(|it| it.view.status == AccountStatus::Open);
        let gives = self.accounts.get(source).is_some_and(|account| {
            matches!(account.view.status, AccountStatus::Open | AccountStatus::Closing)
        });
        if source == target || !gives || !is_open(target) {
            return false;
        }
        let Some(account) = self.accounts.get(source) else { return false };
        let cash: Vec<_> = account.cash.iter().map(|(currency, cash)| (*currency, cash.available)).collect();
        let shares: Vec<_> =
            account.holdings.iter().map(|holding| (holding.view.instrument_id, holding.free())).collect();
        for (currency, amount) in cash {
            self.book(source, TransactionType::Transfer, -amount, currency);
            self.book(target, TransactionType::Transfer, amount, currency);
        }
        for (instrument, quantity) in shares {
            let price = self.instruments.get(instrument).map_or(Decimal::ZERO, |instrument| instrument.bid);
            let value = amount::value(quantity, price);
            let cost = self.move_in_kind(source, instrument, -quantity, Decimal::ZERO, -value);
            self.move_in_kind(target, instrument, quantity, cost, value);
        }
        true
    }
}
