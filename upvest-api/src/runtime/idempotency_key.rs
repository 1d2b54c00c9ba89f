//! The key under which a call that changes something may be sent more than once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names one logical call: the server carries out one request under it, however often it arrives.
///
/// Make one by hand to survive a crash: store it with the order before the call, and send the same body under the same key
/// again afterwards. Upvest remembers a key for at least 24 hours (PROTOCOL 4).
///
/// ```
/// use upvest_api::IdempotencyKey;
///
/// let key = IdempotencyKey::generate();
/// let stored = key.to_string(); // write this down, together with the order, before the call
/// assert_eq!(stored.parse(), Ok(key));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(Uuid);

impl IdempotencyKey {
    /// A new random key (UUID version 4), drawn from the operating system.
    pub fn generate() -> Self {
        let mut bytes = [0; 16];
        // `Uuid::new_v4` would not do: its source depends on features that any other crate can switch on.
        getrandom::fill(&mut bytes).expect("an operating system has random numbers");
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Takes a UUID that was chosen elsewhere. Two different calls must never share one.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID itself.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({})", self.0)
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidIdempotencyKey(()))
    }
}

impl From<Uuid> for IdempotencyKey {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

/// A text that is not an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is a UUID, such as 0b8f1c5e-6f0a-4b7d-9c3e-2a4d5e6f7081")]
pub struct InvalidIdempotencyKey(());
