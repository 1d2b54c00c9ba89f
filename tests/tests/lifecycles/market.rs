//! Liquidations, transfers, corporate actions, webhooks.

use super::*;

pub(crate) async fn liquidations(upvest: &Upvest, sandbox: &Sandbox) -> AccountId {
    let account = open_account(sandbox, "300.00").await;
    upvest
        .create_order()
        .body(purchase(account, AT_100, "300.00"))
        .send()
        .await
        .unwrap();
    pass(sandbox, 2).await;
    assert_eq!(cash(upvest, account).await[0], "0.00");
    let new = LiquidationCreate::builder().type_(LiquidationType::Full);
    let call = upvest.create_liquidation().account_id(account).body(new);
    let mut made = call.send().await.unwrap().into_inner();
    assert_eq!(made.account_id, Some(account));
    assert_eq!(&made.type_, &Some(LiquidationType::Full));
    let listed = async || {
        upvest
            .list_liquidations()
            .account_id(account)
            .send()
            .await
            .unwrap()
            .into_inner()
            .data
    };
    for (seconds, status) in [
        (0, LiquidationStatus::New),
        (1, LiquidationStatus::Processing),
        (5, LiquidationStatus::Completed),
    ] {
        pass(sandbox, seconds).await;
        made.status = Some(status);
        assert_eq!(listed().await, [made.clone()]);
    }
    assert_eq!(
        upvest
            .list_positions()
            .account_id(account)
            .send()
            .await
            .unwrap()
            .data,
        []
    );
    assert_eq!(cash(upvest, account).await[0], "300.00");
    is_unknown(
        upvest
            .list_liquidations()
            .account_id(UNKNOWN_ID)
            .send()
            .await,
    );
    account
}

pub(crate) async fn securities_transfers(upvest: &Upvest, sandbox: &Sandbox) {
    let account = open_account(sandbox, "1.00").await;
    let started = sandbox
        .transfer_securities(Direction::Inbound, account, AT_100, "1.50")
        .await
        .unwrap();
    let new = SecuritiesTransferCreate::builder().direction(TransferDirection::Outbound);
    let mut made = upvest
        .create_securities_transfer()
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(&made.status, &Some(SecuritiesTransferStatus::New));
    assert_eq!(made.created_at, Some(sandbox.now()));
    for status in [
        SecuritiesTransferStatus::Processing,
        SecuritiesTransferStatus::Completed,
    ] {
        pass(sandbox, 1).await;
        made.status = Some(status);
        let listed = upvest
            .list_securities_transfers()
            .send()
            .await
            .unwrap()
            .into_inner()
            .data;
        let [inbound, outbound] = listed.as_slice() else {
            panic!("{listed:?}")
        };
        assert_eq!(inbound.id, started.into());
        assert_eq!(&inbound.direction, &Some(TransferDirection::Inbound));
        assert_eq!(outbound, &made);
        assert_eq!(&inbound.status, &made.status);
    }
    let positions = upvest
        .list_positions()
        .account_id(account)
        .send()
        .await
        .unwrap();
    assert_eq!(exact(positions.data[0].quantity), "1.5");
    assert_eq!(exact(positions.data[0].average_buy_in_price), "100");
}

pub(crate) async fn account_transfers(upvest: &Upvest, sandbox: &Sandbox) {
    let source = open_account(sandbox, "12.34").await;
    // Transfers are possible only between accounts of one user.
    let user = upvest
        .retrieve_account()
        .account_id(source)
        .send()
        .await
        .unwrap()
        .user_id
        .unwrap();
    let second = AccountCreate::builder()
        .user_id(user)
        .account_group_id(sandbox.account_group());
    let target = upvest
        .create_account()
        .body(second)
        .send()
        .await
        .unwrap()
        .id;
    pass(sandbox, 1).await;
    sandbox.top_up(target, "1.00").await.unwrap();
    let new = AccountTransferCreate::builder()
        .source_account_id(source)
        .target_account_id(target);
    let mut made = upvest
        .create_account_transfer()
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(&made.status, &Some(AccountTransferStatus::New));
    assert_eq!(made.created_at, Some(sandbox.now()));
    for status in [
        AccountTransferStatus::Processing,
        AccountTransferStatus::Completed,
    ] {
        pass(sandbox, 1).await;
        made.status = Some(status);
        assert_eq!(
            upvest.list_account_transfers().send().await.unwrap().data,
            [made.clone()]
        );
    }
    assert_eq!(cash(upvest, source).await[0], "0.00");
    assert_eq!(cash(upvest, target).await[0], "13.34");
}

