//! Payments and transfers.

use super::*;

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

pub(crate) async fn withdraw(api: &Plain, account: Uuid, amount: &str) -> String {
    let body = json!({ "account_id": account, "cash_amount": amount, "currency": "EUR" });
    let withdrawal = id(&api.post("/withdrawals", &body));
    api.seconds(2).await;
    listed_status(api, "/withdrawals", &withdrawal)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_debit_increases_the_cash() {
    let (api, account) = with_cash("1.00").await;
    let user = user_of(&api, account);
    let group = api.sandbox.account_group();
    let mandate = api
        .sandbox
        .create_mandate(group, "DE89370400440532013000")
        .await
        .unwrap();
    assert_eq!(status(&api, &format!("/mandates/{mandate}")), "ACTIVE");
    let first = debit(&api, user, mandate, "250.50");
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/direct_debits", &first), "PROCESSING");
    assert_eq!(api.cash(account).available, number("1"));
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/direct_debits", &first), "COMPLETED");
    assert_eq!(api.cash(account).available, number("251.50"));
    // The bank takes it back, but only once.
    let reverse = json!({ "command": "reverse_direct_debit", "direct_debit_id": first });
    api.command(reverse.clone()).await;
    assert_eq!(listed_status(&api, "/direct_debits", &first), "REVERSED");
    assert_eq!(api.cash(account).available, number("1"));
    let again = api
        .sandbox
        .execute(serde_json::from_value(reverse).unwrap())
        .await;
    assert!(again.is_err());
    let debits: Vec<_> = api
        .bookings(account)
        .into_iter()
        .filter(|(kind, _)| kind == "DIRECT_DEBIT")
        .map(|it| it.1)
        .collect();
    assert_eq!(debits, ["250.50", "-250.50"].map(number));
    // In progress when the mandate is revoked.
    let second = debit(&api, user, mandate, "10.00");
    api.seconds(1).await;
    api.command(json!({ "command": "revoke_mandate", "mandate_id": mandate }))
        .await;
    api.seconds(1).await;
    assert_eq!(listed_status(&api, "/direct_debits", &second), "FAILED");
    assert_eq!(status(&api, &format!("/mandates/{mandate}")), "REVOKED");
    assert_eq!(api.cash(account).available, number("1"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_direct_debit_whose_cash_was_spent_leaves_a_debt() {
    let (api, account) = with_cash("0.01").await;
    let user = user_of(&api, account);
    let mandate = api
        .sandbox
        .create_mandate(api.sandbox.account_group(), "DE89370400440532013000")
        .await
        .unwrap();
    let first = debit(&api, user, mandate, "100.00");
    api.seconds(2).await;
    let paid_out = json!({ "account_id": account, "cash_amount": "70.00", "currency": "EUR" });
    api.post("/withdrawals", &paid_out);
    api.seconds(2).await;
    api.command(json!({ "command": "reverse_direct_debit", "direct_debit_id": first }))
        .await;
    assert_eq!(api.cash(account).available, number("-69.99"));
    let more = api.post(
        "/withdrawals",
        &json!({ "account_id": account, "cash_amount": "0.01", "currency": "EUR" }),
    );
    api.seconds(2).await;
    assert_eq!(
        listed_status(&api, "/withdrawals", more["id"].as_str().unwrap()),
        "FAILED"
    );
    // An account in debt is not closed until the debt is paid.
    assert_eq!(
        api.call("DELETE", &format!("/accounts/{account}"), None).0,
        204
    );
    api.seconds(5).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "CLOSING");
    api.assert_books_add_up();
    api.sandbox.top_up(account, "69.99").await.unwrap();
    api.seconds(5).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "CLOSED");
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_debit_without_an_open_account_fails() {
    let api = Plain::start().await;
    let user = create_user(&api);
    let group = api.sandbox.account_group();
    let mandate = api
        .sandbox
        .create_mandate(group, "DE89370400440532013000")
        .await
        .unwrap();
    let debited = debit(&api, user, mandate, "10.00");
    api.seconds(5).await;
    assert_eq!(listed_status(&api, "/direct_debits", &debited), "FAILED");
    let elsewhere = api.sandbox.create_account_group().await.unwrap();
    let body = json!({
        "user_id": user, "account_group_id": elsewhere, "mandate_id": mandate,
        "cash_amount": "1", "currency": "EUR",
    });
    assert!(
        api.rejected("POST", "/direct_debits", &body)
            .contains("`mandate_id`")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_reserves_its_cash_first() {
    let (api, account) = with_cash("100.00").await;
    let body = json!({ "account_id": account, "cash_amount": "60.00", "currency": "EUR" });
    let withdrawal = id(&api.post("/withdrawals", &body));
    api.seconds(1).await;
    assert_eq!(
        listed_status(&api, "/withdrawals", &withdrawal),
        "PROCESSING"
    );
    assert_eq!(api.cash(account), Cash::available("40").and_pending("60"));
    // Reserved cash cannot be spent.
    assert_eq!(withdraw(&api, account, "40.01").await, "FAILED");
    assert_eq!(
        listed_status(&api, "/withdrawals", &withdrawal),
        "COMPLETED"
    );
    assert_eq!(api.cash(account), Cash::available("40"));
    assert_eq!(withdraw(&api, account, "40.00").await, "COMPLETED");
    assert_eq!(api.cash(account), Cash::available("0"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_transferred_in_and_out() {
    let (api, account) = with_cash("1.00").await;
    let inbound = api
        .sandbox
        .transfer_securities(Direction::Inbound, account, FUND, "2.5")
        .await
        .unwrap();
    let path = "/securities_transfers";
    assert_eq!(listed_status(&api, path, &inbound.to_string()), "NEW");
    api.seconds(1).await;
    assert_eq!(
        listed_status(&api, path, &inbound.to_string()),
        "PROCESSING"
    );
    api.seconds(1).await;
    assert_eq!(listed_status(&api, path, &inbound.to_string()), "COMPLETED");
    let position = api.position(account, FUND).unwrap();
    assert_eq!(decimal(&position["quantity"]), number("2.5"));
    for (units, status, left) in [
        ("2.6", "FAILED", "2.5"),
        ("1.5", "COMPLETED", "1"),
        ("1", "COMPLETED", "0"),
    ] {
        let outbound = api
            .sandbox
            .transfer_securities(Direction::Outbound, account, FUND, units)
            .await
            .unwrap();
        api.seconds(2).await;
        assert_eq!(listed_status(&api, path, &outbound.to_string()), status);
        assert_eq!(api.units(account, FUND), number(left));
    }
    assert_eq!(api.cash(account).available, number("1"));
    // The API has no field for the securities, so nothing is moved.
    let nothing = id(&api.post(path, &json!({ "direction": "INBOUND" })));
    api.seconds(2).await;
    assert_eq!(listed_status(&api, path, &nothing), "COMPLETED");
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_transfer_moves_everything() {
    let (api, source) = with_cash("1000.00").await;
    let target = create_account(&api, user_of(&api, source));
    api.seconds(1).await;
    api.sandbox.top_up(target, "5.00").await.unwrap();
    trade(&api, source, FUND, "BUY", json!({ "quantity": "2" })).await;
    trade(&api, source, AT_100, "BUY", json!({ "cash_amount": "50" })).await;
    let body = json!({ "source_account_id": source, "target_account_id": target });
    let transfer = id(&api.post("/account_transfers", &body));
    api.seconds(2).await;
    assert_eq!(
        listed_status(&api, "/account_transfers", &transfer),
        "COMPLETED"
    );
    assert_eq!(api.cash(source), Cash::available("0"));
    assert_eq!(
        api.list(&format!("/accounts/{source}/positions")),
        Vec::<Value>::new()
    );
    // The 1000 of the source minus 230.10 and 50, plus the 5 of the target.
    assert_eq!(api.cash(target), Cash::available("724.90"));
    assert_eq!(api.units(target, AT_100), number("0.5"));
    let position = api.position(target, FUND).unwrap();
    assert_eq!(decimal(&position["quantity"]), number("2"));
    assert_eq!(decimal(&position["average_buy_in_price"]), number("115.05"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_from_an_account_to_itself_fails() {
    let (api, account) = with_cash("724.90").await;
    let body = json!({ "source_account_id": account, "target_account_id": account });
    let transfer = id(&api.post("/account_transfers", &body));
    api.seconds(2).await;
    assert_eq!(
        listed_status(&api, "/account_transfers", &transfer),
        "FAILED"
    );
    assert_eq!(api.cash(account), Cash::available("724.90"));
    api.assert_books_add_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liquidation_sells_all_or_half() {
    for (kind, left, whole_left, cash) in [
        ("FULL", "0", "0", "896.96"),
        ("PARTIAL", "0.75", "2", "612.19"),
    ] {
        let (api, account) = with_cash("900.00").await;
        trade(&api, account, FUND, "BUY", json!({ "quantity": "1.5" })).await;
        trade(
            &api,
            account,
            WHOLE_UNITS,
            "BUY",
            json!({ "quantity": "3" }),
        )
        .await;
        let path = format!("/accounts/{account}/liquidations");
        let liquidation = api.post(&path, &json!({ "type": kind }));
        assert_eq!(liquidation["status"], "NEW");
        api.seconds(1).await;
        assert_eq!(listed_status(&api, &path, &id(&liquidation)), "PROCESSING");
        api.seconds(5).await;
        assert_eq!(listed_status(&api, &path, &id(&liquidation)), "COMPLETED");
        assert_eq!(api.units(account, FUND), number(left));
        // Half of three whole units is one.
        assert_eq!(api.units(account, WHOLE_UNITS), number(whole_left));
        assert_eq!(api.cash(account), Cash::available(cash), "{kind}");
        api.assert_books_add_up();
    }
}
