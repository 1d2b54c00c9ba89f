//! Transfers of securities from and to other institutions, and transfers of all assets between accounts.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount;
use crate::domain::customers::accounts::Way;
use crate::domain::lifecycle::Progress;
use crate::domain::money::ledger::TransactionType;
use crate::domain::state::{Refused, STEP, State};
use crate::domain::timeline::Due;

/// As in the API, with the securities to move. The description has no field for them, so only a command can set them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SecuritiesTransfer {
    pub(crate) view: SecuritiesTransferView,
    moves: Option<Securities>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecuritiesTransferView {
    id: Uuid,
    status: Progress,
    direction: Direction,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

/// Securities that move to or from an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Securities {
    pub(crate) account: Uuid,
    pub(crate) instrument: Uuid,
    pub(crate) quantity: Decimal,
}

/// As in the API, and the two accounts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccountTransfer {
    pub(crate) view: AccountTransferView,
    source: Option<Uuid>,
    target: Option<Uuid>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountTransferView {
    id: Uuid,
    status: Progress,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
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

#[derive(Deserialize)]
pub(crate) struct SecuritiesTransferCreate {
    pub(crate) direction: Direction,
}

#[derive(Deserialize)]
pub(crate) struct AccountTransferCreate {
    source_account_id: Option<Uuid>,
    target_account_id: Option<Uuid>,
}

resource!(SecuritiesTransfer, "securities transfer", securities_transfers, |it| it.view => SecuritiesTransferView,
    Progress, SECURITIES_TRANSFER_NEW => [SECURITIES_TRANSFER_NEW SECURITIES_TRANSFER_PROCESSING
    SECURITIES_TRANSFER_COMPLETED SECURITIES_TRANSFER_FAILED]);
resource!(AccountTransfer, "account transfer", account_transfers, |it| it.view => AccountTransferView, Progress,
    ACCOUNT_TRANSFER_NEW => [ACCOUNT_TRANSFER_NEW ACCOUNT_TRANSFER_PROCESSING
    ACCOUNT_TRANSFER_COMPLETED ACCOUNT_TRANSFER_FAILED]);

impl State {
    pub(crate) fn create_securities_transfer(
        &mut self,
        direction: Direction,
        moves: Option<Securities>,
    ) -> Result<&SecuritiesTransferView, Refused> {
        if let Some(securities) = moves {
            self.accounts.named("account_id", securities.account)?;
            self.instruments
                .named("instrument_id", securities.instrument)?;
        }
        let id = self.time.id();
        let created_at = self.time.now;
        let view = SecuritiesTransferView {
            id,
            status: Progress::New,
            direction,
            created_at,
        };
        self.time.after(STEP, Due::SecuritiesTransfer(id));
        Ok(&self.add(SecuritiesTransfer { view, moves }).view)
    }

    pub(in crate::domain) fn move_securities_transfer(&mut self, id: Uuid) {
        let Some(transfer) = self.securities_transfers.get(id) else {
            return;
        };
        let status = transfer.view.status;
        let direction = transfer.view.direction;
        let moves = transfer.moves;
        if status == Progress::New {
            self.time.after(STEP, Due::SecuritiesTransfer(id));
            self.change::<SecuritiesTransfer>(id, Progress::Processing);
            return;
        }
        let done = moves.map_or(Ok(()), |securities| {
            self.move_securities(direction, securities)
        });
        let status = if done.is_ok() {
            Progress::Completed
        } else {
            Progress::Failed
        };
        self.change_because::<SecuritiesTransfer>(id, status, done.err());
    }

    /// Books a securities transfer. Incoming units are valued at the current price.
    fn move_securities(&mut self, direction: Direction, moves: Securities) -> Result<(), String> {
        let Securities {
            account,
            instrument,
            quantity,
        } = moves;
        let price = self
            .instruments
            .get(instrument)
            .map_or(Decimal::ZERO, |instrument| instrument.bid);
        let free = self
            .accounts
            .get(account)
            .map_or(Decimal::ZERO, |held| held.sellable(instrument));
        let value = amount::value(quantity, price);
        let (way, units, value) = match direction {
            Direction::Inbound => (Way::In, quantity, value),
            Direction::Outbound => (Way::Out, -quantity, -value),
        };
        self.may_trade(account, way)?;
        if way == Way::Out && free < quantity {
            return Err(format!("{quantity} units are needed, {free} free"));
        }
        self.check_unit_room(account, instrument, units)?;
        self.move_in_kind(account, instrument, units, value, value);
        Ok(())
    }

    pub(crate) fn create_account_transfer(
        &mut self,
        new: &AccountTransferCreate,
    ) -> Result<&AccountTransferView, Refused> {
        let source = new.source_account_id;
        let target = new.target_account_id;
        for (field, id) in [("source_account_id", source), ("target_account_id", target)] {
            id.map(|id| self.accounts.named(field, id)).transpose()?;
        }
        if let Some((source, target)) = source.zip(target) {
            self.check_owners(source, target)
                .map_err(|why| Refused::invalid("target_account_id", &why))?;
            self.check_bars(source, Way::Out)?;
            self.check_bars(target, Way::In)?;
        }
        let id = self.time.id();
        let created_at = self.time.now;
        let view = AccountTransferView {
            id,
            status: Progress::New,
            created_at,
        };
        self.time.after(STEP, Due::AccountTransfer(id));
        Ok(&self
            .add(AccountTransfer {
                view,
                source,
                target,
            })
            .view)
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

    pub(in crate::domain) fn move_account_transfer(&mut self, id: Uuid) {
        let Some(transfer) = self.account_transfers.get(id) else {
            return;
        };
        let status = transfer.view.status;
        let both = transfer.source.zip(transfer.target);
        if status == Progress::New {
            self.time.after(STEP, Due::AccountTransfer(id));
            self.change::<AccountTransfer>(id, Progress::Processing);
            return;
        }
        let both = both.ok_or_else(|| "one of its accounts is missing".to_owned());
        let moved = both.and_then(|(source, target)| self.move_everything(source, target));
        let status = if moved.is_ok() {
            Progress::Completed
        } else {
            Progress::Failed
        };
        self.change_because::<AccountTransfer>(id, status, moved.err());
    }

    /// Moves all cash and all units that are not reserved, as the description does not say what a transfer moves.
    fn move_everything(&mut self, source: Uuid, target: Uuid) -> Result<(), String> {
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
        let shares: Vec<_> = account
            .holdings
            .iter()
            .map(|holding| (holding.view.instrument_id, holding.free()))
            .collect();
        cash.iter()
            .try_for_each(|(currency, amount)| self.check_cash_room(target, *amount, *currency))?;
        shares.iter().try_for_each(|(instrument, units)| {
            self.check_unit_room(target, *instrument, *units)
        })?;
        for (currency, amount) in cash {
            self.book(source, TransactionType::Transfer, -amount, currency);
            self.book(target, TransactionType::Transfer, amount, currency);
        }
        for (instrument, quantity) in shares {
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
