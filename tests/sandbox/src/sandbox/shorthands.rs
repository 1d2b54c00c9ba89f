//! Commands and faults as methods of [`Sandbox`]. Ids are UUIDs, which can be converted to and from the typed ids of
//! the SDK.

use std::fmt::Display;
use std::time::Duration;

use chrono::NaiveDate;
use serde_json::Value;
use uuid::Uuid;

use crate::commands::{Command, CommandError, InstrumentType};
use crate::demo::ACCOUNT_GROUP;
use crate::domain::customers::users::UserStatus;
use crate::domain::trading::transfers::Direction;
use crate::events::EventRecord;
use crate::faults::{Fault, FaultRule};
use crate::http::built_in::token_operation;
use crate::sandbox::Sandbox;

/// Declares methods that execute one command. They return the id of the created resource, nothing, or cannot fail.
macro_rules! shorthands {
    ($($(#[$doc:meta])* $kind:ident $name:ident($($argument:ident: $type:ty),*) = $command:expr;)+) => {
        impl Sandbox {
            $(shorthands!(@$kind $(#[$doc])* $name($($argument: $type),*) = $command);)+
        }
    };
    (@make $(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) = $command:expr) => {
        $(#[$doc])*
        pub async fn $name(&self, $($argument: $type),*) -> Result<Uuid, CommandError> {
            let response = self.execute($command).await?;
            let id = response["id"].as_str().and_then(|id| id.parse().ok());
            id.ok_or_else(|| CommandError::new("nothing was made"))
        }
    };
    (@act $(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) = $command:expr) => {
        $(#[$doc])*
        pub async fn $name(&self, $($argument: $type),*) -> Result<(), CommandError> {
            self.execute($command).await.map(drop)
        }
    };
    (@always $(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) = $command:expr) => {
        $(#[$doc])*
        pub async fn $name(&self, $($argument: $type),*) {
            let _ = self.execute($command).await;
        }
    };
}

shorthands! {
    /// Makes the next call of `operation`, such as `createOrder`, fail.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the fault is impossible, such as a server error with the status 404.
    act fail_next(operation: &str, fault: Fault) =
        Command::AddFault(FaultRule { operation: Some(operation.to_owned()), times: Some(1), fault });

    /// Adds a fault for any operation and any number of calls.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::fail_next`].
    act add_fault(rule: FaultRule) = Command::AddFault(rule);

    /// Makes a random fraction `rate` of all calls fail. The faults depend on the seed and on the number of the call.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::fail_next`], and if `rate` is not between 0 and 1.
    act random_faults(rate: f64, faults: Vec<Fault>) = Command::RandomFaults { rate, faults: Some(faults) };

    /// Shifts the server's wall clock, with which signatures are checked. If the shift is positive, the server is
    /// ahead.
    always shift_clock(seconds: i64) = Command::ShiftClock { seconds };

    /// Rejects new connections and resets open ones, until [`Sandbox::clear_faults`].
    always refuse_connections() = Command::SetOffline { offline: true, seconds: None };

    /// Makes webhook deliveries irregular, as Upvest's can be, until [`Sandbox::clear_faults`]. If `repeated`, each
    /// accepted delivery is sent again. If `reversed`, newer deliveries come first. Events within a delivery keep their
    /// order.
    always disturb_deliveries(repeated: bool, reversed: bool) = Command::DisturbDeliveries { repeated, reversed };

    /// Removes all faults.
    always clear_faults() = Command::ClearFaults;

    /// Revokes all access tokens.
    always revoke_tokens() = Command::RevokeTokens;

    /// Signs deliveries with a new key from now on.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the operating system has no random numbers.
    act rotate_webhook_keys() = Command::RotateWebhookKeys;

    /// Creates an account group.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    make create_account_group() = Command::CreateAccountGroup { id: None };

    /// Adds cash in EUR to an account.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such account, or the amount is invalid.
    act top_up(account: impl Into<Uuid>, amount: &str) =
        Command::TopUp { account_id: account.into(), amount: amount.into(), currency: None };

    /// Creates a mandate for direct debits from `iban`.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such account group.
    make create_mandate(account_group: impl Into<Uuid>, iban: &str) =
        Command::CreateMandate { account_group_id: account_group.into(), iban: iban.into() };

    /// Sets the result of a user's pending checks.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such user.
    act set_check_result(user: impl Into<Uuid>, passes: bool) = Command::SetCheckResult { user_id: user.into(), passes };

    /// Sets the status of a user.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such user.
    act set_user_status(user: impl Into<Uuid>, status: UserStatus) = Command::SetUserStatus { user_id: user.into(), status };

    /// Sets the status of a resource of a description of your own, sends the event, and plans what follows.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such resource, or the description does not list the status.
    act set_status(id: impl Display, status: &str) =
        Command::SetStatus { table: None, id: id.to_string(), status: status.to_owned() };

    /// Adds a tradable instrument.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if it is already listed, or a price is invalid.
    make list_instrument(isin: &str, kind: InstrumentType, bid: &str, offer: &str) =
        Command::ListInstrument {
        isin: isin.into(),
        r#type: kind,
        bid: bid.into(),
        offer: offer.into(),
        fractional: true,
    };

    /// Sets new prices of an instrument.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such instrument, or a price is invalid.
    act set_price(isin: &str, bid: &str, offer: &str) =
        Command::SetPrice { isin: isin.into(), bid: bid.into(), offer: offer.into() };

    /// Announces a dividend, which is paid at the start of `ex_date`.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such instrument, or the amount is invalid.
    make announce_dividend(isin: &str, per_unit: &str, ex_date: NaiveDate) =
        Command::AnnounceDividend { isin: isin.into(), per_unit: per_unit.into(), ex_date };

    /// Announces a split into `ratio` units, at the start of `ex_date`.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such instrument, or the ratio is invalid.
    make announce_split(isin: &str, ratio: &str, ex_date: NaiveDate) =
        Command::AnnounceSplit { isin: isin.into(), ratio: ratio.into(), ex_date };

    /// Starts a securities transfer that moves units to an account or from it.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such account or instrument.
    make transfer_securities(direction: Direction, account: impl Into<Uuid>, isin: &str, quantity: &str) =
        Command::TransferSecurities {
        direction,
        account_id: account.into(),
        isin: isin.into(),
        quantity: quantity.into(),
    };

    /// Charges a fee in EUR.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the account has too little cash.
    make charge_fee(account: impl Into<Uuid>, kind: &str, amount: &str) =
        Command::ChargeFee { account_id: account.into(), r#type: kind.into(), amount: amount.into() };

    /// Creates an enabled subscription of an endpoint on this machine to all events.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the URL is invalid.
    make subscribe(url: &str) = Command::Subscribe { url: url.into() };

    /// Delivers an event to a subscription again.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the log no longer contains the event, or there is no such subscription.
    act resend_event(event: Uuid, webhook: impl Into<Uuid>) =
        Command::ResendEvent { event_id: event, webhook_id: webhook.into() };

    /// Restores the initial state, including the time. Tokens stay valid.
    always reset() = Command::Reset;

    /// Saves the state in memory, for [`Sandbox::restore`].
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the name is empty.
    act snapshot(name: &str) = Command::Snapshot { name: name.into() };

    /// Restores the state of a snapshot, including the time. Tokens stay valid.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such snapshot.
    act restore(name: &str) = Command::Restore { name: name.into() };

    /// Creates a report, whose PDF is available a second later.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    make create_report(kind: &str) = Command::CreateReport { r#type: kind.into(), fails: false };
}

/// Commands that need more than one step.
impl Sandbox {
    /// The id of a listed instrument, which is the same in every sandbox.
    pub fn instrument(isin: &str) -> Uuid {
        crate::domain::trading::instruments::instrument_id(isin)
    }

    /// The default account group of every sandbox, which all users may use.
    pub fn account_group(&self) -> Uuid {
        ACCOUNT_GROUP
    }

    /// Makes `count` resources of a description of your own, with all of their fields, and returns their ids. `table`
    /// is named like the collection in the paths. It gets no others, so 0 gives an empty list.
    /// [`Command::Seed`] sets fields too, such as the id of the owner.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such table.
    pub async fn seed(&self, table: &str, count: usize) -> Result<Vec<String>, CommandError> {
        let command = Command::Seed {
            table: table.to_owned(),
            count: Some(count),
            fields: None,
        };
        let answer = self.execute(command).await?;
        let ids = answer["ids"].as_array().into_iter().flatten();
        let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        Ok(ids.map(text).collect())
    }

    /// Makes the token endpoint respond with 503 until the faults are cleared.
    pub async fn take_token_endpoint_down(&self) {
        let operation = token_operation(&self.shared.setup.description).to_owned();
        let fault = Fault::ServerError {
            status: 503,
            html: false,
            after_commit: false,
        };
        let rule = FaultRule {
            operation: Some(operation),
            times: None,
            fault,
        };
        let _ = self.execute(Command::AddFault(rule)).await;
    }

    /// Creates an active user and an open account with this amount of cash in EUR. The clock is advanced by two seconds
    /// for it.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the amount is invalid.
    pub async fn open_account(&self, cash: &str) -> Result<Uuid, CommandError> {
        let account = self.shared.demo_account()?;
        self.advance(Duration::from_secs(2)).await;
        self.top_up(account, cash).await?;
        Ok(account)
    }

    /// Triggers an event, with all events before it, for a new user and account: see [`Command::Trigger`].
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the description has no such event type (`ORDER.FILLED` is one), or if the sandbox keeps
    /// fewer events than are triggered.
    pub async fn trigger(&self, event_type: &str) -> Result<EventRecord, CommandError> {
        let response = self
            .execute(Command::Trigger {
                event_type: event_type.to_owned(),
            })
            .await?;
        let event = self
            .events()
            .into_iter()
            .find(|event| response["id"] == event.id.to_string());
        event.ok_or_else(|| CommandError::new("the event is no longer in the log"))
    }
}
