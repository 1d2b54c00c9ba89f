//! Instruments, orders, and their bookings.

use super::*;

pub(crate) async fn instruments(upvest: &Upvest, sandbox: &Sandbox) {
    let isin = "FR0010524777";
    let listed = upvest
        .list_instruments()
        .isin(isin)
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let [instrument] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!(instrument.id, Sandbox::instrument(isin).into());
    assert_eq!(
        instrument.isin.map(|it| it.to_string()).as_deref(),
        Some(isin)
    );
    assert_eq!(&instrument.type_, &Some(InstrumentType::Etf));
    assert_eq!(instrument.tradeable, Some(true));
    let read = upvest
        .retrieve_instrument()
        .instrument_id(instrument.id)
        .send()
        .await
        .unwrap();
    assert_eq!(*read, *instrument);
    assert_eq!(
        instrument.exchanges.as_ref().unwrap()[0].mic.as_deref(),
        Some("XETR")
    );
    let shares = upvest
        .list_instruments()
        .type_(InstrumentType::Equity)
        .send()
        .await
        .unwrap();
    assert!(
        shares
            .data
            .iter()
            .any(|share| share.id == Sandbox::instrument(SHARE).into())
    );
    assert!(
        shares
            .data
            .iter()
            .all(|share| share.type_ == Some(InstrumentType::Equity))
    );

    let price = async || {
        let prices = upvest
            .list_instrument_prices()
            .instrument_id(instrument.id)
            .send()
            .await
            .unwrap();
        let price = prices.data[0].clone();
        assert_eq!(price.instrument_id, Some(instrument.id));
        (exact(price.price), price.timestamp)
    };
    let (quoted, quoted_at) = price().await;
    assert_eq!(quoted, "38.345");
    sandbox.set_price(isin, "39.1000", "39.20").await.unwrap();
    assert_eq!(price().await, ("39.1000".to_owned(), Some(sandbox.now())));
    assert_ne!(quoted_at, Some(sandbox.now()));
    is_unknown(
        upvest
            .retrieve_instrument()
            .instrument_id(UNKNOWN_ID)
            .send()
            .await,
    );
    is_unknown(
        upvest
            .list_instrument_prices()
            .instrument_id(UNKNOWN_ID)
            .send()
            .await,
    );
}

pub(crate) async fn orders(upvest: &Upvest, sandbox: &Sandbox, account: AccountId) -> OrderId {
    sandbox.top_up(account, "1000.00").await.unwrap();
    let made = upvest
        .create_order()
        .body(purchase(account, FUND, "250.00"))
        .send()
        .await
        .unwrap();
    let made = made.into_inner();
    assert_eq!(made.account_id, Some(account));
    assert_eq!(made.instrument_id, Some(instrument(FUND)));
    assert_eq!(&made.side, &Some(OrderSide::Buy));
    assert_eq!(&made.type_, &Some(OrderType::Market));
    assert_eq!(exact(made.cash_amount), "250.00".to_owned());
    assert_eq!(made.quantity, None);
    assert_eq!(made.limit_price, None);
    assert_eq!(made.stop_price, None);
    let read = async || {
        upvest
            .retrieve_order()
            .order_id(made.id)
            .send()
            .await
            .unwrap()
            .into_inner()
    };
    assert_eq!(read().await, made);
    assert_eq!(made.status, Some(OrderStatus::New));
    assert_eq!(cash(upvest, account).await, ["1000.00", "0", "1000.00"]);
    pass(sandbox, 1).await;
    assert_eq!(read().await.status, Some(OrderStatus::Processing));
    assert_eq!(cash(upvest, account).await, ["750.00", "250.00", "1000.00"]);
    pass(sandbox, 1).await;
    let filled = read().await;
    assert_eq!(&filled.status, &Some(OrderStatus::Filled));
    assert_eq!(filled.updated_at, Some(sandbox.now()));
    assert_eq!(filled.created_at, made.created_at);
    assert_eq!(cash(upvest, account).await, ["750.00", "0.00", "750.00"]);

    let executions = upvest
        .list_order_executions()
        .order_id(made.id)
        .send()
        .await
        .unwrap();
    let [execution] = executions.data.as_slice() else {
        panic!("{:?}", executions.data)
    };
    assert_eq!(execution.order_id, Some(made.id));
    assert_eq!(&execution.status, &Some(ExecutionStatus::Settled));
    // 250 / 115.05, truncated to ten decimals.
    assert_eq!(exact(execution.quantity).as_str(), "2.1729682746");
    assert_eq!(exact(execution.price).as_str(), "115.05");
    assert_eq!(execution.executed_at, Some(sandbox.now()));
    let found = upvest
        .list_orders()
        .account_id(account)
        .status(OrderStatus::Filled)
        .send()
        .await
        .unwrap();
    assert_eq!(found.data, [filled]);
    is_unknown(upvest.retrieve_order().order_id(UNKNOWN_ID).send().await);
    is_unknown(
        upvest
            .list_order_executions()
            .order_id(UNKNOWN_ID)
            .send()
            .await,
    );
    made.id
}

