//! A [`tower`](https://docs.rs/tower) service that handles deliveries.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;

use super::handler::WebhookHandler;
use super::read_request::{incoming, read_request};

/// Handles webhook deliveries. Never reads more than [`WebhookVerifier::body_limit`](super::WebhookVerifier::body_limit).
#[derive(Clone, Debug)]
pub struct WebhookService {
    handler: Arc<WebhookHandler>,
}

impl WebhookService {
    /// Wraps a handler as a service.
    pub fn new(handler: WebhookHandler) -> Self {
        Self {
            handler: Arc::new(handler),
        }
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
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let handler = Arc::clone(&self.handler);
        Box::pin(async move {
            let status = match read_request(request, handler.verifier().max_body_len()).await {
                Ok((parts, body)) => handler.handle(&incoming(&parts, &body)).await.status,
                Err(status) => status,
            };
            let mut response = Response::new(Empty::new());
            *response.status_mut() = status;
            Ok(response)
        })
    }
}
