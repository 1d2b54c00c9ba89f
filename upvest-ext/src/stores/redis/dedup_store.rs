//! Handled events in Redis. An event is handled at least once, and twice only if a replica crashed or Redis lost its key.

use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{Link, Redis, milliseconds};
use crate::backend_error::BackendError;
use crate::clock::{OsRandom, random_uuid};
use crate::debug_fields::debug_fields;
use crate::webhooks::{ClaimResult, DedupStore};

const CLAIM: &str = include_str!("claim_event.lua");
const END: &str = include_str!("end_event.lua");

/// A store of handled events in a Redis server. Made by [`Redis::dedup_store`].
///
/// Redis must not evict keys (`maxmemory-policy noeviction`): an event whose key is lost is handled again if it is delivered again.
/// The same applies to keys that were written in the last second before a Redis server without a replica crashed.
pub struct RedisDedupStore {
    link: Link,
    lease: Duration,
    remember: Duration,
}

impl RedisDedupStore {
    pub(super) fn new(redis: &Redis) -> Self {
        Self {
            link: Link::new(redis, "webhook events", redis.timeout),
            lease: Duration::from_secs(60),
            remember: Duration::from_secs(30 * 24 * 3600),
        }
    }

    /// How long a claim is valid. Afterwards the event can be claimed again. 60 s by default. It must be longer than the slowest
    /// handler runs. If a replica crashes, its events wait for this time.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long an event is remembered after its last delivery. 30 days by default.
    #[must_use]
    pub fn remember(mut self, time: Duration) -> Self {
        self.remember = time;
        self
    }

    async fn end(&self, event: &str, claim: Uuid, state: &str) -> Result<(), BackendError> {
        let args = [
            claim.as_bytes().as_slice(),
            state.as_bytes(),
            &milliseconds(self.remember),
        ];
        self.link.run(END, "event", event, &args).await
    }
}

impl DedupStore for RedisDedupStore {
    fn claim<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<ClaimResult, BackendError>> {
        Box::pin(async move {
            let claim = random_uuid(&OsRandom);
            let args = [
                claim.as_bytes().as_slice(),
                &milliseconds(self.lease),
                &milliseconds(self.remember),
            ];
            Ok(match self.link.run(CLAIM, "event", event, &args).await? {
                -1 => ClaimResult::Done,
                0 => ClaimResult::Busy,
                attempt => ClaimResult::Ours {
                    claim,
                    attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
                },
            })
        })
    }

    fn done<'a>(&'a self, event: &'a str, claim: Uuid) -> BoxFuture<'a, Result<(), BackendError>> {
        Box::pin(self.end(event, claim, "done"))
    }

    fn failed<'a>(
        &'a self,
        event: &'a str,
        claim: Uuid,
    ) -> BoxFuture<'a, Result<(), BackendError>> {
        Box::pin(self.end(event, claim, "failed"))
    }
}

debug_fields!(
    RedisDedupStore,
    |self| redis = self.link.redis,
    lease = self.lease,
    remember = self.remember
);
