//! Keys and key files.

#[cfg(feature = "encrypted-keys")]
mod aes_cbc;
pub(super) mod algorithm;
#[cfg(feature = "encrypted-keys")]
mod encrypted_pkcs8;
pub(super) mod key;
mod key_der;
pub(super) mod key_error;
mod key_file;
pub(super) mod key_set;
#[cfg(feature = "encrypted-keys")]
mod legacy_pem;
mod object_ids;
mod pem;
pub(super) mod public_key;
