//! One event, in both payload formats (`PROTOCOL` 2.2).

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use upvest_runtime::generated_code;
use upvest_runtime::{
    Error, ErrorKind, EventObjects, EventResource, EventType, GeneratedClient, read_json,
};
use uuid::Uuid;

use crate::client::UpvestFor;
use crate::debug_fields::debug_fields;

/// Why most undecodable events cannot be decoded.
const NO_MATCH: &str = "it does not match the schema of events";

/// An event that Upvest reports, such as a filled order.
///
/// Events can be repeated and arrive out of order. For example, `ORDER.FILLED` can arrive before the event of its
/// execution.
///
/// To store it, use [`json`](Event::json), which [`Event::decode`] reads again. serde writes the fields of this type
/// alone, in the official format.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// The event's id, which is the same in every delivery.
    pub id: Uuid,
    /// When it happened, if the delivery says so. Some events have no time (`PROTOCOL` 11.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// The subscription for which it was delivered, if the delivery names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<Uuid>,
    object: Box<RawValue>,
    #[serde(skip)]
    json: Box<[u8]>,
}

/// The id and the type of the object that an event is about, so that it can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ObjectReference {
    /// The id of the object.
    pub id: Uuid,
    /// The type of the object: a category of events, such as `ORDER`.
    pub object_type: String,
}

impl ObjectReference {
    /// The id as the type of an operation's parameter, such as [`OrderId`](upvest_api::types::OrderId).
    pub fn id_as<Id: From<Uuid>>(&self) -> Id {
        self.id.into()
    }
}

/// Why the resource of an event cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// The delivery contains only the id of the resource. [`Event::fetch`] fetches it.
    #[error("the event contains only the id {id} of the {kind}; fetch it by `Event::fetch` or an operation", id = .0.id, kind = .0.object_type)]
    NotCarried(ObjectReference),
    /// Events of this type contain a different type of resource.
    #[error(
        "events of the type {event_type} do not contain a resource of the type {requested_type}"
    )]
    OtherType {
        /// The type of the event.
        event_type: String,
        /// The type that was requested, without its path.
        requested_type: &'static str,
    },
    /// The resource does not match the schema of the type. The text says where in the JSON, and what was expected
    /// there, never a value.
    #[error("the resource cannot be decoded: {0}")]
    Unfit(String),
}

/// An event that cannot be decoded. Contains its text, which `Debug` does not print.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot be decoded, at `{path}`: {reason}")]
#[non_exhaustive]
pub struct UndecodableEvent {
    /// The path of the failing field, such as `created_at`; `.` for the whole event.
    pub path: String,
    /// Why it cannot be decoded.
    pub reason: &'static str,
    /// The event's id, if it can be read.
    pub id: Option<Uuid>,
    /// What happened, if it can be read.
    pub event_type: Option<EventType>,
    /// The event as it was sent.
    pub raw: Box<[u8]>,
}

