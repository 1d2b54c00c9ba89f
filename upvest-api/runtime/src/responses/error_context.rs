//! The facts of a call that failed.

use std::borrow::Cow;
use std::time::Duration;

use crate::values::idempotency_key::IdempotencyKey;

/// The facts of a call that failed, in its [`Error`](crate::Error).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorContext {
    /// The `operationId` of the call, such as `createOrder`.
    pub operation: Option<Cow<'static, str>>,
    /// The number of attempts, without token requests.
    pub attempts: u32,
    /// The time from the call to its failure.
    pub elapsed: Option<Duration>,
    /// The idempotency key of the call, if its operation supports one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The header `upvest-request-id` of the last response.
    pub request_id: Option<String>,
    /// How long the server asked to wait before the next attempt.
    pub retry_after: Option<Duration>,
    /// Whether the server may have carried out the call, although it failed.
    pub is_outcome_unknown: bool,
    /// The likely cause and what to do about it.
    pub hint: Option<Cow<'static, str>>,
    /// The index of the first item of a list that was not read, or the number of bytes of a file that were received.
    pub position: Option<u64>,
}
