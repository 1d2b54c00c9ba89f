//! What life needs and the description has no operation for: methods of the library, and `POST /_sandbox/...`.

mod execute;
mod shorthands;
mod trigger;

use std::fmt;

use chrono::{NaiveDate, NaiveTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::customers::users::UserStatus;
use crate::domain::state::Refused;
use crate::domain::trading::transfers::Direction;
use crate::faults::{Fault, FaultRule};

/// A command to the sandbox. Over HTTP it is `POST /_sandbox/` and its name in snake case, its fields in a JSON body.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Command {
    /// Turns the clock forward; answers when everything that is due by then has happened.
    Advance {
        /// Seconds, fractions allowed.
        seconds: f64,
    },
    /// Makes an account group. Answers with its id.
    CreateAccountGroup {
        /// Its id; a new one unless given.
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
    /// Links a bank account to an account. Answers with its id.
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
    /// Makes a mandate for direct debits. Answers with its id.
    CreateMandate {
        /// The account group.
        account_group_id: Uuid,
        /// IBAN of the bank account to debit.
        iban: String,
    },
    /// Revokes a mandate: direct debits under it fail.
    RevokeMandate {
        /// The mandate.
        mandate_id: Uuid,
    },
    /// Takes back the money of a completed direct debit, as a bank does. Where it has been spent, the account is in debt.
    ReverseDirectDebit {
        /// The direct debit.
        direct_debit_id: Uuid,
    },
    /// Decides how the checks of a user end that are still under way.
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
    /// Lists another instrument. Answers with its id.
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
    /// Quotes new prices: orders that have waited for them are executed.
    SetPrice {
        /// ISIN of the instrument.
        isin: String,
        /// What sellers get.
        bid: String,
        /// What buyers pay.
        offer: String,
    },
    /// Opens or stops trading in an instrument.
    SetTradeable {
        /// ISIN of the instrument.
        isin: String,
        /// Whether it can be traded.
        tradeable: bool,
    },
    /// Lets orders be executed in these hours alone, from Monday to Friday. Those that come outside of them wait, and can be
    /// cancelled. Without hours, orders are executed at any time, as at the start.
    SetVenueHours {
        /// Such as `08:00`, by UTC.
        #[serde(default)]
        opens: Option<NaiveTime>,
        /// Such as `16:30`, by UTC.
        #[serde(default)]
        closes: Option<NaiveTime>,
    },
    /// Announces a dividend. Answers with the id of the corporate action.
    AnnounceDividend {
        /// ISIN of the instrument.
        isin: String,
        /// Cash for each unit, in the instrument's currency.
        per_unit: String,
        /// The day on which it is paid, to those who hold the instrument as the day begins.
        ex_date: NaiveDate,
    },
    /// Announces a split. Answers with the id of the corporate action.
    AnnounceSplit {
        /// ISIN of the instrument.
        isin: String,
        /// So many units in the place of one, such as `4`, or `0.1` for a reverse split.
        ratio: String,
        /// The day it happens, as it begins.
        ex_date: NaiveDate,
    },
    /// Starts a securities transfer that moves something. Answers with its id.
    TransferSecurities {
        /// To the account or from it.
        direction: Direction,
        /// The account.
        account_id: Uuid,
        /// ISIN of the instrument.
        isin: String,
        /// Units.
        quantity: String,
    },
    /// Charges a fee. Answers with its id.
    ChargeFee {
        /// The account.
        account_id: Uuid,
        /// Such as `CUSTODY`.
        r#type: String,
        /// More than 0, with no decimals or two, in EUR.
        amount: String,
    },
    /// Begins a report, which has a PDF a second later. Answers with its id.
    CreateReport {
        /// Such as `ACCOUNT_STATEMENT`.
        r#type: String,
        /// Whether it ends as `FAILED`.
        #[serde(default)]
        fails: bool,
    },
    /// Makes a treasury report with a PDF. Answers with its id.
    CreateTreasuryReport {
        /// Such as `TREASURY`.
        r#type: String,
    },
    /// Keeps a text file for download. Answers with its id.
    StoreFile {
        /// Its content.
        content: String,
        /// `application/pdf` or, unless given, `application/octet-stream`.
        #[serde(default)]
        media_type: Option<String>,
    },
    /// Registers the public half of a key that requests are signed with. Answers with the key's id.
    RegisterPublicKey {
        /// PEM, `BEGIN PUBLIC KEY`.
        pem: String,
        /// Its id; a new one unless given.
        #[serde(default)]
        key_id: Option<Uuid>,
    },
    /// Subscribes an endpoint to all events, switched on. Answers with the id of the subscription.
    Subscribe {
        /// An endpoint of this machine; `http://` will do.
        url: String,
    },
    /// Makes an event happen, with all that comes before it, for a user and an account of its own; a corporate action pays all
    /// who hold the instrument `IE00B3XXRP09`. The clock is turned forward to the event, by eight days at most, so that tokens
    /// may expire. Answers with the id of the event and that of what it is `about`.
    Trigger {
        /// Its `type` in the official shape, such as `ORDER.FILLED`.
        event_type: String,
    },
    /// Delivers an event once more that is still in the log.
    ResendEvent {
        /// The event.
        event_id: Uuid,
        /// The subscription that gets it again.
        webhook_id: Uuid,
    },
    /// Brings everything back to how it was at the start, the time included. Tokens stay good.
    Reset,
    /// Keeps the state, to come back to by `restore`.
    Snapshot {
        /// A name for it; one that was kept under this name before is replaced.
        name: String,
    },
    /// Brings everything back to how it was at a snapshot, the time included. Tokens stay good.
    Restore {
        /// The name of the snapshot.
        name: String,
    },
    /// Makes a client with a state, a clock, faults and logs of its own, as at the start. Answers with its `client_id` and
    /// `client_secret`. Calls and commands whose header `upvest-client-id` names it are its own.
    CreateClient {
        /// Letters, digits and hyphens; a new UUID unless given.
        #[serde(default)]
        client_id: Option<String>,
        /// A random one unless given.
        #[serde(default)]
        client_secret: Option<String>,
    },
    /// Takes a client away that `create_client` or a setting has made, and all that it has.
    DeleteClient {
        /// The client.
        client_id: String,
    },
    /// Issues an access token with all scopes, as `/auth/token` does, but without a signature.
    IssueToken,
    /// Revokes all access tokens: calls under them are answered with 401.
    RevokeTokens,
    /// Signs deliveries with a new key from now on. The last keys before it stay in the key set.
    RotateWebhookKeys,
    /// Adds a fault.
    AddFault(FaultRule),
    /// Lets a part of all calls go wrong, drawn from the sandbox's seed.
    RandomFaults {
        /// From 0 (none) to 1 (all).
        rate: f64,
        /// The faults to draw from; a common set unless given.
        #[serde(default)]
        faults: Option<Vec<Fault>>,
    },
    /// Shifts the server's time of day, by which signatures are judged.
    ShiftClock {
        /// Positive: the server is ahead. At most a year.
        seconds: i64,
    },
    /// Refuses connections and resets those that are open, or takes them again.
    SetOffline {
        /// Whether to be offline. Over HTTP nobody could bring it back, so that `seconds` has to be given.
        offline: bool,
        /// Back online by itself after so many seconds of real time.
        #[serde(default)]
        seconds: Option<f64>,
    },
    /// Delivers to webhooks as Upvest sometimes does, until the faults are cleared.
    DisturbDeliveries {
        /// Each delivery that was accepted is sent once more.
        #[serde(default)]
        repeated: bool,
        /// The events in a delivery are ordered newest first.
        #[serde(default)]
        reversed: bool,
    },
    /// Takes all faults away.
    ClearFaults,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By its name alone: the fields may hold personal data.
        let command = serde_json::to_value(self).unwrap_or_default();
        f.write_str(command["command"].as_str().unwrap_or("Command"))
    }
}

/// The kind of an instrument.
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

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox cannot do that: {0}")]
pub struct CommandError(String);

impl CommandError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }

    pub(crate) fn no_client(id: &str) -> Self {
        Self(format!("there is no client `{id}`: `create_client` makes one"))
    }
}

impl From<Refused> for CommandError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound => Self::new("nothing has this id"),
            Refused::Invalid(problem) | Refused::Conflict(problem) => Self(problem),
        }
    }
}
