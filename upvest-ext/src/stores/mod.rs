//! State that the replicas of a service share in a database.
//!
//! [`Redis`] shares access tokens, handled events and a rate limit. [`Postgres`] stores events and dead letters in
//! a table, so that an event can be marked as handled in your own transaction. Then it takes effect exactly once, not at least
//! once.
//!
//! The guide `docs/guides/many-replicas.md` describes the guarantees of each, and what happens while a server cannot be reached.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
#[cfg(feature = "redis")]
pub(crate) use self::redis::SharedRate;
#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisDedupStore, RedisTokenStore};
