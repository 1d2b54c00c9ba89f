//! Webhooks: a delivery is read, verified, and then its events are a `match`.
//!
//! ```
//! use upvest_ext::api::events::EventKind;
//! use upvest_ext::webhooks::{VerifyError, WebhookVerifier};
//!
//! /// `request` has any type of body, such as that of axum or hyper.
//! async fn receive<B>(
//!     verifier: &WebhookVerifier,
//!     request: http::Request<B>,
//! ) -> Result<(), VerifyError>
//! where
//!     B: http_body::Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
//! {
//!     let delivery = verifier.read_delivery(request).await?;
//!     for event in verifier.verify(&delivery).await? {
//!         match event {
//!             Ok(event) if event.event_type == EventKind::OrderFilled => println!("{}", event.id),
//!             Ok(_) => {}
//!             Err(undecodable) => println!("{}", undecodable.key()),
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Upvest sends a delivery until it is answered with 200, so an event can arrive several times. Store the events by
//! their [`key`](Event::key) before you answer, and handle them from your database: the example `webhook_server` has
//! such an inbox. [`VerifyError::status`] is the response to other deliveries. [`WebhookVerifier::fetching`] supports
//! key rotation, and needs the scope of [`VERIFY_KEYS`]. [`WebhookTester`] signs deliveries in your tests.
//!
//! Guide: [Webhooks into your database](crate::guide::webhooks).

mod decode_events;
mod event;
mod keys;
mod read_delivery;
mod tester;
mod verifier;
mod verify_error;

pub use decode_events::decode_events;
pub use event::{Event, ObjectReference, ResourceError, UndecodableEvent};
pub use keys::VERIFY_KEYS;
pub use tester::WebhookTester;
pub use upvest_runtime::EventType;
pub use upvest_signing::KeySet;
pub use verifier::WebhookVerifier;
pub use verify_error::VerifyError;
