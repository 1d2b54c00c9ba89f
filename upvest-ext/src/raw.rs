//! Requests that the description lacks.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use reqwest::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use upvest_api::ResponseValue;
use upvest_api::runtime::{DecodeError, OperationMeta};
use upvest_api::types::Problem;

use crate::error::Error;
use crate::options::CallOptions;
use crate::pipeline::Pipeline;
use crate::response::request_id;

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
    pub async fn send(self) -> Result<ResponseValue<Bytes>, Error> {
        let (pipeline, request) = self.build()?;
        let response = pipeline.call(request.0, request.1).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .map_err(|error| Error::from(upvest_api::Error::ResponseBodyError(error)))?;
        if status.is_client_error() || status.is_server_error() {
            let problem = Problem::from_body(status, &body);
            return Err(upvest_api::Error::ErrorResponse(ResponseValue::new(problem, status, headers)).into());
        }
        if !status.is_success() {
            return Err(Error::unexpected(status, &headers));
        }
        Ok(ResponseValue::new(body, status, headers))
    }

    /// Sends the request and reads the body as JSON.
    ///
    /// # Errors
    ///
    /// As [`RawRequest::send`], and [`ErrorKind::Decode`](crate::ErrorKind::Decode) where the body does not fit `T`.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<ResponseValue<T>, Error> {
        let answer = self.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        match serde_json::from_slice(&answer) {
            Ok(value) => Ok(ResponseValue::new(value, status, headers)),
            Err(error) => Err(Error::undecodable(DecodeError {
                operation: "raw",
                status,
                path: String::new(),
                // The category only: the message may quote the body.
                problem: format!(
                    "{:?} error in line {} column {}",
                    error.classify(),
                    error.line(),
                    error.column()
                ),
                request_id: request_id(&headers),
                headers,
            })),
        }
    }

    fn build(self) -> Result<(Pipeline, (Request, &'static OperationMeta)), Error> {
        let body = self.body?;
        if !self.path.starts_with('/') || self.path.contains(['?', '#']) {
            return Err(invalid(
                "the path of a raw request starts with a slash and holds neither `?` nor `#`",
            ));
        }
        let mut url = self.pipeline.core.base_url.clone();
        let path = format!("{}{}", url.path().trim_end_matches('/'), self.path);
        url.set_path(&path);
        url.set_query(Some(self.query.as_str()).filter(|query| !query.is_empty()));
        let operation = match (self.operation, &self.method) {
            (Some(operation), _) => operation,
            (None, &Method::GET | &Method::HEAD) => &READ,
            _ if self.pipeline.options.idempotency_key.is_some() => &WRITE_KEYED,
            _ => &WRITE,
        };
        let mut request = Request::new(self.method, url);
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.into());
        }
        Ok((self.pipeline, (request, operation)))
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(crate::ErrorKind::InvalidRequest, message)
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest").field("method", &self.method).finish_non_exhaustive()
    }
}
