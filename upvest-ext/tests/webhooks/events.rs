//! Events in both formats and of unknown types can be read, and an invalid event does not affect the others.

use serde_json::{Value, json};
use upvest_api::events::{EventKind, EventObject};
use upvest_api::types::{Order, OrderId, User};
use upvest_ext::webhooks::{
    Event, EventType, ResourceError, UndecodableEvent, WebhookTester, decode_events,
};

const ID: &str = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";

async fn decode(body: impl Into<Vec<u8>>) -> Vec<Result<Event, UndecodableEvent>> {
    let tester = WebhookTester::new().unwrap();
    let delivery = tester.deliver_raw("/webhooks", body.into());
    tester.verifier().verify(&delivery).await.unwrap()
}

fn event(event_type: &str, object: Value) -> Value {
    WebhookTester::event(event_type, object)
}

#[tokio::test]
async fn the_official_shape_carries_the_resource() {
    let order = json!({
        "id": ID, "account_id": ID, "instrument_id": ID, "side": "BUY", "type": "MARKET", "status": "FILLED",
        "cash_amount": "100.00", "currency": "EUR", "created_at": "2024-05-17T09:30:00Z",
        "updated_at": "2024-05-17T09:30:00Z",
    });
    let events = decode(json!({ "payload": [event("ORDER.FILLED", order)] }).to_string()).await;
    let event = events[0].as_ref().unwrap();
    assert_eq!(event.event_type, EventKind::OrderFilled);
    let created_at = event.created_at.unwrap();
    assert_eq!(created_at.to_rfc3339(), "2024-05-17T09:30:00.123456+00:00");
    let order: Order = event.resource().unwrap();
    assert_eq!(order.id.to_string(), ID);
    let reference = event.reference().unwrap();
    assert_eq!(reference.object_type, "ORDER");
    assert_eq!(reference.id_as::<OrderId>(), order.id);
}

#[tokio::test]
async fn an_event_is_decoded_only_as_the_resource_of_its_type() {
    let body = json!({ "payload": [
        event("ORDER.FILLED", json!({ "id": ID, "user_id": ID })),
        event("USER.CREATED", json!({ "id": ID, "first_name": "Ada" })),
        event("ORDER.ENTANGLED", json!({ "id": ID, "spin": "up" })),
    ]});
    let events = decode(body.to_string()).await;
    let [order, user, unknown] = [0, 1, 2].map(|number| events[number].as_ref().unwrap());
    let error = order.resource::<User>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "events of the type ORDER.FILLED do not contain a resource of the type User"
    );
    assert!(matches!(error, ResourceError::OtherType { .. }));
    order.resource::<Order>().unwrap();
    assert_eq!(
        order.resource::<Value>().unwrap()["user_id"],
        ID,
        "types of your own are not compared"
    );
    let hidden = format!("{:?}", unknown.object::<EventObject>().unwrap());
    assert_eq!(hidden, "Unknown(<hidden>)");
    // An event of an unknown type may contain any resource.
    unknown.resource::<Order>().unwrap();
    assert!(
        matches!(order.object::<EventObject>().unwrap(), EventObject::Order(order) if order.id.to_string() == ID)
    );
    assert!(matches!(
        user.object::<EventObject>().unwrap(),
        EventObject::User(_)
    ));
    assert!(
        matches!(unknown.object::<EventObject>().unwrap(), EventObject::Unknown(json) if json["spin"] == "up")
    );
}

#[tokio::test]
async fn the_other_shape_names_the_resource_to_be_fetched() {
    let body = json!({ "payload": [{
        "id": ID, "created_at": "2024-05-17T09:30:00Z", "event_type": "ORDER.NEW", "webhook_id": ID,
        "object": { "id": ID, "type": "ORDER" },
    }]});
    let events = decode(body.to_string()).await;
    let event = events[0].as_ref().unwrap();
    assert_eq!(event.event_type, EventKind::OrderNew);
    let Err(ResourceError::NotCarried(reference)) = event.resource::<Order>() else {
        panic!("carried")
    };
    assert_eq!(reference.id_as::<OrderId>().to_string(), ID);
    assert_eq!(Some(reference), event.reference());
}

#[tokio::test]
async fn a_bare_event_needs_no_wrapper() {
    let events = decode(event("USER.CREATED", json!({ "id": ID })).to_string()).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].as_ref().unwrap().event_type,
        EventKind::UserCreated
    );
}

