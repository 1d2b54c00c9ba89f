//! Which calls may be retried after which failures.

use http::StatusCode;
use upvest_api::runtime::OperationMeta;

use crate::call::http_send::Interruption;

/// Whether a call may be retried if the server may have received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// It only reads, so it may be retried any number of times.
    Safe,
    /// It changes something and has an idempotency key, so it may be retried any number of times with the same key.
    IdempotentWithKey,
    /// It changes something and has no idempotency key, so it may be retried only if the server cannot have carried it out.
    Never,
}

impl RetryClass {
    /// The class of an operation.
    ///
    /// ```
    /// use upvest_ext::{RetryClass, api::operations};
    ///
    /// assert_eq!(RetryClass::of(&operations::LIST_ORDERS), RetryClass::Safe);
    /// assert_eq!(RetryClass::of(&operations::CREATE_ORDER), RetryClass::IdempotentWithKey);
    /// assert_eq!(RetryClass::of(&operations::CANCEL_ORDER), RetryClass::Never);
    /// ```
    pub fn of(operation: &OperationMeta) -> Self {
        match operation {
            _ if operation.is_safe() => Self::Safe,
            _ if operation.idempotency_key => Self::IdempotentWithKey,
            _ => Self::Never,
        }
    }

    /// Whether retrying after `failure` is safe and could succeed.
    pub(crate) fn allows(self, failure: AttemptFailure) -> bool {
        match (self, failure) {
            // Nothing was sent, so the server cannot have received it.
            (
                _,
                AttemptFailure::Interrupted(Interruption::NotSent | Interruption::ConnectTimeout),
            ) => true,
            (
                _,
                AttemptFailure::Interrupted(
                    Interruption::Redirected | Interruption::UrlChanged | Interruption::TooLong,
                ),
            )
            | (Self::Never, _) => false,
            (Self::Safe | Self::IdempotentWithKey, AttemptFailure::Interrupted(_)) => true,
            (Self::Safe | Self::IdempotentWithKey, AttemptFailure::Answered(status)) => {
                match status.as_u16() {
                    408 | 425 | 429 | 502 | 503 | 504 => true,
                    500 => self == Self::Safe,
                    _ => false,
                }
            }
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptFailure {
    /// The server answered with an error status.
    Answered(StatusCode),
    /// There was no answer, or an incomplete one.
    Interrupted(Interruption),
}

impl AttemptFailure {
    /// Whether the server may have carried out the request even so.
    pub(crate) fn may_have_happened(self) -> bool {
        match self {
            Self::Answered(status) => {
                !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT
            }
            Self::Interrupted(how) => !matches!(
                how,
                Interruption::NotSent | Interruption::ConnectTimeout | Interruption::UrlChanged
            ),
        }
    }
}
