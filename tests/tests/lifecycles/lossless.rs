//! Compares raw and typed responses: no data of a response is lost.

use super::*;

pub(crate) async fn user_responses_lose_nothing(u: &Upvest, resources: &Resources) {
    let Resources {
        user,
        identifier,
        account,
        ..
    } = *resources;
    assert_nothing_is_lost(u, "/users", u.list_users().send().await).await;
    assert_nothing_is_lost(
        u,
        &format!("/users/{user}"),
        u.retrieve_user().user_id(user).send().await,
    )
    .await;
    let typed = u.list_user_identifiers().user_id(user).send().await;
    assert_nothing_is_lost(u, &format!("/users/{user}/identifiers"), typed).await;
    let typed = u
        .retrieve_user_identifier()
        .user_id(user)
        .identifier_id(identifier)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("/users/{user}/identifiers/{identifier}"), typed).await;
    assert_nothing_is_lost(
        u,
        &format!("/users/{user}/checks"),
        u.list_user_checks().user_id(user).send().await,
    )
    .await;
    let typed = u.list_tax_residencies().user_id(user).send().await;
    assert_nothing_is_lost(u, &format!("/users/{user}/tax_residencies"), typed).await;
    assert_nothing_is_lost(
        u,
        &format!("/users/{user}/accounts"),
        u.list_user_accounts().user_id(user).send().await,
    )
    .await;
    assert_nothing_is_lost(u, "/accounts", u.list_accounts().send().await).await;
    let typed = u.retrieve_account().account_id(account).send().await;
    assert_nothing_is_lost(u, &format!("/accounts/{account}"), typed).await;
}

pub(crate) async fn trading_responses_lose_nothing(u: &Upvest, resources: &Resources) {
    let order = resources.order;
    let instrument = instrument(FUND);
    assert_nothing_is_lost(u, "/instruments", u.list_instruments().send().await).await;
    let typed = u
        .retrieve_instrument()
        .instrument_id(instrument)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("/instruments/{instrument}"), typed).await;
    let typed = u
        .list_instrument_prices()
        .instrument_id(instrument)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("/instruments/{instrument}/prices"), typed).await;
    assert_nothing_is_lost(u, "/orders", u.list_orders().send().await).await;
    assert_nothing_is_lost(
        u,
        &format!("/orders/{order}"),
        u.retrieve_order().order_id(order).send().await,
    )
    .await;
    let typed = u.list_order_executions().order_id(order).send().await;
    assert_nothing_is_lost(u, &format!("/orders/{order}/executions"), typed).await;
}

pub(crate) async fn plan_responses_lose_nothing(u: &Upvest, resources: &Resources) {
    let Resources {
        portfolio,
        savings_plan,
        ..
    } = *resources;
    assert_nothing_is_lost(u, "/portfolios", u.list_portfolios().send().await).await;
    let typed = u.retrieve_portfolio().portfolio_id(portfolio).send().await;
    assert_nothing_is_lost(u, &format!("/portfolios/{portfolio}"), typed).await;
    let typed = u
        .list_portfolio_allocations()
        .portfolio_id(portfolio)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("/portfolios/{portfolio}/allocations"), typed).await;
    let typed = u
        .list_rebalancing_executions()
        .portfolio_id(portfolio)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("/portfolios/{portfolio}/rebalancing"), typed).await;
    assert_nothing_is_lost(u, "/savings_plans", u.list_savings_plans().send().await).await;
    let typed = u
        .retrieve_savings_plan()
        .savings_plan_id(savings_plan)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("/savings_plans/{savings_plan}"), typed).await;
}

