//! Webhooks: verifies deliveries, decodes their events, and handles each event once.
//!
//! ```
//! use std::sync::mpsc::Sender;
//!
//! use upvest_ext::webhooks::{Event, EventType, KeySet, WebhookHandler, WebhookVerifier, with_state};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (jwks, queue) = (r#"{"keys": []}"#, std::sync::mpsc::channel::<Event>().0);
//! let verifier = WebhookVerifier::new(KeySet::from_json(jwks)?);
//! let filled = async |queue: Sender<Event>, event| Ok(queue.send(event)?);
//! let handler = WebhookHandler::new(verifier).on(EventType::OrderFilled, with_state(queue, filled));
//! // axum::Router::new().route("/webhooks", upvest_ext::webhooks::axum::route(handler))
//! # let _ = handler; Ok(()) }
//! ```
//!
//! [`WebhookVerifier::fetching`] supports key rotation. [`WebhookHandler::dead_letter_after`] stores events that
//! cannot be handled, so that they do not block later ones. [`WebhookTester`] signs deliveries in your tests.
//!
//! Guide: `docs/guides/webhooks.md`. It includes a database and dead letters.

#[cfg(feature = "axum")]
pub mod axum;
mod dead_letter;
mod dedup;
mod delivery;
mod event;
mod handler;
mod keys;
mod log;
#[cfg(feature = "tower")]
mod read_request;
mod tester;
#[cfg(feature = "tower")]
mod tower;
mod verifier;

pub use dead_letter::{DeadLetter, DeadLetterSink};
pub use dedup::{ClaimResult, DedupStore, MemoryDedupStore};
pub use delivery::{Delivery, decode_events};
pub use event::{Event, ObjectReference, ResourceError, UndecodableEvent};
pub use handler::{HandlerError, Outcome, WebhookHandler, with_state};
pub use keys::fetch_keys::FetchKeys;
pub use keys::key_cache::KeyCacheLimits;
pub use keys::key_set::KeySet;
pub use tester::{TestDelivery, WebhookTester};
#[cfg(feature = "tower")]
pub use tower::WebhookService;
pub use upvest_api::runtime::EventType;
pub use verifier::{VerifyError, WebhookVerifier};
