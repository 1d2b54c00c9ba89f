//! Subscriptions: which events an endpoint gets, and which endpoints are accepted.

use std::time::Duration;

use upvest_ext::api::runtime::OpenEnum as _;
use upvest_ext::api::types::{
    WebhookEventCategory, WebhookSubscriptionStatus, WebhookSubscriptionUpdate,
};
use upvest_ext::{Error, Upvest};
use upvest_sandbox::Sandbox;

use super::support::{
    HOUR, SECOND, create, happened, ids, morning, place_order, set_status, subscribe,
};
use crate::endpoint::{Endpoint, tally};

#[tokio::test]
async fn a_new_subscription_gets_nothing_until_it_is_enabled() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let made = create(&upvest, &endpoint.url(), [WebhookEventCategory::All])
        .await
        .unwrap();
    let shown = upvest
        .retrieve_webhook_subscription()
        .webhook_id(made)
        .send()
        .await
        .unwrap();
    assert_eq!(shown.status, Some(WebhookSubscriptionStatus::Inactive));

    sandbox.create_account_group().await.unwrap();
    sandbox.advance(HOUR).await;
    assert!(endpoint.arrived().is_empty());

    set_status(&upvest, made, WebhookSubscriptionStatus::Active).await;
    let group = sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    let about: Vec<_> = endpoint
        .events()
        .iter()
        .map(|event| event.reference().unwrap().id)
        .collect();
    assert_eq!(about, [group], "what happened before is not caught up on");
}

#[tokio::test]
async fn a_subscription_gets_the_categories_that_it_names() {
    let sandbox = Sandbox::start().await.unwrap();
    let orders = Endpoint::start().await;
    let users = Endpoint::start().await;
    let all = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(&upvest, &orders.url(), [WebhookEventCategory::Order]).await;
    subscribe(
        &upvest,
        &users.url(),
        [WebhookEventCategory::User, WebhookEventCategory::UserCheck],
    )
    .await;
    subscribe(&upvest, &all.url(), [WebhookEventCategory::All]).await;

    let account = sandbox.open_account("1000.00").await.unwrap();
    place_order(&upvest, account, "100.00").await;
    sandbox.advance(2 * SECOND).await;

    let types = |endpoint: &Endpoint| {
        tally(
            endpoint
                .events()
                .iter()
                .map(|event| event.event_type.as_str()),
        )
    };
    assert_eq!(
        types(&orders),
        tally(["ORDER.NEW", "ORDER.PROCESSING", "ORDER.FILLED"])
    );
    assert_eq!(
        types(&users),
        tally([
            "USER.CREATED",
            "USER_CHECK.CREATED",
            "USER_CHECK.PASSED",
            "USER.ACTIVATED"
        ])
    );
    assert_eq!(
        ids(&all),
        happened(&sandbox)[1..],
        "all events but the first, which came before the subscription"
    );
}

#[tokio::test]
async fn changed_categories_apply_to_later_events() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let webhook = subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::User]).await;
    sandbox.create_account_group().await.unwrap();
    let update = WebhookSubscriptionUpdate::builder()
        .event_categories(vec![WebhookEventCategory::AccountGroup]);
    upvest
        .update_webhook_subscription()
        .webhook_id(webhook)
        .body(update)
        .send()
        .await
        .unwrap();
    let group = sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    let about: Vec<_> = endpoint
        .events()
        .iter()
        .map(|event| event.reference().unwrap().id)
        .collect();
    assert_eq!(about, [group]);
}