pub(crate) async fn account_responses_lose_nothing(u: &Upvest, resources: &Resources) {
    let Resources {
        account,
        position,
        payer,
        mandate,
        liquidated,
        ..
    } = *resources;
    let of_account = format!("/accounts/{account}");
    let typed = u.list_positions().account_id(account).send().await;
    assert_nothing_is_lost(u, &format!("{of_account}/positions"), typed).await;
    let typed = u
        .retrieve_position()
        .account_id(account)
        .position_id(position)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("{of_account}/positions/{position}"), typed).await;
    assert_nothing_is_lost(
        u,
        &format!("{of_account}/valuations"),
        u.list_valuations().account_id(account).send().await,
    )
    .await;
    assert_nothing_is_lost(
        u,
        &format!("{of_account}/returns"),
        u.list_account_returns().account_id(account).send().await,
    )
    .await;
    let typed = u.list_cash_balances().account_id(account).send().await;
    assert_nothing_is_lost(u, &format!("{of_account}/cash_balances"), typed).await;
    let typed = u.list_transactions().account_id(account).send().await;
    assert_nothing_is_lost(u, &format!("{of_account}/transactions"), typed).await;
    assert_nothing_is_lost(u, "/direct_debits", u.list_direct_debits().send().await).await;
    assert_nothing_is_lost(u, "/mandates", u.list_mandates().send().await).await;
    assert_nothing_is_lost(
        u,
        &format!("/mandates/{mandate}"),
        u.retrieve_mandate().mandate_id(mandate).send().await,
    )
    .await;
    assert_nothing_is_lost(u, "/withdrawals", u.list_withdrawals().send().await).await;
    let typed = u.list_reference_accounts().account_id(payer).send().await;
    assert_nothing_is_lost(u, &format!("/accounts/{payer}/reference_accounts"), typed).await;
    assert_nothing_is_lost(
        u,
        &format!("/accounts/{payer}/fees"),
        u.list_fees().account_id(payer).send().await,
    )
    .await;
    assert_nothing_is_lost(
        u,
        "/fee_configurations",
        u.list_fee_configurations().send().await,
    )
    .await;
    let typed = u.list_liquidations().account_id(liquidated).send().await;
    assert_nothing_is_lost(u, &format!("/accounts/{liquidated}/liquidations"), typed).await;
}

pub(crate) async fn report_responses_lose_nothing(u: &Upvest, resources: &Resources) {
    let webhook = resources.webhook;
    assert_nothing_is_lost(u, "/reports", u.list_reports().send().await).await;
    assert_nothing_is_lost(
        u,
        "/treasury_reports",
        u.list_treasury_reports().send().await,
    )
    .await;
    assert_nothing_is_lost(
        u,
        "/securities_transfers",
        u.list_securities_transfers().send().await,
    )
    .await;
    assert_nothing_is_lost(
        u,
        "/account_transfers",
        u.list_account_transfers().send().await,
    )
    .await;
    assert_nothing_is_lost(
        u,
        "/corporate_actions",
        u.list_corporate_actions().send().await,
    )
    .await;
    assert_nothing_is_lost(u, "/webhooks", u.list_webhook_subscriptions().send().await).await;
    let typed = u
        .retrieve_webhook_subscription()
        .webhook_id(webhook)
        .send()
        .await;
    assert_nothing_is_lost(u, &format!("/webhooks/{webhook}"), typed).await;
}

/// Compares the JSON that the type writes with the JSON of the response.
pub(crate) async fn assert_nothing_is_lost<T: Serialize>(
    upvest: &Upvest,
    path: &str,
    typed: Answered<T>,
) {
    let segments = path.trim_start_matches('/').split('/');
    let mut sent = upvest
        .request(Method::GET, segments)
        .send_json::<Value>()
        .await
        .unwrap()
        .into_inner();
    match sent.get_mut("data") {
        Some(Value::Array(items)) => {
            assert!(!items.is_empty(), "{path} has nothing to compare");
            items.iter_mut().for_each(forget_unused_prices);
        }
        _ => forget_unused_prices(&mut sent),
    }
    forget_zero_milliseconds(&mut sent);
    let kept = serde_json::to_value(typed.unwrap().into_inner()).unwrap();
    assert_eq!(kept, sent, "{path}");
}

/// The server writes the milliseconds of each time, and the types write them only if there are any.
fn forget_zero_milliseconds(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(seconds) = text.strip_suffix(".000Z") {
                *text = format!("{seconds}Z");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forget_zero_milliseconds),
        Value::Object(fields) => fields.values_mut().for_each(forget_zero_milliseconds),
        _ => {}
    }
}

/// A missing price of an order is an empty text in JSON and `None` in the type.
pub(crate) fn forget_unused_prices(item: &mut Value) {
    let fields = item.as_object_mut().unwrap();
    fields.retain(|name, value| {
        !(["limit_price", "stop_price"].contains(&name.as_str()) && value == "")
    });
}
