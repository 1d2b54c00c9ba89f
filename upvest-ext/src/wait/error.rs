//! Why the end of a thing was not seen.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// Why a wait ended before the thing did, and how the thing was last seen. Waiting again goes on from there.
#[derive(thiserror::Error)]
#[error("{failure}")]
pub struct WaitError<T> {
    #[source]
    failure: WaitFailure,
    last: Option<T>,
}

/// Why a wait ended before the thing did.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitFailure {
    /// Looking failed, after the retries of the client.
    #[error("a look at what was waited for failed")]
    Call(#[from] Error),
    /// It took longer than the timeout.
    #[error("what was waited for did not happen in time")]
    TimedOut,
    /// The thing was not found, nor did it appear for a while.
    #[error("what was waited for does not exist")]
    NotFound,
    /// The events ended, and there is no other way to look.
    #[error("the events ended before what was waited for happened")]
    EventsEnded,
}

impl<T> WaitError<T> {
    pub(super) fn new(failure: WaitFailure, last: Option<T>) -> Self {
        Self { failure, last }
    }

    /// What ended the wait.
    pub fn failure(&self) -> &WaitFailure {
        &self.failure
    }

    /// The thing as it was last seen.
    pub fn last(&self) -> Option<&T> {
        self.last.as_ref()
    }
}

/// Without the thing, which may hold personal data.
impl<T> fmt::Debug for WaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitError")
            .field("failure", &self.failure)
            .field("was_seen", &self.last.is_some())
            .finish()
    }
}

impl<T> From<WaitError<T>> for Error {
    fn from(error: WaitError<T>) -> Self {
        let kind = match error.failure {
            WaitFailure::Call(error) => return error,
            WaitFailure::TimedOut => ErrorKind::Timeout,
            WaitFailure::NotFound => ErrorKind::NotFound,
            WaitFailure::EventsEnded => ErrorKind::Interrupted,
        };
        Self::new(kind, error.failure.to_string()).with_source(error.failure)
    }
}
