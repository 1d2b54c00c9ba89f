//! The keys that verify deliveries: a fixed set, or fetched and cached.

pub(super) mod fetch_keys;
pub(super) mod key_cache;
mod verify_keys;
