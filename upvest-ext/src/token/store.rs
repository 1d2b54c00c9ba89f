//! Token stores, which several clients or processes can share.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use super::scopes::Scopes;

/// Identifies a token in a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenKey {
    /// The base URL of the API.
    pub server: String,
    /// The id of the client to which the token was issued.
    pub client_id: String,
    /// The scopes of the token.
    pub scopes: Scopes,
}

/// A token in a store.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token itself.
    pub token: SecretString,
    /// The remaining lifetime. It is measured by the store, so that the clocks of the clients may differ.
    pub left: Duration,
    /// The whole lifetime.
    pub lifetime: Duration,
}

/// The answer to [`TokenStore::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenClaim {
    /// The caller requests a token from Upvest and releases this claim afterwards. The id is random and unique.
    Ours(Uuid),
    /// Another process is requesting a token.
    Busy,
    /// The store does not support claims, or cannot be reached. The caller requests a token without a claim.
    Unavailable,
}

/// Shares tokens between several clients or processes.
///
/// Each client also caches its current tokens in memory. It looks in the store before it requests a token, and saves the new token
/// in the store. A store that fails should behave like an empty one, so that no call fails because of it.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// Returns the token for `key`, if there is one.
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Option<StoredToken>>;

    /// Saves `token` for `key` and replaces an earlier one.
    fn save<'a>(&'a self, key: &'a TokenKey, token: StoredToken) -> BoxFuture<'a, ()>;

    /// Removes `refused`, which the server no longer accepts. A newer token for the same key is kept.
    fn remove<'a>(&'a self, key: &'a TokenKey, refused: &'a SecretString) -> BoxFuture<'a, ()>;

    /// Claims the right to request a token for `key`, so that only one of many processes requests it and the others wait until it
    /// is saved. A claim expires after `lease`, in case its holder stops.
    ///
    /// The default implementation does not support claims. Then each client requests its own token.
    fn claim<'a>(&'a self, key: &'a TokenKey, lease: Duration) -> BoxFuture<'a, TokenClaim> {
        let _ = (key, lease);
        Box::pin(ready(TokenClaim::Unavailable))
    }

    /// Releases a claim, whether or not a token was saved. Does nothing if `claim` has expired.
    fn release<'a>(&'a self, key: &'a TokenKey, claim: Uuid) -> BoxFuture<'a, ()> {
        let _ = (key, claim);
        Box::pin(ready(()))
    }
}

/// A store in memory, for several clients of one process.
///
/// ```
/// use std::sync::Arc;
/// use upvest_ext::{Environment, MemoryTokenStore, Upvest};
///
/// let store = Arc::new(MemoryTokenStore::default());
/// let builder = Upvest::builder(Environment::Sandbox).token_store(Arc::clone(&store));
/// # let _ = builder;
/// ```
#[derive(Debug, Default)]
pub struct MemoryTokenStore(Mutex<HashMap<TokenKey, (StoredToken, Instant)>>);

impl MemoryTokenStore {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<TokenKey, (StoredToken, Instant)>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TokenStore for MemoryTokenStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Option<StoredToken>> {
        let found = self.with(|tokens| {
            let (token, since) = tokens.get(key)?;
            Some(StoredToken {
                left: token.left.checked_sub(since.elapsed())?,
                ..token.clone()
            })
        });
        Box::pin(ready(found))
    }

    fn save<'a>(&'a self, key: &'a TokenKey, token: StoredToken) -> BoxFuture<'a, ()> {
        self.with(|tokens| tokens.insert(key.clone(), (token, Instant::now())));
        Box::pin(ready(()))
    }

    fn remove<'a>(&'a self, key: &'a TokenKey, refused: &'a SecretString) -> BoxFuture<'a, ()> {
        self.with(|tokens| {
            let same = |(kept, _): &(StoredToken, _)| {
                kept.token.expose_secret() == refused.expose_secret()
            };
            if tokens.get(key).is_some_and(same) {
                tokens.remove(key);
            }
        });
        Box::pin(ready(()))
    }
}
