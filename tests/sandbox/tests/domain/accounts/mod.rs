//! Users, accounts, portfolios and savings plans, and the money and the units in them.

mod holdings;
mod payments;
mod people;
mod plans;
mod portfolios;
mod reports;

use crate::plain::{Cash, Plain, cents, decimal, id, number};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use upvest_sandbox::{Direction, InstrumentType, Sandbox};
use uuid::Uuid;

/// Bid 113.03, offer 115.05.
const FUND: &str = "IE00B3XXRP09";
/// Bid and offer 100.
const AT_100: &str = "IE0032077012";
/// At 100 too.
const SHARE: &str = "US0378331005";
/// At 100, in whole units only.
const WHOLE_UNITS: &str = "XF0000000025";

async fn with_cash(cash: &str) -> (Plain, Uuid) {
    let api = Plain::start().await;
    let account = api.sandbox.open_account(cash).await.unwrap();
    (api, account)
}

fn create_user(api: &Plain) -> Uuid {
    let somebody = json!({
        "first_name": "Erika", "last_name": "Mustermann", "email": "erika@example.com",
        "date_of_birth": "1990-12-10", "nationality": "DE",
        "address": { "street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE" },
    });
    id(&api.post("/users", &somebody)).parse().unwrap()
}

fn create_account(api: &Plain, user: Uuid) -> Uuid {
    let group = api.sandbox.account_group();
    let account = api.post(
        "/accounts",
        &json!({ "user_id": user, "account_group_id": group }),
    );
    id(&account).parse().unwrap()
}

fn user_of(api: &Plain, account: Uuid) -> Uuid {
    api.get(&format!("/accounts/{account}"))["user_id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

fn status(api: &Plain, path: &str) -> String {
    api.get(path)["status"].as_str().unwrap().to_owned()
}

/// The status of a resource that can only be read in a list.
fn listed_status(api: &Plain, path: &str, id: &str) -> String {
    let items = api.list(path);
    let item = items
        .iter()
        .find(|item| item["id"] == id)
        .unwrap_or_else(|| panic!("{path} lacks {id}"));
    item["status"].as_str().unwrap().to_owned()
}

async fn trade(api: &Plain, account: Uuid, isin: &str, side: &str, fields: Value) {
    let order = api.order(account, isin, side, &fields);
    api.seconds(5).await;
    assert_eq!(api.order_status(&order), "FILLED");
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The value of an account according to the API.
fn worth(api: &Plain, account: Uuid, isins: &[&str]) -> Decimal {
    let cash = api.cash(account);
    let held = isins
        .iter()
        .map(|isin| cents(api.units(account, isin) * api.bid(isin)));
    cash.available + cash.pending + held.sum::<Decimal>()
}
