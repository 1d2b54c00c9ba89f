//! Webhooks: subscriptions, signatures, the order of events, and endpoints that fail.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use chrono::{DateTime, Utc};
use upvest_ext::api::events::EventKind;
use upvest_ext::api::runtime::OpenEnum as _;
use upvest_ext::api::types::{
    Account, AccountCreate, AccountId, Address, CountryCode, CurrencyCode, DirectDebit,
    DirectDebitCreate, Order, OrderCreate, OrderSide, OrderStatus, OrderType, Portfolio,
    PortfolioAllocationCreate, PortfolioCreate, PortfolioUpdate, SavingsPlan, SavingsPlanCreate,
    SavingsPlanFrequency, SavingsPlanStatus, SavingsPlanUpdate, User, UserCreate,
    WebhookEventCategory, WebhookId, WebhookSubscriptionCreate, WebhookSubscriptionStatus,
    WebhookSubscriptionUpdate,
};
use upvest_ext::signing::SignatureVersion;
use upvest_ext::webhooks::{ResourceError, WebhookVerifier};
use upvest_ext::{Error, Upvest};
use upvest_sandbox::{Command, DeliveryRecord, PayloadShape, Sandbox};
use uuid::Uuid;

use crate::endpoint::{Arrival, Endpoint, tally};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

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
async fn deliveries_are_signed_in_version_6_and_by_option_in_version_15() {
    for (version, digest) in [
        (None, "digest"),
        (Some(SignatureVersion::V6), "digest"),
        (Some(SignatureVersion::V15), "content-digest"),
    ] {
        let builder = Sandbox::builder();
        let builder = version
            .into_iter()
            .fold(builder, upvest_sandbox::SandboxBuilder::webhook_signatures);
        let sandbox = builder.start().await.unwrap();
        let endpoint = Endpoint::start().await;
        switch_on(&sandbox, &endpoint).await;
        sandbox.open_account("10.00").await.unwrap();

        let verifier = WebhookVerifier::fetching(&Upvest::from_vars(sandbox.vars()).unwrap());
        assert!(!endpoint.arrived().is_empty());
        for arrival in endpoint.arrived() {
            let events = verifier.verify(&arrival.received()).await.unwrap();
            assert_eq!(events.len(), arrival.events().len());
            assert!(arrival.headers.contains_key(digest), "{version:?}");
            let spoilt = Arrival {
                body: arrival.body.slice(1..),
                ..arrival.clone()
            };
            verifier.verify(&spoilt.received()).await.unwrap_err();
            let elsewhere = Arrival {
                target: "/hooks/upvest?tenant=8".parse().unwrap(),
                ..arrival
            };
            verifier.verify(&elsewhere.received()).await.unwrap_err();
        }
    }
}

#[tokio::test]
async fn after_a_rotation_old_and_new_deliveries_can_be_verified() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    for _ in 0..3 {
        let verifier = WebhookVerifier::fetching(&upvest);
        sandbox.create_account_group().await.unwrap();
        sandbox.settle().await;
        verifier
            .verify(&endpoint.arrived().last().unwrap().received())
            .await
            .unwrap();
        sandbox.rotate_webhook_keys().await.unwrap();
    }
    let arrived = endpoint.arrived();
    let keys: BTreeSet<_> = arrived
        .iter()
        .map(|arrival| parameter(arrival, "keyid"))
        .collect();
    assert_eq!(keys.len(), 3);
    // A new verifier. The key set contains the newest key and the two before it.
    let newcomer = WebhookVerifier::fetching(&Upvest::from_vars(sandbox.vars()).unwrap());
    for arrival in &arrived[1..] {
        newcomer.verify(&arrival.received()).await.unwrap();
    }
}

#[tokio::test]
async fn every_change_of_state_is_one_event_that_arrives_once_and_in_order() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    let before = happened(&sandbox).len();

    a_week_of_activity(&sandbox, &upvest).await;

    let events = sandbox.events().split_off(before);
    assert_eq!(
        tally(events.iter().map(|event| event.event_type)),
        tally(A_WEEK_OF_LIFE.iter().copied())
    );
    assert!(events.is_sorted_by_key(|event| event.created_at));
    assert_eq!(
        ids(&endpoint),
        happened(&sandbox)[before..],
        "each once, in the order in which they happened"
    );
    for arrival in endpoint.arrived() {
        assert!(arrival.events().is_sorted_by_key(|event| event.created_at));
        assert_eq!(arrival.method, http::Method::POST);
        assert_eq!(arrival.header("content-type"), "application/json");
    }
    let distinct: BTreeSet<_> = ids(&endpoint).into_iter().collect();
    assert_eq!(distinct.len(), events.len());
}

