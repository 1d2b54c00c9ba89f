//! The body of a delivery, in both formats (PROTOCOL 2.2).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::events::Event;

/// The format of the events in a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadShape {
    /// Upvest's own format: `type`, and the whole resource in `object`.
    #[default]
    Full,
    /// The format of the third-party description: `event_type`, and only an id and a type in `object`.
    Reference,
}

#[derive(Serialize)]
struct Payload<'a> {
    payload: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: Uuid,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
    #[serde(flatten)]
    content: EventContent<'a>,
    webhook_id: Uuid,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EventContent<'a> {
    Full {
        r#type: &'static str,
        object: &'a RawValue,
    },
    Reference {
        event_type: &'static str,
        object: Reference,
    },
}

#[derive(Serialize)]
struct Reference {
    id: Uuid,
    r#type: &'static str,
}

/// The body of a delivery.
pub(crate) fn payload(shape: PayloadShape, webhook_id: Uuid, events: &[Arc<Event>]) -> Vec<u8> {
    let entries = events.iter().map(|event| Entry {
        id: event.id,
        created_at: event.created_at,
        content: event_content(shape, event),
        webhook_id,
    });
    let payload = Payload {
        payload: entries.collect(),
    };
    serde_json::to_vec(&payload).expect("the state can be written as JSON")
}

fn event_content(shape: PayloadShape, event: &Event) -> EventContent<'_> {
    let event_type = event.kind.event_type;
    match shape {
        PayloadShape::Full => EventContent::Full {
            r#type: event_type,
            object: &event.object,
        },
        PayloadShape::Reference => {
            let category = event_type.split('.').next().unwrap_or_default();
            let object = Reference {
                id: event.about,
                r#type: category,
            };
            EventContent::Reference { event_type, object }
        }
    }
}
