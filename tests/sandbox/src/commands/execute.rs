//! Executes commands. Those about users, orders and money change the [`State`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{Datelike as _, TimeDelta};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};
use upvest_signing::PublicKey;
use uuid::Uuid;

use crate::amount::{self, Currency, EUR};
use crate::commands::{Command, CommandError};
use crate::demo::ACCOUNT_GROUP;
use crate::domain::state::{Rejected, State};
use crate::domain::trading::corporate_actions::Effect;
use crate::domain::trading::instruments::instrument_id;
use crate::domain::trading::transfers::Securities;
use crate::engine::Engine;
use crate::faults::{DeliveryFaults, Fault};
use crate::http::built_in::operation_id;
use crate::http::server::ServerState;
use crate::instant;
use crate::shared::Shared;
use crate::shared::clock::A_CENTURY;

impl Shared {
    /// Executes a command. If it creates something, the response is `{"id": ...}`.
    pub(crate) async fn execute(self: &Arc<Self>, command: Command) -> Result<Value, CommandError> {
        let response = match command {
            Command::Advance { seconds } => {
                self.advance(time_delta(seconds)?).await;
                json!({ "now": instant::text(self.clock.now()) })
            }
            Command::IssueToken => {
                let secret = self.token_secret();
                let now = self.clock.now();
                json!({ "access_token": self.access().issue(secret, now) })
            }
            Command::RegisterPublicKey { pem, key_id } => {
                let key = PublicKey::from_pem(pem)
                    .map_err(|error| CommandError::new(error.to_string()))?;
                let id = key_id.unwrap_or_else(|| self.core().state.timeline.id());
                self.core().public_keys.insert(id.to_string(), key.to_pem());
                self.access().register_key(id.to_string(), key);
                json!({ "id": id })
            }
            Command::Trigger { event_type } if self.setup.description.has_rules() => {
                self.trigger(&event_type).await?
            }
            Command::Trigger { event_type } => self.trigger_described(&event_type).await?,
            Command::SetStatus { table, id, status } => self.with_engine(|engine, state| {
                engine.set_status_of(state, table.as_deref(), &id, &status)?;
                Ok(json!({}))
            })?,
            Command::Seed {
                table,
                count,
                fields,
            } => self.with_engine(|engine, state| {
                let count = count.unwrap_or(1).min(MAX_SEEDS);
                let fields = fields.unwrap_or_default();
                let ids = engine.seed_table(state, &table, count, &Value::Object(fields))?;
                Ok(json!({ "id": ids.first(), "ids": ids }))
            })?,
            Command::Reset => self.restore("").map(nothing).map_err(CommandError::new)?,
            Command::Snapshot { name } if name.is_empty() => {
                return Err(CommandError::new("`name` must not be empty"));
            }
            Command::Snapshot { name } => {
                self.take_snapshot(&name);
                nothing(())
            }
            Command::Restore { name } => self
                .restore(&name)
                .map(nothing)
                .map_err(CommandError::new)?,
            Command::RevokeTokens => {
                self.access().revoke_tokens();
                nothing(())
            }
            Command::RotateWebhookKeys => {
                let rotated = self.webhook_keys().rotate();
                rotated
                    .map(nothing)
                    .map_err(|error| CommandError::new(error.to_string()))?
            }
            Command::AddFault(mut rule) => {
                rule.fault.check().map_err(CommandError::new)?;
                if rule.times == Some(0) {
                    return Err(CommandError::new(
                        "`times` must be at least 1; without it, the fault applies to all calls",
                    ));
                }
                if let Some(name) = &rule.operation {
                    let id = operation_id(&self.setup.description, name).ok_or_else(|| {
                        CommandError::new(format!(
                            "the API has no operation `{name}`; `GET /_sandbox/openapi.json` lists them"
                        ))
                    })?;
                    rule.operation = Some(id.to_owned());
                }
                self.faults().add(rule);
                nothing(())
            }
            Command::RandomFaults { rate, faults } => {
                let faults = faults.unwrap_or_else(Fault::common);
                if !(0.0..=1.0).contains(&rate) {
                    return Err(CommandError::new("`rate` must be between 0 and 1"));
                }
                faults
                    .iter()
                    .try_for_each(Fault::check)
                    .map_err(CommandError::new)?;
                self.faults().at_random(rate, faults);
                nothing(())
            }
            Command::ShiftClock { seconds } => {
                if seconds.unsigned_abs() > MAX_SHIFT {
                    return Err(CommandError::new(
                        "`seconds` must be at most a year, either way",
                    ));
                }
                self.faults().clock_shift = seconds;
                nothing(())
            }
            Command::SetOffline { offline, seconds } => self.set_offline(offline, seconds).await?,
            Command::DisturbDeliveries { repeated, reversed } => {
                self.faults().deliveries = DeliveryFaults { repeated, reversed };
                nothing(())
            }
            Command::ClearFaults => {
                self.back_online();
                self.until_listening(true).await;
                self.faults().clear();
                nothing(())
            }
            command => {
                let now = self.clock.now();
                let mut core = self.core();
                self.catch_up(&mut core, now);
                if !matches!(
                    command,
                    Command::Subscribe { .. } | Command::ResendEvent { .. }
                ) {
                    self.check_rules()?;
                }
                core.state.execute(&self.setup.engine, command)?
            }
        };
        self.wake.notify_one();
        Ok(response)
    }

