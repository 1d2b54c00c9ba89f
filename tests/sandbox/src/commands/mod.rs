//! Commands for everything that the description has no operation for: methods of the library, and `POST /_sandbox/...`.

mod execute;
mod read;
mod trigger;

use std::fmt;

use chrono::{NaiveDate, NaiveTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::customers::users::UserStatus;
use crate::domain::state::Rejected;
use crate::domain::trading::transfers::Direction;
use crate::faults::{Fault, FaultRule};

/// A command to the sandbox. Over HTTP it is `POST /_sandbox/` followed by its name in snake case, with its fields in a
/// JSON body.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Command {
    /// Advances the clock. The response is sent when everything that is due by then has happened.
    Advance {
        /// The number of seconds. It may have decimals.
        seconds: f64,
    },
    /// Creates an account group. Returns its id.
    CreateAccountGroup {
        /// Its id. By default a new one.
        #[serde(default)]
        id: Option<Uuid>,
    },
    /// Puts cash into an account.
    TopUp {
        /// The account.
        account_id: Uuid,
        /// More than 0, with no decimals or two.
        amount: String,
        /// `EUR` unless given.
        #[serde(default)]
        currency: Option<String>,
    },
    /// Links a bank account to an account. Returns its id.
    AddReferenceAccount {
        /// The account.
        account_id: Uuid,
        /// IBAN of the bank account.
        iban: String,
        /// BIC of the bank.
        bic: String,
        /// Name of the holder.
        account_holder: String,
    },
    /// Creates a mandate for direct debits. Returns its id.
    CreateMandate {
        /// The account group.
        account_group_id: Uuid,
        /// IBAN of the bank account to debit.
        iban: String,
    },
    /// Revokes a mandate, so that direct debits with it fail.
    RevokeMandate {
        /// The mandate.
        mandate_id: Uuid,
    },
    /// Takes back the money of a completed direct debit, as a bank does. If it has been spent, the account is in debt.
    ReverseDirectDebit {
        /// The direct debit.
        direct_debit_id: Uuid,
    },
    /// Sets the result of a user's pending checks.
    SetCheckResult {
        /// The user.
        user_id: Uuid,
        /// Whether they pass.
        passes: bool,
    },
    /// Sets the status of a user, such as `BLOCKED`.
    SetUserStatus {
        /// The user.
        user_id: Uuid,
        /// The new status.
        status: UserStatus,
    },
    /// Adds a tradable instrument. Returns its id.
    ListInstrument {
        /// Its ISIN.
        isin: String,
        /// `EQUITY`, `ETF`, `BOND` or `FUND`.
        r#type: InstrumentType,
        /// What sellers get.
        bid: String,
        /// What buyers pay.
        offer: String,
        /// Whether parts of a unit can be traded.
        #[serde(default)]
        fractional: bool,
    },
    /// Sets new prices. Orders that have waited for them are executed.
    SetPrice {
        /// ISIN of the instrument.
        isin: String,
        /// What sellers get.
        bid: String,
        /// What buyers pay.
        offer: String,
    },
    /// Starts or stops trading of an instrument.
    SetTradeable {
        /// ISIN of the instrument.
        isin: String,
        /// Whether it can be traded.
        tradeable: bool,
    },
    /// Sets the opening hours, from Monday to Friday. Orders are executed only in these hours. Other orders wait, and
    /// can be cancelled. Without hours, orders are executed at any time, as is the default.
    SetVenueHours {
        /// The opening time in UTC, such as `08:00`.
        #[serde(default)]
        opens: Option<NaiveTime>,
        /// The closing time in UTC, such as `16:30`.
        #[serde(default)]
        closes: Option<NaiveTime>,
    },
    /// Announces a dividend. Returns the id of the corporate action.
    AnnounceDividend {
        /// ISIN of the instrument.
        isin: String,
        /// Cash for each unit, in the instrument's currency.
        per_unit: String,
        /// The day on which it is paid, to the accounts that hold the instrument at the start of the day.
        ex_date: NaiveDate,
    },
    /// Announces a split. Returns the id of the corporate action.
    AnnounceSplit {
        /// ISIN of the instrument.
        isin: String,
        /// The number of units that replace one, such as `4`, or `0.1` for a reverse split.
        ratio: String,
        /// The day of the split, which takes effect at the start of the day.
        ex_date: NaiveDate,
    },
    /// Starts a securities transfer. Returns its id.
    TransferSecurities {
        /// Whether the securities move to the account or from it.
        direction: Direction,
        /// The account.
        account_id: Uuid,
        /// ISIN of the instrument.
        isin: String,
        /// The number of units.
        quantity: String,
    },
    /// Charges a fee. Returns its id.
    ChargeFee {
        /// The account.
        account_id: Uuid,
        /// The type of the fee, such as `CUSTODY`.
        r#type: String,
        /// More than 0, with no decimals or two, in EUR.
        amount: String,
    },
    /// Creates a report, whose PDF is available a second later. Returns its id.
    CreateReport {
        /// The type of the report, such as `ACCOUNT_STATEMENT`.
        r#type: String,
        /// Whether the report fails.
        #[serde(default)]
        fails: bool,
    },
    /// Creates a treasury report with a PDF. Returns its id.
    CreateTreasuryReport {
        /// The type of the report, such as `TREASURY`.
        r#type: String,
    },
    /// Adds a downloadable file with this text as its content. Returns its id.
    StoreFile {
        /// Its content.
        content: String,
        /// `application/pdf` or `application/octet-stream`, which is the default.
        #[serde(default)]
        media_type: Option<String>,
    },
    /// Registers the public key of a signing key. Answers with the key's id.
    RegisterPublicKey {
        /// PEM, `BEGIN PUBLIC KEY`.
        pem: String,
        /// Its id. By default a new one.
        #[serde(default)]
        key_id: Option<Uuid>,
    },
    /// Creates an enabled subscription of an endpoint to all events. Returns the id of the subscription.
    Subscribe {
        /// The URL of an endpoint on this machine. It may be `http://`.
        url: String,
    },
    /// Triggers an event, with all events before it, for a new user and account. A corporate action affects all
    /// accounts that hold the instrument `IE00B3XXRP09`. The clock is advanced to the event, by eight days at most, so
    /// that tokens may expire. Returns the id of the event, and the id of the resource that it is `about`.
    Trigger {
        /// Its `type` in the official format, such as `ORDER.FILLED`.
        event_type: String,
    },
    /// Delivers an event of the log again.
    ResendEvent {
        /// The event.
        event_id: Uuid,
        /// The subscription to deliver it to.
        webhook_id: Uuid,
    },
    /// Saves the state of all clients in the file of the setting `save`. Answers with the name of the file.
    Save,
    /// Restores the initial state, including the time. Tokens stay valid.
    Reset,
    /// Saves the state in memory, for `restore`.
    Snapshot {
        /// The name of the snapshot. An earlier snapshot with this name is replaced.
        name: String,
    },
    /// Restores the state of a snapshot, including the time. Tokens stay valid.
    Restore {
        /// The name of the snapshot.
        name: String,
    },
    /// Creates a client with its own state, clock, faults and logs. Answers with its `client_id` and
    /// `client_secret`. Calls and commands with its id in the header `upvest-client-id` use this client.
    CreateClient {
        /// The id: letters, digits and hyphens. By default a new UUID.
        #[serde(default)]
        client_id: Option<String>,
        /// The secret. By default a random one.
        #[serde(default)]
        client_secret: Option<String>,
    },
    /// Deletes a client that `create_client` or a setting has created, with its state.
    DeleteClient {
        /// The client.
        client_id: String,
    },
    /// Issues an access token with all scopes, as `/auth/token` does, but without a signature.
    IssueToken,
    /// Revokes all access tokens. Calls with them are answered with 401.
    RevokeTokens,
    /// Signs deliveries with a new key from now on. The latest earlier keys stay in the key set.
    RotateWebhookKeys,
    /// Adds a fault.
    AddFault(FaultRule),
    /// Makes a random fraction of all calls fail. The random numbers depend on the sandbox's seed.
    RandomFaults {
        /// The fraction, from 0 (none) to 1 (all).
        rate: f64,
        /// The faults to choose from. By default a common set.
        #[serde(default)]
        faults: Option<Vec<Fault>>,
    },
    /// Shifts the server's wall clock, with which signatures are checked.
    ShiftClock {
        /// The shift in seconds. If it is positive, the server is ahead. At most a year.
        seconds: i64,
    },
    /// Rejects new connections and resets open ones, or accepts connections again.
    SetOffline {
        /// Whether to go offline. Over HTTP this needs `seconds`, as no later command could be received.
        offline: bool,
        /// The number of seconds of real time after which the sandbox goes back online.
        #[serde(default)]
        seconds: Option<f64>,
    },
    /// Makes webhook deliveries irregular, as Upvest's can be, until the faults are cleared.
    DisturbDeliveries {
        /// Whether each accepted delivery is sent again.
        #[serde(default)]
        repeated: bool,
        /// Whether newer deliveries are sent before older ones. The sandbox collects events for two seconds of its
        /// clock, or until `advance` ends, and then sends the newest delivery first. Within a delivery, the oldest
        /// event is first.
        #[serde(default)]
        reversed: bool,
    },
    /// Sets the status of a resource of a description of your own, sends the event, and plans what follows.
    SetStatus {
        /// The table, which is named like the collection in the paths. Without it, any table.
        #[serde(default)]
        table: Option<String>,
        /// The id of the resource.
        id: String,
        /// One of the statuses that the description lists.
        status: String,
    },
    /// Makes resources of a description of your own, with all of their fields. Returns their ids. The table gets no
    /// others: without this command, some are made when a list that no operation fills is read for the first time.
    Seed {
        /// The table, which is named like the collection in the paths.
        table: String,
        /// How many. One by default, at most 10,000.
        #[serde(default)]
        count: Option<usize>,
        /// Fields that get these values. The schema must allow them.
        #[serde(default)]
        fields: Option<serde_json::Map<String, serde_json::Value>>,
    },
    /// Removes all faults.
    ClearFaults,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Prints only the name, as the fields may contain personal data.
        let command = serde_json::to_value(self).unwrap_or_default();
        f.write_str(command["command"].as_str().unwrap_or("Command"))
    }
}

/// The type of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum InstrumentType {
    /// A share.
    Equity,
    /// An exchange-traded fund.
    Etf,
    /// A debt security.
    Bond,
    /// Any other fund.
    Fund,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the command failed: {0}")]
pub struct CommandError(String);

impl CommandError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }

    pub(crate) fn no_client(id: &str) -> Self {
        Self(format!(
            "there is no client `{id}`; `create_client` creates one"
        ))
    }
}

impl From<Rejected> for CommandError {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::NotFound => Self::new("nothing with this id exists"),
            Rejected::Unknown(field) => Rejected::unknown(&field).into(),
            Rejected::Invalid(problem) | Rejected::Conflict(problem) => Self(problem),
        }
    }
}
