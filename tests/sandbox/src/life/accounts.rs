//! Accounts and the groups they belong to: opened once their user is active, closed once they are empty.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::events::EventKind;
use super::fees::Fee;
use super::ledger::{Cash, Holding, InKind, Transaction};
use super::payments::ReferenceAccount;
use super::timeline::Due;
use super::users::{UserCreate, UserStatus};
use super::valuations::Valuation;
use super::world::{Refused, STEP, World};
use crate::amount::Currency;

/// An account with its books.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) view: AccountView,
    pub(super) cash: BTreeMap<Currency, Cash>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) holdings: Vec<Holding>,
    pub(crate) valuations: Vec<Valuation>,
    pub(crate) reference_accounts: Vec<ReferenceAccount>,
    pub(crate) fees: Vec<Fee>,
    /// Units that came or went without cash.
    pub(super) in_kind: Vec<InKind>,
    /// Orders that wait for the account to open.
    pub(super) waiting_orders: Vec<Uuid>,
    pub(super) open_orders: u32,
}

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountView {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) account_group_id: Uuid,
    r#type: String,
    pub(crate) status: AccountStatus,
    pub(super) created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

wire_enum! {
    pub(crate) enum AccountStatus { Pending Open Closing Closed }
}

/// What mandates and direct debits refer to. The description has no operation for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountGroup {
    id: Uuid,
    created_at: DateTime<Utc>,
}

#[derive(Deserialize)]
pub(crate) struct AccountCreate {
    user_id: Uuid,
    account_group_id: Uuid,
    r#type: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct AccountUpdate {
    r#type: Option<String>,
}

identified!(by view.id: Account);
identified!(by id: AccountGroup);

impl World {
    pub(crate) fn create_account_group(&mut self, id: Option<Uuid>) -> &AccountGroup {
        let id = id.unwrap_or_else(|| self.time.id());
        let group = AccountGroup { id, created_at: self.time.now };
        self.time.emit(EventKind::GROUP_CREATED, id, &group);
        self.groups.insert(group)
    }

    pub(crate) fn create_account(&mut self, new: AccountCreate) -> Result<&AccountView, Refused> {
        let user = self.users.get(new.user_id).ok_or_else(|| Refused::unknown("user_id"))?;
        if self.groups.get(new.account_group_id).is_none() {
            return Err(Refused::unknown("account_group_id"));
        }
        let (id, now) = (self.time.id(), self.time.now);
        if user.view.status == UserStatus::Active {
            self.time.after(STEP, Due::OpenAccount(id));
        }
        let view = AccountView {
            id,
            user_id: new.user_id,
            account_group_id: new.account_group_id,
            r#type: new.r#type.unwrap_or_else(|| "TRADING".to_owned()),
            status: AccountStatus::Pending,
            created_at: now,
            updated_at: now,
        };
        self.time.emit(EventKind::ACCOUNT_CREATED, id, &view);
        let account = Account {
            view,
            cash: BTreeMap::new(),
            transactions: Vec::new(),
            holdings: Vec::new(),
            valuations: Vec::new(),
            reference_accounts: Vec::new(),
            fees: Vec::new(),
            in_kind: Vec::new(),
            waiting_orders: Vec::new(),
            open_orders: 0,
        };
        if let Some(user) = self.users.get_mut(new.user_id) {
            user.accounts.push(id);
        }
        Ok(&self.accounts.insert(account).view)
    }

    /// An account with a user of its own, who is nobody.
    pub(crate) fn demo_account(&mut self, account_group_id: Uuid) -> Result<Uuid, Refused> {
        let user_id = self.create_user(UserCreate::nobody()).id;
        let account = self.create_account(AccountCreate { user_id, account_group_id, r#type: None })?;
        Ok(account.id)
    }

    pub(crate) fn account(&self, id: Uuid) -> Result<&Account, Refused> {
        self.accounts.get(id).ok_or(Refused::NotFound)
    }

    pub(crate) fn update_account(
        &mut self,
        id: Uuid,
        update: AccountUpdate,
    ) -> Result<&AccountView, Refused> {
        let account = &mut self.accounts.get_mut(id).ok_or(Refused::NotFound)?.view;
        if let Some(kind) = update.r#type {
            account.r#type = kind;
        }
        account.updated_at = self.time.now;
        self.time.emit(EventKind::ACCOUNT_CHANGED, id, account);
        Ok(account)
    }

    /// Starts closing: the account is closed when cash, positions and orders are gone.
    pub(crate) fn close_account(&mut self, id: Uuid) -> Result<(), Refused> {
        let status = self.account(id)?.view.status;
        if matches!(status, AccountStatus::Pending | AccountStatus::Open) {
            self.set_account_status(id, AccountStatus::Closing, EventKind::ACCOUNT_CLOSING);
            self.check_waiting_orders(id);
            self.time.after(STEP, Due::CloseAccount(id));
        }
        Ok(())
    }

    pub(super) fn open_account(&mut self, id: Uuid) {
        let Some(account) = self.accounts.get(id) else { return };
        let user = self.users.get(account.view.user_id).map(|user| user.view.status);
        // The user may have been blocked meanwhile.
        if account.view.status == AccountStatus::Pending && user == Some(UserStatus::Active) {
            self.check_waiting_orders(id);
            self.set_account_status(id, AccountStatus::Open, EventKind::ACCOUNT_OPENED);
        }
    }

    /// Looks again at the orders that have waited for the account: it opens, or it never will.
    pub(super) fn check_waiting_orders(&mut self, id: Uuid) {
        let Some(account) = self.accounts.get_mut(id) else { return };
        for order in std::mem::take(&mut account.waiting_orders) {
            self.time.after(STEP, Due::CheckOrder(order));
        }
    }

    pub(super) fn finish_closing(&mut self, id: Uuid) {
        let Some(account) = self.accounts.get_mut(id) else { return };
        let is_empty = account.cash.values().all(|cash| cash.total().is_zero())
            && account.holdings.is_empty()
            && account.open_orders == 0;
        if account.view.status == AccountStatus::Closing && is_empty {
            self.set_account_status(id, AccountStatus::Closed, EventKind::ACCOUNT_CLOSED);
            self.close_portfolios(id);
            self.cancel_savings_plans(id);
        }
    }

    /// To be called when something has left an account: it may have been the last that kept it from closing.
    pub(super) fn may_close(&mut self, id: Uuid) {
        if self.accounts.get(id).is_some_and(|account| account.view.status == AccountStatus::Closing) {
            self.time.after(STEP, Due::CloseAccount(id));
        }
    }

    fn set_account_status(&mut self, id: Uuid, status: AccountStatus, kind: &'static EventKind) {
        let Some(account) = self.accounts.get_mut(id) else { return };
        account.view.status = status;
        account.view.updated_at = self.time.now;
        self.time.emit(kind, id, &account.view);
    }
}
