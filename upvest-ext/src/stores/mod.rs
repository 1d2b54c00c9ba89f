//! What the replicas of a service share, through a server that they have already.
//!
//! [`Redis`] shares access tokens, the events that were handled, and one rate limit. [`Postgres`] keeps events and dead letters in
//! a table, so that an event can be marked as handled in a transaction of yours: exactly once, not only at least once.
//!
//! The guide `docs/guides/many-replicas.md` says what is guaranteed with and without each, and what happens while a server is away.

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
