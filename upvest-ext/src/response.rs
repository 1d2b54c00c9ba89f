//! What is known of a call besides its value.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use upvest_api::ResponseValue;
use upvest_api::runtime::OperationMeta;

use crate::idempotency::IdempotencyKey;
use crate::retry::Stop;

/// Generated code keeps the status and the headers of an answer and nothing else, so what the pipeline knows rides on a
/// header of our own. One that a server sends under this name is overwritten.
const CALL_INFO: HeaderName = HeaderName::from_static("upvest-sdk-call");

const REQUEST_ID: &str = "upvest-request-id";

/// The story of a call, for its answer and its errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallInfo {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// Whether the call changes something, which makes its outcome worth knowing.
    pub(crate) changes: bool,
    /// Whether an attempt of which nothing came back may have changed it.
    pub(crate) may_have_happened: bool,
    /// Whether a request is out of which nothing has come back yet.
    #[serde(skip)]
    pub(crate) in_flight: bool,
    pub(crate) stop: Option<Stop>,
    pub(crate) retry_after: Option<Duration>,
    /// By how many seconds the server's clock is ahead of ours, where that was of interest.
    pub(crate) clock_offset: Option<i64>,
}

impl CallInfo {
    pub(crate) fn new(operation: &OperationMeta) -> Self {
        Self { operation: operation.name.into(), changes: !operation.is_safe(), ..Self::default() }
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let json = serde_json::to_string(self).ok();
        match json.and_then(|json| HeaderValue::try_from(json).ok()) {
            Some(value) => headers.insert(CALL_INFO, value),
            None => headers.remove(CALL_INFO),
        };
    }

    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        serde_json::from_slice(headers.get(CALL_INFO)?.as_bytes()).ok()
    }
}

/// What is known of a call that succeeded, besides its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The HTTP status of the answer.
    pub status: StatusCode,
    /// The id to quote to Upvest's support (`upvest-request-id`).
    pub request_id: Option<String>,
    /// How many requests were sent, token requests not counted. 0 where the answer came from another transport.
    pub attempts: u32,
    /// The time from the call to the last byte of its answer; for a download, to the first.
    pub elapsed: Duration,
    /// The key under which the call was sent, where its operation takes one.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Adds the call's metadata to the answers of the generated client.
///
/// ```no_run
/// use upvest_ext::ResponseExt;
///
/// # async fn list(upvest: upvest_ext::Upvest) -> Result<(), upvest_ext::Error> {
/// let orders = upvest.list_orders().limit(10_u32).send().await?;
/// let call = orders.metadata();
/// println!("{} orders in {:?}, {} attempts, request {:?}", orders.data.len(), call.elapsed, call.attempts, call.request_id);
/// # Ok(()) }
/// ```
pub trait ResponseExt {
    /// Status, request id, attempts, elapsed time and idempotency key of the call.
    fn metadata(&self) -> Metadata;
}

impl<T> ResponseExt for ResponseValue<T> {
    fn metadata(&self) -> Metadata {
        let info = CallInfo::read(self.headers()).unwrap_or_default();
        Metadata {
            status: self.status(),
            request_id: request_id(self.headers()),
            attempts: info.attempts,
            elapsed: info.elapsed,
            idempotency_key: info.idempotency_key,
        }
    }
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get(REQUEST_ID)?.to_str().ok().map(str::to_owned)
}
