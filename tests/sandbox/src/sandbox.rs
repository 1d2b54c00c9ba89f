//! A running sandbox.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use upvest_ext::signing::SigningKey;
use upvest_ext::{Environment, Upvest, UpvestBuilder};
use uuid::Uuid;

use crate::access::{CLIENT_ID, CLIENT_SECRET, KEY_ID};
use crate::builder::{SandboxBuilder, StartError};
use crate::command::{Command, CommandError};
use crate::control::{self, DEMO_KEY};
use crate::events::EventRecord;
use crate::faults::{Fault, FaultRule};
use crate::http::server::{self, State};
use crate::http::service;
use crate::log::{DeliveryRecord, RequestRecord};
use crate::shared::Shared;
use crate::{Direction, InstrumentType, UserStatus};

/// The account group that every sandbox begins with.
pub(crate) const ACCOUNT_GROUP: Uuid = uuid::uuid!("d9a1c5e0-6b1f-4e0a-8d6c-2f6f1c7a9b10");

/// Longer than anyone waits for.
pub(crate) const A_CENTURY: TimeDelta = TimeDelta::days(36_525);

/// A whole Upvest on a port of this machine. It ends with this value.
///
/// Its clock stands still until it is [advanced](Sandbox::advance), unless it was built with a
/// [speed](SandboxBuilder::speed):
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use upvest_ext::api::types::{OrderCreate, OrderSide, OrderStatus, OrderType};
/// use upvest_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start().await?;
/// let upvest = sandbox.client();
/// let account = sandbox.open_account("1000.00").await?;
///
/// let order = OrderCreate::builder()
///     .account_id(account)
///     .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
///     .side(OrderSide::Buy)
///     .type_(OrderType::Market)
///     .cash_amount("250.00");
/// let order = upvest.create_order().body(order).send().await?;
/// sandbox.advance(Duration::from_secs(2)).await;
///
/// let order = upvest.retrieve_order().order_id(order.id).send().await?;
/// assert_eq!(order.status, Some(OrderStatus::Filled));
/// # Ok(()) }
/// ```
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: Option<JoinHandle<()>>,
    driver: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox on a free port, with the clock standing still and every check switched on.
    ///
    /// # Errors
    ///
    /// [`StartError`] where no port of this machine can be had.
    pub async fn start() -> Result<Self, StartError> {
        SandboxBuilder::default().start().await
    }

    /// Starts building a sandbox with other settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    pub(crate) fn run(shared: Arc<Shared>, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let router = service::routes(&shared).merge(control::routes(&shared));
        let (state, listening) = (shared.server.subscribe(), shared.listening.clone());
        let server = tokio::spawn(server::serve(listener, router, state, listening));
        let alive = Arc::clone(&shared);
        let driver = tokio::spawn(async move { alive.drive().await });
        Ok(Self { shared, address, server: Some(server), driver })
    }

    /// Such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of the client that every sandbox knows.
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// The secret of that client.
    pub fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// The id of the key that this client signs with.
    pub fn key_id(&self) -> &'static str {
        KEY_ID
    }

    /// The private half of that key, as PEM without a passphrase.
    pub fn signing_key_pem(&self) -> &'static str {
        DEMO_KEY
    }

    /// A client of this sandbox: credentials and signing key set, all else as in production.
    ///
    /// # Panics
    ///
    /// Where the operating system cannot set up an HTTP client.
    pub fn client(&self) -> Upvest {
        self.client_builder().build().expect("everything that a client needs is set")
    }

    /// A builder of a client of this sandbox, for other settings.
    ///
    /// # Panics
    ///
    /// Never: address and key are valid.
    pub fn client_builder(&self) -> UpvestBuilder {
        let url = self.url().parse().expect("an address makes a URL");
        let key = SigningKey::from_pem(DEMO_KEY, None).expect("the key of the sandbox is one");
        Upvest::builder(Environment::Custom(url))
            .credentials(CLIENT_ID, CLIENT_SECRET)
            .signing_key(KEY_ID, key)
    }

    /// What the sandbox's clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }

    /// Turns the clock forward, by a hundred years at most. Everything that is due by then has happened when this returns: orders filled, plans
    /// executed, events delivered and, where an endpoint has failed, delivered again.
    pub async fn advance(&self, by: Duration) {
        self.shared.advance(TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX).min(A_CENTURY)).await;
    }

    /// Waits until every event that can be delivered now has been.
    pub async fn settle(&self) {
        self.advance(Duration::ZERO).await;
    }

    /// Carries out a command of the control API.
    ///
    /// # Errors
    ///
    /// [`CommandError`] says what is wrong with it; nothing has changed then.
    pub async fn execute(&self, command: Command) -> Result<Value, CommandError> {
        self.shared.execute(command).await
    }

    async fn make(&self, command: Command) -> Result<Uuid, CommandError> {
        let answer = self.execute(command).await?;
        let id = answer["id"].as_str().and_then(|id| id.parse().ok());
        id.ok_or_else(|| CommandError::new("nothing was made"))
    }

    async fn order(&self, command: Command) -> Result<(), CommandError> {
        self.execute(command).await.map(drop)
    }

    /// The requests so far, oldest first; the last hundred thousand, unless the builder says otherwise.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.requests().records()
    }

    /// The events so far, oldest first; the last ten thousand, unless the builder says otherwise.
    pub fn events(&self) -> Vec<EventRecord> {
        self.shared.events()
    }

    /// The attempts at deliveries so far, oldest first.
    pub fn deliveries(&self) -> Vec<DeliveryRecord> {
        self.shared.deliveries().records()
    }

    /// Everything about the books that does not add up. Empty where all is well, which is always.
    pub fn audit(&self) -> Vec<String> {
        self.shared.core().world.audit()
    }

    /// Writes the state to a file that [`SandboxBuilder::data`] reads, whole or not at all: everything that the API knows of,
    /// idempotency keys, what waits for delivery, and registered public keys. Tokens, faults, the logs of requests and
    /// deliveries, and the keys that sign deliveries are not part of it.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.shared.save(path.as_ref())
    }

    /// Stops in good order: calls that are under way are answered, within five seconds.
    pub async fn stop(mut self) {
        self.shared.server.send_replace(State::Stopping);
        if let Some(server) = self.server.take() {
            let _ = server.await;
        }
    }

    /// As [`Sandbox::stop`], and saves the state as it is then.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub async fn stop_and_save(self, path: impl AsRef<Path>) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        self.stop().await;
        shared.save(path.as_ref())
    }

    /// Stops at once: connections break off, and no new one is taken.
    pub async fn kill(mut self) {
        self.shared.server.send_replace(State::Killed);
        if let Some(server) = self.server.take() {
            let _ = server.await;
        }
    }
}

