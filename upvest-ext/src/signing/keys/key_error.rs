//! Why a signing key could not be read.

use super::algorithm::KeyAlgorithm;

/// Why a private key could not be read. The message never contains any part of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no PEM block in the input.
    #[error("no PEM block (`-----BEGIN ...-----`) found")]
    NotPem,
    /// There are PEM blocks, and none is a private key.
    #[error("no private key among the PEM blocks; found `{0}`")]
    NoPrivateKey(String),
    /// The file holds only the public key.
    #[error("this is a public key; signing needs the private key")]
    PublicKey,
    /// The key is encrypted and no passphrase was given.
    #[error("the key is encrypted and no passphrase was given")]
    PassphraseMissing,
    /// The passphrase does not decrypt the key.
    #[error("the passphrase does not open the key, or the file is damaged")]
    WrongPassphrase,
    /// The key is encrypted in a way that is not supported.
    #[error("the key is encrypted with {0}, which is not supported")]
    UnsupportedEncryption(String),
    /// The key is encrypted, and the feature `encrypted-keys` is not enabled.
    #[error(
        "the key is encrypted, and this program was built without the feature `encrypted-keys` of upvest-ext"
    )]
    EncryptionNotBuilt,
    /// Upvest does not accept keys of this type.
    #[error(
        "Upvest does not accept {0} keys: use P-521 (`openssl ecparam -name secp521r1 -genkey`) or Ed25519"
    )]
    UnsupportedKey(String),
    /// The content of the PEM block does not match its label.
    #[error("the private key cannot be decoded: {0}")]
    Damaged(&'static str),
    /// The id of the key is empty, or contains characters that are not allowed in the signature header.
    #[error(
        "invalid key id: it may contain only letters, digits and `-._`, as the UUID does that Upvest assigned to the key"
    )]
    InvalidId,
    /// The numbers in the file are not a valid key for its curve.
    #[error("the file does not contain a valid key for {0}")]
    Invalid(KeyAlgorithm),
}
