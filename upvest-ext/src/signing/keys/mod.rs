//! Keys and key files.

pub(super) mod algorithm;
#[cfg(feature = "encrypted-keys")]
mod encrypted_pkcs8;
pub(super) mod key;
pub(super) mod key_error;
mod key_file;
#[cfg(feature = "encrypted-keys")]
mod legacy_pem;
pub(super) mod public_key;