/// Faults, as methods.
impl Sandbox {
    /// The next call of `operation`, such as `createOrder`, goes wrong.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where the fault is none that can be, such as a server error with the status 404.
    pub async fn fail_next(&self, operation: &str, fault: Fault) -> Result<(), CommandError> {
        let rule = FaultRule { operation: Some(operation.to_owned()), times: Some(1), fault };
        self.order(Command::AddFault(rule)).await
    }

    /// Adds a fault for any operation and any number of calls.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::fail_next`].
    pub async fn add_fault(&self, rule: FaultRule) -> Result<(), CommandError> {
        self.order(Command::AddFault(rule)).await
    }

    /// A part `rate` of all calls goes wrong, by faults drawn from the seed. The nth call gets the nth draw.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::fail_next`], and where `rate` does not lie between 0 and 1.
    pub async fn random_faults(&self, rate: f64, faults: Vec<Fault>) -> Result<(), CommandError> {
        self.order(Command::RandomFaults { rate, faults: Some(faults) }).await
    }

    /// `/auth/token` answers 503 until the faults are cleared.
    pub async fn take_token_endpoint_down(&self) {
        let fault = Fault::ServerError { status: 503, html: false, after_commit: false };
        let rule = FaultRule { operation: Some("createAccessToken".to_owned()), times: None, fault };
        let _ = self.order(Command::AddFault(rule)).await;
    }

    /// Shifts the server's time of day, by which signatures are judged; positive: the server is ahead.
    pub async fn shift_clock(&self, seconds: i64) {
        let _ = self.order(Command::ShiftClock { seconds }).await;
    }

    /// Refuses connections and resets those that are open, until [`Sandbox::clear_faults`].
    pub async fn refuse_connections(&self) {
        let _ = self.order(Command::SetOffline { offline: true, seconds: None }).await;
    }

    /// Takes all faults away.
    pub async fn clear_faults(&self) {
        let _ = self.order(Command::ClearFaults).await;
    }

    /// Revokes all access tokens.
    pub async fn revoke_tokens(&self) {
        let _ = self.order(Command::RevokeTokens).await;
    }

    /// Signs deliveries with a new key from now on.
    ///
    /// # Errors
    ///
    /// [`CommandError`] where the system has no randomness to give.
    pub async fn rotate_webhook_keys(&self) -> Result<(), CommandError> {
        self.order(Command::RotateWebhookKeys).await
    }
}

/// What life needs and the description has no operation for. Ids go in and come out as UUIDs, which the typed ids of the
/// SDK are made from and into.
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
        self.order(Command::TopUp { account_id, amount, currency: None }).await
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
        self.order(Command::SetCheckResult { user_id: user.into(), passes }).await
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
        self.order(Command::SetUserStatus { user_id: user.into(), status }).await
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
        self.order(Command::SetPrice { isin, bid, offer }).await
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

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.server.send_replace(State::Killed);
        self.driver.abort();
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}
