//! Payments from and to banks: reference accounts, mandates, direct debits, withdrawals and top-ups.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{self, Currency};
use crate::domain::customers::accounts::{AccountStatus, Way};
use crate::domain::customers::users::UserStatus;
use crate::domain::events::EventKind;
use crate::domain::lifecycle::{Progress, name};
use crate::domain::money::ledger::TransactionType;
use crate::domain::state::{Refused, STEP, State};
use crate::domain::timeline::Due;

/// As in the API.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Mandate {
    id: Uuid,
    account_group_id: Uuid,
    iban: String,
    status: MandateStatus,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

lifecycle! {
    pub(crate) enum MandateStatus {
        Active => [Revoked]
        Revoked => []
    }
}

/// As in the API.
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

/// As in the API, with the account that gets the money.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DirectDebit {
    pub(crate) view: DirectDebitView,
    credited: Option<Uuid>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DirectDebitView {
    id: Uuid,
    #[serde(flatten)]
    asked: DirectDebitCreate,
    status: DebitStatus,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

lifecycle! {
    pub(crate) enum DebitStatus {
        New => [Processing Failed]
        Processing => [Completed Failed]
        Completed => [Reversed]
        Failed => []
        Reversed => []
    }
}

/// As in the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Withdrawal {
    id: Uuid,
    #[serde(flatten)]
    asked: WithdrawalCreate,
    status: Progress,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DirectDebitCreate {
    user_id: Uuid,
    account_group_id: Uuid,
    mandate_id: Uuid,
    #[serde(deserialize_with = "amount::read_money")]
    cash_amount: Decimal,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    remittance_information: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WithdrawalCreate {
    account_id: Uuid,
    #[serde(deserialize_with = "amount::read_money")]
    cash_amount: Decimal,
    currency: Currency,
}

resource!(Mandate, "mandate", mandates, |it| *it => Self, MandateStatus,
    MANDATE_CREATED => [MANDATE_CREATED MANDATE_REVOKED]);
resource!(DirectDebit, "direct debit", direct_debits, |it| it.view => DirectDebitView, DebitStatus,
    DEBIT_NEW => [DEBIT_NEW DEBIT_PROCESSING DEBIT_COMPLETED DEBIT_FAILED DEBIT_REVERSED]);
resource!(Withdrawal, "withdrawal", withdrawals, |it| *it => Self, Progress,
    WITHDRAWAL_NEW => [WITHDRAWAL_NEW WITHDRAWAL_PROCESSING WITHDRAWAL_COMPLETED WITHDRAWAL_FAILED]);

impl Withdrawal {
    /// The cash that it has reserved while it is in progress.
    pub(in crate::domain) fn claim(&self) -> Option<(Uuid, Currency, Decimal)> {
        let claims = self.status == Progress::Processing;
        claims.then_some((
            self.asked.account_id,
            self.asked.currency,
            self.asked.cash_amount,
        ))
    }
}

impl State {
    /// Adds cash to an account. The description has no operation for this.
    pub(crate) fn top_up(
        &mut self,
        account: Uuid,
        amount: Decimal,
        currency: Currency,
    ) -> Result<(), Refused> {
        if self.account(account)?.view.status == AccountStatus::Closed {
            return Err(Refused::invalid(
                "account_id",
                "is of an account that is closed",
            ));
        }
        self.check_cash_room(account, amount, currency)
            .map_err(|why| Refused::invalid("amount", &why))?;
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
        self.time
            .emit(EventKind::ACCOUNT_CHANGED, account.view.id, &account.view);
        account.reference_accounts.push(ReferenceAccount {
            id,
            iban,
            bic,
            account_holder,
            status,
        });
        account.reference_accounts.last().ok_or(Refused::NotFound)
    }

    pub(crate) fn create_mandate(
        &mut self,
        account_group_id: Uuid,
        iban: String,
    ) -> Result<&Mandate, Refused> {
        self.groups.find(account_group_id)?;
        let id = self.time.id();
        let created_at = self.time.now;
        Ok(self.add(Mandate {
            id,
            account_group_id,
            iban,
            status: MandateStatus::Active,
            created_at,
        }))
    }

    pub(crate) fn revoke_mandate(&mut self, id: Uuid) -> Result<(), Refused> {
        self.change_by_call::<Mandate>(id, MandateStatus::Revoked)
    }

    pub(crate) fn create_direct_debit(
        &mut self,
        new: DirectDebitCreate,
    ) -> Result<&DirectDebitView, Refused> {
        let user = self.users.named("user_id", new.user_id)?.view.status;
        self.groups
            .named("account_group_id", new.account_group_id)?;
        let mandate = self.mandates.named("mandate_id", new.mandate_id)?;
        if mandate.account_group_id != new.account_group_id {
            return Err(Refused::invalid(
                "mandate_id",
                "belongs to another account group",
            ));
        }
        if matches!(user, UserStatus::Blocked | UserStatus::Closed) {
            return Err(Refused::Conflict(format!(
                "Cash and units cannot be moved: the user is {}.",
                name(user)
            )));
        }
        let id = self.time.id();
        let created_at = self.time.now;
        let view = DirectDebitView {
            id,
            asked: new,
            status: DebitStatus::New,
            created_at,
        };
        self.time.after(STEP, Due::DirectDebit(id));
        Ok(&self
            .add(DirectDebit {
                view,
                credited: None,
            })
            .view)
    }

    /// Books the money in the user's first open account of the group. Fails without such an account, or if the mandate
    /// was revoked.
    pub(in crate::domain) fn move_direct_debit(&mut self, id: Uuid) {
        let Some(debit) = self.direct_debits.get(id) else {
            return;
        };
        let view = debit.view.clone();
        match (self.account_to_credit(&view.asked), view.status) {
            (Err(why), _) => {
                self.change_because::<DirectDebit>(id, DebitStatus::Failed, Some(why));
            }
            (Ok(_), DebitStatus::New) => {
                self.change::<DirectDebit>(id, DebitStatus::Processing);
                self.time.after(STEP, Due::DirectDebit(id));
            }
            (Ok(account), _) => {
                self.book(
                    account,
                    TransactionType::DirectDebit,
                    view.asked.cash_amount,
                    view.asked.currency,
                );
                if let Some(debit) = self.direct_debits.get_mut(id) {
                    debit.credited = Some(account);
                }
                self.change::<DirectDebit>(id, DebitStatus::Completed);
            }
        }
    }

    fn account_to_credit(&self, debit: &DirectDebitCreate) -> Result<Uuid, String> {
        if self
            .mandates
            .get(debit.mandate_id)
            .is_none_or(|it| it.status == MandateStatus::Revoked)
        {
            return Err("the mandate is REVOKED".to_owned());
        }
        let accounts = self.users.get(debit.user_id).map(|user| &user.accounts);
        let accounts = accounts
            .into_iter()
            .flatten()
            .filter_map(|id| self.accounts.get(*id));
        let mut open = accounts.map(|account| &account.view).filter(|account| {
            account.account_group_id == debit.account_group_id
                && account.status == AccountStatus::Open
        });
        let account = open
            .next()
            .ok_or("the user has no open account in the account group")?;
        self.may_trade(account.id, Way::In)?;
        self.check_cash_room(account.id, debit.cash_amount, debit.currency)?;
        Ok(account.id)
    }

    /// Takes the money back, even if the account has less. This is not possible for a closed account, as it cannot be
    /// in debt.
    pub(crate) fn reverse_direct_debit(&mut self, id: Uuid) -> Result<(), Refused> {
        let debit = self.direct_debits.find(id)?;
        let view = debit.view.clone();
        let credited = debit.credited;
        let account = credited.filter(|_| view.status == DebitStatus::Completed);
        let Some(account) = account else {
            return Err(Refused::invalid(
                "id",
                "is of a direct debit that is not completed",
            ));
        };
        let DirectDebitCreate {
            cash_amount,
            currency,
            ..
        } = view.asked;
        if self.account(account)?.view.status == AccountStatus::Closed {
            return Err(Refused::invalid(
                "id",
                "is of a direct debit into an account that is closed now",
            ));
        }
        self.book(
            account,
            TransactionType::DirectDebit,
            -cash_amount,
            currency,
        );
        self.change_because::<DirectDebit>(
            id,
            DebitStatus::Reversed,
            Some("the bank took it back".to_owned()),
        );
        Ok(())
    }

    /// Starts a withdrawal to a reference account, which the account must have.
    pub(crate) fn create_withdrawal(
        &mut self,
        new: WithdrawalCreate,
    ) -> Result<&Withdrawal, Refused> {
        let account_id = new.account_id;
        let account = self.accounts.named("account_id", account_id)?;
        if account.reference_accounts.is_empty() {
            let detail = "The account has no reference account to pay to; the command `add_reference_account` adds one.";
            return Err(Refused::Conflict(detail.to_owned()));
        }
        self.check_bars(account_id, Way::Out)?;
        let id = self.time.id();
        let created_at = self.time.now;
        self.time.after(STEP, Due::Withdrawal(id));
        Ok(self.add(Withdrawal {
            id,
            asked: new,
            status: Progress::New,
            created_at,
        }))
    }

    /// Reserves the cash first, and books it in the next step. If there is too little, the withdrawal fails.
    pub(in crate::domain) fn move_withdrawal(&mut self, id: Uuid) {
        let Some(withdrawal) = self.withdrawals.get(id).cloned() else {
            return;
        };
        let WithdrawalCreate {
            account_id,
            cash_amount,
            currency,
        } = withdrawal.asked;
        let allowed = self.may_trade(account_id, Way::Out);
        match (allowed, withdrawal.status) {
            (Ok(()), Progress::Processing) => {
                self.book_claimed(
                    account_id,
                    TransactionType::Withdrawal,
                    cash_amount,
                    currency,
                );
                self.change::<Withdrawal>(id, Progress::Completed);
            }
            (Err(why), Progress::Processing) => {
                self.release_cash(account_id, cash_amount, currency);
                self.change_because::<Withdrawal>(id, Progress::Failed, Some(why));
            }
            (allowed, _) => {
                match allowed.and_then(|()| self.claim_cash(account_id, cash_amount, currency)) {
                    Ok(()) => {
                        self.change::<Withdrawal>(id, Progress::Processing);
                        self.time.after(STEP, Due::Withdrawal(id));
                    }
                    Err(why) => {
                        self.change_because::<Withdrawal>(id, Progress::Failed, Some(why));
                    }
                }
            }
        }
    }
}

// Most fields are personal data.
debug_by_id! { Mandate ReferenceAccount DirectDebitView }
