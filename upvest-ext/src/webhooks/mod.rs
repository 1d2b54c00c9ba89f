//! Webhooks: deliveries verified, events decoded and handled once.

mod delivery;
mod event;
mod event_type;
mod fetch_keys;
mod key_cache;
mod key_set;
mod verifier;

pub use delivery::Delivery;
pub use event::{Event, ObjectReference, ResourceError, UndecodableEvent};
pub use event_type::{EventType, UnknownEventType};
pub use fetch_keys::{FetchFuture, FetchKeys, FetchKeysError};
pub use key_cache::KeyCacheLimits;
pub use key_set::{InvalidKeySet, KeySet};
pub use verifier::{VerifyError, WebhookVerifier};
