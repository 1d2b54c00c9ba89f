//! Portfolios, orders for them, rebalancing.

use super::*;

fn allocations(weights: &[(&str, &str)]) -> Value {
    weights
        .iter()
        .map(|(isin, weight)| json!({ "instrument_id": Sandbox::instrument(isin), "weight": weight }))
        .collect()
}

pub(crate) fn create_portfolio(api: &Plain, account: Uuid, weights: &[(&str, &str)]) -> String {
    let body =
        json!({ "account_id": account, "name": "Mine", "allocations": allocations(weights) });
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
        let body =
            json!({ "account_id": account, "name": "Mine", "allocations": allocations(weights) });
        assert!(
            api.rejected("POST", "/portfolios", &body)
                .contains("`allocations"),
            "{weights:?}"
        );
        api.rejected(
            "PUT",
            &path,
            &json!({ "allocations": allocations(weights) }),
        );
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
    let parts = [
        ("100.00", ["33.33", "33.33", "33.34"]),
        ("0.10", ["0.04", "0.03", "0.03"]),
    ];
    for (placed, (amount, expected)) in parts.into_iter().enumerate() {
        let body = json!({ "cash_amount": amount, "currency": "EUR" });
        let order = api.post(&format!("/portfolios/{portfolio}/orders"), &body);
        assert_eq!(order["status"], "NEW");
        api.seconds(5).await;
        let orders = api.list(&format!("/orders?account_id={account}"));
        let amounts: Vec<_> = orders[3 * placed..]
            .iter()
            .map(|order| decimal(&order["cash_amount"]))
            .collect();
        assert_eq!(amounts, expected.map(number));
        assert!(orders.iter().all(|order| order["status"] == "FILLED"));
        let events = api.events_of(&id(&order));
        assert_eq!(
            events,
            [
                "PORTFOLIO_ORDER.NEW",
                "PORTFOLIO_ORDER.PROCESSING",
                "PORTFOLIO_ORDER.FILLED"
            ]
        );
    }
    assert_eq!(api.cash(account), Cash::available("899.90"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portfolio_order_without_the_cash_is_cancelled() {
    let (api, account) = with_cash("99.99").await;
    let portfolio = create_portfolio(&api, account, &[(FUND, "1")]);
    let body = json!({ "cash_amount": "100.00", "currency": "EUR" });
    let order = id(&api.post(&format!("/portfolios/{portfolio}/orders"), &body));
    api.seconds(5).await;
    assert_eq!(
        api.events_of(&order),
        ["PORTFOLIO_ORDER.NEW", "PORTFOLIO_ORDER.CANCELLED"]
    );
    assert_eq!(api.list("/orders"), Vec::<Value>::new());
    assert_eq!(api.cash(account), Cash::available("99.99"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rebalancing_restores_the_weights() {
    let (api, account) = with_cash("1000.00").await;
    let weights = [(AT_100, "0.5"), (SHARE, "0.3"), ("IE00B5M1WJ87", "0.2")];
    let portfolio = create_portfolio(&api, account, &weights);
    let body = json!({ "cash_amount": "1000.00", "currency": "EUR" });
    api.post(&format!("/portfolios/{portfolio}/orders"), &body);
    api.seconds(10).await;
    api.sandbox
        .set_price(AT_100, "173.21", "173.21")
        .await
        .unwrap();
    api.sandbox
        .set_price(SHARE, "61.80", "61.80")
        .await
        .unwrap();
    let isins = weights.map(|(isin, _)| isin);
    let before = worth(&api, account, &isins);
    let path = format!("/portfolios/{portfolio}/rebalancing");
    let (status, rebalancing) = api.call("POST", &path, None);
    assert_eq!(status, 201);
    assert_eq!(&rebalancing["status"], &json!("NEW"));
    api.seconds(20).await;
    assert_eq!(listed_status(&api, &path, &id(&rebalancing)), "COMPLETED");
    let few_cents = number("0.05");
    assert!((worth(&api, account, &isins) - before).abs() <= few_cents);
    for (isin, weight) in weights {
        let value = cents(api.units(account, isin) * api.bid(isin));
        assert!(
            (value - before * number(weight)).abs() <= few_cents,
            "{isin} is worth {value}, not its share of {before}"
        );
    }
    api.assert_books_add_up();
}
