//! Commands to the server, and whether it answers, so that not every caller waits for one that does not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::redis::ErrorKind::{Extension, Server};
use ::redis::{FromRedisValue, Script};
use tokio::time::{Instant, timeout};

use super::Redis;
use crate::backend_error::BackendError;
use crate::debug_fields::debug_fields;

/// How long nobody tries after a failure. Then one caller finds out whether the server is back.
const PAUSE: Duration = Duration::from_secs(2);

/// The way of one store to the server.
pub(super) struct Link {
    pub(super) redis: Redis,
    /// What the server is used for.
    purpose: &'static str,
    /// The longest wait for an answer.
    limit: Duration,
    /// While the server is away: when somebody may try again.
    retry_at: Mutex<Option<Instant>>,
}

impl Link {
    pub(super) fn new(redis: &Redis, purpose: &'static str, limit: Duration) -> Self {
        Self { redis: redis.clone(), purpose, limit, retry_at: Mutex::default() }
    }

    /// Runs a script on the key of `kind` and `name`, a second time where the connection was broken. Fails at once while the
    /// server is known to be away.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &str,
        kind: &str,
        name: &str,
        args: &[&[u8]],
    ) -> Result<T, BackendError> {
        self.may_try()?;
        let script = Script::new(script);
        let mut call = script.key(format!("{}{kind}:{name}", self.redis.prefix));
        for arg in args {
            call.arg(*arg);
        }
        let work = async {
            let mut connection = self.redis.connected()?;
            match call.invoke_async(&mut connection).await {
                // Broken since it was last used: the manager connects again.
                Err(error) if error.is_unrecoverable_error() => call.invoke_async(&mut connection).await,
                result => result,
            }
        };
        let failure = match timeout(self.limit, work).await {
            Ok(Ok(result)) => {
                self.answered();
                return Ok(result);
            }
            // A refusal of one command says nothing about the next.
            Ok(Err(error)) if matches!(error.kind(), Server(_) | Extension) => BackendError::new(error),
            Ok(Err(error)) => self.failed(BackendError::new(error)),
            Err(_) => self.failed(BackendError::new(format!("no answer within {:?}", self.limit))),
        };
        self.redis.disconnect();
        Err(failure)
    }

    fn may_try(&self) -> Result<(), BackendError> {
        let now = Instant::now();
        if let Some(retry_at) = &mut *self.retry_at.lock().unwrap_or_else(PoisonError::into_inner) {
            if now < *retry_at {
                let message = format!("the Redis server for {} did not answer lately", self.purpose);
                return Err(BackendError::new(message));
            }
            *retry_at = now + PAUSE;
        }
        Ok(())
    }

    fn failed(&self, failure: BackendError) -> BackendError {
        let until = Instant::now() + PAUSE;
        if self.retry_at.lock().unwrap_or_else(PoisonError::into_inner).replace(until).is_none() {
            #[cfg(feature = "tracing")]
            tracing::warn!(purpose = self.purpose, reason = %failure, "the Redis server does not answer, going on without it");
        }
        failure
    }

    fn answered(&self) {
        if self.retry_at.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            #[cfg(feature = "tracing")]
            tracing::info!(purpose = self.purpose, "the Redis server answers again");
        }
    }
}

debug_fields!(Link, |self| redis = self.redis);