#[tokio::test]
async fn an_event_contains_the_resource_as_it_was_then() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    a_week_of_activity(&sandbox, &upvest).await;

    let mut orders = Vec::new();
    for event in endpoint.events() {
        let read = match WebhookEventCategory::from_wire(event.event_type.category()) {
            WebhookEventCategory::User => event.resource::<User>().map(drop),
            WebhookEventCategory::Account => event.resource::<Account>().map(drop),
            WebhookEventCategory::DirectDebit => event.resource::<DirectDebit>().map(drop),
            WebhookEventCategory::SavingsPlan => event.resource::<SavingsPlan>().map(drop),
            WebhookEventCategory::Portfolio
                if event.event_type.as_str().starts_with("PORTFOLIO.") =>
            {
                event.resource::<Portfolio>().map(drop)
            }
            WebhookEventCategory::Order => {
                event.resource::<Order>().map(|order| orders.push(order))
            }
            _ => Ok(()),
        };
        read.unwrap_or_else(|error| panic!("{event:?}: {error}"));
        assert!(event.webhook_id.is_some());
    }
    let first = orders[0].id;
    let statuses: Vec<_> = orders
        .iter()
        .filter(|order| order.id == first)
        .map(|order| order.status.clone().unwrap())
        .collect();
    assert_eq!(
        statuses.iter().map(OrderStatus::as_str).collect::<Vec<_>>(),
        ["NEW", "PROCESSING", "FILLED"]
    );
}

#[tokio::test]
async fn the_reference_shape_has_only_the_id_of_the_object() {
    let sandbox = morning()
        .payload_shape(PayloadShape::Reference)
        .start()
        .await
        .unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    subscribe(&upvest, &endpoint.url(), [WebhookEventCategory::All]).await;
    let before = happened(&sandbox).len();
    a_week_of_activity(&sandbox, &upvest).await;

    let events = endpoint.events();
    for event in &events {
        let ResourceError::NotCarried(reference) = event.resource::<Order>().unwrap_err() else {
            panic!("{event:?} carries something")
        };
        assert_eq!(
            reference.object_type,
            event.event_type.category(),
            "{event:?}"
        );
    }
    let sent: Vec<_> = events
        .iter()
        .map(|event| event.event_type.as_str())
        .collect();
    let happened = sandbox.events().split_off(before);
    let happened: Vec<_> = happened.iter().map(|event| event.event_type).collect();
    assert_eq!(sent, happened, "the names are those of the other shape");
    let logged = sandbox.deliveries();
    let types: Vec<_> = logged
        .iter()
        .flat_map(|delivery| delivery.event_types.clone())
        .collect();
    assert_eq!(
        types,
        events
            .iter()
            .map(|event| event.event_type.as_str())
            .collect::<Vec<_>>()
    );
    let logged: Vec<_> = logged
        .into_iter()
        .flat_map(|delivery| delivery.events)
        .collect();
    assert_eq!(logged, ids(&endpoint), "the log has what was sent");
}

#[tokio::test]
async fn the_resource_of_an_event_of_either_shape_can_be_read() {
    for shape in [PayloadShape::Full, PayloadShape::Reference] {
        let sandbox = Sandbox::builder()
            .payload_shape(shape)
            .start()
            .await
            .unwrap();
        let endpoint = Endpoint::start().await;
        switch_on(&sandbox, &endpoint).await;
        let account = sandbox.open_account("1000.00").await.unwrap();
        place_order(
            &Upvest::from_vars(sandbox.vars()).unwrap(),
            account,
            "100.00",
        )
        .await;
        sandbox.advance(2 * SECOND).await;

        let verifier = WebhookVerifier::fetching(&Upvest::from_vars(sandbox.vars()).unwrap());
        let mut keys = BTreeSet::new();
        let mut filled = 0;
        for arrival in endpoint.arrived() {
            for event in verifier.verify(&arrival.received()).await.unwrap() {
                let event = event.unwrap();
                assert!(EventKind::from(&event.event_type).is_known(), "{event:?}");
                assert!(keys.insert(event.key()), "{event:?} arrived twice");
                if event.event_type == EventKind::OrderFilled {
                    let event = event
                        .fetch(&Upvest::from_vars(sandbox.vars()).unwrap())
                        .await
                        .unwrap();
                    let order: Order = event.resource().unwrap();
                    assert_eq!(order.status, Some(OrderStatus::Filled));
                    filled += 1;
                }
            }
        }
        assert_eq!(keys.len(), endpoint.events().len());
        assert_eq!(filled, 1);
    }
}

