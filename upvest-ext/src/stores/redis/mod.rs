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
/// It connects when it is first needed, and again after a failure. No caller waits longer than [`Redis::timeout`]. While Redis
/// cannot be reached, each replica requests its own tokens and limits itself to its share of the rate, and events are not
/// acknowledged, so that Upvest sends them again. A warning is logged when that begins.
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
    /// Replaced after a failure, as a failed connection may never detect that its server is gone.
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
            let message =
                "not the URL of a Redis server, such as redis://user:password@host:6379/0";
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })
    }

    /// The server of `client`, for settings that a URL cannot contain, such as certificates.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            connection: Arc::default(),
            prefix: "upvest:".into(),
            timeout: Duration::from_secs(1),
        }
    }

    /// The prefix of every key. `upvest:` by default. Services that must not share state need different prefixes, for example two
    /// services that both handle the same events.
    #[must_use]
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefix = prefix.as_ref().into();
        self
    }

    /// The longest wait for an answer. 1 s by default. The rate limit waits for a quarter of it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Access tokens that all replicas share: one of them requests a token, and the others use it.
    ///
    /// Tokens are encrypted with a key derived from `client_secret`. The names of their keys in Redis reveal nothing.
    pub fn token_store(&self, client_secret: impl Into<SecretString>) -> RedisTokenStore {
        RedisTokenStore::new(self, client_secret.into())
    }

    /// A store of handled events, for [`WebhookHandler::dedup_store`](crate::webhooks::WebhookHandler::dedup_store).
    pub fn dedup_store(&self) -> RedisDedupStore {
        RedisDedupStore::new(self)
    }

    /// A rate limit that all replicas share, of `per_second` requests in total.
    ///
    /// After a 429 all replicas pause, and continue at a lower rate that slowly returns to `per_second`. While Redis cannot be
    /// reached, each of the `replicas` limits itself to its share. `name` identifies the limit. Use one for each client id, as
    /// Upvest counts requests by client id.
    pub fn rate_limit(&self, name: impl AsRef<str>, per_second: u32, replicas: u32) -> RateLimit {
        let share = (per_second / replicas.max(1)).max(1);
        RateLimit::shared(
            share,
            SharedRate::new(self, name.as_ref(), per_second.max(1)),
        )
    }

    fn connected(&self) -> RedisResult<ConnectionManager> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        // The time limit of each command already includes connecting and waiting.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_response_timeout(None);
        Ok(connection
            .insert(ConnectionManager::new_lazy_with_config(
                self.client.clone(),
                config,
            )?)
            .clone())
    }
}

/// A time as an argument for Redis, between 1 ms and 100 years.
fn milliseconds(time: Duration) -> Vec<u8> {
    time.as_millis()
        .clamp(1, 100 * 365 * 24 * 3_600_000)
        .to_string()
        .into_bytes()
}

debug_fields!(Redis, |self| prefix = self.prefix, timeout = self.timeout);
