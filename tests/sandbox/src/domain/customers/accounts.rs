//! Accounts and account groups. An account is opened once its user is active, and closed once it is empty.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::Currency;
use crate::domain::customers::users::{User, UserCreate, UserStatus};
use crate::domain::events::EventKind;
use crate::domain::lifecycle::name;
use crate::domain::money::ledger::{Cash, Holding, InKind, Transaction};
use crate::domain::money::valuations::Valuation;
use crate::domain::state::{Rejected, STEP, State};
use crate::domain::timeline::Due;

/// An account with its books.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) view: AccountView,
    pub(in crate::domain) cash: BTreeMap<Currency, Cash>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) holdings: Vec<Holding>,
    pub(crate) valuations: Vec<Valuation>,
    /// Bookings of units without cash.
    pub(in crate::domain) in_kind: Vec<InKind>,
    /// Orders that wait until the account is open.
    pub(in crate::domain) waiting_orders: Vec<Uuid>,
    pub(in crate::domain) open_orders: u32,
}

/// An account, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountView {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) account_group_id: Uuid,
    r#type: String,
    pub(crate) status: AccountStatus,
    #[serde(serialize_with = "crate::instant::write")]
    pub(in crate::domain) created_at: DateTime<Utc>,
    #[serde(serialize_with = "crate::instant::write")]
    updated_at: DateTime<Utc>,
}

lifecycle! {
    pub(crate) enum AccountStatus {
        Pending => [Open Closing]
        Open => [Closing]
        Closing => [Closed]
        Closed => []
    }
}

/// An account group, to which mandates and direct debits refer. The description has no operation for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountGroup {
    id: Uuid,
    #[serde(serialize_with = "crate::instant::write")]
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

resource!(Account, "account", accounts, |it| it.view => AccountView, AccountStatus,
    ACCOUNT_CREATED => [ACCOUNT_CREATED ACCOUNT_OPENED ACCOUNT_CLOSING ACCOUNT_CLOSED], updated_at);
identified!(by id: AccountGroup);

/// The direction in which cash or units move, from the view of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Way {
    In,
    Out,
}

impl State {
    pub(crate) fn create_account_group(&mut self, id: Option<Uuid>) -> &AccountGroup {
        let id = id.unwrap_or_else(|| self.timeline.id());
        let group = AccountGroup {
            id,
            created_at: self.timeline.now,
        };
        self.timeline.emit(EventKind::GROUP_CREATED, id, &group);
        self.groups.insert(group)
    }

    pub(crate) fn create_account(&mut self, new: AccountCreate) -> Result<&AccountView, Rejected> {
        self.users.find_or_reject("user_id", new.user_id)?;
        self.groups
            .find_or_reject("account_group_id", new.account_group_id)?;
        let status = self.editable::<User>(new.user_id)?.0.view.status;
        let id = self.timeline.id();
        let now = self.timeline.now;
        if status == UserStatus::Active {
            self.timeline.after(STEP, Due::OpenAccount(id));
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
        let account = Account {
            view,
            cash: BTreeMap::new(),
            transactions: Vec::new(),
            holdings: Vec::new(),
            valuations: Vec::new(),
            in_kind: Vec::new(),
            waiting_orders: Vec::new(),
            open_orders: 0,
        };
        if let Some(user) = self.users.get_mut(new.user_id) {
            user.accounts.push(id);
        }
        Ok(&self.add(account).view)
    }

    /// An account with an invented user.
    pub(crate) fn demo_account(&mut self, account_group_id: Uuid) -> Result<Uuid, Rejected> {
        let user_id = self.create_user(UserCreate::nobody()).id;
        let account = self.create_account(AccountCreate {
            user_id,
            account_group_id,
            r#type: None,
        })?;
        Ok(account.id)
    }

    pub(crate) fn account(&self, id: Uuid) -> Result<&Account, Rejected> {
        self.accounts.find(id)
    }

    pub(crate) fn update_account(
        &mut self,
        id: Uuid,
        update: AccountUpdate,
    ) -> Result<&AccountView, Rejected> {
        let (account, timeline) = self.editable::<Account>(id)?;
        let account = &mut account.view;
        if let Some(kind) = update.r#type {
            account.r#type = kind;
        }
        account.updated_at = timeline.now;
        timeline.emit(EventKind::ACCOUNT_CHANGED, id, account);
        Ok(account)
    }

