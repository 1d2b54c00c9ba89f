//! Deliveries that are repeated, reversed, retried or blocked by their endpoint.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use upvest_ext::Upvest;
use upvest_ext::api::types::{WebhookId, WebhookSubscriptionUpdate};
use upvest_ext::webhooks::WebhookVerifier;
use upvest_sandbox::{Command, DeliveryRecord, Sandbox};
use uuid::Uuid;

use super::support::{HOUR, SECOND, happened, ids, morning, parameter, place_order, switch_on};
use crate::endpoint::Endpoint;

#[tokio::test]
async fn reversing_deliveries_keeps_event_order_within_each_delivery() {
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
    // The first event happened before the subscription was enabled.
    let happened: BTreeSet<_> = happened(&sandbox)[1..].iter().copied().collect();
    assert_eq!(arrived, happened, "no event is lost");
    assert_eq!(
        ids(&endpoint).len(),
        arrived.len(),
        "each event arrives once"
    );
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
        "the later events wait for the first"
    );

    endpoint.otherwise(200);
    sandbox.advance(HOUR).await;
    let arrived = endpoint.arrived();
    assert_eq!(
        arrived.len(),
        20,
        "18 failed attempts, 1 successful attempt, and 1 delivery of the waiting events"
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
        "the waiting events are delivered immediately after the first event"
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

fn outcomes(deliveries: &[DeliveryRecord]) -> Vec<Result<u16, String>> {
    deliveries
        .iter()
        .map(|delivery| delivery.outcome.clone())
        .collect()
}

/// A port on which nothing listens.
fn port_of_nobody() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
