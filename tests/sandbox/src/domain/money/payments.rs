//! Payments: direct debits, withdrawals, top-ups and fees.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::amount::{self, Currency, EUR};
use crate::domain::customers::accounts::{AccountStatus, Way};
use crate::domain::customers::users::UserStatus;
use crate::domain::lifecycle::name;
use crate::domain::money::ledger::TransactionType;
use crate::domain::rows::Row;
use crate::domain::rules::known;
use crate::domain::state::{Rejected, State};

/// A direct debit as requested.
#[derive(Serialize, Deserialize)]
pub(in crate::domain) struct DirectDebit {
    user_id: Uuid,
    account_group_id: Uuid,
    mandate_id: Uuid,
    #[serde(deserialize_with = "amount::read_money")]
    cash_amount: Decimal,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    remittance_information: Option<String>,
}

/// A withdrawal as requested.
#[derive(Serialize, Deserialize)]
pub(in crate::domain) struct Withdrawal {
    pub(in crate::domain) account_id: Uuid,
    #[serde(deserialize_with = "amount::read_money")]
    pub(in crate::domain) cash_amount: Decimal,
    pub(in crate::domain) currency: Currency,
}

impl State {
    /// Adds cash to an account. The description has no operation for this.
    pub(crate) fn top_up(
        &mut self,
        account: Uuid,
        amount: Decimal,
        currency: Currency,
    ) -> Result<(), Rejected> {
        if self.account(account)?.view.status == AccountStatus::Closed {
            return Err(Rejected::invalid(
                "account_id",
                "is the id of a closed account",
            ));
        }
        self.check_cash_room(account, amount, currency)
            .map_err(|why| Rejected::invalid("amount", &why))?;
        self.book(account, TransactionType::Transfer, amount, currency);
        Ok(())
    }

    pub(crate) fn check_fee(&self, account: Uuid, amount: Decimal) -> Result<(), Rejected> {
        if self.account(account)?.available(EUR) < amount {
            let problem = "is more than the account has available";
            return Err(Rejected::invalid("amount", problem));
        }
        Ok(())
    }

    pub(crate) fn book_fee(&mut self, account: Uuid, amount: Decimal) {
        self.book(account, TransactionType::Fee, -amount, EUR);
    }

    pub(in crate::domain) fn check_direct_debit(
        &self,
        new: DirectDebit,
    ) -> Result<DirectDebit, Rejected> {
        let user = self
            .users
            .find_or_reject("user_id", new.user_id)?
            .view
            .status;
        self.groups
            .find_or_reject("account_group_id", new.account_group_id)?;
        let mandate = self.rows.find("mandates", new.mandate_id);
        let mandate = mandate.ok_or_else(|| Rejected::unknown("mandate_id"))?;
        if mandate.value["account_group_id"] != new.account_group_id.to_string() {
            return Err(Rejected::invalid(
                "mandate_id",
                "belongs to another account group",
            ));
        }
        if matches!(user, UserStatus::Blocked | UserStatus::Closed) {
            return Err(Rejected::Conflict(format!(
                "Cash and units cannot be moved: the user is {}.",
                name(user)
            )));
        }
        Ok(new)
    }

    /// Books the money in the user's first open account of the group.
    pub(in crate::domain) fn collect(&mut self, row: &mut Row) -> Result<(), String> {
        let debit: DirectDebit = known(row)?;
        let account = self.account_to_credit(&debit)?;
        let kind = TransactionType::DirectDebit;
        self.book(account, kind, debit.cash_amount, debit.currency);
        row.facts = json!(account);
        Ok(())
    }

    /// There is none if the mandate was revoked.
    pub(in crate::domain) fn account_to_credit(&self, debit: &DirectDebit) -> Result<Uuid, String> {
        let mandate = self.rows.find("mandates", debit.mandate_id);
        if mandate.is_none_or(|it| it.value["status"] == "REVOKED") {
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
    pub(in crate::domain) fn take_back(&mut self, row: &Row) -> Result<(), String> {
        let debit: DirectDebit = known(row)?;
        let credited = Uuid::deserialize(&row.facts).unwrap_or_default();
        let account = self.accounts.get(credited);
        if account.is_none_or(|it| it.view.status == AccountStatus::Closed) {
            return Err("the account with its money is CLOSED".to_owned());
        }
        let kind = TransactionType::DirectDebit;
        self.book(credited, kind, -debit.cash_amount, debit.currency);
        Ok(())
    }

    /// A withdrawal goes to a reference account, which the account must have.
    pub(in crate::domain) fn check_withdrawal(
        &self,
        new: Withdrawal,
    ) -> Result<Withdrawal, Rejected> {
        let account = new.account_id;
        self.accounts.find_or_reject("account_id", account)?;
        let references = "reference_accounts";
        if !self.rows.has_link(references, "account_id", account) {
            let detail = "The account has no reference account to pay to; the command `add_reference_account` adds one.";
            return Err(Rejected::Conflict(detail.to_owned()));
        }
        self.check_not_blocked(account, Way::Out)?;
        Ok(new)
    }

    /// Reserves the cash, which is booked in the next step.
    pub(in crate::domain) fn reserve_withdrawal(&mut self, new: &Withdrawal) -> Result<(), String> {
        self.may_trade(new.account_id, Way::Out)?;
        self.reserve_cash(new.account_id, new.cash_amount, new.currency)
    }

    pub(in crate::domain) fn pay_out(&mut self, new: &Withdrawal) -> Result<(), String> {
        let account = new.account_id;
        if let Err(why) = self.may_trade(account, Way::Out) {
            self.release_cash(account, new.cash_amount, new.currency);
            return Err(why);
        }
        let kind = TransactionType::Withdrawal;
        self.book_from_reserved(account, kind, new.cash_amount, new.currency);
        Ok(())
    }

    /// The withdrawals that have reserved cash.
    pub(in crate::domain) fn reserved_withdrawals(&self) -> impl Iterator<Item = Withdrawal> {
        let rows = self.rows.of("withdrawals");
        let reserved = rows.filter(|row| row.value["status"] == "PROCESSING");
        reserved.filter_map(|row| known(row).ok())
    }
}
