//! Splits a body into its events. They are decoded independently.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Event, UndecodableEvent};

/// Decodes the events of a trusted body, such as one that was verified before and stored in a queue. They are in the order in which
/// they were sent. An event that cannot be decoded does not affect the others.
///
/// Accepts the official wrapper `{"payload": [...]}` and a bare event (`PROTOCOL` 2.2). Pass deliveries from the network
/// to [`WebhookVerifier::verify`](super::WebhookVerifier::verify) instead.
pub fn decode_events(body: &[u8]) -> Vec<Result<Event, UndecodableEvent>> {
    events_json(body).into_iter().map(Event::decode).collect()
}

/// The JSON of each event.
pub(super) fn events_json(body: &[u8]) -> Vec<&[u8]> {
    #[derive(Deserialize)]
    struct Wrapper<'a> {
        #[serde(borrow)]
        payload: Vec<&'a RawValue>,
    }
    match serde_json::from_slice::<Wrapper<'_>>(body) {
        Ok(wrapper) => wrapper
            .payload
            .iter()
            .map(|event| event.get().as_bytes())
            .collect(),
        Err(_) => vec![body],
    }
}