#[tokio::test]
async fn reversed_deliveries_keep_the_order_of_the_events_in_each() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    let account = sandbox.open_account("1000.00").await.unwrap();
    sandbox.settle().await;
    let before = ids(&endpoint).len();
    let deliveries_before = endpoint.arrived().len();
    sandbox.disturb_deliveries(false, true).await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    place_order(&upvest, account, "100.00").await;
    sandbox.advance(10 * SECOND).await;

    let disturbed = endpoint.arrived().split_off(deliveries_before);
    for arrival in &disturbed {
        assert!(arrival.events().is_sorted_by_key(|event| event.created_at));
    }
    assert!(disturbed.iter().any(|arrival| arrival.events().len() > 1));
    let events = endpoint.events().split_off(before);
    let place = |event_type: &str| {
        let mut types = events.iter().map(|event| event.event_type.as_str());
        types.position(|it| it == event_type).unwrap()
    };
    assert!(place("ORDER.FILLED") < place("ORDER.PROCESSING"));
    assert!(place("ORDER.PROCESSING") < place("ORDER.NEW"));
    let arrived: BTreeSet<_> = ids(&endpoint).into_iter().collect();
    let happened: BTreeSet<_> = happened(&sandbox)[1..].iter().copied().collect();
    assert_eq!(arrived, happened, "none is lost");
    assert_eq!(ids(&endpoint).len(), arrived.len(), "each comes once");
}

#[tokio::test]
async fn reversed_deliveries_have_all_arrived_when_the_clock_stops() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    sandbox.disturb_deliveries(false, true).await;
    for _ in 0..5 {
        sandbox.create_account_group().await.unwrap();
    }
    sandbox.settle().await;
    let sizes = endpoint.arrived().into_iter().map(|it| it.events().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [3, 1, 1]);
    let newest = happened(&sandbox).split_off(3);
    assert_eq!(endpoint.arrived()[0].event_ids(), newest);
}

#[tokio::test]
async fn a_repeated_delivery_has_the_same_events_again() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    sandbox.disturb_deliveries(true, false).await;
    let account = sandbox.open_account("1000.00").await.unwrap();
    let disturbed = endpoint.arrived();
    assert!(disturbed.len() >= 4 && disturbed.len() % 2 == 0);
    for pair in disturbed.chunks(2) {
        assert_eq!(pair[0].event_ids(), pair[1].event_ids());
        assert_ne!(parameter(&pair[0], "nonce"), parameter(&pair[1], "nonce"));
    }

    sandbox.clear_faults().await;
    let before = endpoint.arrived().len();
    sandbox.top_up(account, "1.00").await.unwrap();
    sandbox.settle().await;
    assert_eq!(endpoint.arrived().len(), before + 1, "once, as ever");
}

