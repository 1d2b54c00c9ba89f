//! Settings for one call.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, DATE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use upvest_api::IdempotencyKey;

use crate::retry::RetryPolicy;
use crate::token::Scopes;

/// Headers that only the pipeline may set.
const RESERVED: [&str; 8] = [
    "content-digest",
    "idempotency-key",
    "signature",
    "signature-input",
    "upvest-api-version",
    "upvest-client-id",
    "upvest-request-id",
    "upvest-signature-version",
];

/// Settings for one call, which override those of the client.
///
/// ```no_run
/// use std::time::Duration;
/// use upvest_ext::{CallOptions, IdempotencyKey};
///
/// # async fn place(upvest: upvest_ext::Upvest, order: upvest_ext::api::types::OrderCreate) -> Result<(), upvest_ext::Error> {
/// let options = CallOptions::new().idempotency_key(IdempotencyKey::generate()).call_timeout(Duration::from_secs(5));
/// let order = upvest.with(options).create_order().body(order).send().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    pub(crate) idempotency_key: Option<UsedKey>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) headers: HeaderMap,
    pub(crate) problem: Option<String>,
}

impl CallOptions {
    /// No settings: the call uses those of the client.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the call with this idempotency key. A key is for one request: a different request with the same options fails.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<IdempotencyKey>) -> Self {
        self.idempotency_key = Some(UsedKey {
            key: key.into(),
            request: Arc::default(),
        });
        self
    }

    /// The longest time for one attempt, its answer included. 20 s unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// The longest time for the call with all its attempts and waits. 60 s unless set.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// The time at which the call fails if it has not ended. The earlier of this and the timeout applies.
    #[must_use]
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Retries according to `policy`.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sends the call with a token that has exactly these scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Adds a header. The call fails if it is one that the SDK sets itself.
    #[must_use]
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Display>,
        V: TryInto<HeaderValue, Error: Display>,
    {
        let problem = match (name.try_into(), value.try_into()) {
            (Ok(name), _) if is_reserved(&name) => {
                format!("the SDK sets the header `{name}` itself")
            }
            (Ok(name), Ok(mut value)) => {
                // So that `Debug` does not print it.
                value.set_sensitive(true);
                self.headers.insert(name, value);
                return self;
            }
            (Err(error), _) => error.to_string(),
            (Ok(name), Err(error)) => format!("header `{name}`: {error}"),
        };
        self.problem = Some(problem);
        self
    }
}

fn is_reserved(name: &HeaderName) -> bool {
    let connection = [
        AUTHORIZATION,
        CONNECTION,
        CONTENT_LENGTH,
        DATE,
        HOST,
        TRANSFER_ENCODING,
    ];
    connection.contains(name) || RESERVED.contains(&name.as_str())
}

/// An idempotency key and the request for which it was used, so that a second order is never sent with the key of the first.
#[derive(Clone, Debug)]
pub(crate) struct UsedKey {
    key: IdempotencyKey,
    request: Arc<OnceLock<u64>>,
}

impl UsedKey {
    /// The key, or `None` if it was used for another request than `request`.
    pub(crate) fn for_request(&self, request: &Request<Bytes>) -> Option<IdempotencyKey> {
        let mut hasher = DefaultHasher::new();
        (request.method(), request.uri(), request.body()).hash(&mut hasher);
        let fingerprint = hasher.finish();
        (*self.request.get_or_init(|| fingerprint) == fingerprint).then_some(self.key)
    }
}
