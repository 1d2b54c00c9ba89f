//! Each event is handled once, a failing event does not block others, and the answer to Upvest is correct.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::tamper::{Tamper, Tampered as _};
use crate::common::{FakeApi, Reply};
use http::StatusCode;
use serde_json::{Value, json};
use upvest_api::types::WebhookEventCategory;
use upvest_ext::webhooks::{
    ClaimResult, DeadLetter, DeadLetterSink, DedupStore, Event, EventType, HandlerError,
    MemoryDedupStore, WebhookHandler, WebhookTester, with_state,
};
use upvest_ext::{BackendError, BoxFuture};
use uuid::Uuid;

type Log = Arc<Mutex<Vec<String>>>;

fn tester() -> WebhookTester {
    WebhookTester::new().unwrap()
}

fn event(event_type: &str) -> Value {
    WebhookTester::event(event_type, json!({ "id": uuid::Uuid::new_v4() }))
}

/// Handlers that record their events. They fail for `ORDER.REJECTED`.
fn handler(tester: &WebhookTester, log: &Log) -> WebhookHandler {
    let note = |place: &'static str| {
        let log = Arc::clone(log);
        move |event: Event| {
            let log = Arc::clone(&log);
            async move {
                log.lock()
                    .unwrap()
                    .push(format!("{place} {}", event.event_type));
                Ok::<(), HandlerError>(())
            }
        }
    };
    WebhookHandler::new(tester.verifier())
        .on(EventType::OrderFilled, note("type"))
        .on(EventType::OrderRejected, async |_| {
            Err("the ledger says no".into())
        })
        .on("COMET.SEEN".parse().unwrap(), note("unknown type"))
        .on_category(WebhookEventCategory::Order.as_str(), note("category"))
        .on_category(WebhookEventCategory::User.as_str(), note("category"))
        .otherwise(with_state(Arc::clone(log), async |log: Log, event| {
            let known = event.event_type.is_known();
            log.lock()
                .unwrap()
                .push(format!("fallback {} {known}", event.event_type));
            Ok(())
        }))
}