#[tokio::test]
async fn an_event_that_is_sent_again_keeps_its_place_in_a_delivery() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let webhook = sandbox.subscribe(&endpoint.url()).await.unwrap();
    sandbox.create_account_group().await.unwrap();
    sandbox.advance(SECOND).await;
    let first = happened(&sandbox)[0];
    endpoint.answer([500]);
    sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    sandbox.create_account_group().await.unwrap();
    sandbox.resend_event(first, webhook).await.unwrap();
    sandbox.advance(10 * SECOND).await;
    let last = endpoint.arrived().pop().unwrap();
    assert_eq!(last.event_ids(), [first, happened(&sandbox)[3]]);
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_with_growing_delays() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let start = sandbox.now();
    switch_on(&sandbox, &endpoint).await;
    endpoint.otherwise(500);
    sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    sandbox.advance(10 * SECOND).await;
    sandbox.create_account_group().await.unwrap();
    sandbox.create_account_group().await.unwrap();
    sandbox.advance(3590 * SECOND).await;

    let tried = sandbox.deliveries();
    let gaps = tried
        .windows(2)
        .map(|pair| (pair[1].at - pair[0].at).num_seconds());
    let expected = [
        1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 600, 600, 600, 600,
    ];
    assert_eq!(gaps.collect::<Vec<_>>(), expected);
    assert_eq!(tried[0].at, start);
    assert_eq!(
        tried.iter().map(|it| it.attempt).collect::<Vec<_>>(),
        (1..=18).collect::<Vec<_>>()
    );
    assert!(
        tried
            .iter()
            .all(|it| it.outcome == Ok(500) && !it.is_taken())
    );
    let happened = happened(&sandbox);
    let happened = &happened[happened.len() - 3..];
    assert!(
        tried.iter().all(|it| it.events == happened[..1]),
        "the others wait behind the first"
    );

    endpoint.otherwise(200);
    sandbox.advance(HOUR).await;
    let arrived = endpoint.arrived();
    assert_eq!(
        arrived.len(),
        20,
        "one more try, and one delivery of what has waited"
    );
    assert!(
        arrived[..19]
            .iter()
            .all(|arrival| arrival.event_ids() == happened[..1])
    );
    assert_eq!(arrived[19].event_ids(), happened[1..]);
    let last = &sandbox.deliveries()[18..];
    assert_eq!(
        last.iter().map(|it| it.attempt).collect::<Vec<_>>(),
        [19, 1]
    );
    assert_eq!(
        last[0].at, last[1].at,
        "what has waited need not wait longer"
    );

    let verifier = WebhookVerifier::fetching(&Upvest::from_vars(sandbox.vars()).unwrap());
    let nonces: BTreeSet<_> = arrived
        .iter()
        .map(|arrival| parameter(arrival, "nonce"))
        .collect();
    assert_eq!(nonces.len(), 20, "each attempt has its own nonce");
    for arrival in &arrived {
        verifier.verify(&arrival.received()).await.unwrap();
    }
}

#[tokio::test]
async fn retry_delays_start_over_after_a_success() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    for _ in 0..2 {
        endpoint.answer([503, 500, 404]);
        sandbox.create_account_group().await.unwrap();
        sandbox.settle().await;
        sandbox.advance(Duration::from_secs(60)).await;
    }
    let tried = sandbox.deliveries();
    assert_eq!(
        tried.iter().map(|it| it.attempt).collect::<Vec<_>>(),
        [1, 2, 3, 4, 1, 2, 3, 4]
    );
    let seconds: Vec<_> = tried
        .iter()
        .map(|it| (it.at - tried[0].at).num_seconds())
        .collect();
    assert_eq!(seconds, [0, 1, 3, 6, 60, 61, 63, 66]);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    endpoint.answer([302]);
    sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    assert_eq!(outcomes(&sandbox.deliveries()), [Ok(302)]);
    sandbox.advance(SECOND).await;
    assert_eq!(outcomes(&sandbox.deliveries()), [Ok(302), Ok(200)]);
    let arrived = endpoint.arrived();
    assert_eq!(
        arrived
            .iter()
            .map(|it| it.target.path())
            .collect::<Vec<_>>(),
        ["/hooks/upvest"; 2]
    );
}

#[tokio::test]
async fn an_unreachable_endpoint_does_not_block_others() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let nobody = format!("http://127.0.0.1:{}/", port_of_nobody());
    sandbox
        .execute(Command::Subscribe { url: nobody })
        .await
        .unwrap();
    switch_on(&sandbox, &endpoint).await;
    for _ in 0..3 {
        sandbox.create_account_group().await.unwrap();
        sandbox.advance(SECOND).await;
    }
    assert_eq!(ids(&endpoint).len(), 3);
    let failed: Vec<_> = sandbox
        .deliveries()
        .into_iter()
        .filter(|it| !it.is_taken())
        .collect();
    assert_eq!(failed.len(), 3, "at 0, 1 and 3 seconds");
    for failed in failed {
        let problem = failed.outcome.unwrap_err();
        assert!(problem.contains("refused"), "{problem}");
    }
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
async fn a_dropped_advance_does_not_block_deliveries() {
    let sandbox = Sandbox::start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let url = format!("http://{}/hook", silent.local_addr().unwrap());
    let webhook = WebhookId::from(sandbox.subscribe(&url).await.unwrap());
    sandbox.create_account_group().await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(50), sandbox.advance(SECOND)).await;
    assert!(
        given_up.is_err(),
        "`advance` still waits for the endpoint, which does not answer"
    );
    drop(silent);
    let update = WebhookSubscriptionUpdate::builder().url(endpoint.url());
    Upvest::from_vars(sandbox.vars())
        .unwrap()
        .update_webhook_subscription()
        .webhook_id(webhook)
        .body(update)
        .send()
        .await
        .unwrap();
    sandbox.advance(HOUR).await;
    assert_eq!(ids(&endpoint), happened(&sandbox)[1..]);
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

