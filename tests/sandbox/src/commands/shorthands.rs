//! Commands and faults as methods of [`Sandbox`]. Ids go in and come out as UUIDs, which the typed ids of the SDK are made
//! from and into.

use std::time::Duration;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::commands::{Command, CommandError, InstrumentType};
use crate::domain::customers::users::UserStatus;
use crate::domain::trading::transfers::Direction;
use crate::events::EventRecord;
use crate::faults::{Fault, FaultRule};
use crate::sandbox::{ACCOUNT_GROUP, Sandbox};

/// Methods that carry out one command: those that answer with the id of what is made, with nothing, or cannot fail.
macro_rules! shorthands {
    ($($(#[$doc:meta])* $kind:ident $name:ident($($argument:ident: $type:ty),*) = $command:expr;)+) => {
        impl Sandbox {
            $(shorthands!(@$kind $(#[$doc])* $name($($argument: $type),*) = $command);)+
        }
    };
    (@make $(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) = $command:expr) => {
        $(#[$doc])*
        pub async fn $name(&self, $($argument: $type),*) -> Result<Uuid, CommandError> {
            let answer = self.execute($command).await?;
            let id = answer["id"].as_str().and_then(|id| id.parse().ok());
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
    /// The next call of `operation`, such as `createOrder`, goes wrong.
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

    /// A part `rate` of all calls goes wrong, by faults drawn from the seed. The nth call gets the nth draw.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::fail_next`], and where `rate` does not lie between 0 and 1.
    act random_faults(rate: f64, faults: Vec<Fault>) = Command::RandomFaults { rate, faults: Some(faults) };

    /// `/auth/token` answers 503 until the faults are cleared.
    always take_token_endpoint_down() =
        Command::AddFault(FaultRule {
        operation: Some("createAccessToken".to_owned()),
        times: None,
        fault: Fault::ServerError { status: 503, html: false, after_commit: false },
    });

    /// Shifts the server's time of day, by which signatures are judged; positive: the server is ahead.
    always shift_clock(seconds: i64) = Command::ShiftClock { seconds };

    /// Refuses connections and resets those that are open, until [`Sandbox::clear_faults`].
    always refuse_connections() = Command::SetOffline { offline: true, seconds: None };

    /// Delivers to webhooks as Upvest sometimes does, until [`Sandbox::clear_faults`]: each delivery comes `repeated`, or its events
    /// stand `reversed` in it.
    always disturb_deliveries(repeated: bool, reversed: bool) = Command::DisturbDeliveries { repeated, reversed };

    /// Takes all faults away.
    always clear_faults() = Command::ClearFaults;

    /// Revokes all access tokens.
    always revoke_tokens() = Command::RevokeTokens;

    /// Signs deliveries with a new key from now on.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the system has no randomness to give.
    act rotate_webhook_keys() = Command::RotateWebhookKeys;

    /// Makes an account group.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    make create_account_group() = Command::CreateAccountGroup { id: None };

    /// Puts cash in EUR into an account.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such account, or the amount is invalid.
    act top_up(account: impl Into<Uuid>, amount: &str) =
        Command::TopUp { account_id: account.into(), amount: amount.into(), currency: None };

    /// Makes a mandate for direct debits from `iban`.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such account group.
    make create_mandate(account_group: impl Into<Uuid>, iban: &str) =
        Command::CreateMandate { account_group_id: account_group.into(), iban: iban.into() };

    /// Decides how the checks of a user end that are still under way.
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

    /// Lists another instrument.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where it is listed already, or a price is invalid.
    make list_instrument(isin: &str, kind: InstrumentType, bid: &str, offer: &str) =
        Command::ListInstrument {
        isin: isin.into(),
        r#type: kind,
        bid: bid.into(),
        offer: offer.into(),
        fractional: true,
    };

    /// Quotes new prices for an instrument.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such instrument, or a price is invalid.
    act set_price(isin: &str, bid: &str, offer: &str) =
        Command::SetPrice { isin: isin.into(), bid: bid.into(), offer: offer.into() };

    /// Announces a dividend, paid as `ex_date` begins.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such instrument, or the amount is invalid.
    make announce_dividend(isin: &str, per_unit: &str, ex_date: NaiveDate) =
        Command::AnnounceDividend { isin: isin.into(), per_unit: per_unit.into(), ex_date };

    /// Announces a split into `ratio` units, as `ex_date` begins.
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
    /// [`CommandError`] if the account has less than that.
    make charge_fee(account: impl Into<Uuid>, kind: &str, amount: &str) =
        Command::ChargeFee { account_id: account.into(), r#type: kind.into(), amount: amount.into() };

    /// Subscribes an endpoint of this machine to all events, switched on.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the URL is invalid.
    make subscribe(url: &str) = Command::Subscribe { url: url.into() };

    /// Delivers an event once more to a subscription.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the log has no such event any more, or there is no such subscription.
    act resend_event(event: Uuid, webhook: impl Into<Uuid>) =
        Command::ResendEvent { event_id: event, webhook_id: webhook.into() };

    /// Brings everything back to how it was at the start, the time included. Tokens stay good.
    always reset() = Command::Reset;

    /// Keeps the state, to come back to by [`Sandbox::restore`].
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the name is empty.
    act snapshot(name: &str) = Command::Snapshot { name: name.into() };

    /// Brings everything back to how it was at a snapshot, the time included. Tokens stay good.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if there is no such snapshot.
    act restore(name: &str) = Command::Restore { name: name.into() };

    /// Begins a report, which has a PDF a second later.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    make create_report(kind: &str) = Command::CreateReport { r#type: kind.into(), fails: false };
}

/// What life needs and the description has no operation for.
impl Sandbox {
    /// The id of a listed instrument: the same in every sandbox.
    pub fn instrument(isin: &str) -> Uuid {
        crate::domain::trading::instruments::instrument_id(isin)
    }

    /// The account group that every sandbox begins with, open to all users.
    pub fn account_group(&self) -> Uuid {
        ACCOUNT_GROUP
    }

    /// An account that is open, of a user that is active, with so much cash in EUR. The clock is advanced by two seconds
    /// for it.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the amount is invalid.
    pub async fn open_account(&self, cash: &str) -> Result<Uuid, CommandError> {
        let account = self.shared.core().state.demo_account(ACCOUNT_GROUP)?;
        self.advance(Duration::from_secs(2)).await;
        self.top_up(account, cash).await?;
        Ok(account)
    }

    /// Makes an event happen, with all that comes before it, for a user and an account of its own: see [`Command::Trigger`].
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the sandbox has no event of this type, such as `ORDER.FILLED`, or keeps too few of them.
    pub async fn trigger(&self, event_type: &str) -> Result<EventRecord, CommandError> {
        let answer = self.execute(Command::Trigger { event_type: event_type.to_owned() }).await?;
        let event = self.events().into_iter().find(|event| answer["id"] == event.id.to_string());
        event.ok_or_else(|| CommandError::new("the event has left the log already"))
    }
}
