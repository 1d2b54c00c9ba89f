//! Information about a call, for its answer, its error and the log.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use upvest_api::runtime::OperationMeta;
use upvest_api::{ByteStream, Error, IdempotencyKey, Metadata, Response};

use crate::call::hint::hint;
use crate::retry::GiveUpReason;

#[derive(Debug, Default)]
pub(crate) struct CallInfo {
    pub(crate) operation: &'static str,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// Whether the operation changes something, so that it matters whether an attempt was carried out.
    pub(crate) changes: bool,
    /// Whether the server may have carried out an attempt that failed.
    pub(crate) may_have_happened: bool,
    pub(crate) gave_up: Option<GiveUpReason>,
    pub(crate) retry_after: Option<Duration>,
    /// By how many seconds the server's clock is ahead of ours, by the answer of the last failed attempt.
    pub(crate) clock_offset: Option<i64>,
}

impl CallInfo {
    pub(crate) fn new(operation: &OperationMeta) -> Self {
        Self {
            operation: operation.id,
            changes: !operation.is_safe(),
            ..Self::default()
        }
    }
}

/// Metadata and errors of the call.
impl CallInfo {
    /// The metadata of an answer with `status`.
    pub(crate) fn metadata(&self, status: StatusCode) -> Metadata {
        let mut metadata = Metadata::new(status);
        metadata.attempts = self.attempts;
        metadata.elapsed = self.elapsed;
        metadata.idempotency_key = self.idempotency_key;
        metadata
    }

    /// Turns an answer with an error status into an error.
    pub(crate) async fn error_from(
        &self,
        answer: Response<ByteStream>,
        operation: &OperationMeta,
    ) -> Error {
        let (body, headers, metadata) = answer.into_parts();
        // The body has been read already, except that of a download, which does not describe an error.
        let body = body.bytes().await.unwrap_or_default();
        self.complete(Error::from_answer(
            operation,
            metadata.status,
            &headers,
            &body,
        ))
    }

    /// Adds the information about the call to its error.
    pub(crate) fn complete(&self, error: Error) -> Error {
        let mut error = error
            .with_operation(self.operation)
            .with_elapsed(self.elapsed);
        if self.attempts > 0 {
            error = error.with_attempts(self.attempts);
        }
        if let Some(key) = self.idempotency_key {
            error = error.with_idempotency_key(key);
        }
        if let (None, Some(wait)) = (error.retry_after(), self.retry_after) {
            error = error.with_retry_after(wait);
        }
        if self.may_have_happened {
            error = error.with_outcome_unknown(true);
        }
        match hint(&error, self) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The id that Upvest's support needs to find the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("upvest-request-id")?.to_str().ok()
}