#[tokio::test]
async fn one_undecodable_event_among_many_costs_only_itself() {
    for broken in [
        json!(null),
        json!(7),
        json!({}),
        json!({ "id": "no uuid" }),
        json!([[[]]]),
        json!("text"),
    ] {
        for position in 0..5 {
            let mut payload: Vec<_> = (0..5)
                .map(|_| event("ORDER.NEW", json!({ "id": ID })))
                .collect();
            payload[position] = broken.clone();
            let events = decode(json!({ "payload": payload }).to_string()).await;
            assert_eq!(events.len(), 5);
            for (index, event) in events.iter().enumerate() {
                assert_eq!(event.is_err(), index == position, "{broken} at {position}");
            }
            let undecodable = events[position].as_ref().unwrap_err();
            assert_eq!(
                *undecodable.raw,
                *broken.to_string().as_bytes(),
                "the text is kept"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_event_is_one_undecodable_event() {
    for body in ["", "{", "null", "[]", "\u{0}", r#"{"payload": 7}"#] {
        let events = decode(body).await;
        assert_eq!(events.len(), 1, "{body}");
        assert_eq!(*events[0].as_ref().unwrap_err().raw, *body.as_bytes());
    }
    assert!(decode(r#"{"payload": []}"#).await.is_empty());
}

#[tokio::test]
async fn the_place_of_the_failure_is_told_and_its_content_is_not() {
    let mut broken = event("ORDER.NEW", json!({ "id": ID }));
    broken["created_at"] = "CANARY".into();
    let events = decode(json!({ "payload": [broken] }).to_string()).await;
    let error = events[0].as_ref().unwrap_err();
    assert_eq!(error.path, "created_at");
    assert!(!format!("{error} {error:?}").contains("CANARY"));

    let events =
        decode(event("ORDER.NEW", json!({ "id": "CANARY", "status": 1 })).to_string()).await;
    let event = events[0].as_ref().unwrap();
    let error = event.resource::<Order>().unwrap_err();
    let ResourceError::Unfit(text) = &error else {
        panic!("{error:?}")
    };
    assert!(text.contains("at id: "), "{text}");
    // Both ways of decoding say the same.
    assert_eq!(event.object::<EventObject>().unwrap_err(), error);
    assert!(!format!("{event:?} {error} {error:?}").contains("CANARY"));
}

#[tokio::test]
async fn unknown_fields_and_both_names_of_the_type_do_no_harm() {
    let mut extended = event("ORDER.NEW", json!({ "id": ID }));
    extended["event_type"] = "ORDER.NEW".into();
    extended["new_field"] = json!({ "a": 1 });
    let events = decode(json!({ "payload": [extended], "meta": 1 }).to_string()).await;
    assert_eq!(events[0].as_ref().unwrap().event_type, EventKind::OrderNew);
}

#[test]
fn every_type_of_the_description_is_known_and_goes_out_as_it_came_in() {
    let description: Value =
        serde_json::from_str(include_str!("../fixtures/webhook-event-types.json")).unwrap();
    let described: Vec<_> = description
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect();
    assert_eq!(described.len(), 60);
    for wire in described {
        let event_type = wire.parse::<EventType>().unwrap();
        let kind = EventKind::from(&event_type);
        assert!(kind.is_known(), "{wire}");
        assert_eq!(event_type, kind);
        assert_eq!(event_type.as_str(), wire);
        assert_eq!(
            format!("{}.{}", event_type.category(), event_type.action()),
            wire
        );
    }
}

/// The types of versions up to 1.159 (`PROTOCOL` 11.2), and those of the official description that the fixture does not
/// have.
const NEWER_TYPES: &[(&str, &str)] = &[
    ("ACCOUNT", "ACTIVATED CLOSING_INITIATED CREATED LOCKED"),
    ("ACCOUNT_GROUP", "ACTIVATED CLOSED CLOSING_INITIATED LOCKED"),
    (
        "ACCOUNT_LIQUIDATION",
        "NEW PROCESSING FILLED SETTLED CANCELLED",
    ),
    ("ACCOUNT_RETURNS", "CREATED"),
    (
        "ACCOUNT_TRANSFER",
        "NEW SETTLED PARTIALLY_SETTLED CANCELLED",
    ),
    ("ACCOUNT_VALUATION", "CREATED"),
    (
        "BUSINESS",
        "CREATED ACTIVATED DEACTIVATED DATA_CHANGED DATA_CHANGE_FAILED OFFBOARDING_INITIATED OFFBOARDED",
    ),
    ("BUSINESS_CHECK", "CREATED PASSED FAILED"),
    ("CASH_BALANCE_TRANSFER", "ISSUED CONFIRMED CANCELLED"),
    ("CASH_TRANSACTION", "EXECUTED"),
    ("CORPORATE_ACTION", "UPDATED"),
    ("CREDIT_FUNDING", "CONFIRMED CANCELLED"),
    ("DIRECT_DEBIT", "NEW CONFIRMED CANCELLED"),
    ("EXECUTION", "FILLED"),
    ("FEE_COLLECTION", "CREATED FINALISED CANCELLED"),
    (
        "INSTRUMENT",
        "ONBOARDED ACTIVATED DEACTIVATED DATA_CHANGED FRACTIONAL_TRADING_ENABLED FRACTIONAL_TRADING_DISABLED",
    ),
    ("INTRADAY_ACCOUNT_VALUATION", "CREATED"),
    (
        "ISA_TRANSFER",
        "NEW DISCOVERY DISCOVERY_CONFIRMED INSTRUCTED PROCESSING SETTLED",
    ),
    ("ISA_WRAPPER", "NEW ACTIVE INACTIVE CLOSED"),
    ("ISA_WRAPPER_ALLOWANCE", "CREATED UPDATED EXPIRED"),
    ("PORTFOLIO_ALLOCATION", "CREATED CHANGED"),
    ("PORTFOLIO_ORDER", "NEW PROCESSING FILLED SETTLED CANCELLED"),
    (
        "REBALANCING_EXECUTION_ORDER",
        "NEW PROCESSING FILLED CANCELLED",
    ),
    ("REPORT", "CREATED"),
    ("ROLE", "CREATED ACTIVATED DEACTIVATED"),
    (
        "SAVINGS_PLAN_EXECUTION",
        "NEW PROCESSING FILLED SETTLED CANCELLED REMINDER DATA_CHANGED",
    ),
    ("SECURITIES_TRANSFER", "NEW SETTLED CANCELLED DATA_CHANGE"),
    ("SECURITY_TRANSACTION", "EXECUTED"),
    ("TAX_COLLECTION", "CREATED FINALISED CANCELLED"),
    (
        "TAX_EXEMPTION",
        "CREATED UPDATED DELETED CREATION_FAILED UPDATE_FAILED DELETION_FAILED",
    ),
    ("TOPUP", "CONFIRMED SETTLED CANCELLED"),
    ("TREASURY_REPORT", "CREATED"),
    (
        "USER",
        "ACTIVATED DATA_CHANGED DATA_CHANGE_FAILED DEACTIVATED OFFBOARDED OFFBOARDING_INITIATED",
    ),
    ("USER_CHECK", "CREATED"),
    ("VIRTUAL_BANK_ACCOUNT", "CREATED"),
    ("VIRTUAL_CASH_DECREASE", "ISSUED QUEUED CONFIRMED CANCELLED"),
    ("VIRTUAL_CASH_INCREASE", "ISSUED CONFIRMED CANCELLED"),
    ("WITHDRAWAL", "NEW CONFIRMED CANCELLED"),
];

#[test]
fn every_type_of_upvests_own_versions_is_known() {
    let mut unknown = Vec::new();
    for (category, actions) in NEWER_TYPES {
        for action in actions.split(' ') {
            let event_type = EventType::new(format!("{category}.{action}"));
            if !EventKind::from(&event_type).is_known() {
                unknown.push(event_type);
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn an_event_needs_neither_a_time_nor_a_subscription() {
    for event_type in ["ISA_WRAPPER.NEW", "ISA_WRAPPER_ALLOWANCE.EXPIRED"] {
        let sent = json!({ "id": ID, "type": event_type, "object": { "id": ID } });
        for body in [sent.clone(), json!({ "payload": [sent] })] {
            let events = decode(body.to_string()).await;
            let event = events[0].as_ref().unwrap();
            assert_eq!(event.event_type, event_type);
            assert_eq!(event.created_at, None);
            assert_eq!(event.webhook_id, None);
            assert_eq!(event.key(), ID);
            let again = Event::decode(&serde_json::to_vec(event).unwrap()).unwrap();
            assert_eq!(format!("{again:?}"), format!("{event:?}"));
        }
    }
}

#[tokio::test]
async fn a_time_is_read_with_every_form_of_its_offset() {
    for (time, fraction) in [
        ("2024-05-17T09:30:00+0000", ""),
        ("2024-05-17T09:30:00+00:00", ""),
        ("2024-05-17T09:30:00-0000", ""),
        ("2024-05-17T11:30:00+0200", ""),
        ("2024-05-17T10:30:00+01:00", ""),
        ("2024-05-17T09:30:00Z", ""),
        ("2024-05-17T09:30:00.123456789Z", ".123456789"),
        ("2024-05-17T09:30:00.123456789+0000", ".123456789"),
        ("2024-05-17T10:30:00.1+01:00", ".100"),
    ] {
        let mut sent = event("ORDER.NEW", json!({ "id": ID, "created_at": time }));
        sent["created_at"] = time.into();
        let events = decode(sent.to_string()).await;
        let event = events[0].as_ref().unwrap();
        let expected = format!("2024-05-17T09:30:00{fraction}+00:00");
        assert_eq!(event.created_at.unwrap().to_rfc3339(), expected, "{time}");
        let order: Order = event.resource().unwrap();
        assert_eq!(order.created_at.unwrap().to_rfc3339(), expected, "{time}");
    }
}

#[tokio::test]
async fn a_field_of_the_envelope_that_is_null_is_missing() {
    for field in ["created_at", "webhook_id"] {
        let mut sent = event("ORDER.NEW", json!({ "id": ID }));
        sent[field] = json!(null);
        let events = decode(json!({ "payload": [sent] }).to_string()).await;
        let event = events[0].as_ref().unwrap();
        let is_missing = match field {
            "created_at" => event.created_at.is_none(),
            _ => event.webhook_id.is_none(),
        };
        assert!(is_missing, "{field}");
    }
}

/// The envelopes of `PROTOCOL` 2.2 and 11.2 in one delivery.
#[tokio::test]
async fn envelopes_of_all_shapes_are_read_beside_one_that_is_broken() {
    let full = event("ORDER.NEW", json!({ "id": ID }));
    let without = |field: &str| {
        let mut event = full.clone();
        event.as_object_mut().unwrap().remove(field);
        event
    };
    let failure = json!({ "id": ID, "created_at": "2024-05-17T09:30:00Z", "updated_at": null, "reason": "TOO_HIGH" });
    let shapes = [
        full.clone(),
        without("created_at"),
        without("webhook_id"),
        json!({ "id": ID, "type": "ISA_WRAPPER.NEW", "object": { "id": ID } }),
        json!({ "id": ID, "type": "ISA_WRAPPER_ALLOWANCE.UPDATED", "object": { "allowance": "20000.00" } }),
        event(
            "TAX_EXEMPTION.CREATED",
            json!({ "id": ID, "status": "NEW" }),
        ),
        event("TAX_EXEMPTION.CREATION_FAILED", failure),
        json!({ "id": ID, "event_type": "ORDER.NEW", "object": { "id": ID, "type": "ORDER" } }),
        event("ORDER.NEW", json!(null)),
    ];
    for broken in [
        json!({ "type": "ORDER.NEW" }),
        json!(null),
        without("id"),
        without("object"),
    ] {
        for position in 0..=shapes.len() {
            let mut payload = shapes.to_vec();
            payload.insert(position, broken.clone());
            assert_eq!(payload.len(), 10);
            let events = decode(json!({ "payload": payload }).to_string()).await;
            assert_eq!(events.len(), 10);
            for (index, event) in events.iter().enumerate() {
                assert_eq!(event.is_err(), index == position, "{index} with {broken}");
            }
        }
    }
}

#[tokio::test]
async fn an_unreadable_event_says_its_id_and_type_if_it_can() {
    let full = event("ORDER.NEW", json!({ "id": ID }));
    let id: uuid::Uuid = full["id"].as_str().unwrap().parse().unwrap();
    let broken = |field: &str, value: Value| {
        let mut broken = full.clone();
        broken[field] = value;
        broken
    };
    let order_new = Some(EventType::new("ORDER.NEW"));
    for (sent, expected_id, expected_type) in [
        (
            broken("created_at", json!("yesterday")),
            Some(id),
            order_new.clone(),
        ),
        (broken("webhook_id", json!(7)), Some(id), order_new.clone()),
        (broken("id", json!("no uuid")), None, order_new.clone()),
        (broken("id", json!(null)), None, order_new.clone()),
        (broken("type", json!(7)), Some(id), None),
        (
            json!({ "id": id, "event_type": "ORDER.NEW" }),
            Some(id),
            order_new,
        ),
        (json!([id]), None, None),
        (json!(null), None, None),
    ] {
        let payload = json!({ "payload": [sent, full.clone()] }).to_string();
        let [unreadable, readable] = <[_; 2]>::try_from(decode(payload).await).unwrap();
        assert!(readable.is_ok());
        let unreadable = unreadable.unwrap_err();
        assert_eq!(unreadable.id, expected_id, "{sent}");
        assert_eq!(unreadable.event_type, expected_type, "{sent}");
        assert_eq!(*unreadable.raw, *sent.to_string().as_bytes());
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_delivery_is_skipped() {
    let event = event("ORDER.NEW", json!({ "id": ID }));
    for body in [event.to_string(), json!({ "payload": [event] }).to_string()] {
        let events = decode(format!("\u{feff}{body}")).await;
        assert_eq!(events[0].as_ref().unwrap().event_type, EventKind::OrderNew);
    }
}

#[test]
fn an_event_that_is_kept_as_json_reads_as_the_same_event() {
    for kind in ["ORDER.FILLED", "COMET.SEEN"] {
        let sent = event(
            kind,
            json!({ "id": ID, "cash_amount": "10.00", "new_field": [1] }),
        );
        let read = Event::decode(sent.to_string().as_bytes()).unwrap();
        let kept = serde_json::to_vec(&read).unwrap();
        let again = Event::decode(&kept).unwrap();
        assert_eq!(format!("{again:?}"), format!("{read:?}"));
        assert_eq!(again.object_json(), read.object_json());
    }
}

#[test]
fn the_json_of_an_event_is_that_which_was_sent_and_reads_as_the_same_event() {
    let sent = format!(
        r#"{{ "new_field": 1e999, "object":  {{ "id": "{ID}" }}, "event_type": "COMET.SEEN",
            "created_at": "2024-05-17T09:30:00.123456789+02:00", "id": "{}" }}"#,
        ID.to_uppercase()
    );
    let [event] = <[_; 1]>::try_from(decode_events(sent.as_bytes())).unwrap();
    let event = event.unwrap();
    assert_eq!(event.json(), sent.as_bytes());
    let again = Event::decode(event.json()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{event:?}"));
    assert_eq!(again.object_json(), event.object_json());
    assert_eq!(again.json(), event.json());
}

#[test]
fn the_key_of_an_event_is_its_id_or_else_the_digest_of_its_json() {
    let sent = event("ORDER.FILLED", json!({ "id": ID })).to_string();
    let read = Event::decode(sent.as_bytes()).unwrap();
    assert_eq!(read.key(), read.id.to_string());
    // sha256sum computes the same digests.
    for (undecodable, key) in [
        (
            format!(r#"{{"id": "{}", "type": 7}}"#, ID.to_uppercase()),
            ID,
        ),
        (
            "null".to_owned(),
            "sha256:74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b",
        ),
        (
            r#"{"id": "no uuid"}"#.to_owned(),
            "sha256:34c8d000de0062dd810236860bd2584b81130390cf3ede297ea251387ec64733",
        ),
    ] {
        let error = Event::decode(undecodable.as_bytes()).unwrap_err();
        assert_eq!(error.key(), key);
    }
}

#[test]
fn an_unknown_type_is_kept() {
    for (wire, category, action) in [
        ("ORDER.TELEPORTED", "ORDER", "TELEPORTED"),
        ("COMET.SEEN", "COMET", "SEEN"),
        ("odd", "odd", ""),
        ("", "", ""),
    ] {
        let event_type = wire.parse::<EventType>().unwrap();
        assert!(!EventKind::from(&event_type).is_known());
        assert_eq!(serde_json::to_value(&event_type).unwrap(), wire);
        assert_eq!(
            serde_json::from_value::<EventType>(wire.into()).unwrap(),
            event_type
        );
        assert_eq!(event_type.as_str(), wire);
        assert_eq!(event_type.action(), action);
        assert_eq!(event_type.category(), category);
    }
}

#[tokio::test]
async fn a_delivery_of_more_than_ten_thousand_events_is_one_error_that_says_so() {
    let body = |count: usize| format!(r#"{{"payload": [{}]}}"#, vec!["0"; count].join(","));
    for count in [10_001, 1_000_000] {
        let events = decode(body(count)).await;
        let [Err(error)] = events.as_slice() else {
            panic!("{count} events are {} results", events.len());
        };
        assert!(
            error.to_string().contains("more than 10000 events"),
            "{error}"
        );
        assert_eq!(error.raw.len(), body(count).len());
    }
    let most = decode(body(10_000)).await;
    assert_eq!(most.len(), 10_000);
}
