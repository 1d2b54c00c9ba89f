//! What every sandbox has from the start: a signing key, and an account group.

use uuid::Uuid;

/// The private key of the default client. Only sandboxes accept it.
pub(crate) const KEY: &str = include_str!("../demo-key.pem");
/// The same key, encrypted with [`PASSPHRASE`], for loading an encrypted key as in production.
pub(crate) const ENCRYPTED_KEY: &str = include_str!("../demo-key.encrypted.pem");
pub(crate) const PASSPHRASE: &str = "sandbox";
/// The id of the default account group.
pub(crate) const ACCOUNT_GROUP: Uuid = uuid::uuid!("d9a1c5e0-6b1f-4e0a-8d6c-2f6f1c7a9b10");
