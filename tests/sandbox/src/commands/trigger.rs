//! What makes an event of each type happen: the calls and commands behind it, for an account of its own.

use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};
use uuid::Uuid;

use crate::amount::EUR;
use crate::commands::CommandError;
use crate::domain::customers::users::UserStatus;
use crate::domain::events::EventKind;
use crate::domain::state::{Refused, State};
use crate::domain::trading::corporate_actions::Effect;
use crate::domain::trading::instruments::instrument_id;
use crate::domain::trading::transfers::{Direction, Securities};
use crate::sandbox::ACCOUNT_GROUP;
use crate::sandbox::shared::Shared;

/// Savings plans take a week, and nothing longer.
const LONGEST: TimeDelta = TimeDelta::days(8);

impl Shared {
    /// Makes an event happen. Everything before it happens too, and is delivered.
    pub(super) async fn trigger(self: &Arc<Self>, event: &str) -> Result<Value, CommandError> {
        if !EventKind::ALL.iter().any(|kind| kind.official == event) {
            return Err(CommandError::new(format!("the sandbox has no event `{event}`")));
        }
        let account = self.core().state.demo_account(ACCOUNT_GROUP)?;
        let user = self.core().state.account(account)?.view.user_id;
        let check = self.core().state.users.find(user)?.checks.first().map(id_of).unwrap_or_default();
        match event {
            "USER.CREATED" | "USER.ACTIVATED" => return self.until(event, user).await,
            "ACCOUNT.CREATED" | "ACCOUNT.ACTIVATED" => return self.until(event, account).await,
            "USER_CHECK.FAILED" => self.core().state.set_check_result(user, false)?,
            _ => {}
        }
        if event.starts_with("USER_CHECK.") {
            return self.until(event, check).await;
        }
        self.until("ACCOUNT.ACTIVATED", account).await?;
        let household = Household { user, account, tomorrow: self.clock.now().date_naive().succ_opt() };
        let mut before = None;
        if let Some(first) = comes_before(event) {
            let about = self.core().state.begin(first, &household, None)?;
            self.until(first, about).await?;
            before = Some(about);
        }
        let about = self.core().state.begin(event, &household, before)?;
        self.until(event, about).await
    }

    /// Turns the clock forward until an event of this type has happened to what has this id, or names it.
    async fn until(self: &Arc<Self>, event: &str, id: Uuid) -> Result<Value, CommandError> {
        let (latest, name) = (self.clock.after(LONGEST), id.to_string());
        loop {
            let happened = self.core().state.time.events.recent.iter().rev().find_map(|it| {
                let is_it = it.kind.official == event && (it.about == id || it.object.get().contains(&name));
                is_it.then(|| json!({ "id": it.id, "about": it.about }))
            });
            if let Some(happened) = happened {
                return Ok(happened);
            }
            let next = self.core().state.time.next_due().filter(|next| *next <= latest);
            let next =
                next.ok_or_else(|| CommandError::new(format!("`{event}` has not happened within a week, or has left the log of events, which holds too few")))?;
            self.advance(next - self.clock.now()).await;
        }
    }
}

/// Whose life the event is a part of.
struct Household {
    user: Uuid,
    account: Uuid,
    tomorrow: Option<NaiveDate>,
}

/// The event that has to have happened before, where it takes time.
fn comes_before(event: &str) -> Option<&'static str> {
    match event.split_once('.')? {
        ("ORDER_CANCELLATION", "REJECTED") => Some("ORDER.FILLED"),
        ("DIRECT_DEBIT", "REVERSED") => Some("DIRECT_DEBIT.COMPLETED"),
        // Without shares there would be nothing to sell, to balance or to pay for.
        ("LIQUIDATION" | "ACCOUNT_LIQUIDATION" | "REBALANCING" | "CORPORATE_ACTION", _) => {
            Some("SECURITIES_TRANSFER.COMPLETED")
        }
        _ => None,
    }
}