#[tokio::test]
async fn an_event_can_be_delivered_again() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let webhook = sandbox.subscribe(&endpoint.url()).await.unwrap();
    sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    let event = ids(&endpoint)[0];
    sandbox.resend_event(event, webhook).await.unwrap();
    sandbox.settle().await;
    assert_eq!(ids(&endpoint), [event, event]);
    assert!(sandbox.resend_event(Uuid::new_v4(), webhook).await.is_err());
}

#[tokio::test]
async fn an_endpoint_that_hangs_does_not_stop_the_clock() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    // Takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    sandbox
        .subscribe(&format!("http://{}/", silent.local_addr().unwrap()))
        .await
        .unwrap();
    switch_on(&sandbox, &endpoint).await;
    let began = std::time::Instant::now();
    let target = sandbox.now() + chrono::TimeDelta::seconds(5);
    for _ in 0..5 {
        sandbox.create_account_group().await.unwrap();
        sandbox.advance(SECOND).await;
    }
    assert_eq!(sandbox.now(), target);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    // The other endpoint has received all events by then.
    assert_eq!(ids(&endpoint).len(), 5);
}

#[tokio::test]
async fn an_endpoint_that_hangs_does_not_delay_others_at_real_speed() {
    let sandbox = Sandbox::builder().speed(1000.0).start().await.unwrap();
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let endpoint = Endpoint::start().await;
    endpoint.answer([500, 500]);
    sandbox
        .subscribe(&format!("http://{}/hook", silent.local_addr().unwrap()))
        .await
        .unwrap();
    sandbox.subscribe(&endpoint.url()).await.unwrap();
    sandbox.create_account_group().await.unwrap();
    let third_attempt = async {
        while endpoint.arrived().len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    // The delivery to the silent endpoint fails after ten seconds.
    tokio::time::timeout(Duration::from_secs(5), third_attempt)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_logs_contain_events_deliveries_and_their_results() {
    let sandbox = morning().start().await.unwrap();
    let endpoint = Endpoint::start().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let webhook = subscribe(
        &upvest,
        &endpoint.url(),
        [WebhookEventCategory::AccountGroup],
    )
    .await;
    sandbox.advance(10 * SECOND).await;
    let group = sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;

    let event = sandbox.events().pop().unwrap();
    assert_eq!(event.event_type, "ACCOUNT_GROUP.CREATED");
    assert_eq!(event.about, group);
    assert_eq!(event.created_at, sandbox.now());
    let object: serde_json::Value = serde_json::from_str(event.object.get()).unwrap();
    assert_eq!(object["id"], group.to_string());
    let delivery = sandbox.deliveries().pop().unwrap();
    assert_eq!(delivery.webhook_id, uuid::Uuid::from(webhook));
    assert_eq!(delivery.at, sandbox.now());
    assert_eq!(delivery.attempt, 1);
    assert_eq!(delivery.events, vec![event.id]);
    assert_eq!(delivery.event_types, vec![event.event_type]);
    assert_eq!(delivery.outcome, Ok(200));
}

#[tokio::test]
async fn the_event_log_drops_old_events_but_all_are_delivered() {
    let sandbox = Sandbox::builder().event_limit(5).start().await.unwrap();
    let endpoint = Endpoint::start().await;
    switch_on(&sandbox, &endpoint).await;
    endpoint.answer([500]);
    let mut groups = Vec::new();
    for _ in 0..250 {
        groups.push(sandbox.create_account_group().await.unwrap());
    }
    sandbox.advance(SECOND).await;
    assert_eq!(sandbox.events().len(), 5);
    let taken = endpoint
        .arrived()
        .into_iter()
        .zip(sandbox.deliveries())
        .filter(|(_, record)| record.is_taken());
    let events = taken.flat_map(|(arrival, _)| arrival.events());
    assert_eq!(
        events
            .map(|event| event.reference().unwrap().id)
            .collect::<Vec<_>>(),
        groups
    );
    assert!(
        endpoint
            .arrived()
            .iter()
            .all(|arrival| arrival.events().len() <= 100)
    );
}

/// The events of [`a_week_of_activity`]. It has a user, an account, an order, a direct debit, a portfolio and a plan.
#[rustfmt::skip]
const A_WEEK_OF_LIFE: &[&str] = &[
    // The user is checked, and the account opens.
    "USER.CREATED", "USER_CHECK.CREATED", "ACCOUNT.CREATED", "MANDATE.CREATED",
    "USER_CHECK.PASSED", "USER.ACTIVATED", "ACCOUNT.ACTIVATED",
    // The direct debit.
    "DIRECT_DEBIT.NEW", "DIRECT_DEBIT.PROCESSING", "CASH_TRANSACTION.EXECUTED", "CASH_BALANCE.UPDATED", "DIRECT_DEBIT.COMPLETED",
    // The order: cash is reserved, then the reservation is released and the price is paid.
    "ORDER.NEW", "CASH_BALANCE.UPDATED", "ORDER.PROCESSING",
    "CASH_TRANSACTION.EXECUTED", "CASH_BALANCE.UPDATED", "POSITION.UPDATED",
    "EXECUTION.FILLED", "ORDER.FILLED", "EXECUTION.SETTLED",
    // The portfolio and its plan.
    "PORTFOLIO.CREATED", "PORTFOLIO.UPDATED", "SAVINGS_PLAN.CREATED",
    // Seven midnights.
    "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED",
    "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED", "ACCOUNT_VALUATION.CREATED",
    // The execution of the plan, with one portfolio order.
    "SAVINGS_PLAN.EXECUTED", "PORTFOLIO_ORDER.NEW", "PORTFOLIO_ORDER.PROCESSING",
    "ORDER.NEW", "CASH_BALANCE.UPDATED", "ORDER.PROCESSING",
    "CASH_TRANSACTION.EXECUTED", "CASH_BALANCE.UPDATED", "POSITION.UPDATED",
    "EXECUTION.FILLED", "ORDER.FILLED", "EXECUTION.SETTLED", "PORTFOLIO_ORDER.FILLED",
    // The plan is deleted.
    "SAVINGS_PLAN.PAUSED", "SAVINGS_PLAN.CANCELLED",
];

async fn a_week_of_activity(sandbox: &Sandbox, upvest: &Upvest) {
    let user = upvest
        .create_user()
        .body(somebody())
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    let account = AccountCreate::builder()
        .user_id(user)
        .account_group_id(sandbox.account_group());
    let account = upvest
        .create_account()
        .body(account)
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    let mandate = sandbox
        .create_mandate(sandbox.account_group(), "DE89370400440532013000")
        .await
        .unwrap();
    sandbox.advance(2 * SECOND).await;

    let debit = DirectDebitCreate::builder()
        .user_id(user)
        .account_group_id(sandbox.account_group())
        .mandate_id(mandate)
        .cash_amount("500.00")
        .currency("EUR");
    upvest
        .create_direct_debit()
        .body(debit)
        .send()
        .await
        .unwrap();
    sandbox.advance(2 * SECOND).await;

    place_order(upvest, account, "100.00").await;
    sandbox.advance(2 * SECOND).await;

    let whole = PortfolioAllocationCreate::builder()
        .instrument_id(instrument())
        .weight("1");
    let portfolio = PortfolioCreate::builder()
        .account_id(account)
        .name("Old age")
        .allocations(vec![whole.try_into().unwrap()]);
    let portfolio = upvest
        .create_portfolio()
        .body(portfolio)
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    let name = PortfolioUpdate::builder().name("Later");
    upvest
        .update_portfolio()
        .portfolio_id(portfolio)
        .body(name)
        .send()
        .await
        .unwrap();
    let plan = SavingsPlanCreate::builder()
        .account_id(account)
        .portfolio_id(portfolio)
        .cash_amount("50.00")
        .currency("EUR")
        .frequency(SavingsPlanFrequency::Weekly);
    let plan = upvest
        .create_savings_plan()
        .body(plan)
        .send()
        .await
        .unwrap()
        .into_inner()
        .id;
    sandbox.advance(7 * 24 * HOUR).await;

    let pause = SavingsPlanUpdate::builder().status(SavingsPlanStatus::Paused);
    upvest
        .update_savings_plan()
        .savings_plan_id(plan)
        .body(pause)
        .send()
        .await
        .unwrap();
    upvest
        .delete_savings_plan()
        .savings_plan_id(plan)
        .send()
        .await
        .unwrap();
    sandbox.settle().await;
}

fn somebody() -> UserCreate {
    let address = Address::builder()
        .street("Unter den Linden 1")
        .city("Berlin")
        .postal_code("10117")
        .country("DE".parse::<CountryCode>().unwrap());
    let user = UserCreate::builder()
        .first_name("Erika")
        .last_name("Mustermann")
        .email("erika@example.com")
        .date_of_birth(chrono::NaiveDate::from_ymd_opt(1990, 12, 10).unwrap())
        .nationality("DE".parse::<CountryCode>().unwrap())
        .address(Address::try_from(address).unwrap());
    user.try_into().unwrap()
}

/// A time far from midnight, when accounts are valued.
fn morning() -> upvest_sandbox::SandboxBuilder {
    Sandbox::builder().start_at("2026-03-02T09:00:00Z".parse::<DateTime<Utc>>().unwrap())
}

/// An instrument with a constant price of 100.
fn instrument() -> Uuid {
    Sandbox::instrument("IE0032077012")
}

async fn place_order(upvest: &Upvest, account: impl Into<AccountId>, cash: &str) {
    let order = OrderCreate::builder()
        .account_id(account.into())
        .instrument_id(instrument())
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount(cash)
        .currency("EUR".parse::<CurrencyCode>().unwrap());
    upvest.create_order().body(order).send().await.unwrap();
}

async fn create(
    upvest: &Upvest,
    url: &str,
    categories: impl IntoIterator<Item = WebhookEventCategory>,
) -> Result<WebhookId, Error> {
    let categories: Vec<_> = categories.into_iter().collect();
    let body = WebhookSubscriptionCreate::builder()
        .url(url)
        .event_categories(categories);
    Ok(upvest
        .create_webhook_subscription()
        .body(body)
        .send()
        .await?
        .into_inner()
        .id)
}

async fn set_status(upvest: &Upvest, webhook: WebhookId, status: WebhookSubscriptionStatus) {
    let update = WebhookSubscriptionUpdate::builder().status(status.clone());
    let updated = upvest
        .update_webhook_subscription()
        .webhook_id(webhook)
        .body(update)
        .send()
        .await
        .unwrap();
    assert_eq!(updated.status, Some(status));
}

/// An enabled subscription.
async fn subscribe(
    upvest: &Upvest,
    url: &str,
    categories: impl IntoIterator<Item = WebhookEventCategory>,
) -> WebhookId {
    let webhook = create(upvest, url, categories).await.unwrap();
    set_status(upvest, webhook, WebhookSubscriptionStatus::Active).await;
    webhook
}

/// Subscribes with a command, for tests that are not about subscriptions.
async fn switch_on(sandbox: &Sandbox, endpoint: &Endpoint) {
    sandbox
        .execute(Command::Subscribe {
            url: endpoint.url(),
        })
        .await
        .unwrap();
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

/// The events that have arrived, repetitions included.
fn ids(endpoint: &Endpoint) -> Vec<Uuid> {
    endpoint.events().iter().map(|event| event.id).collect()
}

/// The events in the log.
fn happened(sandbox: &Sandbox) -> Vec<Uuid> {
    sandbox.events().iter().map(|event| event.id).collect()
}

fn outcomes(deliveries: &[DeliveryRecord]) -> Vec<Result<u16, String>> {
    deliveries
        .iter()
        .map(|delivery| delivery.outcome.clone())
        .collect()
}

/// A parameter of the signature.
fn parameter(arrival: &Arrival, name: &str) -> String {
    let input = arrival.header("signature-input");
    let (_, value) = input.split_once(&format!("{name}=\"")).unwrap();
    value.split('"').next().unwrap().to_owned()
}

/// A port on which nothing listens.
fn port_of_nobody() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
