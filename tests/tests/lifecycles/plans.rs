//! Portfolios, portfolio orders and savings plans.

use super::*;

pub(crate) async fn portfolios(upvest: &Upvest, sandbox: &Sandbox) -> PortfolioId {
    let account = open_account(sandbox, "1000.00").await;
    let new = PortfolioCreate::builder().account_id(account).name("Calm");
    let new = new.allocations(vec![allocation(FUND, "0.60"), allocation(AT_100, "0.4")]);
    let made = upvest
        .create_portfolio()
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.account_id, Some(account));
    assert_eq!(&made.status, &Some(PortfolioStatus::Active));
    let weights = upvest
        .list_portfolio_allocations()
        .portfolio_id(made.id)
        .send()
        .await
        .unwrap();
    let weights: Vec<_> = weights
        .data
        .iter()
        .map(|it| (it.instrument_id, exact(it.weight)))
        .collect();
    let [fund, other] = [Some(instrument(FUND)), Some(instrument(AT_100))];
    assert_eq!(
        weights,
        [(fund, "0.60".to_owned()), (other, "0.4".to_owned())]
    );

    pass(sandbox, 1).await;
    let call = upvest
        .update_portfolio()
        .portfolio_id(made.id)
        .body(PortfolioUpdate::builder().name("Calmer"));
    let updated = call.send().await.unwrap().into_inner();
    assert_eq!(updated.name.as_deref(), Some("Calmer"));
    assert_eq!(updated.created_at, made.created_at);
    assert_eq!(updated.updated_at, Some(sandbox.now()));
    assert_eq!(
        *upvest
            .retrieve_portfolio()
            .portfolio_id(made.id)
            .send()
            .await
            .unwrap(),
        updated
    );
    assert_eq!(
        upvest.list_portfolios().send().await.unwrap().data,
        [updated]
    );

    portfolio_orders(upvest, sandbox, account, made.id).await;
    rebalancing(upvest, sandbox, account, made.id).await;
    is_unknown(
        upvest
            .retrieve_portfolio()
            .portfolio_id(UNKNOWN_ID)
            .send()
            .await,
    );
    is_unknown(
        upvest
            .list_portfolio_allocations()
            .portfolio_id(UNKNOWN_ID)
            .send()
            .await,
    );
    made.id
}

pub(crate) async fn portfolio_orders(
    upvest: &Upvest,
    sandbox: &Sandbox,
    account: AccountId,
    portfolio: PortfolioId,
) {
    let new = PortfolioOrderCreate::builder()
        .cash_amount("100.00")
        .currency("EUR");
    let order = upvest
        .create_portfolio_order()
        .portfolio_id(portfolio)
        .body(new)
        .send()
        .await
        .unwrap();
    assert_eq!(order.portfolio_id, Some(portfolio));
    assert_eq!(&order.status, &Some(PortfolioOrderStatus::New));
    assert_eq!(exact(order.cash_amount).as_str(), "100.00");
    assert_eq!(order.created_at, Some(sandbox.now()));
    pass(sandbox, 5).await;
    let paid: Vec<_> = bookings(upvest, account)
        .await
        .into_iter()
        .map(|(_, amount)| amount)
        .collect();
    assert_eq!(paid, ["1000.00", "-60.00", "-40.00"]);
}

