//! A [`tower`](https://docs.rs/tower) service that handles deliveries.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};

use super::handler::WebhookHandler;
use crate::signing::IncomingRequest;

/// Handles webhook deliveries. Never reads more than [`WebhookVerifier::body_limit`](super::WebhookVerifier::body_limit).
#[derive(Clone, Debug)]
pub struct WebhookService {
    handler: Arc<WebhookHandler>,
}

impl WebhookService {
    /// Wraps a handler as a service.
    pub fn new(handler: WebhookHandler) -> Self {
        Self { handler: Arc::new(handler) }
    }
}

impl<B> tower_service::Service<Request<B>> for WebhookService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let handler = Arc::clone(&self.handler);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let status = match read(body, handler.verifier().max_body_len()).await {
                Ok(body) => {
                    let target = original_target(&parts);
                    handler
                        .handle(&IncomingRequest::new(&parts.method, target, &parts.headers, &body))
                        .await
                        .status
                }
                Err(status) => status,
            };
            let mut response = Response::new(Empty::new());
            *response.status_mut() = status;
            Ok(response)
        })
    }
}

/// Reads a body of at most `limit` bytes. A body that is longer according to its headers is not read at all.
pub(super) async fn read<B>(body: B, limit: usize) -> Result<Bytes, StatusCode>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

/// The target as Upvest sent it. The signature covers the whole target, and a nested axum router removes its prefix from the URI.
pub(super) fn original_target(parts: &Parts) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(target)) = parts.extensions.get() {
        return target;
    }
    &parts.uri
}
