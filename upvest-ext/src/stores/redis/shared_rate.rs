//! One rate for all replicas: a token bucket in one script.

use std::time::Duration;

use super::{Link, Redis};
use crate::backend_error::BackendError;
use crate::debug_fields::debug_fields;

const TAKE_TURN: &str = include_str!("take_turn.lua");

/// A rate of requests that the replicas share.
pub(crate) struct SharedRate {
    link: Link,
    name: String,
    per_second: u32,
}

impl SharedRate {
    pub(super) fn new(redis: &Redis, name: &str, per_second: u32) -> Self {
        Self { link: Link::new(redis, "rate limit", redis.timeout / 4), name: name.to_owned(), per_second }
    }

    pub(crate) fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Takes the next turn and returns how long to wait for it; `None` if that is longer than `at_most`. An error while the
    /// server is away.
    pub(crate) async fn take(&self, at_most: Duration) -> Result<Option<Duration>, BackendError> {
        let wait = self.run(&[&microseconds(at_most)]).await?;
        Ok(u64::try_from(wait).ok().map(Duration::from_micros))
    }

    /// Takes note of a 429: nobody's next turn is before `pause` is over.
    pub(crate) async fn refuse(&self, pause: Duration) {
        // While the server is away, there is nobody to tell.
        let _ = self.run(&[b"refused", &microseconds(pause)]).await;
    }

    async fn run(&self, args: &[&[u8]]) -> Result<i64, BackendError> {
        let per_second = self.per_second.to_string();
        let args = [&[per_second.as_bytes()], args].concat();
        self.link.run(TAKE_TURN, "rate", &self.name, &args).await
    }
}

/// At most a year, so that a sum of two is exact in a script.
fn microseconds(time: Duration) -> Vec<u8> {
    time.as_micros().min(365 * 24 * 3_600_000_000).to_string().into_bytes()
}

debug_fields!(SharedRate, |self| redis = self.link.redis, per_second = self.per_second);
