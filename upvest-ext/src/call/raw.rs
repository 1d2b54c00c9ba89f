//! Requests that the description does not contain.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use upvest_api::runtime::{OperationMeta, encode_path_segment, read_json};
use upvest_api::{Error, ErrorKind, Response};

use crate::call::options::CallOptions;
use crate::call::pipeline::{Pipeline, join};
use crate::debug_fields::debug_fields;

/// Raw requests have no entry in the operation table. These replace it and decide whether a request may be retried.
static READ: OperationMeta = OperationMeta::custom("raw", Method::GET, "raw");
static WRITE: OperationMeta = OperationMeta::custom("raw", Method::POST, "raw");
static WRITE_KEYED: OperationMeta = OperationMeta::custom("raw", Method::POST, "raw").keyed();

/// The path of a raw request: either a text that is sent unchanged, or a list of segments that are percent-encoded.
///
/// Pass untrusted values as segments: `["orders", id]` requests `/orders/..%2Fusers%2F42`, whereas
/// `format!("/orders/{id}")` would request `/users/42` and is rejected.
#[derive(Clone, Debug)]
pub struct RawPath(Result<String, &'static str>);

const NOT_A_PATH: &str = "the path of a raw request must start with a slash and must not contain `?`, `#`, backslashes or control characters";
const DOT_SEGMENT: &str = "the path of a raw request must not contain segments `.` or `..`, in any encoding; give its segments as \
    a list, such as `[\"orders\", id]`";
const EMPTY_SEGMENT: &str = "a segment of a raw request's path must not be empty, `.` or `..`";

impl RawPath {
    fn checked(path: String) -> Self {
        let is_odd = |c: char| c.is_control() || matches!(c, '?' | '#' | '\\');
        if !path.starts_with('/') || path.contains(is_odd) {
            return Self(Err(NOT_A_PATH));
        }
        // A server or a proxy may decode the path more than once.
        let mut decoded = path.clone();
        for _ in 0..3 {
            if decoded.split(['/', '\\']).any(is_dot_segment) {
                return Self(Err(DOT_SEGMENT));
            }
            if decoded.contains(char::is_control) {
                return Self(Err(NOT_A_PATH));
            }
            decoded = percent_decode_str(&decoded)
                .decode_utf8_lossy()
                .into_owned();
        }
        Self(Ok(path))
    }

    fn of_segments<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Self {
        let mut path = String::new();
        for segment in segments {
            let Some(segment) = encode_path_segment(segment.as_ref()) else {
                return Self(Err(EMPTY_SEGMENT));
            };
            path.push('/');
            path.push_str(&segment);
        }
        Self(Ok(path))
    }
}

/// Some servers ignore the part of a segment after a semicolon.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.split(';').next(), Some("." | ".."))
}

impl From<&str> for RawPath {
    fn from(path: &str) -> Self {
        Self::checked(path.to_owned())
    }
}

impl From<String> for RawPath {
    fn from(path: String) -> Self {
        Self::checked(path)
    }
}

impl<S: AsRef<str>, const N: usize> From<[S; N]> for RawPath {
    fn from(segments: [S; N]) -> Self {
        Self::of_segments(segments)
    }
}

impl<S: AsRef<str>> From<&[S]> for RawPath {
    fn from(segments: &[S]) -> Self {
        Self::of_segments(segments)
    }
}

/// A request with any method and path. See [`Upvest::request`](crate::Upvest::request).
///
/// `GET` and `HEAD` are retried as all reads are. Other methods are retried only with an
/// [idempotency key](CallOptions::idempotency_key). Set one only if the endpoint supports it.
#[must_use = "nothing happens before `send`"]
pub struct RawRequest {
    pipeline: Pipeline,
    method: Method,
    path: RawPath,
    query: String,
    body: Result<Option<Vec<u8>>, Error>,
    operation: Option<&'static OperationMeta>,
}

impl RawRequest {
    pub(crate) fn new(pipeline: Pipeline, method: Method, path: RawPath) -> Self {
        Self {
            pipeline,
            method,
            path,
            query: String::new(),
            body: Ok(None),
            operation: None,
        }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        let pair = form_urlencoded::Serializer::new(String::new())
            .append_pair(name, &value.to_string())
            .finish();
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
            .map_err(|error| invalid("the body cannot be serialized as JSON").with_source(error));
        self
    }

    /// Uses the scopes and the idempotency of `operation` instead of deriving them from the method.
    #[cfg(feature = "webhooks")]
    pub(crate) fn facts_of(mut self, operation: &'static OperationMeta) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Sets the options and replaces earlier ones.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.pipeline.options = options;
        self
    }

    /// Sends the request and returns the body as bytes.
    ///
    /// # Errors
    ///
    /// An answer with an error status, or no answer.
    pub async fn send(self) -> Result<Response<Bytes>, Error> {
        self.exchange().await.map(|(answer, _)| answer)
    }

    /// Sends the request and decodes the body as JSON.
    ///
    /// # Errors
    ///
    /// As [`RawRequest::send`], and [`ErrorKind::Decode`] if the body does not match `T`.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        let (answer, operation) = self.exchange().await?;
        let unfit = |error: Error| {
            let known = error
                .with_operation(operation.id)
                .with_metadata(answer.metadata());
            known.with_outcome_unknown(!operation.is_safe())
        };
        let value = read_json(&answer).map_err(unfit)?;
        Ok(answer.map(|_| value))
    }

    async fn exchange(self) -> Result<(Response<Bytes>, &'static OperationMeta), Error> {
        let body = self.body?;
        let path = self.path.0.map_err(invalid)?;
        let operation = match (self.operation, &self.method) {
            (Some(operation), _) => operation,
            (None, &Method::GET | &Method::HEAD) => &READ,
            _ if self.pipeline.options.idempotency_key.is_some() => &WRITE_KEYED,
            _ => &WRITE,
        };
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method;
        *request.uri_mut() = join(&self.pipeline.core.base_url, &path, &self.query)?;
        if let Some(body) = body {
            request
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = body.into();
        }
        let (body, headers, metadata) = self.pipeline.call(request, operation).await?.into_parts();
        Ok((
            Response::new(body.bytes().await?, headers, metadata),
            operation,
        ))
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

debug_fields!(RawRequest, |self| method = self.method);
