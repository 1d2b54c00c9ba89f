//! Every request of a client, retries included, at the rate of its limit.

use std::sync::Arc;

use http::StatusCode;
use reqwest::Request;

use super::rate_limit::RateLimit;
use crate::clock::Clock;
use crate::http_send::{HttpFuture, HttpSend};
use crate::retry::retry_after;

#[derive(Debug)]
pub(crate) struct Paced {
    pub(crate) inner: Arc<dyn HttpSend>,
    pub(crate) limit: RateLimit,
    pub(crate) clock: Arc<dyn Clock>,
}

impl HttpSend for Paced {
    fn send(&self, request: Request) -> HttpFuture<'_> {
        Box::pin(async move {
            let clock = &*self.clock;
            self.limit.wait(clock).await;
            let answer = self.inner.send(request).await?;
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                self.limit.refuse(clock, retry_after(answer.headers(), clock.wall()));
            }
            Ok(answer)
        })
    }
}
