//! The key under which a call that changes something may be sent more than once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::{Ambient, OsRandom, random_uuid};

/// Names one logical call: the server carries out one request under it, however often it arrives.
///
/// Operations that take a key get a fresh one for each call by themselves, the same on every attempt. Make one by hand to
/// survive a crash: store it with the order before the call, and send the same body under the same key again afterwards.
/// Upvest remembers a key for at least 24 hours (PROTOCOL 4).
///
/// ```
/// use upvest_ext::{CallOptions, IdempotencyKey};
///
/// let key = IdempotencyKey::generate();
/// let stored = key.to_string(); // write this down, together with the order, before the call
///
/// // ... the process dies, another one starts ...
/// let key: IdempotencyKey = stored.parse()?;
/// let options = CallOptions::new().idempotency_key(key); // and send the stored order once more
/// # let _ = options;
/// # Ok::<(), upvest_ext::InvalidIdempotencyKey>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(Uuid);

impl IdempotencyKey {
    /// A new random key (UUID version 4), from the operating system's generator.
    pub fn generate() -> Self {
        Self(random_uuid(&OsRandom))
    }

    /// Takes a UUID that was chosen elsewhere. Two different calls must never share one.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID itself.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    pub(crate) fn generate_with(ambient: &Ambient) -> Self {
        Self(random_uuid(ambient.random.as_ref()))
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

/// A text that is no idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is a UUID, such as 0b8f1c5e-6f0a-4b7d-9c3e-2a4d5e6f7081")]
pub struct InvalidIdempotencyKey(());
