//! A successful response: its value and the metadata of the call.

use std::ops::Deref;
use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};

use crate::values::idempotency_key::IdempotencyKey;
use crate::values::text::harmless;

static REQUEST_ID: HeaderName = HeaderName::from_static("upvest-request-id");

/// The value of a response, with its status, its headers and the metadata of the call.
///
/// It dereferences to the value.
///
/// ```
/// use upvest_runtime::http::{HeaderMap, StatusCode};
/// use upvest_runtime::{Metadata, Response};
///
/// let orders = Response::new(
///     vec!["order"],
///     HeaderMap::new(),
///     Metadata::new(StatusCode::OK),
/// );
/// println!(
///     "{} orders, request {:?}, {:?}",
///     orders.len(),
///     orders.request_id(),
///     orders.metadata().elapsed
/// );
/// let orders: Vec<&str> = orders.into_inner();
/// # let _ = orders;
/// ```
#[derive(Clone, Debug)]
pub struct Response<T> {
    value: T,
    headers: HeaderMap,
    metadata: Metadata,
}

/// The metadata of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The HTTP status of the response.
    pub status: StatusCode,
    /// The id to quote to Upvest's support (`upvest-request-id`).
    pub request_id: Option<String>,
    /// The number of attempts, without token requests.
    pub attempts: u32,
    /// The time from the call to the last byte of its response, or to the first byte for a stream.
    pub elapsed: Duration,
    /// The idempotency key of the call, if its operation supports one.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Metadata {
    /// For transports: the metadata of a response with `status`. Set the other fields if they are known.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            request_id: None,
            attempts: 1,
            elapsed: Duration::ZERO,
            idempotency_key: None,
        }
    }
}

impl<T> Response<T> {
    /// Creates a response. Only transports need this. If `metadata` has no request id, it is taken from `headers`.
    pub fn new(value: T, headers: HeaderMap, mut metadata: Metadata) -> Self {
        if metadata.request_id.is_none() {
            metadata.request_id = request_id(&headers);
        }
        Self {
            value,
            headers,
            metadata,
        }
    }

    /// The value without headers and metadata.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The same response with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U> {
        Response {
            value: change(self.value),
            headers: self.headers,
            metadata: self.metadata,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.metadata.status
    }

    /// The headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The id to quote to Upvest's support.
    pub fn request_id(&self) -> Option<&str> {
        self.metadata.request_id.as_deref()
    }

    /// The metadata of the call.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Value, headers and metadata.
    pub fn into_parts(self) -> (T, HeaderMap, Metadata) {
        (self.value, self.headers, self.metadata)
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// For transports over `http` types, such as recorders and `tower` services.
impl<T> From<http::Response<T>> for Response<T> {
    fn from(response: http::Response<T>) -> Self {
        let (parts, value) = response.into_parts();
        Self::new(value, parts.headers, Metadata::new(parts.status))
    }
}

/// The header `upvest-request-id`.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    Some(
        headers
            .get(&REQUEST_ID)?
            .to_str()
            .ok()?
            .chars()
            .map(harmless)
            .collect(),
    )
}
