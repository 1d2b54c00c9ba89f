//! Whether the server answers, so that not every caller waits for one that does not.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::backend_error::BackendError;

/// How long nobody tries after a failure. Then one caller finds out whether the server is back.
const PAUSE: Duration = Duration::from_secs(2);

/// What one user of the server knows of it.
#[derive(Debug)]
pub(super) struct Health {
    /// What the server is used for.
    purpose: &'static str,
    /// While the server is away: when somebody may try again.
    retry_at: Mutex<Option<Instant>>,
}

impl Health {
    pub(super) fn new(purpose: &'static str) -> Self {
        Self { purpose, retry_at: Mutex::default() }
    }

    /// Fails at once while the server is known to be away.
    pub(super) fn may_try(&self) -> Result<(), BackendError> {
        let mut retry_at = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match &mut *retry_at {
            Some(at) if now < *at => {
                Err(BackendError::new(format!("the Redis server for {} did not answer lately", self.purpose)))
            }
            Some(at) => {
                *at = now + PAUSE;
                Ok(())
            }
            None => Ok(()),
        }
    }

    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "there is no log"))]
    pub(super) fn failed(&self, reason: &dyn Display) {
        let until = Instant::now() + PAUSE;
        let before = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner).replace(until);
        #[cfg(feature = "tracing")]
        if before.is_none() {
            tracing::warn!(purpose = self.purpose, %reason, "the Redis server does not answer, going on without it");
        }
    }

    pub(super) fn answered(&self) {
        let before = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner).take();
        #[cfg(feature = "tracing")]
        if before.is_some() {
            tracing::info!(purpose = self.purpose, "the Redis server answers again");
        }
        #[cfg(not(feature = "tracing"))]
        let _ = before;
    }
}
