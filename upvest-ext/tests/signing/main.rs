//! Signatures: made, verified, and broken.
#[cfg(feature = "webhooks")]
#[path = "../common/fuzz.rs"]
mod fuzz;
#[cfg(feature = "webhooks")]
mod fuzz_keys;
#[cfg(feature = "encrypted-keys")]
mod key_files;
#[cfg(feature = "webhooks")]
mod one_bit_changes;
mod over_the_wire;
mod received;
mod requests;