    /// Starts closing an account. It is closed when it has no cash, positions and orders.
    pub(crate) fn close_account(&mut self, id: Uuid) -> Result<(), Rejected> {
        self.account(id)?;
        if self.change::<Account>(id, AccountStatus::Closing) {
            self.schedule_waiting_orders(id);
            self.timeline.after(STEP, Due::CloseAccount(id));
        }
        Ok(())
    }

    pub(in crate::domain) fn open_account(&mut self, id: Uuid) {
        let Some(account) = self.accounts.get(id) else {
            return;
        };
        let user = self
            .users
            .get(account.view.user_id)
            .map(|user| user.view.status);
        // The user may have been blocked meanwhile.
        if account.view.status == AccountStatus::Pending && user == Some(UserStatus::Active) {
            self.schedule_waiting_orders(id);
            self.change::<Account>(id, AccountStatus::Open);
        }
    }

    /// Schedules a check of the orders that wait for the account, when it opens or can no longer open.
    pub(in crate::domain) fn schedule_waiting_orders(&mut self, id: Uuid) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        for order in std::mem::take(&mut account.waiting_orders) {
            self.timeline.after(STEP, Due::CheckOrder(order));
        }
    }

    pub(in crate::domain) fn finish_closing(&mut self, id: Uuid) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let is_empty = account.cash.values().all(|cash| cash.total().is_zero())
            && account.holdings.is_empty()
            && account.open_orders == 0;
        if is_empty && self.change::<Account>(id, AccountStatus::Closed) {
            self.close_portfolios(id);
            self.cancel_savings_plans(id);
        }
    }

    /// Closes an account that is waiting to be closed if it is empty now.
    pub(in crate::domain) fn may_close(&mut self, id: Uuid) {
        if self
            .accounts
            .get(id)
            .is_some_and(|account| account.view.status == AccountStatus::Closing)
        {
            self.timeline.after(STEP, Due::CloseAccount(id));
        }
    }

    /// The reason why the user or the account blocks every movement of cash and units in this direction. `None` if
    /// neither blocks it.
    fn block_reason(&self, account: Uuid, way: Way) -> Option<String> {
        let account = &self.accounts.get(account)?.view;
        let user = self.users.get(account.user_id)?.view.status;
        if matches!(user, UserStatus::Blocked | UserStatus::Closed) {
            return Some(format!("the user is {}", name(user)));
        }
        let closes = account.status == AccountStatus::Closing && way == Way::In;
        (closes || account.status == AccountStatus::Closed)
            .then(|| format!("the account is {}", name(account.status)))
    }

    /// Whether an account is not open yet, but still can be opened.
    pub(in crate::domain) fn has_yet_to_open(&self, account: Uuid) -> bool {
        self.accounts
            .get(account)
            .is_some_and(|it| it.view.status == AccountStatus::Pending)
            && self.block_reason(account, Way::In).is_none()
    }

    /// Rejects a call that moves cash or units if the user or the account is blocked or closed.
    pub(in crate::domain) fn check_not_blocked(
        &self,
        account: Uuid,
        way: Way,
    ) -> Result<(), Rejected> {
        match self.block_reason(account, way) {
            Some(why) => Err(Rejected::Conflict(format!(
                "Cash and units cannot be moved: {why}."
            ))),
            None => Ok(()),
        }
    }

    /// Whether cash or units may move now, or the reason why not.
    pub(in crate::domain) fn may_trade(&self, account: Uuid, way: Way) -> Result<(), String> {
        let is_pending = self
            .accounts
            .get(account)
            .is_none_or(|it| it.view.status == AccountStatus::Pending);
        match self.block_reason(account, way) {
            Some(why) => Err(why),
            None if is_pending => Err("the account is not open yet".to_owned()),
            None => Ok(()),
        }
    }
}
