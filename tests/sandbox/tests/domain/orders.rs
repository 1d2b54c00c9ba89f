//! Orders: acceptance, checks, executions, cancellations, and exact bookings.

use crate::plain::{Cash, Plain, cents, cents_up, decimal, id, number, order};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use upvest_sandbox::{Sandbox, UserStatus};
use uuid::Uuid;

/// Bid 113.03, offer 115.05.
const FUND: &str = "IE00B3XXRP09";
/// Bid and offer 100.
const AT_100: &str = "IE0032077012";
/// At 100, in whole units only.
const WHOLE_UNITS: &str = "XF0000000025";
/// At 100, in up to five executions.
const IN_PARTS: &str = "IE00B5M1WJ87";
/// At 100, cancelled before the last of up to five executions.
const IN_PARTS_THEN_CANCELLED: &str = "IE00BF2GFH28";

/// ISIN, bid, offer (PROTOCOL 7).
const QUOTES: [(&str, &str, &str); 21] = [
    ("IE00BKBF6H24", "7.51", "6.23"),
    ("IE00B3XXRP09", "113.03", "115.05"),
    ("DE0005933931", "81.77", "85.22"),
    ("IE00BK5BCH80", "13.20", "11.24"),
    ("IE00BM8QRZ79", "38.45", "41.25"),
    ("IE00BYZK4552", "11.10", "9.96"),
    ("FR0010790980", "90.11", "93.55"),
    ("FR0010524777", "38.345", "38.955"),
    ("LU2194447293", "14.564", "14.744"),
    ("IE00BGBN6P67", "70.07", "72.09"),
    ("IE00BGL86Z12", "6.261", "6.299"),
    ("LU0779800910", "14.31", "14.44"),
    ("IE00BJ0KDR00", "108.08", "108.43"),
    ("LU0533033667", "472.50", "481.10"),
    ("IE00BM67HK77", "43.88", "44.23"),
    ("IE00BM67HL84", "22.02", "44.23"),
    ("LU1291109616", "17.02", "17.28"),
    ("IE00BM67HM91", "43.50", "43.26"),
    ("IE0032077012", "100", "100"),
    ("IE00B5M1WJ87", "100", "100"),
    ("IE00BF2GFH28", "100", "100"),
];

async fn with_cash(cash: &str) -> (Plain, Uuid) {
    let api = Plain::start().await;
    let account = api.sandbox.open_account(cash).await.unwrap();
    (api, account)
}

/// An account with this number of units of an instrument, and no cash.
async fn with_units(isin: &str, units: &str) -> (Plain, Uuid) {
    let api = Plain::start().await;
    let user = id(&api.post("/users", &somebody()));
    let group = api.sandbox.account_group();
    let account = id(&api.post(
        "/accounts",
        &json!({ "user_id": user, "account_group_id": group }),
    ));
    let account = account.parse().unwrap();
    api.seconds(2).await;
    let inbound = upvest_sandbox::Direction::Inbound;
    api.sandbox
        .transfer_securities(inbound, account, isin, units)
        .await
        .unwrap();
    api.seconds(2).await;
    (api, account)
}

fn somebody() -> Value {
    json!({
        "first_name": "Erika", "last_name": "Mustermann", "email": "erika@example.com",
        "date_of_birth": "1990-12-10", "nationality": "DE",
        "address": { "street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE" },
    })
}

/// Places an order and advances the clock until it has ended.
async fn trade(api: &Plain, account: Uuid, isin: &str, side: &str, fields: Value) -> String {
    let order = api.order(account, isin, side, &fields);
    api.seconds(10).await;
    order
}

