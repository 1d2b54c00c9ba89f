//! Webhooks: deliveries verified, events decoded and handled once.

#[cfg(feature = "axum")]
pub mod axum;
mod delivery;
mod event;
mod event_type;
mod fetch_keys;
mod handler;
mod key_cache;
mod key_set;
mod parking;
mod seen;
mod tester;
#[cfg(feature = "tower")]
mod tower;
mod verifier;
mod verify_keys;

pub use delivery::{Delivery, decode_events};
pub use event::{Event, ObjectReference, ResourceError, UndecodableEvent};
pub use event_type::{EventType, UnknownEventType};
pub use fetch_keys::{FetchFuture, FetchKeys, FetchKeysError};
pub use handler::{HandlerError, Outcome, WebhookHandler};
pub use key_cache::KeyCacheLimits;
pub use key_set::{InvalidKeySet, KeySet};
pub use parking::{ParkEvents, ParkFuture, ParkedEvent};
pub use seen::{Claimed, SeenError, SeenEvents, SeenFuture, SeenInMemory};
pub use tester::{Tamper, TestDelivery, WebhookTester};
#[cfg(feature = "tower")]
pub use tower::WebhookService;
pub use verifier::{VerifyError, WebhookVerifier};
