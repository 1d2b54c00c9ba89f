//! A route and an extractor for [`axum`](https://docs.rs/axum).

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::routing::{MethodRouter, post_service};
use bytes::Bytes;
use http::StatusCode;

use super::delivery::decode_events;
use super::event::{Event, UndecodableEvent};
use super::handler::{Outcome, WebhookHandler};
use super::read_request::{incoming, read_request};
use super::tower::WebhookService;
use super::verifier::WebhookVerifier;

/// A route that verifies deliveries and passes their events to `handler`.
///
/// ```
/// # fn router(handler: upvest_ext::webhooks::WebhookHandler) -> axum::Router {
/// axum::Router::new().route("/webhooks", upvest_ext::webhooks::axum::route(handler))
/// # }
/// ```
pub fn route<S>(handler: WebhookHandler) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    post_service(WebhookService::new(handler))
}

/// Extracts a verified delivery. The state must contain a [`WebhookVerifier`]. Other requests are rejected before the function is
/// called.
///
/// ```
/// use axum::{Router, routing::post};
/// use upvest_ext::webhooks::{WebhookVerifier, axum::Verified};
///
/// async fn webhook(delivery: Verified) {
///     for event in delivery.events() {
///         println!("{event:?}");
///     }
/// }
///
/// # fn router(verifier: WebhookVerifier) -> Router {
/// Router::new().route("/webhooks", post(webhook)).with_state(verifier)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Verified(Bytes);

impl Verified {
    /// Decodes the events, as [`Delivery::events`](super::Delivery::events) does.
    pub fn events(&self) -> Vec<Result<Event, UndecodableEvent>> {
        decode_events(&self.0)
    }

    /// The body as it was received.
    pub fn body(&self) -> &Bytes {
        &self.0
    }
}

impl<S> FromRequest<S> for Verified
where
    WebhookVerifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = StatusCode;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, StatusCode> {
        let verifier = WebhookVerifier::from_ref(state);
        let (parts, body) = read_request(request, verifier.max_body_len()).await?;
        let verdict = verifier.check(&incoming(&parts, &body)).await.map(drop);
        match verdict {
            Ok(()) => Ok(Self(body)),
            Err(error) => Err(Outcome::rejected(error).status),
        }
    }
}
