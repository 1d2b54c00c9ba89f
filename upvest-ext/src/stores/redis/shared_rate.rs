//! One rate for all replicas: a token bucket in a Redis script.

use std::time::Duration;

use super::{Link, Redis};
use crate::backend_error::BackendError;
use crate::debug_fields::debug_fields;

const TAKE_TURN: &str = include_str!("take_turn.lua");

/// A request rate that replicas share.
pub(crate) struct SharedRate {
    link: Link,
    name: String,
    per_second: u32,
}

impl SharedRate {
    pub(super) fn new(redis: &Redis, name: &str, per_second: u32) -> Self {
        Self {
            link: Link::new(redis, "rate limit", redis.timeout / 4),
            name: name.to_owned(),
            per_second,
        }
    }

    pub(crate) fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Takes the next turn and returns how long to wait for it, or `None` if that is longer than `at_most`. Fails while the
    /// server cannot be reached.
    pub(crate) async fn take(&self, at_most: Duration) -> Result<Option<Duration>, BackendError> {
        let wait = self.run(&[&microseconds(at_most)]).await?;
        Ok(u64::try_from(wait).ok().map(Duration::from_micros))
    }

    /// Reports a 429, so that no replica gets a turn before `pause` is over.
    pub(crate) async fn refuse(&self, pause: Duration) {
        // If the server cannot be reached, this replica still lowers its own rate.
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
    time.as_micros()
        .min(365 * 24 * 3_600_000_000)
        .to_string()
        .into_bytes()
}

debug_fields!(
    SharedRate,
    |self| redis = self.link.redis,
    per_second = self.per_second
);