impl Event {
    /// Reads the JSON of one event.
    ///
    /// # Errors
    ///
    /// [`UndecodableEvent`] with the path of the failing field, and the JSON.
    pub fn decode(json: &[u8]) -> Result<Self, UndecodableEvent> {
        let undecodable = |path: String| UndecodableEvent::new(path, NO_MATCH, json);
        let wire: Wire<'_> = match serde_json::from_slice(json) {
            Ok(wire) => wire,
            Err(_) => return Err(undecodable(failing_path::<Wire<'_>>(json))),
        };
        let event_type = wire
            .type_
            .or(wire.event_type)
            .ok_or_else(|| undecodable("type".to_owned()))?;
        Ok(Self {
            id: wire.id,
            created_at: wire.created_at,
            event_type,
            webhook_id: wire.webhook_id,
            object: wire.object.to_owned(),
            json: json.into(),
        })
    }

    /// The primary key of the event in your database: its id, as text. It is the same in every delivery.
    ///
    /// [`UndecodableEvent::key`] is the key of an event that cannot be decoded.
    pub fn key(&self) -> String {
        self.id.to_string()
    }

    /// The event as it was sent.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Decodes the resource in the delivery, such as an [`Order`](upvest_api::types::Order).
    ///
    /// # Errors
    ///
    /// [`ResourceError::OtherType`] if events of this type contain a different type of resource;
    /// [`ResourceError::NotCarried`] if the delivery contains only the id of the resource;
    /// [`ResourceError::Unfit`] if the resource does not match the schema of `T`.
    pub fn resource<T: EventResource>(&self) -> Result<T, ResourceError> {
        let json = self.carried()?;
        if !T::can_be_in(&self.event_type) {
            let requested_type = std::any::type_name::<T>();
            return Err(ResourceError::OtherType {
                event_type: self.event_type.to_string(),
                requested_type: requested_type.rsplit("::").next().unwrap_or_default(),
            });
        }
        read_json(json.as_bytes()).map_err(|error| unfit(&error))
    }

    /// The JSON of the resource, unless the delivery contains only its id.
    fn carried(&self) -> Result<&str, ResourceError> {
        match serde_json::from_str::<BareReference>(self.object.get()) {
            Ok(reference) => Err(ResourceError::NotCarried(reference.into())),
            Err(_) => Ok(self.object.get()),
        }
    }

    /// Fetches the resource if the delivery contains only its id. The resource is fetched in its current state.
    ///
    /// The event is returned unchanged if no operation reads such a resource by its id alone. [`Event::json`] does not
    /// change.
    ///
    /// ```no_run
    /// # async fn handle(upvest: upvest_ext::Upvest, event: upvest_ext::webhooks::Event) -> Result<(), Box<dyn std::error::Error>> {
    /// use upvest_ext::api::types::Order;
    ///
    /// let order: Order = event.fetch(&upvest).await?.resource()?;
    /// println!("{} is {:?}", order.id, order.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of the call, such as [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the resource no longer
    /// exists.
    pub async fn fetch<C: GeneratedClient>(mut self, upvest: &UpvestFor<C>) -> Result<Self, Error> {
        if let Err(ResourceError::NotCarried(reference)) = self.carried()
            && let Some(operation) = C::EventObject::retrieved_by(&self.event_type)
        {
            let segments = segments_with_id(operation.path, reference.id);
            let request = upvest
                .request(operation.method.clone(), segments)
                .for_operation(operation);
            self.object = request.send_json::<Box<RawValue>>().await?.into_inner();
        }
        Ok(self)
    }

    /// Decodes the resource in the delivery as the type that the description of a generated crate specifies for this
    /// type of event.
    ///
    /// ```
    /// use upvest_ext::api::events::EventObject;
    /// use upvest_ext::webhooks::{Event, ResourceError};
    ///
    /// # fn handle(event: &Event) -> Result<(), ResourceError> {
    /// match event.object::<EventObject>()? {
    ///     EventObject::Order(order) => println!("order {} is {:?}", order.id, order.status),
    ///     EventObject::Account(account) => println!("account {} is {:?}", account.id, account.status),
    ///     _ => println!("not of interest: {}", event.event_type),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Event::resource`].
    pub fn object<O: EventObjects>(&self) -> Result<O, ResourceError> {
        O::read(&self.event_type, self.carried()?.as_bytes()).map_err(|error| unfit(&error))
    }

    /// The id and the type of the object that the event is about. `None` if the object has no id.
    pub fn reference(&self) -> Option<ObjectReference> {
        #[derive(Deserialize)]
        struct Identified {
            id: Uuid,
        }
        let json = match self.carried() {
            Err(ResourceError::NotCarried(reference)) => return Some(reference),
            carried => carried.ok()?,
        };
        let Identified { id } = serde_json::from_str(json).ok()?;
        Some(ObjectReference {
            id,
            object_type: self.event_type.category().to_owned(),
        })
    }

    /// The object as the JSON that was sent.
    pub fn object_json(&self) -> &str {
        self.object.get()
    }
}

/// The segments of a path with one parameter, with the id in place of the parameter.
fn segments_with_id(path: &str, id: Uuid) -> Vec<String> {
    let with_id = |segment: &str| match (segment.split_once('{'), segment.split_once('}')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{id}{after}"),
        _ => segment.to_owned(),
    };
    path.split('/').skip(1).map(with_id).collect()
}

fn unfit(error: &Error) -> ResourceError {
    ResourceError::Unfit(error.message().to_owned())
}

#[derive(Deserialize)]
struct Wire<'a> {
    id: Uuid,
    // It reads `+0000` too, which is not a time of RFC 3339.
    #[serde(default, deserialize_with = "generated_code::read")]
    created_at: Option<DateTime<Utc>>,
    #[serde(rename = "type")]
    type_: Option<EventType>,
    event_type: Option<EventType>,
    webhook_id: Option<Uuid>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// An object that has only an id and a type is a reference, not a resource.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BareReference {
    id: Uuid,
    #[serde(rename = "type")]
    object_type: String,
}