    /// An error if the rules of the Investment API are not in use, as a description of the user's own is served.
    fn check_rules(&self) -> Result<(), CommandError> {
        if self.setup.description.has_rules() {
            return Ok(());
        }
        let problem = "this command works only with the built-in description of the Investment API; with your own \
                       description, use `seed` and `set_status`";
        Err(CommandError::new(problem))
    }

    /// Executes a command that works only with the user's own description.
    fn with_engine(
        &self,
        execute: impl FnOnce(&Engine, &mut State) -> Result<Value, String>,
    ) -> Result<Value, CommandError> {
        if self.setup.description.has_rules() {
            let problem = "this command works only with your own OpenAPI description; pass one with `--description`";
            return Err(CommandError::new(problem));
        }
        let now = self.clock.now();
        let mut core = self.core();
        self.catch_up(&mut core, now);
        execute(&self.setup.engine, &mut core.state).map_err(CommandError::new)
    }

    /// Creates an account with an invented user, and a bank account for its withdrawals.
    pub(crate) fn demo_account(&self) -> Result<Uuid, CommandError> {
        self.check_rules()?;
        let mut core = self.core();
        let account_id = core.state.demo_account(ACCOUNT_GROUP)?;
        let reference = Command::AddReferenceAccount {
            account_id,
            iban: "DE89370400440532013000".to_owned(),
            bic: "COBADEFFXXX".to_owned(),
            account_holder: "Erika Mustermann".to_owned(),
        };
        core.state.execute(&self.setup.engine, reference)?;
        Ok(account_id)
    }

    async fn set_offline(
        self: &Arc<Self>,
        offline: bool,
        seconds: Option<f64>,
    ) -> Result<Value, CommandError> {
        let back = seconds
            .map(|seconds| time_delta(seconds).map(|it| it.to_std().unwrap_or_default()))
            .transpose()?;
        if offline {
            self.change_state(ServerState::Serving, ServerState::Offline);
            let shared = Arc::clone(self);
            let timer = back.map(|pause| {
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    shared.back_online();
                })
            });
            self.replace_online_timer(timer);
        } else {
            self.back_online();
        }
        self.until_listening(!offline).await;
        Ok(json!({}))
    }

    /// Accepts connections again, unless the sandbox has been stopped meanwhile.
    fn back_online(&self) {
        self.change_state(ServerState::Offline, ServerState::Serving);
    }

    fn change_state(&self, from: ServerState, to: ServerState) {
        self.port.server.send_if_modified(|state| {
            let applies = *state == from;
            if applies {
                *state = to;
            }
            applies
        });
    }

    /// Waits until the server accepts or rejects connections, as the command asked. It gives up after
    /// three seconds, as another program may be using the port.
    async fn until_listening(&self, wanted: bool) {
        let mut listening = self.port.listening.subscribe();
        let patience = Duration::from_secs(3);
        let _ =
            tokio::time::timeout(patience, listening.wait_for(|listens| *listens == wanted)).await;
    }
}

