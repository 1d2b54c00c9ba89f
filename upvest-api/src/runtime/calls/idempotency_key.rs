//! The key under which a call that changes something may be sent more than once.

use crate::runtime::values::id::id;

id! {
    /// Names one logical call: the server carries out one request under it, however often it arrives.
    ///
    /// Make one by hand to survive a crash: store it with the order before the call, and send the same body under the same key
    /// again afterwards. Two different calls must never share one. Upvest remembers a key for at least 24 hours (PROTOCOL 4).
    ///
    /// ```
    /// use upvest_api::IdempotencyKey;
    ///
    /// let key = IdempotencyKey::generate();
    /// let stored = key.to_string(); // write this down, together with the order, before the call
    /// assert_eq!(stored.parse(), Ok(key));
    /// ```
    IdempotencyKey
}

impl IdempotencyKey {
    /// A new random key (UUID version 4), drawn from the operating system.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub fn generate() -> Self {
        let mut bytes = [0; 16];
        // `Uuid::new_v4` would not do: its source depends on features that any other crate can switch on.
        getrandom::fill(&mut bytes).expect("an operating system has random numbers");
        Self::new(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}