impl From<BareReference> for ObjectReference {
    fn from(bare: BareReference) -> Self {
        Self {
            id: bare.id,
            object_type: bare.object_type,
        }
    }
}

/// The path where `json` does not match `T`. Serde's own message would quote the value, which may be personal data.
fn failing_path<'de, T: Deserialize<'de>>(json: &'de [u8]) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => error.path().to_string(),
        Ok(_) => ".".to_owned(),
    }
}

debug_fields!(
    Event,
    |self| id = self.id,
    created_at = self.created_at,
    event_type = self.event_type,
    webhook_id = self.webhook_id
);

impl UndecodableEvent {
    pub(super) fn new(path: String, reason: &'static str, json: &[u8]) -> Self {
        let readable = ReadableFields::of(json);
        Self {
            path,
            reason,
            id: readable.id,
            event_type: readable.event_type,
            raw: json.into(),
        }
    }

    /// The primary key of the event in your database: its id if that can be read, otherwise `sha256:` and the digest of
    /// its JSON in hexadecimal digits. It is the same in every delivery.
    pub fn key(&self) -> String {
        match self.id {
            Some(id) => id.to_string(),
            None => sha256_key(&self.raw),
        }
    }
}

/// The fields of an event that can be read on their own, although another one, or the whole, cannot.
#[derive(Default)]
pub(super) struct ReadableFields {
    id: Option<Uuid>,
    event_type: Option<EventType>,
    pub(super) webhook_id: Option<Uuid>,
}

impl ReadableFields {
    pub(super) fn of(json: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            #[serde(borrow, rename = "type")]
            type_: Option<&'a RawValue>,
            #[serde(borrow)]
            event_type: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook_id: Option<&'a RawValue>,
        }
        let Ok(fields) = serde_json::from_slice::<Fields<'_>>(json) else {
            return Self::default();
        };
        Self {
            id: fields.id.and_then(read),
            event_type: fields
                .type_
                .and_then(read)
                .or_else(|| fields.event_type.and_then(read)),
            webhook_id: fields.webhook_id.and_then(read),
        }
    }
}

fn read<T: DeserializeOwned>(field: &RawValue) -> Option<T> {
    serde_json::from_str(field.get()).ok()
}

fn sha256_key(json: &[u8]) -> String {
    let mut key = "sha256:".to_owned();
    for byte in digest(&SHA256, json).as_ref() {
        let _ = write!(key, "{byte:02x}");
    }
    key
}

debug_fields!(
    UndecodableEvent,
    |self| path = self.path,
    reason = self.reason,
    id = self.id,
    event_type = self.event_type,
    raw_len = self.raw.len()
);

impl From<ResourceError> for Error {
    fn from(error: ResourceError) -> Self {
        Error::new(ErrorKind::Decode, error.to_string()).with_source(error)
    }
}

impl From<UndecodableEvent> for Error {
    fn from(error: UndecodableEvent) -> Self {
        Error::new(ErrorKind::Decode, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_resource_is_put_wherever_the_path_has_its_parameter() {
        let id = Uuid::nil();
        for (path, expected) in [
            ("/orders/{order_id}", format!("orders/{id}")),
            ("/orders/{order_id}/latest", format!("orders/{id}/latest")),
            ("/files/{file_id}.pdf", format!("files/{id}.pdf")),
        ] {
            assert_eq!(segments_with_id(path, id).join("/"), expected);
        }
    }
}
