//! The logs of events and of deliveries.

use upvest_ext::Upvest;
use upvest_ext::api::types::WebhookEventCategory;
use upvest_sandbox::Sandbox;

use super::support::{SECOND, morning, subscribe, switch_on};
use crate::endpoint::Endpoint;

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