#[tokio::test]
async fn an_event_goes_to_its_type_then_to_its_category_then_to_the_fallback() {
    let (tester, log) = (tester(), Log::default());
    let names = [
        "ORDER.FILLED",
        "ORDER.NEW",
        "USER.TELEPORTED",
        "COMET.SEEN",
        "FEE.CHARGED",
        "COMET.GONE",
    ];
    let delivery = tester.deliver("/webhooks", &names.map(event));
    let outcome = handler(&tester, &log).handle(&delivery.received()).await;
    assert_eq!((outcome.status, outcome.handled), (StatusCode::OK, 6));
    let expected = [
        "type ORDER.FILLED",
        "category ORDER.NEW",
        "category USER.TELEPORTED",
        "unknown type COMET.SEEN",
        "fallback FEE.CHARGED true",
        "fallback COMET.GONE false",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn the_registered_categories_are_those_to_subscribe_to() {
    let handler = handler(&tester(), &Log::default());
    assert_eq!(handler.registered_categories(), ["COMET", "ORDER", "USER"]);
}

#[tokio::test]
async fn an_event_without_a_handler_is_acknowledged() {
    let tester = tester();
    let delivery = tester.deliver("/webhooks", &[event("FEE.CHARGED")]);
    let outcome = WebhookHandler::new(tester.verifier())
        .handle(&delivery.received())
        .await;
    assert_eq!((outcome.status, outcome.ignored), (StatusCode::OK, 1));
}

#[tokio::test]
async fn the_same_event_in_five_batches_is_handled_once() {
    let (tester, log) = (tester(), Log::default());
    let handler = handler(&tester, &log);
    let repeated = event("ORDER.FILLED");
    for batch in 0..5 {
        let delivery = tester.deliver(
            "/webhooks",
            &[event("USER.CREATED"), repeated.clone(), event("ORDER.NEW")],
        );
        let outcome = handler.handle(&delivery.received()).await;
        assert_eq!(outcome.status, StatusCode::OK);
        assert_eq!(
            (outcome.handled, outcome.repeated),
            if batch == 0 { (3, 0) } else { (2, 1) }
        );
    }
    assert_eq!(
        log.lock()
            .unwrap()
            .iter()
            .filter(|line| *line == "type ORDER.FILLED")
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_event_in_five_batches_at_once_is_handled_once() {
    let (tester, log) = (tester(), Log::default());
    let slow = Arc::clone(&log);
    let handler = WebhookHandler::new(tester.verifier()).on(EventType::OrderFilled, move |_| {
        let log = Arc::clone(&slow);
        async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            log.lock().unwrap().push("handled".to_owned());
            Ok(())
        }
    });
    let delivery = tester.deliver("/webhooks", &[event("ORDER.FILLED")]);
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let (handler, delivery) = (handler.clone(), delivery.clone());
            tokio::spawn(async move { handler.handle(&delivery.received()).await.status })
        })
        .collect();
    let mut acknowledged = 0;
    for task in tasks {
        acknowledged += usize::from(task.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(
        acknowledged, 1,
        "the others must not say that it is done before it is"
    );
    assert_eq!(log.lock().unwrap().len(), 1);
    assert_eq!(handler.handle(&delivery.received()).await.repeated, 1);
}

#[tokio::test]
async fn a_failure_is_not_acknowledged_and_costs_the_others_nothing() {
    let (tester, log) = (tester(), Log::default());
    let handler = handler(&tester, &log);
    let batch = [
        event("ORDER.NEW"),
        event("ORDER.REJECTED"),
        event("ORDER.FILLED"),
    ];
    let delivery = tester.deliver("/webhooks", &batch);
    let outcome = handler.handle(&delivery.received()).await;
    assert_eq!(
        (outcome.status, outcome.handled),
        (StatusCode::INTERNAL_SERVER_ERROR, 2)
    );
    assert_eq!(outcome.failures[0].to_string(), "the ledger says no");
    let outcome = handler.handle(&delivery.received()).await;
    assert_eq!(
        (outcome.handled, outcome.repeated, outcome.failures.len()),
        (0, 2, 1)
    );
}

/// Records dead letters, unless it is full.
#[derive(Clone, Default)]
struct Shelf {
    dead_lettered: Log,
    full: Arc<Mutex<bool>>,
}

impl DeadLetterSink for Shelf {
    fn store(&self, event: DeadLetter) -> BoxFuture<'_, Result<(), HandlerError>> {
        Box::pin(async move {
            if *self.full.lock().unwrap() {
                return Err("the shelf is full".into());
            }
            self.dead_lettered.lock().unwrap().push(match event {
                DeadLetter::Unhandled {
                    event,
                    attempts,
                    error,
                    ..
                } => {
                    format!("{} after {attempts}: {error}", event.event_type)
                }
                DeadLetter::Undecodable(event) => String::from_utf8(event.raw.into()).unwrap(),
                _ => "?".to_owned(),
            });
            Ok(())
        })
    }
}

#[tokio::test]
async fn an_event_that_always_fails_becomes_a_dead_letter_after_n_tries_and_later_ones_are_handled()
{
    let (tester, shelf) = (tester(), Shelf::default());
    let handler = handler(&tester, &Log::default()).dead_letter_after(3, shelf.clone());
    let delivery = tester.deliver("/webhooks", &[event("ORDER.REJECTED"), event("ORDER.NEW")]);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(handler.handle(&delivery.received()).await.status.as_u16());
    }
    assert_eq!(statuses, [500, 500, 200, 200, 200]);
    assert_eq!(
        *shelf.dead_lettered.lock().unwrap(),
        ["ORDER.REJECTED after 3: the ledger says no"]
    );
}

#[tokio::test]
async fn an_event_whose_handler_always_panics_becomes_a_dead_letter_after_n_tries() {
    let (tester, shelf) = (tester(), Shelf::default());
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let handler = WebhookHandler::new(tester.verifier())
        .on(EventType::OrderFilled, move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("before there is a future");
            #[expect(unreachable_code, reason = "says what the future would be")]
            std::future::ready(Ok(()))
        })
        .on(EventType::OrderNew, async |_| panic!("within the future"))
        .dead_letter_after(3, shelf.clone());
    let delivery = tester.deliver("/webhooks", &[event("ORDER.FILLED"), event("ORDER.NEW")]);
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(handler.handle(&delivery.received()).await.status.as_u16());
    }
    assert_eq!(statuses[..4], [500, 500, 200, 200]);
    assert_eq!(begun.load(Ordering::SeqCst), 3);
    let dead_lettered = [
        "ORDER.FILLED after 3: the handler panicked",
        "ORDER.NEW after 3: the handler panicked",
    ];
    assert_eq!(*shelf.dead_lettered.lock().unwrap(), dead_lettered);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_outlives_its_delivery_comes_to_its_end_and_its_result_counts() {
    let (tester, shelf, second) = (tester(), Shelf::default(), Duration::from_secs(1));
    for fails in [false, true] {
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let handler = WebhookHandler::new(tester.verifier())
            .on(EventType::OrderFilled, move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                async move {
                    tokio::time::sleep(15 * second).await;
                    if fails {
                        Err("too late anyway".into())
                    } else {
                        Ok(())
                    }
                }
            })
            .dead_letter_after(3, shelf.clone());
        let delivery = tester.deliver("/webhooks", &[event("ORDER.FILLED")]);
        let mut acknowledged = None;
        for number in 0..60 {
            // The sender gives up after 10 s, and sends the delivery again a second later.
            let answered =
                tokio::time::timeout(10 * second, handler.handle(&delivery.received())).await;
            if answered.is_ok_and(|outcome| outcome.status == StatusCode::OK) {
                acknowledged.get_or_insert(number);
            }
            tokio::time::sleep(second).await;
        }
        assert!(acknowledged.is_some(), "fails: {fails}");
        assert_eq!(begun.load(Ordering::SeqCst), if fails { 3 } else { 1 });
    }
    assert_eq!(
        *shelf.dead_lettered.lock().unwrap(),
        ["ORDER.FILLED after 3: too late anyway"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_handler_never_ends_becomes_a_dead_letter_after_n_tries() {
    let (tester, shelf) = (tester(), Shelf::default());
    let handler = WebhookHandler::new(tester.verifier())
        .on(EventType::OrderFilled, async |_| {
            std::future::pending().await
        })
        .dead_letter_after(3, shelf.clone());
    let delivery = tester.deliver("/webhooks", &[event("ORDER.FILLED")]);
    for _ in 0..30 {
        let _ = tokio::time::timeout(
            Duration::from_secs(10),
            handler.handle(&delivery.received()),
        )
        .await;
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(
        *shelf.dead_lettered.lock().unwrap(),
        ["ORDER.FILLED after 4: the handler never finished"]
    );
}

#[tokio::test]
async fn one_undecodable_event_becomes_a_dead_letter_once_and_the_rest_is_handled() {
    let (tester, shelf, log) = (tester(), Shelf::default(), Log::default());
    let handler = handler(&tester, &log).dead_letter_after(3, shelf.clone());
    let delivery = tester.deliver(
        "/webhooks",
        &[
            event("ORDER.NEW"),
            json!({ "odd": 1 }),
            event("ORDER.FILLED"),
        ],
    );
    let outcome = handler.handle(&delivery.received()).await;
    assert_eq!(
        (outcome.status, outcome.handled, outcome.dead_lettered),
        (StatusCode::OK, 2, 1)
    );
    let outcome = handler.handle(&delivery.received()).await;
    assert_eq!((outcome.repeated, outcome.dead_lettered), (3, 0));
    assert_eq!(*shelf.dead_lettered.lock().unwrap(), [r#"{"odd":1}"#]);
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_as_a_dead_letter_is_not_acknowledged() {
    let (tester, shelf) = (tester(), Shelf::default());
    let handler = handler(&tester, &Log::default()).dead_letter_after(1, shelf.clone());
    let delivery = tester.deliver("/webhooks", &[event("ORDER.REJECTED"), json!({ "odd": 1 })]);
    *shelf.full.lock().unwrap() = true;
    let outcome = handler.handle(&delivery.received()).await;
    assert_eq!(
        (outcome.status, outcome.failures.len()),
        (StatusCode::INTERNAL_SERVER_ERROR, 2)
    );
    *shelf.full.lock().unwrap() = false;
    let outcome = handler.handle(&delivery.received()).await;
    assert_eq!((outcome.status, outcome.dead_lettered), (StatusCode::OK, 2));
}

#[tokio::test]
async fn without_parking_an_undecodable_event_is_not_lost() {
    let tester = tester();
    let delivery = tester.deliver("/webhooks", &[json!({ "odd": 1 })]);
    let outcome = handler(&tester, &Log::default())
        .handle(&delivery.received())
        .await;
    assert_eq!(outcome.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn forgeries_and_oversized_bodies_reach_no_handler() {
    let (tester, log) = (tester(), Log::default());
    let delivery = tester.deliver("/webhooks", &[event("ORDER.NEW")]);
    let handler = handler(&tester, &log);
    for tamper in Tamper::ALL {
        let outcome = handler.handle(&delivery.tampered(tamper).received()).await;
        assert!(outcome.rejected.is_some());
        // An unknown key may be a new one, so Upvest should send the delivery again.
        let status = if tamper == Tamper::KeyId { 503 } else { 401 };
        assert_eq!(outcome.status.as_u16(), status, "{tamper:?}");
    }
    assert!(log.lock().unwrap().is_empty());
    for (limit, status) in [(delivery.body.len() - 1, 413), (delivery.body.len(), 200)] {
        let handler = WebhookHandler::new(tester.verifier().body_limit(limit));
        assert_eq!(
            handler.handle(&delivery.received()).await.status.as_u16(),
            status
        );
    }
}

/// Claims the event, which must succeed. Returns the claim and the number of the attempt.
async fn claim(seen: &MemoryDedupStore, event: &str) -> (Uuid, u32) {
    match seen.claim(event).await.unwrap() {
        ClaimResult::Ours { claim, attempt } => (claim, attempt),
        other => panic!("{event}: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_lapses_when_its_holder_falls_silent() {
    let seen = MemoryDedupStore::new(10).lease(Duration::from_secs(60));
    assert_eq!(claim(&seen, "a").await.1, 1);
    assert_eq!(seen.claim("a").await.unwrap(), ClaimResult::Busy);
    tokio::time::advance(Duration::from_secs(60)).await;
    let (second, attempt) = claim(&seen, "a").await;
    assert_eq!(attempt, 2);
    seen.failed("a", second).await.unwrap();
    let (third, attempt) = claim(&seen, "a").await;
    assert_eq!(attempt, 3);
    seen.done("a", third).await.unwrap();
    assert_eq!(seen.claim("a").await.unwrap(), ClaimResult::Done);
}

#[tokio::test(start_paused = true)]
async fn only_the_holder_of_the_current_claim_changes_a_record() {
    let seen = MemoryDedupStore::new(10).lease(Duration::from_secs(60));
    let (first, _) = claim(&seen, "a").await;
    tokio::time::advance(Duration::from_secs(60)).await;
    let (second, _) = claim(&seen, "a").await;
    assert_ne!(first, second);
    for late in [
        seen.failed("a", first),
        seen.done("a", first),
        seen.done("a", Uuid::nil()),
    ] {
        late.await.unwrap();
        assert_eq!(
            seen.claim("a").await.unwrap(),
            ClaimResult::Busy,
            "the second is at it"
        );
    }
    seen.done("a", second).await.unwrap();
    seen.failed("a", first).await.unwrap();
    assert_eq!(
        seen.claim("a").await.unwrap(),
        ClaimResult::Done,
        "the first must not erase the second's success"
    );
}

#[tokio::test]
async fn the_memory_is_bounded_and_forgets_the_oldest() {
    let seen = MemoryDedupStore::new(100);
    for number in 0..1000 {
        let name = number.to_string();
        let (ours, _) = claim(&seen, &name).await;
        seen.done(&name, ours).await.unwrap();
    }
    assert_eq!(seen.claim("999").await.unwrap(), ClaimResult::Done);
    assert_eq!(seen.claim("900").await.unwrap(), ClaimResult::Done);
    assert_eq!(claim(&seen, "0").await.1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_store_never_forgets_an_event_that_is_being_handled() {
    let seen = MemoryDedupStore::new(3).lease(Duration::from_secs(60));
    let (old, _) = claim(&seen, "being handled").await;
    for number in 0..100 {
        let name = number.to_string();
        let (ours, _) = claim(&seen, &name).await;
        seen.done(&name, ours).await.unwrap();
        assert_eq!(
            seen.claim("being handled").await.unwrap(),
            ClaimResult::Busy
        );
    }
    claim(&seen, "second").await;
    claim(&seen, "third").await;
    for _ in 0..10 {
        seen.claim("no room for a fourth").await.unwrap_err();
    }
    seen.done("being handled", old).await.unwrap();
    claim(&seen, "fourth").await;
    assert_eq!(seen.claim("third").await.unwrap(), ClaimResult::Busy);
    tokio::time::advance(Duration::from_secs(60)).await;
    for name in ["fifth", "sixth", "seventh"] {
        claim(&seen, name).await;
    }
}

/// A store that cannot be reached.
struct Away;

impl DedupStore for Away {
    fn claim<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<ClaimResult, BackendError>> {
        Box::pin(async { Err(BackendError::new("no connection")) })
    }

    fn done<'a>(&'a self, _: &'a str, _: Uuid) -> BoxFuture<'a, Result<(), BackendError>> {
        Box::pin(async { Ok(()) })
    }

    fn failed<'a>(&'a self, _: &'a str, _: Uuid) -> BoxFuture<'a, Result<(), BackendError>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn while_the_store_is_away_nothing_is_acknowledged() {
    let (tester, log) = (tester(), Log::default());
    let delivery = tester.deliver("/webhooks", &[event("ORDER.NEW")]);
    let outcome = handler(&tester, &log)
        .dedup_store(Away)
        .handle(&delivery.received())
        .await;
    assert_eq!(outcome.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(log.lock().unwrap().is_empty());
}

/// Stores dead letters as JSON, as a table would.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Vec<u8>>>>);

impl DeadLetterSink for Kept {
    fn store(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), HandlerError>> {
        Box::pin(async move {
            let DeadLetter::Unhandled { event, .. } = letter else {
                return Err("it cannot be read".into());
            };
            self.0.lock().unwrap().push(serde_json::to_vec(&event)?);
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_reference_is_fetched_before_its_handler_is_called_and_a_failed_fetch_is_a_failed_event()
{
    let reference = |id: Uuid, kind: &str| {
        json!({
            "id": Uuid::new_v4(), "created_at": "2024-05-17T09:30:00Z", "webhook_id": Uuid::new_v4(),
            "event_type": kind, "object": { "id": id, "type": kind.split('.').next() },
        })
    };
    let id = Uuid::new_v4();
    let deliver = async |answer: Reply, kind: &str| {
        let (tester, log) = (tester(), Log::default());
        let upvest = FakeApi::new(move |request, _| {
            assert_eq!(
                (request.method.as_str(), request.path.as_str()),
                ("GET", format!("/orders/{id}").as_str())
            );
            answer.clone()
        });
        let upvest = upvest.client();
        let handler = WebhookHandler::new(tester.verifier())
            .fetch_references(upvest)
            .otherwise(with_state(
                Arc::clone(&log),
                async |log: Log, event: Event| {
                    log.lock().unwrap().push(event.object_json().to_owned());
                    Ok(())
                },
            ));
        let outcome = handler
            .handle(
                &tester
                    .deliver("/webhooks", &[reference(id, kind)])
                    .received(),
            )
            .await;
        (outcome, log.lock().unwrap().clone())
    };
    let order = json!({ "id": id, "status": "FILLED" }).to_string();
    let (outcome, handled) = deliver(Reply::new(200, order.clone()), "ORDER.FILLED").await;
    assert_eq!((outcome.handled, handled), (1, vec![order]));
    // If no operation reads the resource, the event stays a reference. If fetching fails, the event is delivered again.
    let (outcome, handled) = deliver(Reply::status(404), "USER_CHECK.PASSED").await;
    assert_eq!(
        (outcome.handled, handled[0].contains("USER_CHECK")),
        (1, true)
    );
    for lie in [
        Reply::new(200, ""),
        Reply::new(200, "{"),
        Reply::new(200, "<html>"),
        Reply::status(404),
    ] {
        let (outcome, handled) = deliver(lie, "ORDER.FILLED").await;
        assert_eq!((outcome.status.as_u16(), handled.len()), (500, 0));
        assert!(
            outcome.failures[0]
                .to_string()
                .starts_with("retrieveOrder: "),
            "{:?}",
            outcome.failures
        );
    }
}

#[tokio::test]
async fn a_dead_letter_is_replayed_once_its_cause_is_mended() {
    let (tester, log) = (tester(), Log::default());
    let broken = WebhookHandler::new(tester.verifier()).on(EventType::OrderFilled, async |_| {
        Err("the ledger says no".into())
    });
    let kept = Kept::default();
    let delivery = tester.deliver("/webhooks", &[event("ORDER.FILLED")]);
    let outcome = broken
        .dead_letter_after(1, kept.clone())
        .handle(&delivery.received())
        .await;
    assert_eq!((outcome.status, outcome.dead_lettered), (StatusCode::OK, 1));
    let kept = kept.0.lock().unwrap().pop().unwrap();
    let kept_event = Event::decode(&kept).unwrap();

    let mended = handler(&tester, &log);
    mended.replay(kept_event.clone()).await.unwrap();
    mended.replay(kept_event.clone()).await.unwrap();
    assert_eq!(
        *log.lock().unwrap(),
        ["type ORDER.FILLED"; 2],
        "as often as it is asked for"
    );

    let deaf = WebhookHandler::new(tester.verifier());
    let error = deaf.replay(kept_event.clone()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no handler for ORDER.FILLED events"
    );
    let panics = deaf.on(EventType::OrderFilled, async |_| panic!("a bug"));
    assert_eq!(
        panics.replay(kept_event).await.unwrap_err().to_string(),
        "the handler panicked"
    );
}
