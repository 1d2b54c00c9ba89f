//! The transport for using this crate alone: one request, one bearer token, nothing else.

use std::fmt;

use http::HeaderValue;
use http::header::AUTHORIZATION;

use super::operation::OperationMeta;
use super::transport::{Transport, TransportFuture};

/// Sends each request once, with a bearer token where one was given.
///
/// It does not sign, retry or renew: Upvest's own servers refuse unsigned requests, so this is for tests, mock servers and
/// proxies that sign. `upvest-ext` has the transport for production.
#[derive(Clone)]
pub struct Direct {
    http: reqwest::Client,
    authorization: Option<HeaderValue>,
}

impl Direct {
    /// A transport over `http` that sends no `authorization`.
    pub fn new(http: reqwest::Client) -> Self {
        Self { http, authorization: None }
    }

    /// The same transport with `authorization: Bearer <token>` on each request.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] where `token` holds bytes that no HTTP header can carry.
    pub fn bearer(mut self, token: &str) -> Result<Self, InvalidToken> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| InvalidToken(()))?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }
}

impl Transport for Direct {
    fn execute<'a>(
        &'a self,
        mut request: reqwest::Request,
        _: &'static OperationMeta,
    ) -> TransportFuture<'a> {
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        Box::pin(self.http.execute(request))
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

/// A bearer token that cannot be sent in an HTTP header. The token itself is not repeated here.
#[derive(Debug, thiserror::Error)]
#[error("the bearer token holds a control character or a byte that an HTTP header cannot carry")]
pub struct InvalidToken(());