pub(crate) async fn rebalancing(
    upvest: &Upvest,
    sandbox: &Sandbox,
    account: AccountId,
    portfolio: PortfolioId,
) {
    let body = vec![allocation(AT_100, "0.75"), allocation(FUND, "0.25")];
    let body = UpdatePortfolioAllocationsBody::builder().allocations(body);
    let call = upvest
        .update_portfolio_allocations()
        .portfolio_id(portfolio)
        .body(body);
    let changed = call.send().await.unwrap().into_inner().data;
    assert_eq!(changed[0].instrument_id, Some(instrument(AT_100)));
    assert_eq!(exact(changed[0].weight), "0.75");
    let read = upvest
        .list_portfolio_allocations()
        .portfolio_id(portfolio)
        .send()
        .await
        .unwrap();
    assert_eq!(read.data, changed);

    let units = async |isin: &str| {
        let positions = upvest
            .list_positions()
            .account_id(account)
            .send()
            .await
            .unwrap()
            .into_inner()
            .data;
        positions
            .iter()
            .find(|it| it.instrument_id == Some(instrument(isin)))
            .and_then(|it| it.quantity)
    };
    let fund = units(FUND).await;
    let other = units(AT_100).await;
    let triggered = upvest
        .trigger_portfolio_rebalancing()
        .portfolio_id(portfolio)
        .send()
        .await
        .unwrap();
    let mut triggered = triggered.into_inner();
    assert_eq!(triggered.portfolio_id, Some(portfolio));
    assert_eq!(&triggered.status, &Some(RebalancingExecutionStatus::New));
    pass(sandbox, 10).await;
    let listed = upvest
        .list_rebalancing_executions()
        .portfolio_id(portfolio)
        .send()
        .await
        .unwrap();
    triggered.status = Some(RebalancingExecutionStatus::Completed);
    assert_eq!(listed.data, [triggered]);
    assert!(
        units(FUND).await < fund && units(AT_100).await > other,
        "nothing was traded"
    );
    is_unknown(
        upvest
            .list_rebalancing_executions()
            .portfolio_id(UNKNOWN_ID)
            .send()
            .await,
    );
    is_unknown(
        upvest
            .trigger_portfolio_rebalancing()
            .portfolio_id(UNKNOWN_ID)
            .send()
            .await,
    );
}

pub(crate) async fn savings_plans(upvest: &Upvest, sandbox: &Sandbox) -> SavingsPlanId {
    let account = open_account(sandbox, "1000.00").await;
    let new = SavingsPlanCreate::builder()
        .account_id(account)
        .instrument_id(instrument(AT_100));
    let new = new
        .cash_amount("25")
        .currency("EUR")
        .frequency(SavingsPlanFrequency::Monthly);
    let made = upvest
        .create_savings_plan()
        .body(new.clone())
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.account_id, Some(account));
    assert_eq!(made.instrument_id, Some(instrument(AT_100)));
    assert_eq!(exact(made.cash_amount).as_str(), "25");
    assert_eq!(made.portfolio_id, None);
    assert_eq!(made.next_execution_date, Some(date("2026-04-03")));
    let update = SavingsPlanUpdate::builder()
        .cash_amount("30.50")
        .frequency(SavingsPlanFrequency::Weekly);
    let call = upvest
        .update_savings_plan()
        .savings_plan_id(made.id)
        .body(update);
    let updated = call.send().await.unwrap().into_inner();
    assert_eq!(&updated.status, &Some(SavingsPlanStatus::Active));
    assert_eq!(updated.created_at, made.created_at);
    assert_eq!(updated.next_execution_date, Some(date("2026-03-10")));
    let read = async || {
        let call = upvest.retrieve_savings_plan().savings_plan_id(made.id);
        call.send().await.unwrap().into_inner()
    };
    assert_eq!(read().await, updated);

    pass(sandbox, 7 * 86_400).await;
    assert_eq!(read().await.next_execution_date, Some(date("2026-03-17")));
    let orders = upvest
        .list_orders()
        .account_id(account)
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let [order] = orders.as_slice() else {
        panic!("{orders:?}")
    };
    assert_eq!(exact(order.cash_amount).as_str(), "30.50");
    assert_eq!(&order.status, &Some(OrderStatus::Filled));

    let pause = SavingsPlanUpdate::builder().status(SavingsPlanStatus::Paused);
    upvest
        .update_savings_plan()
        .savings_plan_id(made.id)
        .body(pause)
        .send()
        .await
        .unwrap();
    let second = upvest
        .create_savings_plan()
        .body(new)
        .send()
        .await
        .unwrap()
        .id;
    let listed = upvest
        .list_savings_plans()
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let listed: Vec<_> = listed
        .into_iter()
        .map(|plan| (plan.id, plan.status))
        .collect();
    let [paused, active] = [SavingsPlanStatus::Paused, SavingsPlanStatus::Active].map(Some);
    assert_eq!(listed, [(made.id, paused), (second, active)]);
    upvest
        .delete_savings_plan()
        .savings_plan_id(second)
        .send()
        .await
        .unwrap();
    is_unknown(
        upvest
            .retrieve_savings_plan()
            .savings_plan_id(second)
            .send()
            .await,
    );
    is_unknown(
        upvest
            .delete_savings_plan()
            .savings_plan_id(second)
            .send()
            .await,
    );
    made.id
}
