//! Why a list could not be read to its end.

use crate::error::{Error, ErrorKind};

/// What ended a stream of items or pages, and where.
///
/// It converts into [`Error`] with `?`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the list could not be read on from item {position}")]
pub struct PageError {
    position: u64,
    source: Error,
}

/// A rule of paging that the server broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BrokenRule {
    #[error("the server answered with items from {answered} on where those from {asked} on were asked for")]
    OffsetIgnored { asked: u64, answered: u64 },
    #[error("the server repeated a page")]
    Repeated,
    #[error("the server sent empty pages again and again")]
    Hollow,
}

impl PageError {
    pub(crate) fn new(position: u64, source: Error) -> Self {
        Self { position, source }
    }

    /// The number of the first item that was not read, counted from 0, for
    /// [`Paginator::resume_at`](super::Paginator::resume_at).
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What went wrong there: the failure of the call, or [`ErrorKind::Decode`] where the answers contradict each other.
    pub fn error(&self) -> &Error {
        &self.source
    }

    /// Whether the server ignored `offset`, or sent a page that it had sent before.
    pub fn is_repetition(&self) -> bool {
        use std::error::Error as _;
        let rule = self.source.source().and_then(|source| source.downcast_ref());
        matches!(rule, Some(BrokenRule::OffsetIgnored { .. } | BrokenRule::Repeated))
    }
}

impl From<PageError> for Error {
    fn from(error: PageError) -> Self {
        error.source
    }
}

impl From<BrokenRule> for Error {
    fn from(rule: BrokenRule) -> Self {
        Self::new(ErrorKind::Decode, rule.to_string()).with_source(rule)
    }
}
