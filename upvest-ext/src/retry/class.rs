//! Which calls may be repeated after which failures.

use http::StatusCode;
use upvest_api::runtime::OperationMeta;

use crate::call::http_send::Interruption;

/// Whether a call may be sent again once the server may have seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryClass {
    /// It only reads: any number of times.
    Safe,
    /// It changes something under an idempotency key: any number of times under the same key.
    IdempotentWithKey,
    /// It changes something and takes no key: only when the server cannot have acted on it.
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

    /// Whether the request may be sent again after `failure`: doing so is safe, and could succeed.
    pub(crate) fn allows(self, failure: AttemptFailure) -> bool {
        match (self, failure) {
            // Nothing was sent, so that the server cannot have seen it.
            (_, AttemptFailure::Interrupted(Interruption::NotSent | Interruption::ConnectTimeout)) => true,
            (
                _,
                AttemptFailure::Interrupted(
                    Interruption::Redirected | Interruption::UrlChanged | Interruption::TooLong,
                ),
            )
            | (Self::Never, _) => false,
            (Self::Safe | Self::IdempotentWithKey, AttemptFailure::Interrupted(_)) => true,
            (Self::Safe | Self::IdempotentWithKey, AttemptFailure::Answered(status)) => match status.as_u16()
            {
                408 | 425 | 429 | 502 | 503 | 504 => true,
                500 => self == Self::Safe,
                _ => false,
            },
        }
    }
}

/// What went wrong with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptFailure {
    /// The server answered with an error status.
    Answered(StatusCode),
    /// There was no complete answer.
    Interrupted(Interruption),
}

impl AttemptFailure {
    /// Whether a call that changes something may have changed it all the same.
    pub(crate) fn may_have_happened(self) -> bool {
        match self {
            Self::Answered(status) => !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT,
            Self::Interrupted(how) => !matches!(
                how,
                Interruption::NotSent | Interruption::ConnectTimeout | Interruption::UrlChanged
            ),
        }
    }
}
