//! The lives of users, accounts, portfolios and savings plans, and of the money and the units in them.

mod plain;

use chrono::NaiveDate;
use plain::{Plain, cents, decimal, id, number};
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
    let account = api.post("/accounts", &json!({ "user_id": user, "account_group_id": group }));
    id(&account).parse().unwrap()
}

fn user_of(api: &Plain, account: Uuid) -> Uuid {
    api.get(&format!("/accounts/{account}"))["user_id"].as_str().unwrap().parse().unwrap()
}

fn status(api: &Plain, path: &str) -> String {
    api.get(path)["status"].as_str().unwrap().to_owned()
}

/// The status of a thing that can only be listed.
fn listed_status(api: &Plain, path: &str, id: &str) -> String {
    let items = api.list(path);
    let item = items.iter().find(|item| item["id"] == id).unwrap_or_else(|| panic!("{path} lacks {id}"));
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

/// What an account is worth by what the API says about it.
fn worth(api: &Plain, account: Uuid, isins: &[&str]) -> Decimal {
    let (available, pending) = api.cash(account);
    let held = isins.iter().map(|isin| cents(api.units(account, isin) * api.bid(isin)));
    available + pending + held.sum::<Decimal>()
}

// ---- Users and accounts -------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_user_becomes_active_when_the_check_has_passed() {
    let api = Plain::start().await;
    let user = create_user(&api);
    assert_eq!(status(&api, &format!("/users/{user}")), "PENDING");
    let checks = api.list(&format!("/users/{user}/checks"));
    assert_eq!((checks.len(), &checks[0]["type"]), (1, &json!("KYC")));
    assert_eq!(checks[0]["status"], "PENDING");
    assert_eq!(checks[0].get("completed_at"), None);
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/users/{user}")), "ACTIVE");
    let checks = api.list(&format!("/users/{user}/checks"));
    assert_eq!(checks[0]["status"], "PASSED");
    assert_eq!(checks[0]["completed_at"], "2024-01-31T09:00:01Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_check_fails_is_blocked_and_gets_no_account() {
    let api = Plain::start().await;
    let user = create_user(&api);
    let account = create_account(&api, user);
    api.sandbox.set_check_result(user, false).await.unwrap();
    api.days(1).await;
    assert_eq!(status(&api, &format!("/users/{user}")), "BLOCKED");
    assert_eq!(api.list(&format!("/users/{user}/checks"))[0]["status"], "FAILED");
    assert_eq!(status(&api, &format!("/accounts/{account}")), "PENDING");
    api.sandbox.set_user_status(user, upvest_sandbox::UserStatus::Active).await.unwrap();
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "OPEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_opens_once_its_user_is_active() {
    let api = Plain::start().await;
    let user = create_user(&api);
    let first = create_account(&api, user);
    assert_eq!(status(&api, &format!("/accounts/{first}")), "PENDING");
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/accounts/{first}")), "PENDING");
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/accounts/{first}")), "OPEN");
    let second = create_account(&api, user);
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/accounts/{second}")), "OPEN");
    let accounts = api.get(&format!("/users/{user}/accounts"));
    assert_eq!(accounts["meta"]["total"], 2);
    let events = api.events_of(&first.to_string());
    assert_eq!(events, ["ACCOUNT.CREATED", "ACCOUNT.ACTIVATED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_blocked_meanwhile_gets_no_account() {
    let api = Plain::start().await;
    let user = create_user(&api);
    api.seconds(1).await;
    let account = create_account(&api, user);
    api.sandbox.set_user_status(user, upvest_sandbox::UserStatus::Blocked).await.unwrap();
    api.seconds(10).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "PENDING");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_account_closes_at_once_and_takes_no_money_then() {
    let api = Plain::start().await;
    let account = create_account(&api, create_user(&api));
    api.seconds(2).await;
    assert_eq!(api.call("DELETE", &format!("/accounts/{account}"), None), (204, Value::Null));
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "CLOSED");
    assert!(api.sandbox.top_up(account, "1.00").await.is_err());
    assert_eq!(api.cash(account), (number("0"), number("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_closes_when_units_and_cash_are_gone() {
    let (api, account) = with_cash("1000.00").await;
    trade(&api, account, AT_100, "BUY", json!({ "cash_amount": "400" })).await;
    api.call("DELETE", &format!("/accounts/{account}"), None);
    api.days(1).await;
    let path = format!("/accounts/{account}");
    assert_eq!(status(&api, &path), "CLOSING");
    // Nothing more comes in.
    let order = api.order(account, AT_100, "BUY", &json!({ "cash_amount": "100" }));
    api.seconds(5).await;
    assert_eq!(api.order_status(&order), "REJECTED");
    trade(&api, account, AT_100, "SELL", json!({ "quantity": "4" })).await;
    assert_eq!(status(&api, &path), "CLOSING");
    withdraw(&api, account, "1000.00").await;
    api.seconds(1).await;
    assert_eq!(status(&api, &path), "CLOSED");
    assert_eq!(api.list(&format!("/accounts/{account}/valuations")).len(), 1);
    api.days(2).await;
    assert_eq!(api.list(&format!("/accounts/{account}/valuations")).len(), 1);
}

// ---- Portfolios ---------------------------------------------------------------------------------------------------

fn allocations(weights: &[(&str, &str)]) -> Value {
    weights
        .iter()
        .map(|(isin, weight)| json!({ "instrument_id": Sandbox::instrument(isin), "weight": weight }))
        .collect()
}

fn create_portfolio(api: &Plain, account: Uuid, weights: &[(&str, &str)]) -> String {
    let body = json!({ "account_id": account, "name": "Mine", "allocations": allocations(weights) });
    id(&api.post("/portfolios", &body))
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_must_sum_to_one() {
    let (api, account) = with_cash("1000.00").await;
    let good = [(FUND, "0.3333"), (AT_100, "0.3333"), (SHARE, "0.3334")];
    let portfolio = create_portfolio(&api, account, &good);
    let path = format!("/portfolios/{portfolio}/allocations");
    let bad: [&[(&str, &str)]; 8] = [
        &[],
        &[(FUND, "0.9999")],
        &[(FUND, "0.3333"), (AT_100, "0.3333"), (SHARE, "0.3333")],
        &[(FUND, "0.5"), (AT_100, "0.5000000001")],
        &[(FUND, "0.5"), (FUND, "0.5")],
        &[(FUND, "1"), (AT_100, "0")],
        &[(FUND, "1.5"), (AT_100, "-0.5")],
        &[("XX0000000000", "1")],
    ];
    for weights in bad {
        let body = json!({ "account_id": account, "name": "Mine", "allocations": allocations(weights) });
        assert!(api.refused("POST", "/portfolios", &body).contains("`allocations"), "{weights:?}");
        api.refused("PUT", &path, &json!({ "allocations": allocations(weights) }));
    }
    assert_eq!(api.list("/portfolios").len(), 1);
    assert_eq!(Value::Array(api.list(&path)), allocations(&good));
    let other = json!({ "allocations": allocations(&[(FUND, "0.25"), (SHARE, "0.75")]) });
    assert_eq!(api.call("PUT", &path, Some(&other)).0, 200);
    assert_eq!(Value::Array(api.list(&path)), other["allocations"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portfolio_order_is_split_to_the_cent() {
    let (api, account) = with_cash("1000.00").await;
    let thirds = [(FUND, "0.3333"), (AT_100, "0.3333"), (SHARE, "0.3334")];
    let portfolio = create_portfolio(&api, account, &thirds);
    let parts = [("100.00", ["33.33", "33.33", "33.34"]), ("0.10", ["0.04", "0.03", "0.03"])];
    for (placed, (amount, expected)) in parts.into_iter().enumerate() {
        let body = json!({ "cash_amount": amount, "currency": "EUR" });
        let order = api.post(&format!("/portfolios/{portfolio}/orders"), &body);
        assert_eq!(order["status"], "NEW");
        api.seconds(5).await;
        let orders = api.list(&format!("/orders?account_id={account}"));
        let amounts: Vec<_> =
            orders[3 * placed..].iter().map(|order| decimal(&order["cash_amount"])).collect();
        assert_eq!(amounts, expected.map(number));
        assert!(orders.iter().all(|order| order["status"] == "FILLED"));
        let events = api.events_of(&id(&order));
        assert_eq!(events, ["PORTFOLIO_ORDER.NEW", "PORTFOLIO_ORDER.PROCESSING", "PORTFOLIO_ORDER.FILLED"]);
    }
    assert_eq!(api.cash(account), (number("899.90"), number("0")));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portfolio_order_without_the_cash_is_cancelled() {
    let (api, account) = with_cash("99.99").await;
    let portfolio = create_portfolio(&api, account, &[(FUND, "1")]);
    let body = json!({ "cash_amount": "100.00", "currency": "EUR" });
    let order = id(&api.post(&format!("/portfolios/{portfolio}/orders"), &body));
    api.seconds(5).await;
    assert_eq!(api.events_of(&order), ["PORTFOLIO_ORDER.NEW", "PORTFOLIO_ORDER.CANCELLED"]);
    assert_eq!(api.list("/orders"), Vec::<Value>::new());
    assert_eq!(api.cash(account), (number("99.99"), number("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rebalancing_trades_back_to_the_weights() {
    let (api, account) = with_cash("1000.00").await;
    let weights = [(AT_100, "0.5"), (SHARE, "0.3"), ("IE00B5M1WJ87", "0.2")];
    let portfolio = create_portfolio(&api, account, &weights);
    let body = json!({ "cash_amount": "1000.00", "currency": "EUR" });
    api.post(&format!("/portfolios/{portfolio}/orders"), &body);
    api.seconds(10).await;
    api.sandbox.set_price(AT_100, "173.21", "173.21").await.unwrap();
    api.sandbox.set_price(SHARE, "61.80", "61.80").await.unwrap();
    let isins = weights.map(|(isin, _)| isin);
    let before = worth(&api, account, &isins);
    let path = format!("/portfolios/{portfolio}/rebalancing");
    let (status, rebalancing) = api.call("POST", &path, None);
    assert_eq!((status, &rebalancing["status"]), (201, &json!("NEW")));
    api.seconds(20).await;
    assert_eq!(listed_status(&api, &path, &id(&rebalancing)), "COMPLETED");
    let few_cents = number("0.05");
    assert!((worth(&api, account, &isins) - before).abs() <= few_cents);
    for (isin, weight) in weights {
        let value = cents(api.units(account, isin) * api.bid(isin));
        assert!((value - before * number(weight)).abs() <= few_cents, "{isin} is worth {value} of {before}");
    }
    api.assert_books_add_up();
}

// ---- Savings plans ------------------------------------------------------------------------------------------------

fn create_plan(api: &Plain, account: Uuid, frequency: &str, what: &Value) -> String {
    let mut body = json!({
        "account_id": account, "cash_amount": "10.00", "currency": "EUR", "frequency": frequency,
    });
    for (name, value) in what.as_object().unwrap() {
        body[name] = value.clone();
    }
    id(&api.post("/savings_plans", &body))
}

/// The days on which a plan was executed.
fn executions_of(api: &Plain, plan: &str) -> Vec<String> {
    let events = api.sandbox.events();
    let executed =
        events.iter().filter(|it| it.event_type == "SAVINGS_PLAN.EXECUTED" && it.about.to_string() == plan);
    executed.map(|event| event.created_at.date_naive().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_is_executed_on_its_dates() {
    // Begun on the 31st of January: shorter months have their last day, and the months after them the 31st again.
    let all_dates: [(&str, &[&str]); 4] = [
        ("WEEKLY", &["2024-02-07", "2024-02-14", "2024-02-21", "2024-02-28", "2024-03-06"]),
        ("BIWEEKLY", &["2024-02-14", "2024-02-28", "2024-03-13", "2024-03-27", "2024-04-10"]),
        ("MONTHLY", &["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30"]),
        ("QUARTERLY", &["2024-04-30", "2024-07-31", "2024-10-31", "2025-01-31", "2025-04-30"]),
    ];
    for (frequency, dates) in all_dates {
        let (api, account) = with_cash("1000.00").await;
        let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100) });
        let plan = create_plan(&api, account, frequency, &instrument);
        for (number_of, date) in (1..).zip(dates) {
            let shown = api.get(&format!("/savings_plans/{plan}"));
            assert_eq!(shown["next_execution_date"], **date, "{frequency}");
            let until = plain_midnight(date) - api.sandbox.now();
            api.sandbox.advance(until.to_std().unwrap()).await;
            assert_eq!(executions_of(&api, &plan).len(), number_of);
            api.seconds(5).await;
            assert_eq!(api.units(account, AT_100), Decimal::from(number_of as u64) / number("10"));
        }
        assert_eq!(executions_of(&api, &plan), dates, "{frequency}");
        api.assert_books_add_up();
    }
}

fn plain_midnight(date: &str) -> chrono::DateTime<chrono::Utc> {
    format!("{date}T00:00:00Z").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_can_be_paused_resumed_and_deleted() {
    let (api, account) = with_cash("1000.00").await;
    let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100) });
    let plan = create_plan(&api, account, "WEEKLY", &instrument);
    let path = format!("/savings_plans/{plan}");
    api.days(7).await;
    let paused = api.call("PATCH", &path, Some(&json!({ "status": "PAUSED" })));
    assert_eq!((paused.0, &paused.1["status"]), (200, &json!("PAUSED")));
    api.days(14).await;
    api.call("PATCH", &path, Some(&json!({ "status": "ACTIVE", "cash_amount": "25.00" })));
    api.days(7).await;
    assert_eq!(executions_of(&api, &plan), ["2024-02-07", "2024-02-28"]);
    api.seconds(5).await;
    assert_eq!(api.cash(account), (number("965"), number("0")));
    assert_eq!(api.call("DELETE", &path, None).0, 204);
    assert_eq!(api.call("GET", &path, None).0, 404);
    assert_eq!(api.call("DELETE", &path, None).0, 404);
    assert_eq!(api.list("/savings_plans"), Vec::<Value>::new());
    api.days(14).await;
    assert_eq!(executions_of(&api, &plan).len(), 2);
    let events = api.sandbox.events();
    let last = events.iter().rfind(|event| event.about.to_string() == plan).unwrap();
    assert_eq!(last.event_type, "SAVINGS_PLAN.CANCELLED");
    let cancelled: Value = serde_json::from_str(last.object.get()).unwrap();
    assert_eq!(cancelled["status"], "CANCELLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_rhythm_executes_a_plan_once_a_day_at_most() {
    let (api, account) = with_cash("1000.00").await;
    let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100) });
    let plan = create_plan(&api, account, "WEEKLY", &instrument);
    let path = format!("/savings_plans/{plan}");
    for frequency in ["BIWEEKLY", "WEEKLY", "MONTHLY", "WEEKLY"] {
        api.call("PATCH", &path, Some(&json!({ "frequency": frequency })));
    }
    api.days(15).await;
    assert_eq!(executions_of(&api, &plan), ["2024-02-07", "2024-02-14"]);
    assert_eq!(api.list("/orders").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_can_be_for_a_portfolio_of_its_account() {
    let (api, account) = with_cash("100.00").await;
    let portfolio = create_portfolio(&api, account, &[(AT_100, "0.7"), (SHARE, "0.3")]);
    create_plan(&api, account, "MONTHLY", &json!({ "portfolio_id": portfolio }));
    api.days(30).await;
    assert_eq!(api.units(account, AT_100), number("0.07"));
    assert_eq!(api.units(account, SHARE), number("0.03"));
    assert_eq!(api.cash(account), (number("90"), number("0")));
    // Nobody saves with another's money.
    let other = api.sandbox.open_account("100.00").await.unwrap();
    let mut body =
        json!({ "account_id": other, "cash_amount": "10", "currency": "EUR", "frequency": "MONTHLY" });
    assert!(api.refused("POST", "/savings_plans", &body).contains("`portfolio_id`"));
    body["portfolio_id"] = json!(portfolio);
    assert!(api.refused("POST", "/savings_plans", &body).contains("`portfolio_id`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_in_a_currency_that_is_not_traded_buys_nothing() {
    let (api, account) = with_cash("100.00").await;
    let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100), "currency": "USD" });
    create_plan(&api, account, "WEEKLY", &instrument);
    api.days(8).await;
    let orders = api.list("/orders");
    assert_eq!((&orders[0]["currency"], &orders[0]["status"]), (&json!("USD"), &json!("REJECTED")));
    assert_eq!(api.cash(account), (number("100"), number("0")));
}

// ---- Money and units from and to elsewhere ------------------------------------------------------------------------

fn debit(api: &Plain, user: Uuid, mandate: Uuid, amount: &str) -> String {
    let debit = api.post(
        "/direct_debits",
        &json!({
            "user_id": user, "account_group_id": api.sandbox.account_group(), "mandate_id": mandate,
            "cash_amount": amount, "currency": "EUR",
        }),
    );
    assert_eq!(debit["status"], "NEW");
    id(&debit)
}

async fn withdraw(api: &Plain, account: Uuid, amount: &str) -> String {
    let body = json!({ "account_id": account, "cash_amount": amount, "currency": "EUR" });
    let withdrawal = id(&api.post("/withdrawals", &body));
    api.seconds(2).await;
    listed_status(api, "/withdrawals", &withdrawal)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_debit_brings_its_cash() {
    let (api, account) = with_cash("1.00").await;
    let user = user_of(&api, account);
    let group = api.sandbox.account_group();
    let mandate = api.sandbox.create_mandate(group, "DE89370400440532013000").await.unwrap();
    assert_eq!(status(&api, &format!("/mandates/{mandate}")), "ACTIVE");
    let first = debit(&api, user, mandate, "250.50");
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/direct_debits", &first), "PROCESSING");
    assert_eq!(api.cash(account).0, number("1"));
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/direct_debits", &first), "COMPLETED");
    assert_eq!(api.cash(account).0, number("251.50"));
    // The bank takes it back, but once only.
    let reverse = json!({ "command": "reverse_direct_debit", "direct_debit_id": first });
    api.command(reverse.clone()).await;
    assert_eq!(listed_status(&api, "/direct_debits", &first), "REVERSED");
    assert_eq!(api.cash(account).0, number("1"));
    let again = api.sandbox.execute(serde_json::from_value(reverse).unwrap()).await;
    assert!(again.is_err());
    let debits: Vec<_> =
        api.bookings(account).into_iter().filter(|(kind, _)| kind == "DIRECT_DEBIT").map(|it| it.1).collect();
    assert_eq!(debits, ["250.50", "-250.50"].map(number));
    // Under way when the mandate is revoked.
    let second = debit(&api, user, mandate, "10.00");
    api.seconds(1).await;
    api.command(json!({ "command": "revoke_mandate", "mandate_id": mandate })).await;
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/direct_debits", &second), "FAILED");
    assert_eq!(status(&api, &format!("/mandates/{mandate}")), "REVOKED");
    assert_eq!(api.cash(account).0, number("1"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_debit_without_an_account_to_go_to_fails() {
    let api = Plain::start().await;
    let user = create_user(&api);
    let group = api.sandbox.account_group();
    let mandate = api.sandbox.create_mandate(group, "DE89370400440532013000").await.unwrap();
    let debited = debit(&api, user, mandate, "10.00");
    api.seconds(5).await;
    assert_eq!(listed_status(&api, "/direct_debits", &debited), "FAILED");
    let elsewhere = api.sandbox.create_account_group().await.unwrap();
    let body = json!({
        "user_id": user, "account_group_id": elsewhere, "mandate_id": mandate,
        "cash_amount": "1", "currency": "EUR",
    });
    assert!(api.refused("POST", "/direct_debits", &body).contains("`mandate_id`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_lays_claim_to_its_cash_before_it_leaves() {
    let (api, account) = with_cash("100.00").await;
    let body = json!({ "account_id": account, "cash_amount": "60.00", "currency": "EUR" });
    let withdrawal = id(&api.post("/withdrawals", &body));
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/withdrawals", &withdrawal), "PROCESSING");
    assert_eq!(api.cash(account), (number("40"), number("60")));
    // What is claimed cannot be spent.
    assert_eq!(withdraw(&api, account, "40.01").await, "FAILED");
    assert_eq!(listed_status(&api, "/withdrawals", &withdrawal), "COMPLETED");
    assert_eq!(api.cash(account), (number("40"), number("0")));
    assert_eq!(withdraw(&api, account, "40.00").await, "COMPLETED");
    assert_eq!(api.cash(account), (number("0"), number("0")));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn units_come_from_elsewhere_and_leave_again() {
    let (api, account) = with_cash("1.00").await;
    let inbound = api.sandbox.transfer_securities(Direction::Inbound, account, FUND, "2.5").await.unwrap();
    let path = "/securities_transfers";
    assert_eq!(listed_status(&api, path, &inbound.to_string()), "NEW");
    api.seconds(1).await;
    assert_eq!(listed_status(&api, path, &inbound.to_string()), "PROCESSING");
    api.seconds(1).await;
    assert_eq!(listed_status(&api, path, &inbound.to_string()), "COMPLETED");
    let position = api.position(account, FUND).unwrap();
    assert_eq!(decimal(&position["quantity"]), number("2.5"));
    for (units, status, left) in
        [("2.6", "FAILED", "2.5"), ("1.5", "COMPLETED", "1"), ("1", "COMPLETED", "0")]
    {
        let outbound =
            api.sandbox.transfer_securities(Direction::Outbound, account, FUND, units).await.unwrap();
        api.seconds(2).await;
        assert_eq!(listed_status(&api, path, &outbound.to_string()), status);
        assert_eq!(api.units(account, FUND), number(left));
    }
    assert_eq!(api.cash(account).0, number("1"));
    // By the API there is no saying what moves: nothing does.
    let nothing = id(&api.post(path, &json!({ "direction": "INBOUND" })));
    api.seconds(2).await;
    assert_eq!(listed_status(&api, path, &nothing), "COMPLETED");
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_transfer_moves_everything() {
    let (api, source) = with_cash("1000.00").await;
    let target = api.sandbox.open_account("5.00").await.unwrap();
    trade(&api, source, FUND, "BUY", json!({ "quantity": "2" })).await;
    trade(&api, source, AT_100, "BUY", json!({ "cash_amount": "50" })).await;
    let body = json!({ "source_account_id": source, "target_account_id": target });
    let transfer = id(&api.post("/account_transfers", &body));
    api.seconds(2).await;
    assert_eq!(listed_status(&api, "/account_transfers", &transfer), "COMPLETED");
    assert_eq!(api.cash(source), (number("0"), number("0")));
    assert_eq!(api.list(&format!("/accounts/{source}/positions")), Vec::<Value>::new());
    // 1000 - 230.10 - 50 and the 5 that were there.
    assert_eq!(api.cash(target), (number("724.90"), number("0")));
    assert_eq!(api.units(target, AT_100), number("0.5"));
    let position = api.position(target, FUND).unwrap();
    assert_eq!(decimal(&position["quantity"]), number("2"));
    assert_eq!(decimal(&position["average_buy_in_price"]), number("115.05"));
    let onto_itself = json!({ "source_account_id": target, "target_account_id": target });
    let transfer = id(&api.post("/account_transfers", &onto_itself));
    api.seconds(2).await;
    assert_eq!(listed_status(&api, "/account_transfers", &transfer), "FAILED");
    assert_eq!(api.cash(target), (number("724.90"), number("0")));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liquidation_sells_all_or_half() {
    for (kind, left, whole_left, cash) in [("FULL", "0", "0", "896.97"), ("PARTIAL", "0.75", "2", "612.19")] {
        let (api, account) = with_cash("900.00").await;
        trade(&api, account, FUND, "BUY", json!({ "quantity": "1.5" })).await;
        trade(&api, account, WHOLE_UNITS, "BUY", json!({ "quantity": "3" })).await;
        let path = format!("/accounts/{account}/liquidations");
        let liquidation = api.post(&path, &json!({ "type": kind }));
        assert_eq!(liquidation["status"], "NEW");
        api.seconds(1).await;
        assert_eq!(listed_status(&api, &path, &id(&liquidation)), "PROCESSING");
        api.seconds(5).await;
        assert_eq!(listed_status(&api, &path, &id(&liquidation)), "COMPLETED");
        assert_eq!(api.units(account, FUND), number(left));
        // Half of three, where there are whole units only, is one.
        assert_eq!(api.units(account, WHOLE_UNITS), number(whole_left));
        assert_eq!(api.cash(account), (number(cash), number("0")), "{kind}");
        api.assert_books_add_up();
    }
}

// ---- What happens to holdings -------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_dividend_is_paid_for_each_unit() {
    let (api, account) = with_cash("1000.00").await;
    trade(&api, account, AT_100, "BUY", json!({ "cash_amount": "333.33" })).await;
    let ex_date = date("2024-02-02");
    let action = api.sandbox.announce_dividend(AT_100, "1.2345", ex_date).await.unwrap();
    assert_eq!(listed_status(&api, "/corporate_actions", &action.to_string()), "ANNOUNCED");
    api.days(1).await;
    assert_eq!(api.cash(account).0, number("666.67"));
    api.days(1).await;
    assert_eq!(listed_status(&api, "/corporate_actions", &action.to_string()), "PROCESSED");
    // 3.3333 units at 1.2345 are 4.11495885.
    assert_eq!(api.bookings(account).last(), Some(&("DIVIDEND".to_owned(), number("4.11"))));
    assert_eq!(api.cash(account).0, number("670.78"));
    let shown = &api.list("/corporate_actions")[0];
    assert_eq!((&shown["type"], &shown["ex_date"]), (&json!("DIVIDEND"), &json!("2024-02-02")));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_leaves_the_worth_and_changes_units_and_price() {
    for (ratio, units, price, bought_at) in [("4", "14", "25", "25"), ("0.1", "0.35", "1000", "1000")] {
        let (api, account) = with_cash("1000.00").await;
        trade(&api, account, AT_100, "BUY", json!({ "quantity": "3.5" })).await;
        let waiting = json!({ "type": "LIMIT", "quantity": "1", "limit_price": "90" });
        let waiting = api.order(account, AT_100, "BUY", &waiting);
        api.sandbox.announce_split(AT_100, ratio, date("2024-02-01")).await.unwrap();
        api.days(1).await;
        let position = api.position(account, AT_100).unwrap();
        assert_eq!(decimal(&position["quantity"]), number(units));
        assert_eq!(decimal(&position["average_buy_in_price"]), number(bought_at));
        assert_eq!(api.bid(AT_100), number(price));
        // It was meant for other units.
        assert_eq!(api.order_status(&waiting), "CANCELLED");
        assert_eq!(api.cash(account), (number("650"), number("0")));
        assert_eq!(worth(&api, account, &[AT_100]), number("1000"));
        api.assert_books_add_up();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_charged_where_there_is_the_cash() {
    let (api, account) = with_cash("10.00").await;
    api.sandbox.charge_fee(account, "CUSTODY", "2.34").await.unwrap();
    assert!(api.sandbox.charge_fee(account, "CUSTODY", "7.67").await.is_err());
    assert_eq!(api.cash(account), (number("7.66"), number("0")));
    let fees = api.list(&format!("/accounts/{account}/fees"));
    assert_eq!(fees.len(), 1);
    assert_eq!((&fees[0]["type"], decimal(&fees[0]["amount"])), (&json!("CUSTODY"), number("2.34")));
    assert_eq!(api.bookings(account).last(), Some(&("FEE".to_owned(), number("-2.34"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_valued_each_midnight() {
    let (api, account) = with_cash("1000.00").await;
    trade(&api, account, FUND, "BUY", json!({ "quantity": "1.2345" })).await;
    let mut expected = Vec::new();
    for price in ["113.03", "97.5", "120.12"] {
        api.sandbox.set_price(FUND, price, "130").await.unwrap();
        expected.push(worth(&api, account, &[FUND]));
        api.days(1).await;
    }
    let valuations = api.list(&format!("/accounts/{account}/valuations"));
    let values: Vec<_> = valuations.iter().map(|it| decimal(&it["total_value"])).collect();
    assert_eq!(values, expected);
    let days: Vec<_> = valuations.iter().map(|it| it["valued_at"].as_str().unwrap()).collect();
    assert_eq!(days, ["2024-02-01T00:00:00Z", "2024-02-02T00:00:00Z", "2024-02-03T00:00:00Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_add_up_to_what_is_there_less_what_was_paid_in() {
    let (api, account) = with_cash("1000.00").await;
    let mut paid = number("1000");
    api.sandbox.list_instrument("DE000A000001", InstrumentType::Fund, "10", "10.10").await.unwrap();
    trade(&api, account, "DE000A000001", "BUY", json!({ "cash_amount": "333.33" })).await;
    api.days(20).await;
    api.sandbox.set_price("DE000A000001", "11.37", "11.40").await.unwrap();
    assert_eq!(withdraw(&api, account, "50.25").await, "COMPLETED");
    paid -= number("50.25");
    api.days(20).await;
    api.sandbox.transfer_securities(Direction::Inbound, account, AT_100, "3").await.unwrap();
    api.seconds(2).await;
    paid += number("300");
    api.sandbox.announce_dividend("DE000A000001", "0.077", date("2024-03-20")).await.unwrap();
    api.sandbox.charge_fee(account, "CUSTODY", "3.21").await.unwrap();
    api.days(20).await;
    api.sandbox.set_price(AT_100, "91.91", "92").await.unwrap();
    trade(&api, account, AT_100, "SELL", json!({ "quantity": "1.5" })).await;
    api.days(20).await;
    api.sandbox.top_up(account, "12.34").await.unwrap();
    paid += number("12.34");
    let returns = api.list(&format!("/accounts/{account}/returns"));
    let total: Decimal = returns.iter().map(|month| decimal(&month["total_return"])).sum();
    assert_eq!(total, worth(&api, account, &["DE000A000001", AT_100]) - paid);
    let periods: Vec<_> = returns
        .iter()
        .map(|month| [&month["period_start"], &month["period_end"]].map(|it| it.as_str().unwrap()))
        .collect();
    let expected = [
        ["2024-01-31", "2024-01-31"],
        ["2024-02-01", "2024-02-29"],
        ["2024-03-01", "2024-03-31"],
        ["2024-04-01", "2024-04-20"],
    ];
    assert_eq!(periods, expected);
    // Bought at 10.10 on the first day, worth 10.00 then: 33.0033 units have lost a tenth each.
    assert_eq!(decimal(&returns[0]["total_return"]), number("-3.30"));
    // Against the 1000 that went in.
    assert_eq!(decimal(&returns[0]["total_return_percentage"]), number("-0.33"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_of_nothing_is_nothing() {
    let (api, account) = with_cash("1000.00").await;
    api.days(40).await;
    for month in api.list(&format!("/accounts/{account}/returns")) {
        assert_eq!(decimal(&month["total_return"]), number("0"));
        assert_eq!(decimal(&month["total_return_percentage"]), number("0"));
    }
}

// ---- Reports ------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_report_becomes_a_pdf_with_a_line_for_each_account() {
    let (api, account) = with_cash("1000.00").await;
    let report = api.sandbox.create_report("ACCOUNT_STATEMENT").await.unwrap().to_string();
    assert_eq!(listed_status(&api, "/reports", &report), "PENDING");
    assert_eq!(api.list("/reports")[0].get("file_id"), None);
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/reports", &report), "READY");
    let file = api.list("/reports")[0]["file_id"].as_str().unwrap().to_owned();
    let file = api.send("GET", &format!("/files/{file}"), None, None).unwrap();
    assert_eq!(file.status, 200);
    assert!(file.headers.contains(&("content-type".to_owned(), "application/pdf".to_owned())));
    assert!(file.body.starts_with(b"%PDF"));
    let text = String::from_utf8_lossy(&file.body);
    assert!(text.contains("(ACCOUNT_STATEMENT of 2024-01-31)"), "{text}");
    assert!(text.contains(&format!("(Account {account}: 1000.00 EUR)")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_can_fail_and_has_no_file_then() {
    let api = Plain::start().await;
    let report = json!({ "command": "create_report", "type": "TAX", "fails": true });
    let report = api.command(report).await;
    api.seconds(5).await;
    assert_eq!(listed_status(&api, "/reports", &id(&report)), "FAILED");
    assert_eq!(api.list("/reports")[0].get("file_id"), None);
    assert_eq!(api.events_of(&id(&report)), ["REPORT.PENDING", "REPORT.FAILED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_treasury_report_has_its_file_at_once() {
    let (api, _) = with_cash("1000.00").await;
    let report = api.command(json!({ "command": "create_treasury_report", "type": "TREASURY" })).await;
    let reports = api.list("/treasury_reports");
    assert_eq!((reports.len(), &reports[0]["id"]), (1, &report["id"]));
    let file = reports[0]["file_id"].as_str().unwrap();
    let file = api.send("GET", &format!("/files/{file}"), None, None).unwrap();
    assert!(file.body.starts_with(b"%PDF"));
    assert_eq!(api.call("GET", &format!("/files/{}", Uuid::nil()), None).0, 404);
}
