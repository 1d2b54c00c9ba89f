//! Idempotency keys, with which a call that changes something may be sent more than once.

crate::id! {
    /// Identifies a call: the server carries it out only once, even if it receives it several times.
    ///
    /// To survive a crash, generate one yourself, store it with the order before the call, and send the same body with
    /// the same key again after a restart. Different calls must never share one. Upvest remembers a key for at least 24
    /// hours (PROTOCOL 4).
    ///
    /// ```
    /// use upvest_runtime::IdempotencyKey;
    ///
    /// let key = IdempotencyKey::generate();
    /// let stored = key.to_string(); // store this together with the order before the call
    /// assert_eq!(stored.parse(), Ok(key));
    /// ```
    IdempotencyKey
}

impl IdempotencyKey {
    /// A new random key (UUID version 4) from the operating system's random numbers.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub fn generate() -> Self {
        let mut bytes = [0; 16];
        // `Uuid::new_v4` is not used, because its source depends on features that any other crate can enable.
        getrandom::fill(&mut bytes).expect("the operating system should provide random numbers");
        Self::new(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}
