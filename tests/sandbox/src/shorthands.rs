//! Commands and faults as methods of [`Sandbox`]. Ids go in and come out as UUIDs, which the typed ids of the SDK are made
//! from and into.

use std::time::Duration;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::command::{Command, CommandError, InstrumentType};
use crate::faults::{Fault, FaultRule};
use crate::life::transfers::Direction;
use crate::life::users::UserStatus;
use crate::sandbox::{ACCOUNT_GROUP, Sandbox};

/// Faults, as methods.
impl Sandbox {
    /// The next call of `operation`, such as `createOrder`, goes wrong.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where the fault is none that can be, such as a server error with the status 404.
    pub async fn fail_next(&self, operation: &str, fault: Fault) -> Result<(), CommandError> {
        let rule = FaultRule { operation: Some(operation.to_owned()), times: Some(1), fault };
        self.command(Command::AddFault(rule)).await
    }

    /// Adds a fault for any operation and any number of calls.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::fail_next`].
    pub async fn add_fault(&self, rule: FaultRule) -> Result<(), CommandError> {
        self.command(Command::AddFault(rule)).await
    }

    /// A part `rate` of all calls goes wrong, by faults drawn from the seed. The nth call gets the nth draw.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::fail_next`], and where `rate` does not lie between 0 and 1.
    pub async fn random_faults(&self, rate: f64, faults: Vec<Fault>) -> Result<(), CommandError> {
        self.command(Command::RandomFaults { rate, faults: Some(faults) }).await
    }

    /// `/auth/token` answers 503 until the faults are cleared.
    pub async fn take_token_endpoint_down(&self) {
        let fault = Fault::ServerError { status: 503, html: false, after_commit: false };
        let rule = FaultRule { operation: Some("createAccessToken".to_owned()), times: None, fault };
        let _ = self.command(Command::AddFault(rule)).await;
    }

    /// Shifts the server's time of day, by which signatures are judged; positive: the server is ahead.
    pub async fn shift_clock(&self, seconds: i64) {
        let _ = self.command(Command::ShiftClock { seconds }).await;
    }

    /// Refuses connections and resets those that are open, until [`Sandbox::clear_faults`].
    pub async fn refuse_connections(&self) {
        let _ = self.command(Command::SetOffline { offline: true, seconds: None }).await;
    }

    /// Takes all faults away.
    pub async fn clear_faults(&self) {
        let _ = self.command(Command::ClearFaults).await;
    }

    /// Revokes all access tokens.
    pub async fn revoke_tokens(&self) {
        let _ = self.command(Command::RevokeTokens).await;
    }

    /// Signs deliveries with a new key from now on.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where the system has no randomness to give.
    pub async fn rotate_webhook_keys(&self) -> Result<(), CommandError> {
        self.command(Command::RotateWebhookKeys).await
    }
}

/// What life needs and the description has no operation for.
impl Sandbox {
    /// The id of a listed instrument: the same in every sandbox.
    pub fn instrument(isin: &str) -> Uuid {
        crate::life::instruments::instrument_id(isin)
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
    /// [`CommandError`] where the amount is none.
    pub async fn open_account(&self, cash: &str) -> Result<Uuid, CommandError> {
        let account = self.shared.core().world.demo_account(ACCOUNT_GROUP)?;
        self.advance(Duration::from_secs(2)).await;
        self.top_up(account, cash).await?;
        Ok(account)
    }

    /// Makes an account group.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    pub async fn create_account_group(&self) -> Result<Uuid, CommandError> {
        self.make(Command::CreateAccountGroup { id: None }).await
    }

    /// Puts cash in EUR into an account.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such account, or the amount is none.
    pub async fn top_up(&self, account: impl Into<Uuid>, amount: &str) -> Result<(), CommandError> {
        let (account_id, amount) = (account.into(), amount.to_owned());
        self.command(Command::TopUp { account_id, amount, currency: None }).await
    }

    /// Makes a mandate for direct debits from `iban`.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such account group.
    pub async fn create_mandate(
        &self,
        account_group: impl Into<Uuid>,
        iban: &str,
    ) -> Result<Uuid, CommandError> {
        self.make(Command::CreateMandate { account_group_id: account_group.into(), iban: iban.to_owned() })
            .await
    }