fn money(amounts: &[(&str, &str)]) -> Vec<(String, Decimal)> {
    amounts
        .iter()
        .map(|(kind, amount)| ((*kind).to_owned(), number(amount)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_for_an_amount_is_booked_to_the_cent() {
    let (api, account) = with_cash("1000.00").await;
    let order = api.order(account, FUND, "BUY", &json!({ "cash_amount": "250.00" }));
    assert_eq!(api.order_status(&order), "NEW");
    assert_eq!(api.cash(account), Cash::available("1000"));
    api.seconds(1).await;
    assert_eq!(api.order_status(&order), "PROCESSING");
    assert_eq!(api.cash(account), Cash::available("750").and_pending("250"));
    api.seconds(1).await;
    assert_eq!(api.order_status(&order), "FILLED");
    assert_eq!(api.cash(account), Cash::available("750"));
    // 250 / 115.05, truncated to ten decimals.
    assert_eq!(api.units(account, FUND), number("2.1729682746"));
    let position = api.position(account, FUND).unwrap();
    assert_eq!(decimal(&position["average_buy_in_price"]), number("115.05"));
    let executions = api.executions(&order);
    assert_eq!(executions.len(), 1);
    assert_eq!(executions[0]["status"], "SETTLED");
    assert_eq!(decimal(&executions[0]["price"]), number("115.05"));
    assert_eq!(decimal(&executions[0]["quantity"]), number("2.1729682746"));
    assert_eq!(
        api.bookings(account),
        money(&[("TRANSFER", "1000"), ("ORDER_EXECUTION", "-250")])
    );
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn units_bought_and_sold_are_booked_to_the_cent_and_keep_their_price() {
    let (api, account) = with_cash("1000.00").await;
    let order = api.order(account, FUND, "BUY", &json!({ "quantity": "3" }));
    api.seconds(1).await;
    // 345.15 plus ten percent, rounded up, until the price is known.
    assert_eq!(
        api.cash(account),
        Cash::available("620.33").and_pending("379.67")
    );
    api.seconds(1).await;
    assert_eq!(api.order_status(&order), "FILLED");
    assert_eq!(api.cash(account), Cash::available("654.85"));
    trade(&api, account, FUND, "SELL", json!({ "quantity": "1" })).await;
    assert_eq!(api.cash(account), Cash::available("767.88"));
    let position = api.position(account, FUND).unwrap();
    assert_eq!(decimal(&position["quantity"]), number("2"));
    assert_eq!(decimal(&position["average_buy_in_price"]), number("115.05"));
    api.sandbox
        .set_price(FUND, "119.00", "120.00")
        .await
        .unwrap();
    trade(&api, account, FUND, "BUY", json!({ "quantity": "1" })).await;
    // Two at 115.05 and one at 120.
    let position = api.position(account, FUND).unwrap();
    assert_eq!(decimal(&position["average_buy_in_price"]), number("116.70"));
    trade(
        &api,
        account,
        FUND,
        "SELL",
        json!({ "cash_amount": "119.00" }),
    )
    .await;
    assert_eq!(api.units(account, FUND), number("2"));
    trade(&api, account, FUND, "SELL", json!({ "quantity": "2" })).await;
    assert_eq!(api.position(account, FUND), None);
    let amounts = ["1000", "-345.15", "113.03", "-120", "119", "238"].map(number);
    let booked: Vec<_> = api
        .bookings(account)
        .into_iter()
        .map(|(_, amount)| amount)
        .collect();
    assert_eq!(booked, amounts);
    assert_eq!(
        api.cash(account),
        Cash {
            available: amounts.iter().sum(),
            pending: number("0")
        }
    );
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_funds_is_accepted_first_and_then_rejected() {
    let (api, account) = with_cash("100.00").await;
    for fields in [
        json!({ "cash_amount": "100.01" }),
        json!({ "quantity": "2" }),
    ] {
        let order = trade(&api, account, AT_100, "BUY", fields).await;
        assert_eq!(api.order_status(&order), "REJECTED");
        assert_eq!(api.events_of(&order), ["ORDER.NEW", "ORDER.REJECTED"]);
    }
    let order = trade(&api, account, AT_100, "SELL", json!({ "quantity": "1" })).await;
    assert_eq!(api.order_status(&order), "REJECTED");
    assert_eq!(api.cash(account), Cash::available("100"));
    assert_eq!(api.bookings(account).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_of_units_needs_a_tenth_more_than_they_are_expected_to_cost() {
    for (cash, status) in [("109.99", "REJECTED"), ("110.00", "FILLED")] {
        let (api, account) = with_cash(cash).await;
        let order = trade(&api, account, AT_100, "BUY", json!({ "quantity": "1" })).await;
        assert_eq!(api.order_status(&order), status, "with {cash}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_for_an_amount_needs_a_tenth_more_units_than_it_is_expected_to_take() {
    for (units, status) in [("1.0999999999", "REJECTED"), ("1.1", "FILLED")] {
        let (api, account) = with_units(AT_100, units).await;
        let order = trade(
            &api,
            account,
            AT_100,
            "SELL",
            json!({ "cash_amount": "100" }),
        )
        .await;
        assert_eq!(api.order_status(&order), status, "with {units}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_its_account_to_open() {
    let api = Plain::start().await;
    let user = id(&api.post("/users", &somebody()));
    let group = api.sandbox.account_group();
    let account = id(&api.post(
        "/accounts",
        &json!({ "user_id": user, "account_group_id": group }),
    ));
    let account = account.parse().unwrap();
    api.sandbox.top_up(account, "100.00").await.unwrap();
    let order = api.order(account, AT_100, "BUY", &json!({ "cash_amount": "100.00" }));
    api.seconds(1).await;
    assert_eq!(api.order_status(&order), "NEW");
    api.seconds(10).await;
    assert_eq!(api.get(&format!("/accounts/{account}"))["status"], "OPEN");
    assert_eq!(api.order_status(&order), "FILLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_account_will_not_open_is_rejected() {
    for reject in [true, false] {
        let api = Plain::start().await;
        let user = id(&api.post("/users", &somebody()));
        let group = api.sandbox.account_group();
        let account = id(&api.post(
            "/accounts",
            &json!({ "user_id": user, "account_group_id": group }),
        ));
        let order = api.order(
            account.parse().unwrap(),
            AT_100,
            "BUY",
            &json!({ "cash_amount": "1" }),
        );
        if reject {
            let user: Uuid = user.parse().unwrap();
            api.sandbox.set_check_result(user, false).await.unwrap();
        } else {
            // The order was checked and waits. The account would be opened at the same time.
            api.sandbox
                .advance(std::time::Duration::from_millis(1_500))
                .await;
            assert_eq!(api.order_status(&order), "NEW");
            assert_eq!(
                api.call("DELETE", &format!("/accounts/{account}"), None).0,
                204
            );
        }
        api.seconds(10).await;
        assert_eq!(api.order_status(&order), "REJECTED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_a_blocked_user_is_rejected() {
    let (api, account) = with_cash("100.00").await;
    let user = api.get(&format!("/accounts/{account}"))["user_id"]
        .as_str()
        .unwrap()
        .parse::<Uuid>()
        .unwrap();
    api.sandbox
        .set_user_status(user, UserStatus::Blocked)
        .await
        .unwrap();
    let order = trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "50.00" }),
    )
    .await;
    assert_eq!(api.order_status(&order), "REJECTED");
    api.sandbox
        .set_user_status(user, UserStatus::Active)
        .await
        .unwrap();
    let order = trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "50.00" }),
    )
    .await;
    assert_eq!(api.order_status(&order), "FILLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_an_untradeable_instrument_is_rejected() {
    let (api, account) = with_cash("1000.00").await;
    api.command(
        json!({ "command": "top_up", "account_id": account, "amount": "1000", "currency": "USD" }),
    )
    .await;
    let in_dollars = json!({ "cash_amount": "50.00", "currency": "USD" });
    let order = trade(&api, account, AT_100, "BUY", in_dollars).await;
    assert_eq!(api.order_status(&order), "REJECTED");
    let order = trade(
        &api,
        account,
        WHOLE_UNITS,
        "BUY",
        json!({ "quantity": "1.5" }),
    )
    .await;
    assert_eq!(api.order_status(&order), "REJECTED");
    api.command(json!({ "command": "set_tradeable", "isin": AT_100, "tradeable": false }))
        .await;
    let instrument = Sandbox::instrument(AT_100);
    assert_eq!(
        api.get(&format!("/instruments/{instrument}"))["tradeable"],
        false
    );
    let order = trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "50.00" }),
    )
    .await;
    assert_eq!(api.order_status(&order), "REJECTED");
    assert_eq!(api.cash(account), Cash::available("1000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instrument_in_whole_units_leaves_the_rest_of_the_amount() {
    let (api, account) = with_cash("1000.00").await;
    let order = trade(
        &api,
        account,
        WHOLE_UNITS,
        "BUY",
        json!({ "cash_amount": "250.00" }),
    )
    .await;
    assert_eq!(api.order_status(&order), "FILLED");
    assert_eq!(api.units(account, WHOLE_UNITS), number("2"));
    assert_eq!(api.cash(account), Cash::available("800"));
    // The amount is less than one unit.
    let order = trade(
        &api,
        account,
        WHOLE_UNITS,
        "BUY",
        json!({ "cash_amount": "99.99" }),
    )
    .await;
    assert_eq!(api.order_status(&order), "REJECTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_and_stop_orders_wait_for_their_price() {
    // Each starts at 100. If the price is not reached, the order keeps waiting.
    let waiting = [
        (
            "BUY",
            json!({ "type": "LIMIT", "limit_price": "90" }),
            "90.01",
            "90",
            "90",
        ),
        (
            "SELL",
            json!({ "type": "LIMIT", "limit_price": "110" }),
            "109.99",
            "111",
            "111",
        ),
        (
            "BUY",
            json!({ "type": "STOP", "stop_price": "110" }),
            "109.99",
            "110",
            "110",
        ),
        (
            "SELL",
            json!({ "type": "STOP", "stop_price": "90" }),
            "90.01",
            "89",
            "89",
        ),
    ];
    for (side, mut fields, too_early, reached, executed_at) in waiting {
        let (api, account) = with_cash("1000.00").await;
        trade(&api, account, AT_100, "BUY", json!({ "quantity": "2" })).await;
        fields["quantity"] = json!("2");
        let order = trade(&api, account, AT_100, side, fields.clone()).await;
        assert_eq!(api.order_status(&order), "PROCESSING", "{side} {fields}");
        api.sandbox
            .set_price(AT_100, too_early, too_early)
            .await
            .unwrap();
        api.days(1).await;
        assert_eq!(api.order_status(&order), "PROCESSING", "{side} {fields}");
        assert!(api.executions(&order).is_empty());
        api.sandbox
            .set_price(AT_100, reached, reached)
            .await
            .unwrap();
        api.seconds(1).await;
        assert_eq!(api.order_status(&order), "FILLED", "{side} {fields}");
        assert_eq!(
            decimal(&api.executions(&order)[0]["price"]),
            number(executed_at)
        );
        assert_eq!(api.cash(account).pending, number("0"));
        api.assert_books_add_up();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_order_stays_open_if_its_price_was_reached_only_briefly() {
    let (api, account) = with_cash("1000.00").await;
    let limit = json!({ "type": "LIMIT", "quantity": "1", "limit_price": "90" });
    let order = trade(&api, account, AT_100, "BUY", limit).await;
    // An order is executed one second after its price is reached. By then, this price has risen again.
    api.sandbox.set_price(AT_100, "90", "90").await.unwrap();
    api.sandbox.set_price(AT_100, "95", "95").await.unwrap();
    api.days(30).await;
    assert_eq!(api.order_status(&order), "PROCESSING");
    assert_eq!(api.cash(account), Cash::available("910").and_pending("90"));
    api.sandbox.set_price(AT_100, "80", "80").await.unwrap();
    api.seconds(1).await;
    assert_eq!(api.order_status(&order), "FILLED");
    assert_eq!(api.cash(account), Cash::available("920"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_order_is_rejected_with_the_name_of_the_field() {
    let (api, account) = with_cash("1000.00").await;
    let wrong = [
        (json!({}), "quantity"),
        (json!({ "quantity": "1", "cash_amount": "100" }), "quantity"),
        (
            json!({ "type": "LIMIT", "limit_price": "90", "cash_amount": "100" }),
            "quantity",
        ),
        (
            json!({ "type": "LIMIT", "limit_price": "90", "quantity": "1.5" }),
            "quantity",
        ),
        (json!({ "type": "LIMIT", "quantity": "1" }), "limit_price"),
        (json!({ "type": "STOP", "quantity": "1" }), "stop_price"),
        (
            json!({ "type": "STOP", "quantity": "1", "limit_price": "90" }),
            "limit_price",
        ),
        (
            json!({ "quantity": "1", "limit_price": "90" }),
            "limit_price",
        ),
        (json!({ "cash_amount": "100.001" }), "cash_amount"),
        (json!({ "cash_amount": "100.1" }), "cash_amount"),
        (json!({ "cash_amount": "0" }), "cash_amount"),
        (json!({ "cash_amount": "0.00" }), "cash_amount"),
        (json!({ "cash_amount": "-100.00" }), "cash_amount"),
        (json!({ "cash_amount": "1e2" }), "cash_amount"),
        (json!({ "cash_amount": "1000000000" }), "cash_amount"),
        (json!({ "cash_amount": 100 }), "cash_amount"),
        (json!({ "quantity": "0" }), "quantity"),
        (json!({ "quantity": "-1" }), "quantity"),
        (json!({ "quantity": "1E1" }), "quantity"),
        (json!({ "quantity": "+1" }), "quantity"),
        (json!({ "quantity": "0.00000000001" }), "quantity"),
        (json!({ "quantity": "1", "side": "HOLD" }), "side"),
        (
            json!({ "quantity": "1", "account_id": Uuid::nil() }),
            "account_id",
        ),
        (
            json!({ "quantity": "1", "instrument_id": Uuid::nil() }),
            "instrument_id",
        ),
    ];
    for (fields, named) in wrong {
        let detail = api.rejected("POST", "/orders", &order(account, AT_100, "BUY", &fields));
        assert!(detail.contains(&format!("`{named}`")), "{fields}: {detail}");
    }
    assert_eq!(api.list("/orders"), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_executions_of_an_order_add_up_to_its_amount() {
    let amounts = [
        ("100", 1),
        ("100.99", 1),
        ("101", 2),
        ("150", 2),
        ("250", 3),
        ("350", 4),
        ("400.99", 4),
        ("450", 5),
    ];
    for (amount, parts) in amounts {
        let (api, account) = with_cash("1000.00").await;
        // A price by which no amount can be divided exactly.
        api.sandbox.set_price(IN_PARTS, "7", "7").await.unwrap();
        let order = trade(
            &api,
            account,
            IN_PARTS,
            "BUY",
            json!({ "cash_amount": amount }),
        )
        .await;
        assert_eq!(api.order_status(&order), "FILLED");
        let executions = api.executions(&order);
        assert_eq!(executions.len(), parts, "for {amount}");
        let units: Decimal = executions.iter().map(|it| decimal(&it["quantity"])).sum();
        assert_eq!(units, api.units(account, IN_PARTS));
        assert_eq!(
            api.cash(account),
            Cash {
                available: number("1000") - number(amount),
                pending: number("0")
            }
        );
        assert_eq!(api.bookings(account).len(), 1 + parts);
        assert!(executions.iter().all(|it| it["status"] == "SETTLED"));
        // Sells all units again, also in parts.
        let order = trade(
            &api,
            account,
            IN_PARTS,
            "SELL",
            json!({ "quantity": units.to_string() }),
        )
        .await;
        assert_eq!(api.order_status(&order), "FILLED");
        assert_eq!(api.units(account, IN_PARTS), number("0"));
        api.assert_books_add_up();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partly_filled_order_that_is_cancelled_releases_the_rest() {
    // One execution less than the number of parts.
    for (amount, executed, rest) in [("450", 4, "640"), ("150", 1, "925"), ("50", 0, "1000")] {
        let (api, account) = with_cash("1000.00").await;
        let order = api.order(
            account,
            IN_PARTS_THEN_CANCELLED,
            "BUY",
            &json!({ "cash_amount": amount }),
        );
        api.seconds(1).await;
        assert_eq!(api.cash(account).pending, number(amount));
        api.seconds(10).await;
        assert_eq!(api.order_status(&order), "CANCELLED");
        assert_eq!(api.executions(&order).len(), executed);
        assert_eq!(api.cash(account), Cash::available(rest));
        assert_eq!(api.events_of(&order).last(), Some(&"ORDER.CANCELLED"));
        api.assert_books_add_up();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_can_be_cancelled_while_it_is_new_or_waits() {
    let (api, account) = with_cash("1000.00").await;
    let new = api.order(account, AT_100, "BUY", &json!({ "cash_amount": "100" }));
    assert_eq!(cancel(&api, &new).await, "ORDER_CANCELLATION.CONFIRMED");
    assert_eq!(api.order_status(&new), "CANCELLED");
    let limit = json!({ "type": "LIMIT", "quantity": "1", "limit_price": "90" });
    let waiting = trade(&api, account, AT_100, "BUY", limit).await;
    assert_eq!(api.cash(account), Cash::available("910").and_pending("90"));
    assert_eq!(cancel(&api, &waiting).await, "ORDER_CANCELLATION.CONFIRMED");
    assert_eq!(api.order_status(&waiting), "CANCELLED");
    assert_eq!(api.cash(account), Cash::available("1000"));
    // The cancelled order is not executed when its price is reached.
    api.sandbox.set_price(AT_100, "80", "80").await.unwrap();
    api.seconds(10).await;
    assert_eq!(api.order_status(&waiting), "CANCELLED");
    let filled = trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "100" }),
    )
    .await;
    assert_eq!(cancel(&api, &filled).await, "ORDER_CANCELLATION.REJECTED");
    assert_eq!(api.order_status(&filled), "FILLED");
    // Only once.
    assert_eq!(cancel(&api, &new).await, "ORDER_CANCELLATION.REJECTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_outside_the_venue_hours_wait_for_the_next_opening() {
    let (api, account) = with_cash("1000.00").await;
    let hours =
        |opens, closes| json!({ "command": "set_venue_hours", "opens": opens, "closes": closes });
    api.command(hours("08:00", "16:30")).await;
    // If the hours are set again, the venue still opens only once a day.
    api.command(hours("08:00", "16:30")).await;
    let for_100 = || json!({ "cash_amount": "100" });
    let order = trade(&api, account, AT_100, "BUY", for_100()).await;
    assert_eq!(api.order_status(&order), "FILLED");
    // Friday, one second before the venue closes. An order takes longer than that to reach execution, so it misses the
    // close.
    let friday: DateTime<Utc> = "2024-02-02T16:29:59Z".parse().unwrap();
    api.sandbox
        .advance((friday - api.sandbox.now()).to_std().unwrap())
        .await;
    let over_the_weekend = api.order(account, AT_100, "BUY", &for_100());
    let cancelled = api.order(account, IN_PARTS, "BUY", &for_100());
    // Prices have changed several times by Sunday evening.
    api.days(2).await;
    assert_eq!(api.order_status(&over_the_weekend), "PROCESSING");
    assert_eq!(
        cancel(&api, &cancelled).await,
        "ORDER_CANCELLATION.CONFIRMED"
    );
    let monday: DateTime<Utc> = "2024-02-05T08:00:00Z".parse().unwrap();
    api.sandbox
        .advance((monday - api.sandbox.now()).to_std().unwrap())
        .await;
    assert_eq!(api.order_status(&over_the_weekend), "PROCESSING");
    api.seconds(1).await;
    assert_eq!(api.order_status(&over_the_weekend), "FILLED");
    assert!(api.executions(&cancelled).is_empty());
    // Without hours, waiting orders are executed immediately.
    api.seconds(12 * 3600).await;
    let at_night = trade(&api, account, AT_100, "BUY", for_100()).await;
    assert_eq!(api.order_status(&at_night), "PROCESSING");
    api.command(json!({ "command": "set_venue_hours" })).await;
    api.seconds(1).await;
    assert_eq!(api.order_status(&at_night), "FILLED");
    for wrong in [
        hours("16:30", "08:00"),
        json!({ "command": "set_venue_hours", "opens": "08:00" }),
    ] {
        let rejected = api
            .sandbox
            .execute(serde_json::from_value(wrong).unwrap())
            .await
            .unwrap_err();
        assert!(rejected.to_string().contains("closes"), "{rejected}");
    }
    api.assert_books_add_up();
}

/// Requests the cancellation of an order and returns its last event.
async fn cancel(api: &Plain, order: &str) -> &'static str {
    let (status, cancellation) = api.call("POST", &format!("/orders/{order}/cancellation"), None);
    assert_eq!(status, 200);
    assert_eq!(&cancellation["status"], &json!("PENDING"));
    assert_eq!(cancellation["order_id"], order);
    api.seconds(10).await;
    let events = api.events_of(cancellation["id"].as_str().unwrap());
    assert_eq!(events.len(), 2);
    events[1]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_an_order_arrive_in_their_order() {
    let (api, account) = with_cash("1000.00").await;
    let order = trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "100" }),
    )
    .await;
    let expected = [
        "ORDER.NEW",
        "ORDER.PROCESSING",
        "EXECUTION.FILLED",
        "ORDER.FILLED",
        "EXECUTION.SETTLED",
    ];
    assert_eq!(api.events_of(&order), expected);
    let events = api.sandbox.events();
    let statuses: Vec<_> = events
        .iter()
        .filter(|event| event.about.to_string() == order)
        .map(|event| serde_json::from_str::<Value>(event.object.get()).unwrap()["status"].clone())
        .collect();
    assert_eq!(statuses, ["NEW", "PROCESSING", "FILLED"]);
    assert!(events.is_sorted_by_key(|event| event.created_at));
    let started = crate::plain::start_of_tests();
    let filled = events
        .iter()
        .find(|event| event.event_type == "ORDER.FILLED")
        .unwrap();
    // Two seconds until the account was open, one until the check, one until the execution.
    assert_eq!(filled.created_at - started, TimeDelta::seconds(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_instruments_trade_at_their_quotes() {
    let (api, account) = with_cash("5000.00").await;
    for (isin, bid, offer) in QUOTES {
        assert_eq!(api.bid(isin), number(bid), "{isin}");
        let before = api.cash(account).available;
        let bought = trade(&api, account, isin, "BUY", json!({ "quantity": "1" })).await;
        let Some(execution) = api.executions(&bought).first().cloned() else {
            assert_eq!(isin, IN_PARTS_THEN_CANCELLED, "does not execute");
            continue;
        };
        assert_eq!(decimal(&execution["price"]), number(offer), "{isin}");
        assert_eq!(
            before - api.cash(account).available,
            cents_up(number(offer)),
            "{isin}"
        );
        let sold = trade(&api, account, isin, "SELL", json!({ "quantity": "1" })).await;
        assert_eq!(
            decimal(&api.executions(&sold)[0]["price"]),
            number(bid),
            "{isin}"
        );
        let in_cents = cents(number(bid));
        let out_cents = cents_up(number(offer));
        assert_eq!(
            api.cash(account).available,
            before + in_cents - out_cents,
            "{isin}"
        );
    }
    let listed = api.get("/instruments?isin=IE00B95PGT31");
    assert_eq!(
        listed["data"][0]["id"],
        json!(Sandbox::instrument("IE00B95PGT31"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn some_prices_change_every_hour() {
    let api = Plain::start().await;
    let mut random = Vec::new();
    let mut oscillating = Vec::new();
    for _ in 0..4 {
        random.push(api.bid("IE00B95PGT31"));
        oscillating.push(api.bid("XF0000000017"));
        api.seconds(3_600).await;
    }
    assert_eq!(oscillating, ["200", "300", "200", "300"].map(number));
    random.dedup();
    assert_eq!(random.len(), 4);
    assert!(
        random
            .iter()
            .all(|price| (number("50")..number("150")).contains(price))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oscillating_price_continues_after_a_new_quote() {
    let api = Plain::start().await;
    api.sandbox
        .set_price("XF0000000017", "600", "600")
        .await
        .unwrap();
    let mut prices = Vec::new();
    for _ in 0..3 {
        api.seconds(3_600).await;
        prices.push(api.bid("XF0000000017"));
    }
    assert_eq!(prices, ["200", "300", "200"].map(number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fraction_that_a_split_has_left_is_sold_with_all_the_rest() {
    let api = Plain::start().await;
    let account = api.sandbox.open_account("1000").await.unwrap();
    api.order(account, "XF0000000025", "BUY", &json!({ "quantity": "3" }));
    api.seconds(2).await;
    let tomorrow = (api.sandbox.now() + chrono::TimeDelta::days(1)).date_naive();
    api.sandbox
        .announce_split("XF0000000025", "0.5", tomorrow)
        .await
        .unwrap();
    api.days(1).await;
    assert_eq!(api.units(account, "XF0000000025"), number("1.5"));
    let part = api.order(
        account,
        "XF0000000025",
        "SELL",
        &json!({ "quantity": "0.5" }),
    );
    let all = api.order(
        account,
        "XF0000000025",
        "SELL",
        &json!({ "quantity": "1.5" }),
    );
    api.seconds(2).await;
    assert_eq!(
        [api.order_status(&part), api.order_status(&all)],
        ["REJECTED", "FILLED"]
    );
    assert_eq!(api.units(account, "XF0000000025"), number("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_executed_while_trading_is_stopped() {
    let (api, account) = with_cash("1000").await;
    let limit = json!({ "type": "LIMIT", "quantity": "2", "limit_price": "101" });
    let waiting = api.order(account, AT_100, "BUY", &limit);
    api.seconds(1).await;
    let set = |tradeable: bool| json!({ "command": "set_tradeable", "isin": AT_100, "tradeable": tradeable });
    api.command(set(false)).await;
    api.seconds(60).await;
    assert_eq!(api.order_status(&waiting), "PROCESSING");
    api.command(set(true)).await;
    api.seconds(2).await;
    assert_eq!(api.order_status(&waiting), "FILLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_cancels_orders_that_are_still_new() {
    let (api, account) = with_cash("1000").await;
    let today = api.sandbox.now().date_naive();
    let limit = json!({ "type": "LIMIT", "quantity": "2", "limit_price": "90" });
    let new = api.order(account, AT_100, "BUY", &limit);
    api.sandbox
        .announce_split(AT_100, "2", today)
        .await
        .unwrap();
    api.sandbox.settle().await;
    assert_eq!(api.order_status(&new), "CANCELLED");
}