pub(crate) async fn cancellations(upvest: &Upvest, sandbox: &Sandbox, account: AccountId) {
    let cheap = OrderCreate::builder()
        .account_id(account)
        .instrument_id(instrument(FUND));
    let cheap = cheap
        .side(OrderSide::Buy)
        .type_(OrderType::Limit)
        .quantity("2")
        .limit_price("90.50");
    let order = upvest
        .create_order()
        .body(cheap)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(exact(order.quantity).as_str(), "2");
    assert_eq!(exact(order.limit_price).as_str(), "90.50");
    pass(sandbox, 10).await;
    // It waits for its price and reserves 181.00.
    assert_eq!(cash(upvest, account).await, ["569.00", "181.00", "750.00"]);
    let cancellation = upvest
        .cancel_order()
        .order_id(order.id)
        .send()
        .await
        .unwrap();
    assert_eq!(cancellation.order_id, Some(order.id));
    assert_eq!(
        &cancellation.status,
        &Some(OrderCancellationStatus::Pending)
    );
    assert_eq!(cancellation.created_at, Some(sandbox.now()));
    pass(sandbox, 1).await;
    let order = upvest
        .retrieve_order()
        .order_id(order.id)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(&order.status, &Some(OrderStatus::Cancelled));
    assert_eq!(exact(order.limit_price).as_str(), "90.50");
    assert_eq!(cash(upvest, account).await, ["750.00", "0.00", "750.00"]);
    is_unknown(upvest.cancel_order().order_id(UNKNOWN_ID).send().await);
}

pub(crate) async fn positions(
    upvest: &Upvest,
    sandbox: &Sandbox,
    account: AccountId,
    order: OrderId,
) -> PositionId {
    let listed = upvest
        .list_positions()
        .account_id(account)
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let [bought] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!(bought.account_id, Some(account));
    assert_eq!(bought.instrument_id, Some(instrument(FUND)));
    let order = upvest
        .retrieve_order()
        .order_id(order)
        .send()
        .await
        .unwrap();
    assert_eq!(bought.created_at, order.updated_at);
    assert_eq!(exact(bought.quantity), "2.1729682746");
    let sale = OrderCreate::builder()
        .account_id(account)
        .instrument_id(instrument(FUND));
    let sale = sale
        .side(OrderSide::Sell)
        .type_(OrderType::Market)
        .quantity("1.00");
    let sale = upvest
        .create_order()
        .body(sale)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(exact(sale.quantity), "1.00");
    pass(sandbox, 2).await;
    let read = upvest
        .retrieve_position()
        .account_id(account)
        .position_id(bought.id);
    let read = read.send().await.unwrap().into_inner();
    assert_eq!(exact(read.quantity).as_str(), "1.1729682746");
    assert_eq!(read.updated_at, Some(sandbox.now()));
    assert_eq!(read.id, bought.id);
    assert_eq!(exact(read.average_buy_in_price).as_str(), "115.05");
    assert_eq!(
        upvest
            .list_positions()
            .account_id(account)
            .send()
            .await
            .unwrap()
            .data,
        [read]
    );
    is_unknown(
        upvest
            .retrieve_position()
            .account_id(account)
            .position_id(UNKNOWN_ID)
            .send()
            .await,
    );
    is_unknown(upvest.list_positions().account_id(UNKNOWN_ID).send().await);
    bought.id
}

pub(crate) async fn transactions(upvest: &Upvest, sandbox: &Sandbox, account: AccountId) {
    assert_eq!(
        bookings(upvest, account).await,
        [
            (TransactionType::Transfer, "1000.00".to_owned()),
            (TransactionType::OrderExecution, "-250.00".to_owned()),
            (TransactionType::OrderExecution, "113.03".to_owned()),
        ]
    );
    assert_eq!(cash(upvest, account).await, ["863.03", "0.00", "863.03"]);
    let last = upvest
        .list_transactions()
        .account_id(account)
        .offset(2)
        .limit(1);
    let last = last.send().await.unwrap().into_inner();
    assert_eq!(last.meta.and_then(|meta| meta.total), Some(3));
    assert_eq!(last.data[0].account_id, Some(account));
    assert_eq!(last.data[0].created_at, Some(sandbox.now()));
    is_unknown(
        upvest
            .list_transactions()
            .account_id(UNKNOWN_ID)
            .send()
            .await,
    );
    is_unknown(
        upvest
            .list_cash_balances()
            .account_id(UNKNOWN_ID)
            .send()
            .await,
    );
}

pub(crate) async fn valuations(upvest: &Upvest, sandbox: &Sandbox) {
    let account = open_account(sandbox, "1000.00").await;
    upvest
        .create_order()
        .body(purchase(account, FUND, "250.00"))
        .send()
        .await
        .unwrap();
    let listed = async || {
        upvest
            .list_valuations()
            .account_id(account)
            .send()
            .await
            .unwrap()
            .into_inner()
            .data
    };
    assert_eq!(listed().await, []);
    pass(sandbox, 86_400).await;
    let listed = listed().await;
    let [valuation] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!(valuation.account_id, Some(account));
    assert_eq!(valuation.valued_at, Some(time("2026-03-03T00:00:00Z")));
    // The units that were bought for 250.00 at the offer are worth 245.61 at the bid.
    assert_eq!(exact(valuation.total_value), "995.61");
    let returns = upvest
        .list_account_returns()
        .account_id(account)
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let [march] = returns.as_slice() else {
        panic!("{returns:?}")
    };
    assert_eq!(exact(march.total_return).as_str(), "-4.39");
    assert_eq!(exact(march.total_return_percentage).as_str(), "-0.439");
    let days = (Some(date("2026-03-02")), Some(date("2026-03-03")));
    assert_eq!(march.account_id, Some(account));
    assert_eq!((march.period_start, march.period_end), days);
    is_unknown(upvest.list_valuations().account_id(UNKNOWN_ID).send().await);
    is_unknown(
        upvest
            .list_account_returns()
            .account_id(UNKNOWN_ID)
            .send()
            .await,
    );
}