impl State {
    /// Executes the commands that need only the state.
    pub(super) fn execute(
        &mut self,
        engine: &Engine,
        command: Command,
    ) -> Result<Value, CommandError> {
        let add = |state: &mut Self, table: &str, fields: Value, facts: Value| {
            let id = engine.add(state, table, &fields, facts);
            id.map(|id| json!({ "id": id })).map_err(CommandError::new)
        };
        let money = |text: &str| {
            amount::money(text).map_err(|problem| Rejected::invalid("amount", problem))
        };
        let positive = |field: &str, text: &str| {
            amount::positive(text).map_err(|problem| Rejected::invalid(field, problem))
        };
        let price = |field: &str, text: &str| {
            amount::price(text).map_err(|problem| Rejected::invalid(field, problem))
        };
        Ok(match command {
            Command::CreateAccountGroup { id } => {
                if id.is_some_and(|id| self.groups.get(id).is_some()) {
                    return Err(CommandError::new(
                        "an account group with this id already exists",
                    ));
                }
                made(self.create_account_group(id))
            }
            Command::TopUp {
                account_id,
                amount,
                currency,
            } => {
                let currency = currency.map_or(Ok(EUR), |currency| currency.parse::<Currency>());
                let currency =
                    currency.map_err(|problem| Rejected::invalid("currency", problem))?;
                self.top_up(account_id, money(&amount)?, currency)
                    .map(nothing)?
            }
            Command::AddReferenceAccount {
                account_id,
                iban,
                bic,
                account_holder,
            } => {
                self.account(account_id)?;
                let fields = json!({ "account_id": account_id, "iban": iban, "bic": bic,
                    "account_holder": account_holder });
                add(self, "reference_accounts", fields, Value::Null)?
            }
            Command::CreateMandate {
                account_group_id,
                iban,
            } => {
                self.groups.find(account_group_id)?;
                let fields = json!({ "account_group_id": account_group_id, "iban": iban });
                add(self, "mandates", fields, Value::Null)?
            }
            Command::RevokeMandate { mandate_id } => engine
                .end(self, "mandates", mandate_id, "requested by the client")
                .map(nothing)?,
            Command::ReverseDirectDebit { direct_debit_id } => engine
                .end(
                    self,
                    "direct_debits",
                    direct_debit_id,
                    "the bank took it back",
                )
                .map(nothing)?,
            Command::SetCheckResult { user_id, passes } => {
                self.set_check_result(user_id, passes).map(nothing)?
            }
            Command::SetUserStatus { user_id, status } => {
                made(self.set_user_status(user_id, status)?)
            }
            Command::ListInstrument {
                isin,
                r#type,
                bid,
                offer,
                fractional,
            } => {
                let shape = |text: &str| {
                    text.len() == 12
                        && text
                            .bytes()
                            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                };
                if !shape(&isin) {
                    return Err(Rejected::invalid(
                        "isin",
                        "is not an ISIN: twelve capital letters and digits",
                    )
                    .into());
                }
                let kind = serde_json::to_value(r#type).ok();
                let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
                let quote = (price("bid", &bid)?, price("offer", &offer)?);
                made(self.list_instrument(&isin, kind, quote, fractional)?)
            }
            Command::SetPrice { isin, bid, offer } => {
                let bid = price("bid", &bid)?;
                let offer = price("offer", &offer)?;
                self.set_price(instrument_id(&isin), bid, offer)
                    .map(nothing)?
            }
            Command::SetTradeable { isin, tradeable } => self
                .set_tradeable(instrument_id(&isin), tradeable)
                .map(nothing)?,
            Command::SetVenueHours { opens, closes } => {
                self.set_venue_hours(opens, closes).map(nothing)?
            }
            Command::AnnounceDividend { ex_date, .. } | Command::AnnounceSplit { ex_date, .. }
                if !(1970..=9999).contains(&ex_date.year()) =>
            {
                return Err(Rejected::invalid("ex_date", "must be between 1970 and 9999").into());
            }
            Command::AnnounceDividend {
                isin,
                per_unit,
                ex_date,
            } => {
                let effect = Effect::Dividend(positive("per_unit", &per_unit)?);
                let isin = instrument_id(&isin);
                let fields = self.check_corporate_action(isin, effect, ex_date)?;
                add(self, "corporate_actions", fields, json!(effect))?
            }
            Command::AnnounceSplit {
                isin,
                ratio,
                ex_date,
            } => {
                let ratio = positive("ratio", &ratio)?;
                if !(Decimal::new(1, 3)..=Decimal::from(1000)).contains(&ratio) {
                    return Err(Rejected::invalid("ratio", "must be between 0.001 and 1000").into());
                }
                let effect = Effect::Split(ratio);
                let isin = instrument_id(&isin);
                let fields = self.check_corporate_action(isin, effect, ex_date)?;
                add(self, "corporate_actions", fields, json!(effect))?
            }
            Command::TransferSecurities {
                direction,
                account_id,
                isin,
                quantity,
            } => {
                let quantity = positive("quantity", &quantity)?;
                let moves = Securities {
                    account: account_id,
                    instrument: instrument_id(&isin),
                    quantity,
                };
                self.accounts.find_or_reject("account_id", account_id)?;
                self.instruments
                    .find_or_reject("instrument_id", moves.instrument)?;
                let fields = json!({ "direction": direction });
                add(self, "securities_transfers", fields, json!(moves))?
            }
            Command::ChargeFee {
                account_id,
                r#type,
                amount,
            } => {
                let amount = money(&amount)?;
                self.check_fee(account_id, amount)?;
                let fields = json!({ "account_id": account_id, "type": r#type, "amount": amount,
                    "currency": EUR });
                let fee = add(self, "fees", fields, Value::Null)?;
                self.book_fee(account_id, amount);
                fee
            }
            Command::CreateReport { r#type, fails } => {
                let facts = json!({ "fails": fails });
                add(self, "reports", json!({ "type": r#type }), facts)?
            }
            Command::CreateTreasuryReport { r#type } => {
                let file = self.store_report_file(&r#type);
                let fields = json!({ "type": r#type, "file_id": file });
                add(self, "treasury_reports", fields, Value::Null)?
            }
            Command::StoreFile {
                content,
                media_type,
            } => {
                let media_type = media_type.unwrap_or_else(|| FILE_TYPES[0].to_owned());
                if !FILE_TYPES.contains(&media_type.as_str()) {
                    let problem = "must be application/octet-stream or application/pdf";
                    return Err(Rejected::invalid("media_type", problem).into());
                }
                json!({ "id": self.store_file(media_type, Bytes::from(content)) })
            }
            Command::Subscribe { url } => json!({ "id": engine.subscribe(self, &url)? }),
            Command::ResendEvent {
                event_id,
                webhook_id,
            } => self.resend_event(event_id, webhook_id).map(nothing)?,
            // The other commands do not change the state.
            _ => return Err(CommandError::new("this command does not change the state")),
        })
    }
}

/// The most resources that one command makes.
const MAX_SEEDS: usize = 10_000;

/// The largest clock shift: a year, in seconds.
const MAX_SHIFT: u64 = 366 * 86_400;

/// The media types of `retrieveFile`.
const FILE_TYPES: [&str; 2] = ["application/octet-stream", "application/pdf"];

/// The response to a command that creates nothing.
fn nothing((): ()) -> Value {
    json!({})
}

fn made(thing: &impl Serialize) -> Value {
    let thing = serde_json::to_value(thing).unwrap_or_default();
    json!({ "id": thing["id"] })
}

fn time_delta(seconds: f64) -> Result<TimeDelta, CommandError> {
    let duration = Duration::try_from_secs_f64(seconds);
    let delta = duration
        .ok()
        .and_then(|duration| TimeDelta::from_std(duration).ok());
    let delta = delta.filter(|delta| *delta <= A_CENTURY);
    delta.ok_or_else(|| {
        CommandError::new(
            "`seconds` must be between 0 and the number of seconds in a hundred years",
        )
    })
}
