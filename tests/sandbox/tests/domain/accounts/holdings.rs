//! Dividends, splits, fees, valuations and returns.

use super::payments::withdraw;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_dividend_is_paid_for_each_unit() {
    let (api, account) = with_cash("1000.00").await;
    trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "333.33" }),
    )
    .await;
    let ex_date = date("2024-02-02");
    let action = api
        .sandbox
        .announce_dividend(AT_100, "1.2345", ex_date)
        .await
        .unwrap();
    assert_eq!(
        listed_status(&api, "/corporate_actions", &action.to_string()),
        "ANNOUNCED"
    );
    api.days(1).await;
    assert_eq!(api.cash(account).available, number("666.67"));
    api.days(1).await;
    assert_eq!(
        listed_status(&api, "/corporate_actions", &action.to_string()),
        "PROCESSED"
    );
    // 3.3333 units at 1.2345 are 4.11495885.
    assert_eq!(
        api.bookings(account).last(),
        Some(&("DIVIDEND".to_owned(), number("4.11")))
    );
    assert_eq!(api.cash(account).available, number("670.78"));
    let shown = &api.list("/corporate_actions")[0];
    assert_eq!(&shown["type"], &json!("DIVIDEND"));
    assert_eq!(&shown["ex_date"], &json!("2024-02-02"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_changes_units_and_price_but_not_the_value() {
    for (ratio, units, price, bought_at) in
        [("4", "14", "25", "25"), ("0.1", "0.35", "1000", "1000")]
    {
        let (api, account) = with_cash("1000.00").await;
        trade(&api, account, AT_100, "BUY", json!({ "quantity": "3.5" })).await;
        let waiting = json!({ "type": "LIMIT", "quantity": "1", "limit_price": "90" });
        let waiting = api.order(account, AT_100, "BUY", &waiting);
        api.sandbox
            .announce_split(AT_100, ratio, date("2024-02-01"))
            .await
            .unwrap();
        api.days(1).await;
        let position = api.position(account, AT_100).unwrap();
        assert_eq!(decimal(&position["quantity"]), number(units));
        assert_eq!(
            decimal(&position["average_buy_in_price"]),
            number(bought_at)
        );
        assert_eq!(api.bid(AT_100), number(price));
        // The order was placed for the units before the split.
        assert_eq!(api.order_status(&waiting), "CANCELLED");
        assert_eq!(api.cash(account), Cash::available("650"));
        assert_eq!(worth(&api, account, &[AT_100]), number("1000"));
        api.assert_books_add_up();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_charged_if_there_is_enough_cash() {
    let (api, account) = with_cash("10.00").await;
    api.sandbox
        .charge_fee(account, "CUSTODY", "2.34")
        .await
        .unwrap();
    assert!(
        api.sandbox
            .charge_fee(account, "CUSTODY", "7.67")
            .await
            .is_err()
    );
    assert_eq!(api.cash(account), Cash::available("7.66"));
    let fees = api.list(&format!("/accounts/{account}/fees"));
    assert_eq!(fees.len(), 1);
    assert_eq!(&fees[0]["type"], &json!("CUSTODY"));
    assert_eq!(decimal(&fees[0]["amount"]), number("2.34"));
    assert_eq!(
        api.bookings(account).last(),
        Some(&("FEE".to_owned(), number("-2.34")))
    );
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
    let values: Vec<_> = valuations
        .iter()
        .map(|it| decimal(&it["total_value"]))
        .collect();
    assert_eq!(values, expected);
    let days: Vec<_> = valuations
        .iter()
        .map(|it| it["valued_at"].as_str().unwrap())
        .collect();
    assert_eq!(
        days,
        [
            "2024-02-01T00:00:00.000Z",
            "2024-02-02T00:00:00.000Z",
            "2024-02-03T00:00:00.000Z"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_add_up_to_the_value_minus_the_deposits() {
    let (api, account) = with_cash("1000.00").await;
    let mut paid = number("1000");
    api.sandbox
        .list_instrument("DE000A000001", InstrumentType::Fund, "10", "10.10")
        .await
        .unwrap();
    trade(
        &api,
        account,
        "DE000A000001",
        "BUY",
        json!({ "cash_amount": "333.33" }),
    )
    .await;
    api.days(20).await;
    api.sandbox
        .set_price("DE000A000001", "11.37", "11.40")
        .await
        .unwrap();
    assert_eq!(withdraw(&api, account, "50.25").await, "COMPLETED");
    paid -= number("50.25");
    api.days(20).await;
    api.sandbox
        .transfer_securities(Direction::Inbound, account, AT_100, "3")
        .await
        .unwrap();
    api.seconds(2).await;
    paid += number("300");
    api.sandbox
        .announce_dividend("DE000A000001", "0.077", date("2024-03-20"))
        .await
        .unwrap();
    api.sandbox
        .charge_fee(account, "CUSTODY", "3.21")
        .await
        .unwrap();
    api.days(20).await;
    api.sandbox.set_price(AT_100, "91.91", "92").await.unwrap();
    trade(&api, account, AT_100, "SELL", json!({ "quantity": "1.5" })).await;
    api.days(20).await;
    api.sandbox.top_up(account, "12.34").await.unwrap();
    paid += number("12.34");
    let returns = api.list(&format!("/accounts/{account}/returns"));
    let total: Decimal = returns
        .iter()
        .map(|month| decimal(&month["total_return"]))
        .sum();
    assert_eq!(
        total,
        worth(&api, account, &["DE000A000001", AT_100]) - paid
    );
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
    // Bought at 10.10 on the first day and valued at 10.00: 33.0029 units have lost 0.10 each.
    assert_eq!(decimal(&returns[0]["total_return"]), number("-3.31"));
    // Compared with the deposit of 1000.
    assert_eq!(
        decimal(&returns[0]["total_return_percentage"]),
        number("-0.331")
    );
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_return_of_an_empty_account_is_zero() {
    let (api, account) = with_cash("1000.00").await;
    api.days(40).await;
    for month in api.list(&format!("/accounts/{account}/returns")) {
        assert_eq!(decimal(&month["total_return"]), number("0"));
        assert_eq!(decimal(&month["total_return_percentage"]), number("0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_that_leaves_no_price_is_rejected() {
    let (api, account) = with_cash("1000.00").await;
    trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "100" }),
    )
    .await;
    let tomorrow = (api.sandbox.now() + chrono::TimeDelta::days(1)).date_naive();
    for day in 0..2 {
        let ex_date = tomorrow + chrono::Days::new(day);
        api.sandbox
            .announce_split(AT_100, "1000", ex_date)
            .await
            .unwrap();
    }
    // 100, 0.1, 0.0001: the third split would make the price zero, even while the others are only announced.
    let third = api
        .sandbox
        .announce_split(AT_100, "1000", tomorrow)
        .await
        .unwrap_err();
    assert!(
        third
            .to_string()
            .contains("`ratio` would move the price 100 out of the range"),
        "{third}"
    );
    api.days(3).await;
    assert_eq!(api.bid(AT_100), number("0.0001"));
    assert_eq!(api.units(account, AT_100), number("1000000"));
    api.sandbox
        .announce_split(AT_100, "2", tomorrow)
        .await
        .unwrap_err();
    assert!(
        api.sandbox
            .announce_split(AT_100, "0.001", api.sandbox.now().date_naive())
            .await
            .is_ok()
    );
    for (bid, offer) in [
        ("0.00009", "1"),
        ("1", "0.00009"),
        ("1", "1000000001"),
        ("0", "1"),
    ] {
        assert!(
            api.sandbox.set_price(AT_100, bid, offer).await.is_err(),
            "{bid} and {offer}"
        );
    }
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_applies_to_large_positions_or_is_rejected() {
    let (api, account) = with_cash("1.00").await;
    for _ in 0..2 {
        api.sandbox
            .transfer_securities(Direction::Inbound, account, AT_100, "999999999")
            .await
            .unwrap();
    }
    api.seconds(2).await;
    assert_eq!(api.units(account, AT_100), number("1999999998"));
    let today = api.sandbox.now().date_naive();
    api.sandbox
        .announce_split(AT_100, "2", today)
        .await
        .unwrap();
    api.seconds(1).await;
    assert_eq!(api.bid(AT_100), number("50"));
    assert_eq!(api.units(account, AT_100), number("3999999996"));
    let rejected = api
        .sandbox
        .announce_split(AT_100, "1000", today)
        .await
        .unwrap_err();
    assert!(rejected.to_string().contains("at most"), "{rejected}");
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_numbers_do_not_stop_the_clock() {
    const DEAR: &str = "DE000A000001";
    let (api, account) = with_cash("999999999.99").await;
    api.sandbox
        .list_instrument(DEAR, InstrumentType::Fund, "1000000000", "1000000000")
        .await
        .unwrap_err();
    api.sandbox
        .list_instrument(DEAR, InstrumentType::Fund, "999999999.9999999999", "0.0001")
        .await
        .unwrap();
    let others = ["DE000A000002", "DE000A000003"];
    for isin in others {
        api.sandbox
            .list_instrument(isin, InstrumentType::Fund, "999999999", "0.0001")
            .await
            .unwrap();
    }
    // Three purchases of the maximum size, and then a much higher price.
    for isin in others.iter().chain([&DEAR]) {
        for _ in 0..3 {
            api.order(
                account,
                isin,
                "BUY",
                &json!({ "quantity": "999999999.9999999999" }),
            );
            api.order(account, isin, "BUY", &json!({ "cash_amount": "300000000" }));
            api.sandbox
                .transfer_securities(Direction::Inbound, account, isin, "999999999.9999999999")
                .await
                .unwrap();
        }
        api.sandbox
            .announce_dividend(isin, "999999999.9999999999", date("2024-02-01"))
            .await
            .unwrap();
        api.order(
            account,
            isin,
            "SELL",
            &json!({ "cash_amount": "999999999.99" }),
        );
        api.order(
            account,
            isin,
            "SELL",
            &json!({ "quantity": "999999999.9999999999" }),
        );
    }
    let target = api.sandbox.now() + chrono::TimeDelta::days(40);
    api.days(40).await;
    assert_eq!(api.sandbox.now(), target);
    let midnights = api.list(&format!("/accounts/{account}/valuations")).len();
    assert_eq!(midnights, 40, "a valuation is missing");
    assert!(!api.list(&format!("/accounts/{account}/returns")).is_empty());
    let body = json!({ "command": "top_up", "account_id": account, "amount": "999999999.99" });
    for _ in 0..3 {
        let _ = api
            .sandbox
            .execute(serde_json::from_value(body.clone()).unwrap())
            .await;
    }
    assert!(api.cash(account).available <= number("1000000000000000"));
    api.assert_books_add_up();
}
