//! The objects in webhook events.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::event_type::EventType;
use crate::operation_meta::OperationMeta;
use crate::responses::error::Error;

/// The objects that the events of one description can contain.
///
/// Each generated crate implements it for its enum `events::EventObject`. With this trait, code can decode the object
/// of an event without naming the crate.
pub trait EventObjects: Sized + Send + 'static {
    /// Decodes the object of an event of this type from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the object does not match the schema of its type.
    fn read(event_type: &EventType, json: &[u8]) -> Result<Self, Error>;

    /// The operation that reads the object of such an event by its id, which is the only parameter of its path. `None`
    /// if there is no such operation, or if the description does not contain the type.
    fn retrieved_by(event_type: &EventType) -> Option<&'static OperationMeta>;
}

/// A type that is decoded from the object of an event, such as an order.
///
/// Each generated crate implements it for the types of its objects in events. For a type of your own, an empty `impl`
/// is enough.
pub trait EventResource: DeserializeOwned {
    /// Whether an event of this type can contain such an object. An event of an unknown type can contain any object.
    fn can_be_in(event_type: &EventType) -> bool {
        let _ = event_type;
        true
    }
}

impl EventResource for Value {}
