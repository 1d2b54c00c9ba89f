//! A Redis server that replicas share.

mod dedup_store;
mod link;
mod shared_rate;
mod token_store;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, RedisResult};
use secrecy::SecretString;
use upvest_api::{Error, ErrorKind};

pub use dedup_store::RedisDedupStore;
use link::Link;
pub(crate) use shared_rate::SharedRate;
pub use token_store::RedisTokenStore;

use crate::debug_fields::debug_fields;
use crate::rate_limit::RateLimit;

/// A Redis server (6.2 or later, or Valkey) that the replicas of a service share. Clones share one connection.
///
/// It connects when it is first needed, and again after a failure. No caller waits for it longer than [`Redis::timeout`]: without
/// it, tokens are fetched by each replica for itself, the rate limit is kept by each at its share, and events are not
/// acknowledged, so that Upvest sends them again. A warning in the log says when that begins.
///
/// ```
/// # fn run(verifier: upvest_ext::webhooks::WebhookVerifier) -> Result<(), upvest_ext::Error> {
/// use std::sync::Arc;
/// use upvest_ext::stores::Redis;
/// use upvest_ext::webhooks::WebhookHandler;
/// use upvest_ext::{Environment, Upvest};
///
/// let redis = Redis::open("redis://localhost")?.prefix("orders-service:");
/// let builder = Upvest::builder(Environment::Sandbox)
///     .credentials("client-id", "client-secret")
///     .token_store(Arc::new(redis.token_store("client-secret")))
///     // 300 requests per second for all of 20 replicas.
///     .rate_limit(redis.rate_limit("live", 300, 20));
/// let handler = WebhookHandler::new(verifier).dedup_store(redis.dedup_store());
/// # let _ = (builder, handler); Ok(()) }
/// ```
#[derive(Clone)]
pub struct Redis {
    client: Client,
    /// Made anew after a failure: the one that failed may never notice that its server is gone.
    connection: Arc<Mutex<Option<ConnectionManager>>>,
    prefix: Arc<str>,
    timeout: Duration,
}

impl Redis {
    /// The server at `url`, such as `redis://user:password@host:6379/0`, or `rediss://…` over TLS. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if `url` is not the URL of a Redis server.
    pub fn open(url: impl AsRef<str>) -> Result<Self, Error> {
        Client::open(url.as_ref()).map(Self::new).map_err(|error| {
            let message = "not the URL of a Redis server, such as redis://user:password@host:6379/0";
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })
    }

    /// The server of `client`, for settings that no URL has, such as certificates.
    pub fn new(client: Client) -> Self {
        Self { client, connection: Arc::default(), prefix: "upvest:".into(), timeout: Duration::from_secs(1) }
    }

    /// Begins the name of every key with `prefix`. `upvest:` unless set. Services that must not share give different ones: two
    /// services that handle the same events each for itself, for example.
    #[must_use]
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefix = prefix.as_ref().into();
        self
    }

    /// The longest wait for an answer. 1 s unless set; the rate limit waits a quarter of it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Access tokens that all replicas share: of many, one asks Upvest, and the others take what it got.
    ///
    /// Tokens are encrypted with a key derived from `client_secret`, under names from which nothing can be learned.
    pub fn token_store(&self, client_secret: impl Into<SecretString>) -> RedisTokenStore {
        RedisTokenStore::new(self, client_secret.into())
    }

    /// The events that were handled, for [`WebhookHandler::dedup_store`](crate::webhooks::WebhookHandler::dedup_store).
    pub fn dedup_store(&self) -> RedisDedupStore {
        RedisDedupStore::new(self)
    }

    /// A rate limit that all replicas share: `per_second` requests for all of them together.
    ///
    /// After a 429 all pause, and go on at a lower rate that slowly returns to `per_second`. While Redis is away, each of
    /// the `replicas` keeps to its own share. `name` tells limits apart: one for each client id,
    /// as Upvest counts by that.
    pub fn rate_limit(&self, name: impl AsRef<str>, per_second: u32, replicas: u32) -> RateLimit {
        let share = (per_second / replicas.max(1)).max(1);
        RateLimit::shared(share, SharedRate::new(self, name.as_ref(), per_second.max(1)))
    }

    fn connected(&self) -> RedisResult<ConnectionManager> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        // The limit of each command bounds connecting and waiting.
        let config = ConnectionManagerConfig::new().set_number_of_retries(0).set_response_timeout(None);
        Ok(connection.insert(ConnectionManager::new_lazy_with_config(self.client.clone(), config)?).clone())
    }
}

/// As Redis takes it: at least 1, and at most 100 years.
fn milliseconds(time: Duration) -> Vec<u8> {
    time.as_millis().clamp(1, 100 * 365 * 24 * 3_600_000).to_string().into_bytes()
}

debug_fields!(Redis, |self| prefix = self.prefix, timeout = self.timeout);
