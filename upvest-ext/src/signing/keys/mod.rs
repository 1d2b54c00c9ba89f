//! Keys: what they can be, and their files.

pub(super) mod algorithm;
pub(super) mod key;
pub(super) mod key_error;
mod key_file;
mod legacy_pem;
pub(super) mod public_key;
