//! Requests that the description lacks.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use upvest_api::runtime::{OperationMeta, read_json};
use upvest_api::{Error, ErrorKind, Response};

use crate::options::CallOptions;
use crate::pipeline::{Pipeline, join};

/// Raw requests have no entry in the operation table: these stand in, by what a repetition would do.
static READ: OperationMeta = OperationMeta::custom("raw", Method::GET, "raw");
static WRITE: OperationMeta = OperationMeta::custom("raw", Method::POST, "raw");
static WRITE_KEYED: OperationMeta = OperationMeta::custom("raw", Method::POST, "raw").keyed();

/// A request by method and path. See [`Upvest::request`](crate::Upvest::request).
///
/// `GET` and `HEAD` are tried again like any read; other methods only with an
/// [idempotency key](CallOptions::idempotency_key), by which you say that the endpoint honours one.
#[must_use = "nothing happens before `send`"]
pub struct RawRequest {
    pipeline: Pipeline,
    method: Method,
    path: String,
    query: String,
    body: Result<Option<Vec<u8>>, Error>,
    operation: Option<&'static OperationMeta>,
}

impl RawRequest {
    pub(crate) fn new(pipeline: Pipeline, method: Method, path: String) -> Self {
        Self { pipeline, method, path, query: String::new(), body: Ok(None), operation: None }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        let pair =
            form_urlencoded::Serializer::new(String::new()).append_pair(name, &value.to_string()).finish();
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(&pair);
        self
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.body = serde_json::to_vec(body)
            .map(Some)
            .map_err(|error| invalid("no JSON can be made of the body").with_source(error));
        self
    }

    /// Takes scopes and idempotency from `operation` instead of guessing them from the method.
    #[cfg(feature = "webhooks")]
    pub(crate) fn facts_of(mut self, operation: &'static OperationMeta) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Sets options, in the place of any given before.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.pipeline.options = options;
        self
    }

    /// Sends the request and returns the body as it came.
    ///
    /// # Errors
    ///
    /// Any error status, and whatever keeps the call from being answered.
    pub async fn send(self) -> Result<Response<Bytes>, Error> {
        self.exchange().await.map(|(answer, _)| answer)
    }

    /// Sends the request and reads the body as JSON.
    ///
    /// # Errors
    ///
    /// As [`RawRequest::send`], and [`ErrorKind::Decode`] where the body does not fit `T`.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        let (answer, operation) = self.exchange().await?;
        let unfit = |error: Error| {
            let known = error.with_operation(operation.id).with_metadata(answer.metadata());
            known.with_outcome_unknown(!operation.is_safe())
        };
        let value = read_json(&answer).map_err(unfit)?;
        Ok(answer.map(|_| value))
    }

    async fn exchange(self) -> Result<(Response<Bytes>, &'static OperationMeta), Error> {
        let body = self.body?;
        if !self.path.starts_with('/') || self.path.contains(['?', '#']) {
            return Err(invalid(
                "the path of a raw request starts with a slash and holds neither `?` nor `#`",
            ));
        }
        let operation = match (self.operation, &self.method) {
            (Some(operation), _) => operation,
            (None, &Method::GET | &Method::HEAD) => &READ,
            _ if self.pipeline.options.idempotency_key.is_some() => &WRITE_KEYED,
            _ => &WRITE,
        };
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method;
        *request.uri_mut() = join(&self.pipeline.core.base_url, &self.path, &self.query)?;
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = body.into();
        }
        let (body, headers, metadata) = self.pipeline.call(request, operation).await?.into_parts();
        Ok((Response::new(body.bytes().await?, headers, metadata), operation))
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest").field("method", &self.method).finish_non_exhaustive()
    }
}
