//! Users, checks, accounts.

use super::payments::withdraw;
use super::portfolios::create_portfolio;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_becomes_active_when_the_check_has_passed() {
    let api = Plain::start().await;
    let user = create_user(&api);
    assert_eq!(status(&api, &format!("/users/{user}")), "PENDING");
    let checks = api.list(&format!("/users/{user}/checks"));
    assert_eq!(checks.len(), 1);
    assert_eq!(&checks[0]["type"], &json!("KYC"));
    assert_eq!(checks[0]["status"], "PENDING");
    assert_eq!(checks[0].get("completed_at"), None);
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/users/{user}")), "ACTIVE");
    let checks = api.list(&format!("/users/{user}/checks"));
    assert_eq!(checks[0]["status"], "PASSED");
    assert_eq!(checks[0]["completed_at"], "2024-01-31T09:00:01.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_check_fails_is_blocked_and_gets_no_account() {
    let api = Plain::start().await;
    let user = create_user(&api);
    let account = create_account(&api, user);
    api.sandbox.set_check_result(user, false).await.unwrap();
    api.days(1).await;
    assert_eq!(status(&api, &format!("/users/{user}")), "BLOCKED");
    assert_eq!(
        api.list(&format!("/users/{user}/checks"))[0]["status"],
        "FAILED"
    );
    assert_eq!(status(&api, &format!("/accounts/{account}")), "PENDING");
    api.sandbox
        .set_user_status(user, upvest_sandbox::UserStatus::Active)
        .await
        .unwrap();
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
    api.sandbox
        .set_user_status(user, upvest_sandbox::UserStatus::Blocked)
        .await
        .unwrap();
    api.seconds(10).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "PENDING");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_account_closes_at_once_and_takes_no_money_then() {
    let api = Plain::start().await;
    let account = create_account(&api, create_user(&api));
    api.seconds(2).await;
    assert_eq!(
        api.call("DELETE", &format!("/accounts/{account}"), None),
        (204, Value::Null)
    );
    api.seconds(1).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "CLOSED");
    assert!(api.sandbox.top_up(account, "1.00").await.is_err());
    assert_eq!(api.cash(account), Cash::available("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_closes_when_units_and_cash_are_gone() {
    let (api, account) = with_cash("1000.00").await;
    trade(
        &api,
        account,
        AT_100,
        "BUY",
        json!({ "cash_amount": "400" }),
    )
    .await;
    api.call("DELETE", &format!("/accounts/{account}"), None);
    api.days(1).await;
    let path = format!("/accounts/{account}");
    assert_eq!(status(&api, &path), "CLOSING");
    // It cannot receive anything.
    let order = api.order(account, AT_100, "BUY", &json!({ "cash_amount": "100" }));
    api.seconds(5).await;
    assert_eq!(api.order_status(&order), "REJECTED");
    trade(&api, account, AT_100, "SELL", json!({ "quantity": "4" })).await;
    assert_eq!(status(&api, &path), "CLOSING");
    withdraw(&api, account, "1000.00").await;
    api.seconds(1).await;
    assert_eq!(status(&api, &path), "CLOSED");
    assert_eq!(
        api.list(&format!("/accounts/{account}/valuations")).len(),
        1
    );
    api.days(2).await;
    assert_eq!(
        api.list(&format!("/accounts/{account}/valuations")).len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_closes_takes_its_portfolios_and_plans_with_it() {
    let (api, account) = with_cash("10.00").await;
    let portfolio = create_portfolio(&api, account, &[(FUND, "1")]);
    let plan = json!({
        "account_id": account, "portfolio_id": portfolio, "cash_amount": "5", "currency": "EUR", "frequency": "WEEKLY",
    });
    let plan = id(&api.post("/savings_plans", &plan));
    api.call("DELETE", &format!("/accounts/{account}"), None);
    assert_eq!(withdraw(&api, account, "10.00").await, "COMPLETED");
    api.seconds(2).await;
    assert_eq!(status(&api, &format!("/accounts/{account}")), "CLOSED");
    assert_eq!(status(&api, &format!("/portfolios/{portfolio}")), "CLOSED");
    assert_eq!(status(&api, &format!("/savings_plans/{plan}")), "CANCELLED");
    api.days(30).await;
    assert_eq!(
        api.events_of(&plan),
        ["SAVINGS_PLAN.CREATED", "SAVINGS_PLAN.CANCELLED"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_data_of_a_user_sends_an_event_about_the_user() {
    let api = Plain::start().await;
    let user = create_user(&api);
    let number = json!({ "type": "NATIONAL_ID", "value": "1" });
    let number = id(&api.post(&format!("/users/{user}/identifiers"), &number));
    let change = json!({ "value": "2" });
    api.call(
        "PATCH",
        &format!("/users/{user}/identifiers/{number}"),
        Some(&change),
    );
    api.post(
        &format!("/users/{user}/tax_residencies"),
        &json!({ "country": "DE" }),
    );
    let events = api.events_of(&user.to_string());
    assert_eq!(
        events
            .iter()
            .filter(|event| **event == "USER.DATA_CHANGED")
            .count(),
        3,
        "{events:?}"
    );
}
