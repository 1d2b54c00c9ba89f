//! A simple transport, for using this crate without `upvest-ext`.

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};

use super::transport::Transport;
use crate::answers::byte_stream::ByteStream;
use crate::answers::error::Error;
use crate::answers::error_kind::ErrorKind;
use crate::answers::response::{Metadata, Response};
use crate::operation_meta::OperationMeta;

/// Sends each request once, with a bearer token if one is set.
///
/// It does not sign or retry requests or renew tokens. Upvest's own servers reject unsigned requests, so it is for tests, mock
/// servers and proxies that sign. For production use `upvest-ext`.
#[derive(Clone)]
pub struct BearerTransport {
    http: reqwest::Client,
    authorization: Option<HeaderValue>,
}

impl BearerTransport {
    /// A transport without a token that sends requests with `http`.
    pub fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            authorization: None,
        }
    }

    /// Adds `authorization: Bearer <token>` to each request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if `token` is not a valid HTTP header value.
    pub fn bearer(mut self, token: &str) -> Result<Self, Error> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
            Error::new(
                ErrorKind::Configuration,
                "the bearer token is not a valid HTTP header value",
            )
        })?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    async fn send(
        &self,
        mut request: Request<Bytes>,
        operation: &OperationMeta,
    ) -> Result<Response<ByteStream>, Error> {
        let started = Instant::now();
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let changes = !operation.is_safe();
        let request = reqwest::Request::try_from(request).map_err(|error| failed(error, false))?;
        let mut response = self
            .http
            .execute(request)
            .await
            .map_err(|error| failed(error, changes))?;
        let mut metadata = Metadata::new(response.status());
        metadata.elapsed = started.elapsed();
        let headers = std::mem::take(response.headers_mut());
        let stream = response
            .bytes_stream()
            .map_err(|error| failed(error, false));
        Ok(Response::new(ByteStream::new(stream), headers, metadata))
    }
}

/// `may_have_happened`: whether the server may have carried out the request.
fn failed(error: reqwest::Error, may_have_happened: bool) -> Error {
    let (kind, message) = match &error {
        error if error.is_builder() => (ErrorKind::InvalidRequest, "the request cannot be sent"),
        error if error.is_connect() => (ErrorKind::Connect, "no connection to the server"),
        error if error.is_timeout() => (ErrorKind::Timeout, "no answer in time"),
        _ => (
            ErrorKind::Interrupted,
            "the connection broke before the answer was complete",
        ),
    };
    let sent = matches!(kind, ErrorKind::Timeout | ErrorKind::Interrupted);
    // The query of the URL may contain personal data.
    Error::new(kind, message)
        .with_source(error.without_url())
        .with_outcome_unknown(sent && may_have_happened)
}

impl Transport for BearerTransport {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        Box::pin(self.send(request, operation))
    }
}

impl fmt::Debug for BearerTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerTransport").finish_non_exhaustive()
    }
}