impl State {
    /// Begins what the event comes of, after `before`. Answers with the id of what it will be about, or of what that names.
    fn begin(&mut self, event: &str, home: &Household, before: Option<Uuid>) -> Result<Uuid, Refused> {
        let (resource, word) = event.split_once('.').unwrap_or((event, ""));
        let Household { user, account, .. } = *home;
        // What fails, fails for want of money, units or permission.
        let fails = matches!(word, "FAILED" | "REJECTED") || event == "PORTFOLIO_ORDER.CANCELLED";
        let instrument = instrument_id("IE00B3XXRP09");
        let body = json!({ "account_id": account, "user_id": user, "account_group_id": ACCOUNT_GROUP,
            "instrument_id": instrument, "cash_amount": if fails { "5000.00" } else { "100.00" }, "currency": "EUR" });
        let with = |more: Value| {
            let mut body = body.clone();
            body.as_object_mut()
                .into_iter()
                .zip(more.as_object())
                .for_each(|(it, more)| it.extend(more.clone()));
            body
        };
        // An account with cash would not close.
        if word != "CLOSED" {
            self.top_up(account, Decimal::ONE_THOUSAND, EUR)?;
        }
        Ok(match (resource, word) {
            ("USER", "DATA_CHANGED") => {
                id_of(self.update_user(user, read(json!({ "first_name": "Petra" }))?)?)
            }
            ("USER", "DEACTIVATED") => id_of(self.set_user_status(user, UserStatus::Blocked)?),
            ("USER", _) => id_of(self.set_user_status(user, UserStatus::Closed)?),
            ("ACCOUNT", "UPDATED") => id_of(self.update_account(account, read(json!({}))?)?),
            ("ACCOUNT", _) => {
                self.close_account(account)?;
                account
            }
            ("ACCOUNT_GROUP", _) => id_of(self.create_account_group(None)),
            ("CASH_BALANCE" | "CASH_TRANSACTION" | "ACCOUNT_VALUATION", _) => account,
            ("ORDER" | "ORDER_CANCELLATION" | "EXECUTION" | "POSITION", _) => {
                let new = read(with(json!({ "side": "BUY", "type": "MARKET" })))?;
                let order = before.map_or_else(|| self.create_order(&new).map(|order| order.id), Ok)?;
                let cancels = resource == "ORDER_CANCELLATION" || word == "CANCELLED";
                let cancellation = cancels.then(|| self.cancel_order(order).map(id_of)).transpose()?;
                match resource {
                    "POSITION" => account,
                    "ORDER_CANCELLATION" => cancellation.unwrap_or_default(),
                    _ => order,
                }
            }
            ("PORTFOLIO" | "PORTFOLIO_ALLOCATION" | "PORTFOLIO_ORDER" | "REBALANCING", _) => {
                let in_all = json!([{ "instrument_id": instrument, "weight": "1" }]);
                let new = read(json!({ "account_id": account, "name": "All", "allocations": in_all }))?;
                let portfolio = self.create_portfolio(new).map(id_of)?;
                match (resource, word) {
                    ("PORTFOLIO", "UPDATED") => {
                        id_of(self.rename_portfolio(portfolio, read(json!({ "name": "Most" }))?)?)
                    }
                    ("PORTFOLIO", "CLOSED") => {
                        self.close_account(account)?;
                        portfolio
                    }
                    ("PORTFOLIO_ALLOCATION", _) => {
                        self.replace_allocations(portfolio, read(json!({ "allocations": in_all }))?)?;
                        portfolio
                    }
                    ("PORTFOLIO_ORDER", _) => id_of(self.create_portfolio_order(portfolio, &read(body)?)?),
                    ("REBALANCING", _) => {
                        self.then_block(fails, user, |state| state.create_rebalancing(portfolio).map(id_of))?
                    }
                    _ => portfolio,
                }
            }
            ("LIQUIDATION" | "ACCOUNT_LIQUIDATION", _) => {
                let new = read(json!({ "type": "FULL" }))?;
                self.then_block(fails, user, |state| state.create_liquidation(account, &new).map(id_of))?
            }
            ("SAVINGS_PLAN", _) => {
                let plan = id_of(self.create_savings_plan(read(with(json!({ "frequency": "WEEKLY" })))?)?);
                let statuses: &[_] = match word {
                    "PAUSED" => &["PAUSED"],
                    "RESUMED" => &["PAUSED", "ACTIVE"],
                    "CANCELLED" => &["CANCELLED"],
                    "UPDATED" => &["ACTIVE"],
                    _ => &[],
                };
                for status in statuses {
                    self.update_savings_plan(plan, &read(json!({ "status": status }))?)?;
                }
                plan
            }
            ("DIRECT_DEBIT", "REVERSED") => {
                let debit = before.unwrap_or_default();
                self.reverse_direct_debit(debit)?;
                debit
            }
            ("MANDATE" | "DIRECT_DEBIT", _) => {
                let mandate = id_of(self.create_mandate(ACCOUNT_GROUP, "DE89370400440532013000".to_owned())?);
                let debit = read(with(json!({ "mandate_id": mandate })))?;
                let debit = (resource == "DIRECT_DEBIT")
                    .then(|| self.create_direct_debit(debit).map(id_of))
                    .transpose()?;
                if fails || word == "REVOKED" {
                    self.revoke_mandate(mandate)?;
                }
                debit.unwrap_or(mandate)
            }
            ("WITHDRAWAL", _) => id_of(self.create_withdrawal(read(body)?)?),
            ("SECURITIES_TRANSFER", _) => {
                let direction = if fails { Direction::Outbound } else { Direction::Inbound };
                let ten = Securities { account, instrument, quantity: Decimal::TEN };
                id_of(self.create_securities_transfer(direction, Some(ten))?)
            }
            ("ACCOUNT_TRANSFER", _) => {
                let target = if fails { account } else { self.create_account(read(body)?)?.id };
                let transfer = json!({ "source_account_id": account, "target_account_id": target });
                id_of(self.create_account_transfer(&read(transfer)?)?)
            }
            ("CORPORATE_ACTION", _) => {
                let dividend = Effect::Dividend(Decimal::ONE);
                id_of(self.announce(instrument, dividend, home.tomorrow.unwrap_or_default())?)
            }
            ("REPORT", _) => id_of(self.create_report("ACCOUNT_STATEMENT".to_owned(), fails)),
            ("TREASURY_REPORT", _) => id_of(self.create_treasury_report("TREASURY".to_owned())),
            ("FEE_COLLECTION", _) => id_of(self.charge_fee(account, "CUSTODY".to_owned(), Decimal::ONE)?),
            _ => return Err(Refused::Invalid(format!("nothing is known that makes `{event}` happen"))),
        })
    }

    /// Makes something and, where it is to fail, blocks the user before it is worked off.
    fn then_block(
        &mut self,
        fails: bool,
        user: Uuid,
        make: impl FnOnce(&mut Self) -> Result<Uuid, Refused>,
    ) -> Result<Uuid, Refused> {
        let made = make(self)?;
        if fails {
            self.set_user_status(user, UserStatus::Blocked)?;
        }
        Ok(made)
    }
}

/// A body as a call sends it.
fn read<T: DeserializeOwned>(body: Value) -> Result<T, Refused> {
    from_value(body).map_err(|error| Refused::Invalid(error.to_string()))
}

/// The id of what has been made.
fn id_of(made: &impl Serialize) -> Uuid {
    let made = serde_json::to_value(made).unwrap_or_default();
    made["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default()
}
