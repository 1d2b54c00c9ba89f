//! Tests of signing and verification.
#[cfg(feature = "encrypted-keys")]
mod key_files;
mod key_sets;
#[cfg(feature = "webhooks")]
mod one_bit_changes;
mod over_the_wire;
mod received;
mod requests;
#[cfg(feature = "webhooks")]
mod several_signatures;
