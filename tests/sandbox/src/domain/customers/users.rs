//! Users, and the checks that make them active.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::customers::accounts::AccountStatus;
use crate::domain::events::EventKind;
use crate::domain::state::{Rejected, STEP, State};
use crate::domain::timeline::Due;

/// A user with its checks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) view: UserView,
    pub(crate) checks: Vec<UserCheck>,
    pub(crate) accounts: Vec<Uuid>,
    /// The result of pending checks.
    checks_fail: bool,
}

/// A user, as it is sent.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserView {
    pub(in crate::domain) id: Uuid,
    #[serde(flatten)]
    person: UserCreate,
    pub(crate) status: UserStatus,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "crate::instant::write")]
    updated_at: DateTime<Utc>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    street: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_line: Option<String>,
    city: String,
    postal_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    country: String,
}

lifecycle! {
    /// The status of a user.
    #[derive(JsonSchema)]
    #[non_exhaustive]
    pub enum UserStatus {
        /// Registered, with pending checks.
        Pending => [Active Blocked Closed]
        /// May place orders and move money.
        Active => [Blocked Closed]
        /// Blocked: no order is executed and no money moves.
        Blocked => [Active Closed]
        /// Closed for good.
        Closed => []
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserCheck {
    id: Uuid,
    r#type: String,
    status: CheckStatus,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "crate::instant::write_option")]
    completed_at: Option<DateTime<Utc>>,
}

wire_enum! {
    enum CheckStatus { Pending Passed Failed }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserCreate {
    first_name: String,
    last_name: String,
    email: String,
    date_of_birth: NaiveDate,
    nationality: String,
    address: Address,
}

#[derive(Deserialize)]
pub(crate) struct UserUpdate {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    address: Option<Address>,
}

impl UserCreate {
    /// An invented person for tests.
    pub(in crate::domain) fn nobody() -> Self {
        let address = Address {
            street: "Unter den Linden 1".to_owned(),
            additional_line: None,
            city: "Berlin".to_owned(),
            postal_code: "10117".to_owned(),
            state: None,
            country: "DE".to_owned(),
        };
        Self {
            first_name: "Erika".to_owned(),
            last_name: "Mustermann".to_owned(),
            email: "erika@example.com".to_owned(),
            date_of_birth: NaiveDate::from_ymd_opt(1990, 12, 10).unwrap_or_default(),
            nationality: "DE".to_owned(),
            address,
        }
    }
}

resource!(User, "user", users, |it| it.view => UserView, UserStatus,
    USER_CREATED => [USER_CREATED USER_ACTIVATED USER_BLOCKED USER_CLOSED], updated_at);

impl State {
    /// Registers a user, and starts the check that makes it active.
    pub(crate) fn create_user(&mut self, person: UserCreate) -> &UserView {
        let id = self.timeline.id();
        let now = self.timeline.now;
        let status = UserStatus::Pending;
        let view = UserView {
            id,
            person,
            status,
            created_at: now,
            updated_at: now,
        };
        self.timeline.after(STEP, Due::FinishChecks(id));
        let check = UserCheck {
            id: self.timeline.id(),
            r#type: "KYC".to_owned(),
            status: CheckStatus::Pending,
            created_at: now,
            completed_at: None,
        };
        self.add(User {
            view,
            checks: Vec::new(),
            accounts: Vec::new(),
            checks_fail: false,
        });
        self.timeline
            .emit(EventKind::CHECK_CREATED, check.id, &check);
        let user = self.users.get_mut(id).expect("it has just been added");
        user.checks.push(check);
        &user.view
    }

    pub(crate) fn update_user(
        &mut self,
        id: Uuid,
        update: UserUpdate,
    ) -> Result<&UserView, Rejected> {
        let (user, timeline) = self.editable::<User>(id)?;
        let user = &mut user.view;
        let person = &mut user.person;
        person.first_name = update
            .first_name
            .unwrap_or_else(|| std::mem::take(&mut person.first_name));
        person.last_name = update
            .last_name
            .unwrap_or_else(|| std::mem::take(&mut person.last_name));
        person.email = update
            .email
            .unwrap_or_else(|| std::mem::take(&mut person.email));
        if let Some(address) = update.address {
            person.address = address;
        }
        user.updated_at = timeline.now;
        timeline.emit(EventKind::USER_CHANGED, id, user);
        Ok(user)
    }

    /// Sets the result of a user's pending checks.
    pub(crate) fn set_check_result(&mut self, user: Uuid, passes: bool) -> Result<(), Rejected> {
        let user = self.users.get_mut(user).ok_or(Rejected::NotFound)?;
        user.checks_fail = !passes;
        Ok(())
    }

    pub(crate) fn set_user_status(
        &mut self,
        id: Uuid,
        status: UserStatus,
    ) -> Result<&UserView, Rejected> {
        if self.users.find(id)?.view.status != status {
            self.change_by_call::<User>(id, status)?;
        }
        let accounts = self.users.find(id)?.accounts.clone();
        let is_pending = |state: &Self, account| {
            state
                .accounts
                .get(account)
                .is_some_and(|it| it.view.status == AccountStatus::Pending)
        };
        for account in accounts {
            match status {
                _ if !is_pending(self, account) => {}
                UserStatus::Active => self.timeline.after(STEP, Due::OpenAccount(account)),
                UserStatus::Blocked | UserStatus::Closed => self.schedule_waiting_orders(account),
                UserStatus::Pending => {}
            }
        }
        Ok(&self.users.find(id)?.view)
    }

    pub(in crate::domain) fn finish_checks(&mut self, id: Uuid) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        let failed = user.checks_fail;
        let (status, kind, why) = if failed {
            let why = "set by the command `set_check_result`".to_owned();
            (CheckStatus::Failed, EventKind::CHECK_FAILED, Some(why))
        } else {
            (CheckStatus::Passed, EventKind::CHECK_PASSED, None)
        };
        for check in user
            .checks
            .iter_mut()
            .filter(|check| check.status == CheckStatus::Pending)
        {
            check.completed_at = Some(self.timeline.now);
            check.status = status;
            self.timeline
                .emit_because(kind, check.id, check, why.clone());
        }
        if user.view.status == UserStatus::Pending {
            let status = if failed {
                UserStatus::Blocked
            } else {
                UserStatus::Active
            };
            let _ = self.set_user_status(id, status);
        }
    }
}

// Most fields are personal data.
debug_by_id! { UserView }
