//! Idempotency keys of calls.

use std::collections::HashSet;

use crate::common::{FakeApi, Fate, Reply, order};
use upvest_ext::{ErrorKind, IdempotencyKey, Method};

#[tokio::test(start_paused = true)]
async fn all_attempts_of_a_call_carry_one_key_and_each_call_its_own() {
    let api = FakeApi::new(|_, n| {
        if n % 3 == 2 {
            Reply::order()
        } else {
            Reply::status(503)
        }
    });
    let upvest = api.client();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let response = upvest.create_order().body(order()).send().await.unwrap();
        assert_eq!(response.metadata().attempts, 3);
        keys.push(response.metadata().idempotency_key.unwrap().to_string());
    }
    let sent: Vec<_> = api
        .seen()
        .iter()
        .map(|seen| seen.header("idempotency-key").to_owned())
        .collect();
    assert_eq!(sent[..3], [keys[0].as_str(); 3]);
    assert_eq!(sent[3..], [keys[1].as_str(); 3]);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test(start_paused = true)]
async fn only_operations_that_take_a_key_get_one() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let response = api.client().list_orders().send().await.unwrap();
    assert_eq!(response.metadata().idempotency_key, None);
    assert!(api.seen()[0].headers.get("idempotency-key").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_key_is_in_every_error_of_the_call() {
    let replies = [
        Reply::status(400),
        Reply::status(401),
        Reply::status(503),
        Reply::status(302),
        Reply::fate(Fate::Broken),
        Reply::fate(Fate::NotSent),
        Reply::fate(Fate::Silence),
        Reply::new(201, r#"{"not": "an order"}"#),
        Reply::new(200, "{}"),
    ];
    for reply in replies {
        let case = format!("{reply:?}");
        let api = FakeApi::new(move |_, _| reply.clone());
        let error = api
            .client()
            .create_order()
            .body(order())
            .send()
            .await
            .unwrap_err();
        let sent = api.seen()[0].header("idempotency-key").to_owned();
        assert_eq!(
            error.idempotency_key().map(|key| key.to_string()),
            Some(sent),
            "{case}"
        );
        assert_eq!(error.operation(), Some("createOrder"), "{case}");
        assert!(error.attempts() > 0 && error.elapsed().is_some(), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stored_key_resumes_the_same_order_after_a_crash() {
    let api = FakeApi::new(|_, n| {
        if n == 0 {
            Reply::fate(Fate::Silence)
        } else {
            Reply::order()
        }
    });
    let stored = IdempotencyKey::generate().to_string();
    // The process crashes during the call.
    let first = api.client().create_order().idempotency_key(&*stored);
    let call = tokio::spawn(async move { first.body(order()).send().await.map(drop) });
    while api.api_calls() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    // Another one finds the order and its key.
    api.client()
        .create_order()
        .idempotency_key(&*stored)
        .body(order())
        .send()
        .await
        .unwrap();
    let seen = api.seen();
    assert_eq!(seen[0].header("idempotency-key"), stored.as_str());
    assert_eq!(&seen[0].body, &seen[1].body);
    assert_eq!(seen[1].header("idempotency-key"), stored);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_no_uuid_is_rejected_before_anything_is_sent() {
    let api = FakeApi::new(|_, _| Reply::order());
    let call = api.client().create_order().idempotency_key("order-17");
    let error = call.body(order()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("`idempotency-key`"), "{error}");
    assert_eq!(api.api_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_the_key_that_the_builder_was_given() {
    let api = FakeApi::new(|_, _| Reply::status(503));
    let key = IdempotencyKey::generate();
    let call = api.client().create_order().idempotency_key(key);
    let error = call.body(order()).send().await.unwrap_err();
    assert_eq!(error.attempts(), 4);
    assert_eq!(error.idempotency_key(), Some(key));
    let seen = api.seen();
    let keys: HashSet<_> = seen.iter().map(|it| it.header("idempotency-key")).collect();
    assert_eq!(keys, HashSet::from([key.to_string().as_str()]));
}

#[test]
fn keys_are_random_version_4_uuids_and_survive_a_round_trip() {
    let keys: HashSet<_> = (0..10_000).map(|_| IdempotencyKey::generate()).collect();
    assert_eq!(keys.len(), 10_000);
    for key in keys {
        assert_eq!(key.as_uuid().get_version_num(), 4);
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    assert!("not a key".parse::<IdempotencyKey>().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_raw_request_has_only_the_key_that_it_was_given() {
    let api = FakeApi::new(|_, _| Reply::status(503));
    let upvest = api.client();
    upvest
        .request(Method::POST, ["x"])
        .send()
        .await
        .unwrap_err();
    assert!(api.seen()[0].headers.get("idempotency-key").is_none());
    let key = IdempotencyKey::generate();
    let error = upvest
        .request(Method::POST, ["x"])
        .idempotency_key(key)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.attempts(), 4);
    assert_eq!(error.idempotency_key(), Some(key));
}

#[tokio::test]
async fn a_conflict_hints_at_a_key_that_was_used_before() {
    for status in [409, 422] {
        let api = FakeApi::new(move |_, _| Reply::status(status));
        let upvest = api.client();
        let error = upvest.create_order().body(order()).send().await;
        let error = error.unwrap_err();
        assert!(error.hint().unwrap().contains("used for another request"));
        let error = upvest.list_orders().send().await.unwrap_err();
        assert_eq!(error.hint(), None, "a list has no key");
    }
}
