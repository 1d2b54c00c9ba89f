//! Random ids.

use uuid::Uuid;

/// 128 random bits of the operating system, as a UUID of version 4. A generator with its state in the process would
/// repeat itself after `fork`, and `Uuid::new_v4` uses one if any other crate enables it.
pub(crate) fn random_uuid() -> Uuid {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("an operating system has random numbers");
    uuid::Builder::from_random_bytes(bits).into_uuid()
}
