//! Money from and to banks: reference accounts, mandates, direct debits, withdrawals, top-ups.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::AccountStatus;
use super::events::EventKind;
use super::ledger::TransactionType;
use super::timeline::Due;
use super::world::{Refused, STEP, World};
use crate::amount::{self, Currency};

/// As the API shows it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Mandate {
    id: Uuid,
    account_group_id: Uuid,
    iban: String,
    status: MandateStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum MandateStatus { Active Revoked }
}

/// As the API shows it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ReferenceAccount {
    id: Uuid,
    iban: String,
    bic: String,
    account_holder: String,
    status: ReferenceAccountStatus,
}

wire_enum! {
    enum ReferenceAccountStatus { Active }
}

/// As the API shows it, and the account that the money goes to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DirectDebit {
    pub(crate) view: DirectDebitView,
    credited: Option<Uuid>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DirectDebitView {
    id: Uuid,
    user_id: Uuid,
    account_group_id: Uuid,
    mandate_id: Uuid,
    cash_amount: Decimal,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    remittance_information: Option<String>,
    status: DebitStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum DebitStatus { New Processing Completed Failed Reversed }
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Withdrawal {
    id: Uuid,
    account_id: Uuid,
    cash_amount: Decimal,
    currency: Currency,
    status: WithdrawalStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum WithdrawalStatus { New Processing Completed Failed }
}

#[derive(Deserialize)]
pub(crate) struct DirectDebitCreate {
    user_id: Uuid,
    account_group_id: Uuid,
    mandate_id: Uuid,
    cash_amount: String,
    currency: Currency,
    remittance_information: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct WithdrawalCreate {
    account_id: Uuid,
    cash_amount: String,
    currency: Currency,
}

identified!(by view.id: DirectDebit);
identified!(by id: Mandate Withdrawal);

impl Withdrawal {
    /// What it has laid claim to while it is on its way.
    pub(super) fn claim(&self) -> Option<(Uuid, Currency, Decimal)> {
        let claims = self.status == WithdrawalStatus::Processing;
        claims.then_some((self.account_id, self.currency, self.cash_amount))
    }
}

impl World {
    /// Cash that comes from nowhere: the description has no operation for it, and life needs it.
    pub(crate) fn top_up(
        &mut self,
        account: Uuid,
        amount: Decimal,
        currency: Currency,
    ) -> Result<(), Refused> {
        if self.account(account)?.view.status == AccountStatus::Closed {
            return Err(Refused::invalid("account_id", "is of an account that is closed"));
        }
        self.book(account, TransactionType::Transfer, amount, currency);
        Ok(())
    }

    pub(crate) fn add_reference_account(
        &mut self,
        account: Uuid,
        iban: String,
        bic: String,
        account_holder: String,
    ) -> Result<&ReferenceAccount, Refused> {
        let id = self.time.id();
        let account = self.accounts.get_mut(account).ok_or(Refused::NotFound)?;
        let status = ReferenceAccountStatus::Active;
        self.time.emit(EventKind::ACCOUNT_CHANGED, account.view.id, &account.view);
        account.reference_accounts.push(ReferenceAccount { id, iban, bic, account_holder, status });
        account.reference_accounts.last().ok_or(Refused::NotFound)
    }

    pub(crate) fn create_mandate(
        &mut self,
        account_group_id: Uuid,
        iban: String,
    ) -> Result<&Mandate, Refused> {
        self.groups.get(account_group_id).ok_or(Refused::NotFound)?;
        let (id, created_at) = (self.time.id(), self.time.now);
        let mandate = Mandate { id, account_group_id, iban, status: MandateStatus::Active, created_at };
        self.time.emit(EventKind::MANDATE_CREATED, id, &mandate);
        Ok(self.mandates.insert(mandate))
    }

    pub(crate) fn revoke_mandate(&mut self, id: Uuid) -> Result<(), Refused> {
        let mandate = self.mandates.get_mut(id).ok_or(Refused::NotFound)?;
        mandate.status = MandateStatus::Revoked;
        self.time.emit(EventKind::MANDATE_REVOKED, id, mandate);
        Ok(())
    }

    pub(crate) fn create_direct_debit(
        &mut self,
        new: DirectDebitCreate,
    ) -> Result<&DirectDebitView, Refused> {
        let cash_amount =
            amount::money(&new.cash_amount).map_err(|problem| Refused::invalid("cash_amount", problem))?;
        self.users.get(new.user_id).ok_or_else(|| Refused::unknown("user_id"))?;
        self.groups.get(new.account_group_id).ok_or_else(|| Refused::unknown("account_group_id"))?;
        let mandate = self.mandates.get(new.mandate_id).ok_or_else(|| Refused::unknown("mandate_id"))?;
        if mandate.account_group_id != new.account_group_id {
            return Err(Refused::invalid("mandate_id", "belongs to another account group"));
        }
        let (id, created_at) = (self.time.id(), self.time.now);
        let view = DirectDebitView {
            id,
            user_id: new.user_id,
            account_group_id: new.account_group_id,
            mandate_id: new.mandate_id,
            cash_amount,
            currency: new.currency,
            remittance_information: new.remittance_information,
            status: DebitStatus::New,
            created_at,
        };
        self.time.emit(EventKind::DEBIT_NEW, id, &view);
        self.time.after(STEP, Due::DirectDebit(id));
        Ok(&self.direct_debits.insert(DirectDebit { view, credited: None }).view)
    }

    /// The money goes to the user's first open account in the group. Without one, or under a revoked mandate, it fails.
    pub(super) fn move_direct_debit(&mut self, id: Uuid) {
        let Some(debit) = self.direct_debits.get(id) else { return };
        let view = debit.view.clone();
        let mandate = self.mandates.get(view.mandate_id).map(|mandate| mandate.status);
        let account = self.accounts.rows().iter().map(|account| &account.view).find(|account| {
            account.user_id == view.user_id
                && account.account_group_id == view.account_group_id
                && account.status == AccountStatus::Open
        });
        let account = account.map(|account| account.id).filter(|_| mandate == Some(MandateStatus::Active));
        match (view.status, account) {
            (DebitStatus::New, Some(_)) => {
                self.set_debit(id, DebitStatus::Processing, None);
                self.time.after(STEP, Due::DirectDebit(id));
            }
            (DebitStatus::Processing, Some(account)) => {
                self.book(account, TransactionType::DirectDebit, view.cash_amount, view.currency);
                self.set_debit(id, DebitStatus::Completed, Some(account));
            }
            _ => self.set_debit(id, DebitStatus::Failed, None),
        }
    }

    /// The bank takes the money back. Refused where it is no longer there.
    pub(crate) fn reverse_direct_debit(&mut self, id: Uuid) -> Result<(), Refused> {
        let debit = self.direct_debits.get(id).ok_or(Refused::NotFound)?;
        let (view, credited) = (debit.view.clone(), debit.credited);
        let account = credited.filter(|_| view.status == DebitStatus::Completed);
        let Some(account) = account else {
            return Err(Refused::invalid("id", "is of a direct debit that is not completed"));
        };
        if self.account(account)?.available(view.currency) < view.cash_amount {
            return Err(Refused::invalid("id", "is of a direct debit whose money has been spent"));
        }
        self.book(account, TransactionType::DirectDebit, -view.cash_amount, view.currency);
        self.set_debit(id, DebitStatus::Reversed, credited);
        Ok(())
    }

    fn set_debit(&mut self, id: Uuid, status: DebitStatus, credited: Option<Uuid>) {
        let Some(debit) = self.direct_debits.get_mut(id) else { return };
        (debit.view.status, debit.credited) = (status, credited);
        let kind = match status {
            DebitStatus::New => EventKind::DEBIT_NEW,
            DebitStatus::Processing => EventKind::DEBIT_PROCESSING,
            DebitStatus::Completed => EventKind::DEBIT_COMPLETED,
            DebitStatus::Failed => EventKind::DEBIT_FAILED,
            DebitStatus::Reversed => EventKind::DEBIT_REVERSED,
        };
        self.time.emit(kind, id, &debit.view);
    }

    pub(crate) fn create_withdrawal(&mut self, new: &WithdrawalCreate) -> Result<&Withdrawal, Refused> {
        let cash_amount =
            amount::money(&new.cash_amount).map_err(|problem| Refused::invalid("cash_amount", problem))?;
        self.accounts.get(new.account_id).ok_or_else(|| Refused::unknown("account_id"))?;
        let (id, created_at) = (self.time.id(), self.time.now);
        let withdrawal = Withdrawal {
            id,
            account_id: new.account_id,
            cash_amount,
            currency: new.currency,
            status: WithdrawalStatus::New,
            created_at,
        };
        self.time.emit(EventKind::WITHDRAWAL_NEW, id, &withdrawal);
        self.time.after(STEP, Due::Withdrawal(id));
        Ok(self.withdrawals.insert(withdrawal))
    }

    /// The cash is laid claim to first, and leaves then. Where there is too little, the withdrawal fails.
    pub(super) fn move_withdrawal(&mut self, id: Uuid) {
        let Some(withdrawal) = self.withdrawals.get(id).cloned() else { return };
        let (account, amount, currency) =
            (withdrawal.account_id, withdrawal.cash_amount, withdrawal.currency);
        let (status, kind) = match withdrawal.status {
            WithdrawalStatus::New if self.reserve_cash(account, amount, currency) => {
                self.time.after(STEP, Due::Withdrawal(id));
                (WithdrawalStatus::Processing, EventKind::WITHDRAWAL_PROCESSING)
            }
            WithdrawalStatus::Processing => {
                self.book_claimed(account, TransactionType::Withdrawal, amount, currency);
                (WithdrawalStatus::Completed, EventKind::WITHDRAWAL_COMPLETED)
            }
            _ => (WithdrawalStatus::Failed, EventKind::WITHDRAWAL_FAILED),
        };
        let Some(withdrawal) = self.withdrawals.get_mut(id) else { return };
        withdrawal.status = status;
        self.time.emit(kind, id, withdrawal);
    }
}

// Personal data in most fields.
debug_by_id! { Mandate ReferenceAccount DirectDebitView }