pub(crate) async fn corporate_actions(upvest: &Upvest, sandbox: &Sandbox) {
    let account = open_account(sandbox, "1000.00").await;
    upvest
        .create_order()
        .body(purchase(account, SHARE, "300.00"))
        .send()
        .await
        .unwrap();
    let tomorrow = sandbox.now().date_naive().succ_opt().unwrap();
    let dividend = sandbox
        .announce_dividend(SHARE, "0.505", tomorrow)
        .await
        .unwrap();
    let split = sandbox.announce_split(SHARE, "4", tomorrow).await.unwrap();
    for status in [
        CorporateActionStatus::Announced,
        CorporateActionStatus::Processed,
    ] {
        let listed = upvest
            .list_corporate_actions()
            .send()
            .await
            .unwrap()
            .into_inner()
            .data;
        let kinds: Vec<_> = listed
            .iter()
            .map(|action| (action.id, action.type_.clone().unwrap()))
            .collect();
        let [first, second] = [CorporateActionType::Dividend, CorporateActionType::Split];
        assert_eq!(kinds, [(dividend.into(), first), (split.into(), second)]);
        for action in listed {
            assert_eq!(action.instrument_id, Some(instrument(SHARE)));
            assert_eq!(action.ex_date, Some(tomorrow));
            assert_eq!(action.status.as_ref(), Some(&status));
        }
        pass(sandbox, 86_400).await;
    }
    // Three units at 0.505, rounded down.
    assert_eq!(
        bookings(upvest, account).await.last(),
        Some(&(TransactionType::Dividend, "1.51".to_owned()))
    );
    let positions = upvest
        .list_positions()
        .account_id(account)
        .send()
        .await
        .unwrap();
    assert_eq!(exact(positions.data[0].quantity), "12");
    assert_eq!(exact(positions.data[0].average_buy_in_price), "25");
}

pub(crate) async fn webhooks(upvest: &Upvest, sandbox: &Sandbox) -> WebhookId {
    let wanted = vec![WebhookEventCategory::Order, WebhookEventCategory::User];
    let new = WebhookSubscriptionCreate::builder().url("https://example.com/hook?a=b&c=%20");
    let new = new.event_categories(wanted.clone());
    let made = upvest
        .create_webhook_subscription()
        .body(new.clone())
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        made.url.as_deref(),
        Some("https://example.com/hook?a=b&c=%20")
    );
    assert_eq!(&made.event_categories, &Some(wanted.clone()));
    assert_eq!(made.created_at, Some(sandbox.now()));
    // A new subscription is inactive until an update enables it.
    assert_eq!(made.status, Some(WebhookSubscriptionStatus::Inactive));
    pass(sandbox, 1).await;
    let update =
        WebhookSubscriptionUpdate::builder().event_categories(vec![WebhookEventCategory::All]);
    let update = update.status(WebhookSubscriptionStatus::Active);
    let call = upvest
        .update_webhook_subscription()
        .webhook_id(made.id)
        .body(update);
    let updated = call.send().await.unwrap().into_inner();
    assert_eq!(
        updated.event_categories,
        Some(vec![WebhookEventCategory::All])
    );
    assert_eq!(&updated.url, &made.url);
    assert_eq!(updated.created_at, made.created_at);
    assert_eq!(updated.status, Some(WebhookSubscriptionStatus::Active));
    let read = upvest
        .retrieve_webhook_subscription()
        .webhook_id(made.id)
        .send()
        .await
        .unwrap();
    assert_eq!(*read, updated);
    let second = upvest
        .create_webhook_subscription()
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    let listed = async || {
        upvest
            .list_webhook_subscriptions()
            .send()
            .await
            .unwrap()
            .into_inner()
            .data
    };
    assert_eq!(listed().await, [updated.clone(), second.clone()]);
    upvest
        .delete_webhook_subscription()
        .webhook_id(second.id)
        .send()
        .await
        .unwrap();
    assert_eq!(listed().await, [updated]);
    is_unknown(
        upvest
            .retrieve_webhook_subscription()
            .webhook_id(second.id)
            .send()
            .await,
    );
    is_unknown(
        upvest
            .delete_webhook_subscription()
            .webhook_id(second.id)
            .send()
            .await,
    );
    made.id
}