    /// Decides how the checks of a user end that are still under way.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such user.
    pub async fn set_check_result(&self, user: impl Into<Uuid>, passes: bool) -> Result<(), CommandError> {
        self.command(Command::SetCheckResult { user_id: user.into(), passes }).await
    }

    /// Sets the status of a user.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such user.
    pub async fn set_user_status(
        &self,
        user: impl Into<Uuid>,
        status: UserStatus,
    ) -> Result<(), CommandError> {
        self.command(Command::SetUserStatus { user_id: user.into(), status }).await
    }

    /// Lists another instrument.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where it is listed already, or a price is none.
    pub async fn list_instrument(
        &self,
        isin: &str,
        kind: InstrumentType,
        bid: &str,
        offer: &str,
    ) -> Result<Uuid, CommandError> {
        let (isin, bid, offer) = (isin.to_owned(), bid.to_owned(), offer.to_owned());
        self.make(Command::ListInstrument { isin, r#type: kind, bid, offer, fractional: true }).await
    }

    /// Quotes new prices for an instrument.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such instrument, or a price is none.
    pub async fn set_price(&self, isin: &str, bid: &str, offer: &str) -> Result<(), CommandError> {
        let (isin, bid, offer) = (isin.to_owned(), bid.to_owned(), offer.to_owned());
        self.command(Command::SetPrice { isin, bid, offer }).await
    }

    /// Announces a dividend, paid as `ex_date` begins.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such instrument, or the amount is none.
    pub async fn announce_dividend(
        &self,
        isin: &str,
        per_unit: &str,
        ex_date: NaiveDate,
    ) -> Result<Uuid, CommandError> {
        let (isin, per_unit) = (isin.to_owned(), per_unit.to_owned());
        self.make(Command::AnnounceDividend { isin, per_unit, ex_date }).await
    }

    /// Announces a split into `ratio` units, as `ex_date` begins.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such instrument, or the ratio is none.
    pub async fn announce_split(
        &self,
        isin: &str,
        ratio: &str,
        ex_date: NaiveDate,
    ) -> Result<Uuid, CommandError> {
        self.make(Command::AnnounceSplit { isin: isin.to_owned(), ratio: ratio.to_owned(), ex_date }).await
    }

    /// Starts a securities transfer that moves units to an account or from it.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where there is no such account or instrument.
    pub async fn transfer_securities(
        &self,
        direction: Direction,
        account: impl Into<Uuid>,
        isin: &str,
        quantity: &str,
    ) -> Result<Uuid, CommandError> {
        let (account_id, isin, quantity) = (account.into(), isin.to_owned(), quantity.to_owned());
        self.make(Command::TransferSecurities { direction, account_id, isin, quantity }).await
    }

    /// Charges a fee in EUR.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where the account has less than that.
    pub async fn charge_fee(
        &self,
        account: impl Into<Uuid>,
        kind: &str,
        amount: &str,
    ) -> Result<Uuid, CommandError> {
        let (account_id, amount) = (account.into(), amount.to_owned());
        self.make(Command::ChargeFee { account_id, r#type: kind.to_owned(), amount }).await
    }

    /// Subscribes an endpoint of this machine to all events, switched on.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where the URL is none.
    pub async fn subscribe(&self, url: &str) -> Result<Uuid, CommandError> {
        self.make(Command::Subscribe { url: url.to_owned() }).await
    }

    /// Begins a report, which has a PDF a second later.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    pub async fn create_report(&self, kind: &str) -> Result<Uuid, CommandError> {
        self.make(Command::CreateReport { r#type: kind.to_owned(), fails: false }).await
    }
}

impl Sandbox {
    async fn make(&self, command: Command) -> Result<Uuid, CommandError> {
        let answer = self.execute(command).await?;
        let id = answer["id"].as_str().and_then(|id| id.parse().ok());
        id.ok_or_else(|| CommandError::new("nothing was made"))
    }

    async fn command(&self, command: Command) -> Result<(), CommandError> {
        self.execute(command).await.map(drop)
    }
}
