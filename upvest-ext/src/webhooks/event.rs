//! One event, in either shape of its payload (`PROTOCOL` 2.2).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use upvest_api::Error;
use upvest_api::events::EventObject;
use upvest_api::runtime::{EventType, OpenEnum as _};
use uuid::Uuid;

use crate::client::upvest::Upvest;
use crate::debug_fields::debug_fields;

/// Something that happened at Upvest.
///
/// Events repeat and come out of order: an order may be filled before its execution is.
///
/// Written by serde it has the official form, so that a kept event can be read again by [`Event::decode`].
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// The event's id: the same on every delivery of it.
    pub id: Uuid,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// The subscription that it was delivered for, where the delivery says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<Uuid>,
    object: Box<RawValue>,
}

/// Names the thing that an event is about, so that it can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ObjectReference {
    /// The id of the thing.
    pub id: Uuid,
    /// The kind of thing: a category of events, such as `ORDER`.
    pub object_type: String,
}

impl ObjectReference {
    /// The id as the type that operations take, such as [`OrderId`](upvest_api::types::OrderId).
    pub fn id_as<Id: From<Uuid>>(&self) -> Id {
        self.id.into()
    }
}

/// Why an event has no resource to give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// The delivery names the resource and does not carry it: see [`Event::fetch`].
    #[error("the event only names the {} with the id {}: fetch it, by `Event::fetch` or by an operation", .0.object_type, .0.id)]
    NotCarried(ObjectReference),
    /// Events of this type carry another type of resource than was asked for.
    #[error("{event_type} events carry no {asked}")]
    OtherType {
        /// The type of the event.
        event_type: String,
        /// The type that was asked for, without its path.
        asked: &'static str,
    },
    /// The resource does not fit the type. Holds the place, never the content.
    #[error("the resource does not fit the type, at `{0}`")]
    Unfit(String),
}

/// An event that cannot be read. Its text is kept, and never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot be read, at `{path}`")]
pub struct UndecodableEvent {
    /// Where in the event, as `created_at`; `.` for the event as a whole.
    pub path: String,
    /// The event as it was sent.
    pub raw: Box<[u8]>,
}

impl Event {
    /// Reads the JSON of one event.
    ///
    /// # Errors
    ///
    /// [`UndecodableEvent`] with the place that does not fit, and the JSON.
    pub fn decode(json: &[u8]) -> Result<Self, UndecodableEvent> {
        let undecodable = |path: String| UndecodableEvent { path, raw: json.into() };
        let wire: Wire<'_> = match serde_json::from_slice(json) {
            Ok(wire) => wire,
            Err(_) => return Err(undecodable(failing_path::<Wire<'_>>(json))),
        };
        let event_type = wire.type_.or(wire.event_type).ok_or_else(|| undecodable("type".to_owned()))?;
        Ok(Self {
            id: wire.id,
            created_at: wire.created_at,
            event_type: EventType::from_wire(&event_type),
            webhook_id: wire.webhook_id,
            object: wire.object.to_owned(),
        })
    }

    /// Decodes the resource that the delivery carries, such as an [`Order`](upvest_api::types::Order).
    ///
    /// # Errors
    ///
    /// [`ResourceError::OtherType`] if events of this type carry another of the API's types;
    /// [`ResourceError::NotCarried`] if the delivery only names the resource, with what is needed to fetch it;
    /// [`ResourceError::Unfit`] if the resource is not what `T` wants.
    pub fn resource<T: DeserializeOwned + 'static>(&self) -> Result<T, ResourceError> {
        let (json, event_type) = (self.carried()?, self.event_type.as_str());
        if EventObject::carries::<T>(event_type) == Some(false) {
            let asked = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
            return Err(ResourceError::OtherType { event_type: event_type.to_owned(), asked });
        }
        serde_json::from_str(json).map_err(|_| ResourceError::Unfit(failing_path::<T>(json.as_bytes())))
    }

    /// The JSON of the resource, unless the delivery only names it.
    fn carried(&self) -> Result<&str, ResourceError> {
        match serde_json::from_str::<BareReference>(self.object.get()) {
            Ok(reference) => Err(ResourceError::NotCarried(reference.into())),
            Err(_) => Ok(self.object.get()),
        }
    }

    /// The event with its resource: this one where it carries it, else with the resource fetched, in its present state.
    ///
    /// It stays as it is where no operation reads such a resource by its id alone. [`WebhookHandler::fetch_references`] does this
    /// for every event.
    ///
    /// [`WebhookHandler::fetch_references`]: super::WebhookHandler::fetch_references
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
    /// Those of the call. [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the resource is gone.
    pub async fn fetch(mut self, upvest: &Upvest) -> Result<Self, Error> {
        if let Err(ResourceError::NotCarried(reference)) = self.carried()
            && let Some(operation) = EventObject::retrieved_by(self.event_type.as_str())
            && let Some((path, _)) = operation.path.rsplit_once('/')
        {
            let path = format!("{path}/{}", reference.id);
            let request = upvest.request(operation.method.clone(), path).facts_of(operation);
            self.object = request.send_json::<Box<RawValue>>().await?.into_inner();
        }
        Ok(self)
    }

    /// Decodes the resource that the delivery carries into the type that the description gives to events of this type.
    ///
    /// # Errors
    ///
    /// As [`Event::resource`].
    pub fn object(&self) -> Result<EventObject, ResourceError> {
        EventObject::read(self.event_type.as_str(), self.carried()?.as_bytes())
            .map_err(|error| ResourceError::Unfit(error.to_string()))
    }

    /// Names the thing that the event is about, whether or not the delivery carries it. `None` if it has no id.
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
        Some(ObjectReference { id, object_type: self.event_type.category().to_owned() })
    }

    /// The object as JSON, as it was sent.
    pub fn object_json(&self) -> &str {
        self.object.get()
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    id: Uuid,
    created_at: DateTime<Utc>,
    #[serde(rename = "type")]
    type_: Option<String>,
    event_type: Option<String>,
    webhook_id: Option<Uuid>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// An object with an id and a type alone is a reference, not a resource.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BareReference {
    id: Uuid,
    #[serde(rename = "type")]
    object_type: String,
}

impl From<BareReference> for ObjectReference {
    fn from(bare: BareReference) -> Self {
        Self { id: bare.id, object_type: bare.object_type }
    }
}

/// Where `json` does not fit `T`. Serde's own message would quote what it found, which may be personal data.
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
    /// What stores know it by, as it has no id that can be read: a digest of its text.
    pub(crate) fn name(&self) -> String {
        format!("sha256:{}", URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.raw)))
    }
}

debug_fields!(UndecodableEvent, |self| path = self.path, raw_len = self.raw.len());
