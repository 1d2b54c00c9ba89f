//! Splits a body into its events. They are decoded independently.

use serde::Deserialize;
use serde_json::value::RawValue;
use upvest_runtime::without_byte_order_mark;

use super::event::{Event, UndecodableEvent};

/// The maximum number of events that are decoded from one delivery. An event has at least 150 bytes. A delivery has at
/// most 1 MiB, unless it contains a single event (`PROTOCOL` 2.5). So a delivery with more events is an attack: each
/// undecodable event would allocate an error.
const MAX_EVENTS: usize = 10_000;
const TOO_MANY_EVENTS: &str = "the delivery has more than 10000 events";

/// Decodes the events of a trusted body, such as one that was verified before and stored in a queue. The result has
/// the order in which the events were sent. An event that cannot be decoded does not affect the others. If the body has
/// more than 10,000 events, the result is a single [`UndecodableEvent`].
///
/// Accepts the official wrapper `{"payload": [...]}` and a bare event (`PROTOCOL` 2.2). Pass deliveries from the
/// network to [`WebhookVerifier::verify`](super::WebhookVerifier::verify) instead.
pub fn decode_events(body: &[u8]) -> Vec<Result<Event, UndecodableEvent>> {
    let events = events_json(body);
    if events.len() > MAX_EVENTS {
        let path = "payload".to_owned();
        return vec![Err(UndecodableEvent::new(path, TOO_MANY_EVENTS, body))];
    }
    events.into_iter().map(Event::decode).collect()
}

/// The JSON of each event.
pub(super) fn events_json(body: &[u8]) -> Vec<&[u8]> {
    #[derive(Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        payload: Vec<&'a RawValue>,
    }
    let body = without_byte_order_mark(body);
    match serde_json::from_slice::<Wrapper<'_>>(body) {
        Ok(wrapper) => wrapper
            .payload
            .iter()
            .map(|event| event.get().as_bytes())
            .collect(),
        Err(_) => vec![body],
    }
}
