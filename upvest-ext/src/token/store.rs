//! A place for tokens that outlives a client, or is shared by several.

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

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenKey {
    /// The base URL of the API.
    pub server: String,
    /// The client that the token was issued to.
    pub client_id: String,
    /// What the token is good for.
    pub scopes: Scopes,
}

/// A token as a store keeps it.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token itself.
    pub token: SecretString,
    /// How long it still lives. The store measures it, so that the clocks of those who share it may differ.
    pub left: Duration,
    /// How long it lived when it was new.
    pub lifetime: Duration,
}

/// The answer to a claim of [`TokenStore::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenClaim {
    /// The caller asks Upvest, and releases this claim afterwards. The id is random, and new each time.
    Ours(Uuid),
    /// Another process is asking.
    Busy,
    /// The store keeps no claims, or cannot be reached: the caller asks Upvest without one.
    Unavailable,
}

/// Keeps tokens for several clients of one process, or for several processes.
///
/// Each client keeps its current tokens in memory by itself. It looks here before it asks Upvest for one, and leaves here
/// what it got. A store that fails should behave like an empty one, so that it never costs a call.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// The token for `key`, if there is one.
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Option<StoredToken>>;

    /// Keeps `token` for `key` in the place of any other.
    fn save<'a>(&'a self, key: &'a TokenKey, token: StoredToken) -> BoxFuture<'a, ()>;

    /// Forgets `refused`, which the server no longer takes; a newer token for the same key stays.
    fn remove<'a>(&'a self, key: &'a TokenKey, refused: &'a SecretString) -> BoxFuture<'a, ()>;

    /// Claims the right to ask Upvest for a token for `key`, so that of many processes one asks and the others wait for what it
    /// saves. A claim lapses after `lease`: its holder may die.
    ///
    /// A store that is not shared by processes can leave this as it is: every client asks for itself.
    fn claim<'a>(&'a self, key: &'a TokenKey, lease: Duration) -> BoxFuture<'a, TokenClaim> {
        let _ = (key, lease);
        Box::pin(ready(TokenClaim::Unavailable))
    }

    /// Gives back a claim, whether or not a token was saved. Does nothing if `claim` has lapsed.
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
            Some(StoredToken { left: token.left.checked_sub(since.elapsed())?, ..token.clone() })
        });
        Box::pin(ready(found))
    }

    fn save<'a>(&'a self, key: &'a TokenKey, token: StoredToken) -> BoxFuture<'a, ()> {
        self.with(|tokens| tokens.insert(key.clone(), (token, Instant::now())));
        Box::pin(ready(()))
    }

    fn remove<'a>(&'a self, key: &'a TokenKey, refused: &'a SecretString) -> BoxFuture<'a, ()> {
        self.with(|tokens| {
            let same = |(kept, _): &(StoredToken, _)| kept.token.expose_secret() == refused.expose_secret();
            if tokens.get(key).is_some_and(same) {
                tokens.remove(key);
            }
        });
        Box::pin(ready(()))
    }
}
