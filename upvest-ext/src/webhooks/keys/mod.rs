//! The keys that Upvest signs deliveries with: a fixed set, or fetched and kept for a while.

pub(super) mod fetch_keys;
pub(super) mod key_cache;
pub(super) mod key_set;
mod verify_keys;