#[tokio::test]
async fn an_endpoint_url_that_upvest_would_reject_is_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    for url in [
        "http://example.com/hook",
        "https://192.0.2.1/hook",
        "https://[2001:db8::1]/hook",
        "https://user@example.com/hook",
        "https://user:password@example.com/hook",
        "ftp://127.0.0.1/hook",
        "example.com/hook",
        &format!("https://example.com/{}", "a".repeat(1000)),
    ] {
        let error = create(&upvest, url, [WebhookEventCategory::All])
            .await
            .unwrap_err();
        assert_rejected(&error, "url");
        // The rule also applies to updates.
        let webhook = create(
            &upvest,
            "https://example.com/hook",
            [WebhookEventCategory::All],
        )
        .await
        .unwrap();
        let update = WebhookSubscriptionUpdate::builder().url(url);
        let update = upvest
            .update_webhook_subscription()
            .webhook_id(webhook)
            .body(update)
            .send()
            .await;
        assert_rejected(&update.unwrap_err(), "url");
        let shown = upvest
            .retrieve_webhook_subscription()
            .webhook_id(webhook)
            .send()
            .await
            .unwrap();
        assert_eq!(shown.url.as_deref(), Some("https://example.com/hook"));
    }
    for url in [
        "https://example.com/hook",
        "http://localhost:9/",
        "http://127.0.0.1:9/a?b=c",
        "http://[::1]:9/",
    ] {
        create(&upvest, url, [WebhookEventCategory::All])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_unknown_category_is_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let categories = [
        WebhookEventCategory::Order,
        WebhookEventCategory::from_wire("TEA"),
    ];
    let error = create(&upvest, "https://example.com/hook", categories)
        .await
        .unwrap_err();
    assert_rejected(&error, "event_categories");
    let error = create(&upvest, "https://example.com/hook", [])
        .await
        .unwrap_err();
    assert_rejected(&error, "event_categories");
    let all = upvest.list_webhook_subscriptions().send().await.unwrap();
    assert!(all.into_inner().data.is_empty());
}

#[tokio::test]
async fn deleting_or_disabling_a_subscription_stops_its_deliveries() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    endpoint.otherwise(500);
    let deleted = subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    let switched_off = subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    assert_eq!(endpoint.arrived().len(), 2);

    upvest
        .delete_webhook_subscription()
        .webhook_id(deleted)
        .send()
        .await
        .unwrap();
    set_status(&upvest, switched_off, WebhookSubscriptionStatus::Inactive).await;
    sandbox.create_account_group().await.unwrap();
    sandbox.advance(HOUR).await;
    assert_eq!(endpoint.arrived().len(), 2);
    let gone = upvest
        .retrieve_webhook_subscription()
        .webhook_id(deleted)
        .send()
        .await;
    assert!(gone.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_new_url_does_not_wait_for_the_retry_of_the_old_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let old = Endpoint::start().await;
    let new = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let webhook = subscribe(&upvest, &old.url(), [WebhookEventCategory::All]).await;
    old.otherwise(500);
    sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    sandbox.advance(HOUR).await;
    let update = WebhookSubscriptionUpdate::builder().url(new.url());
    upvest
        .update_webhook_subscription()
        .webhook_id(webhook)
        .body(update)
        .send()
        .await
        .unwrap();
    sandbox.settle().await;
    assert_eq!(ids(&new), happened(&sandbox)[1..]);
}

#[tokio::test]
async fn nothing_is_ever_sent_to_another_machine() {
    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(
        &upvest,
        "https://example.com/hook",
        [WebhookEventCategory::All],
    )
    .await;
    subscribe(
        &upvest,
        "https://127.0.0.1.example.com/hook",
        [WebhookEventCategory::All],
    )
    .await;
    let work = async {
        sandbox.open_account("1000.00").await.unwrap();
        sandbox.settle().await;
        sandbox.advance(24 * HOUR).await;
    };
    // A connection attempt to an address without a response would take longer, until its own timeout.
    tokio::time::timeout(Duration::from_secs(9), work)
        .await
        .unwrap();
    let deliveries = sandbox.deliveries();
    assert!(!deliveries.is_empty());
    for delivery in deliveries {
        assert!(
            delivery
                .outcome
                .as_ref()
                .unwrap_err()
                .contains("on another machine"),
            "{delivery:?}"
        );
        assert_eq!(delivery.attempt, 1, "it is not tried again");
    }
}

#[tokio::test]
async fn deliveries_go_only_to_allowed_hosts() {
    // All addresses in 127.0.0.0/8 are this machine, so other hosts need addresses outside of it.
    let sandbox = morning()
        .webhook_host("10.20.0.0/16")
        .webhook_host("app")
        .start()
        .await
        .unwrap();
    for url in ["http://10.20.30.40/hook", "http://app:3000/hook"] {
        sandbox.subscribe(url).await.unwrap();
    }
    for url in ["http://10.21.0.1/hook", "http://other:3000/hook"] {
        assert!(sandbox.subscribe(url).await.is_err(), "{url}");
    }
}

fn assert_rejected(error: &Error, field: &str) {
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(400),
        "{error}"
    );
    let detail = error
        .problem()
        .and_then(|problem| problem.detail.clone())
        .unwrap_or_default();
    assert!(detail.contains(&format!("`{field}")), "{detail}");
}
