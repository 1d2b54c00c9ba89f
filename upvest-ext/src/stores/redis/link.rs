//! Sends commands to the Redis server. While it does not answer, callers fail immediately instead of waiting for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::ErrorKind::{Extension, Server};
use ::redis::{FromRedisValue, Script};
use tokio::time::{Instant, timeout};

use super::Redis;
use crate::backend_error::BackendError;
use crate::debug_fields::debug_fields;

/// How long all commands fail immediately after the server did not answer. Then one caller checks whether it answers again.
const PAUSE: Duration = Duration::from_secs(2);

/// The connection of one store to the server.
pub(super) struct Link {
    pub(super) redis: Redis,
    /// The use of the server, for messages.
    purpose: &'static str,
    /// The longest wait for an answer.
    limit: Duration,
    trouble: Mutex<Option<Trouble>>,
}

enum Trouble {
    /// The server rejected the last command. The next one may still succeed.
    Rejected,
    /// The server did not answer at this time.
    Away(Instant),
}

impl Link {
    pub(super) fn new(redis: &Redis, purpose: &'static str, limit: Duration) -> Self {
        Self {
            redis: redis.clone(),
            purpose,
            limit,
            trouble: Mutex::default(),
        }
    }

    /// Runs a script on the key of `kind` and `name`, and retries it once if the connection was broken. Fails immediately while the
    /// server does not answer.
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
                // The connection broke since it was last used. The manager reconnects.
                Err(error) if error.is_unrecoverable_error() => {
                    call.invoke_async(&mut connection).await
                }
                result => result,
            }
        };
        let (trouble, failure) = match timeout(self.limit, work).await {
            Ok(Ok(result)) => {
                if self.trouble().take().is_some() {
                    #[cfg(feature = "tracing")]
                    tracing::info!(purpose = self.purpose, "the Redis server can be used again");
                }
                return Ok(result);
            }
            Ok(Err(error)) if matches!(error.kind(), Server(_) | Extension) => {
                (Trouble::Rejected, BackendError::new(error))
            }
            Ok(Err(error)) => (Trouble::Away(Instant::now()), BackendError::new(error)),
            Err(_) => (
                Trouble::Away(Instant::now()),
                BackendError::new(format!("no answer within {:?}", self.limit)),
            ),
        };
        // The next command uses a new connection.
        self.redis
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if self.trouble().replace(trouble).is_none() {
            #[cfg(feature = "tracing")]
            tracing::warn!(purpose = self.purpose, reason = %failure, "the Redis server cannot be used");
        }
        Err(failure)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_try(&self) -> Result<(), BackendError> {
        let mut trouble = self.trouble();
        if let Some(Trouble::Away(since)) = *trouble {
            if since.elapsed() < PAUSE {
                let message = format!("the Redis server for {} does not answer", self.purpose);
                return Err(BackendError::new(message));
            }
            // Other callers keep failing immediately while this one checks whether the server answers.
            *trouble = Some(Trouble::Away(Instant::now()));
        }
        Ok(())
    }
}

debug_fields!(Link, |self| redis = self.redis);
