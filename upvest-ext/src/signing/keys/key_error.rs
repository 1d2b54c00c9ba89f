//! Why a file is not a signing key.

use super::algorithm::KeyAlgorithm;

/// Why a private key could not be read. Says what is wrong with the file, never what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no PEM block in the input.
    #[error("no PEM block (`-----BEGIN ...-----`) found")]
    NotPem,
    /// There are PEM blocks, and none is a private key.
    #[error("no private key among the PEM blocks; found `{0}`")]
    NoPrivateKey(String),
    /// The file holds the public half only.
    #[error("this is a public key; signing needs the private key")]
    PublicKey,
    /// The key is encrypted and no passphrase was given.
    #[error("the key is encrypted and no passphrase was given")]
    PassphraseMissing,
    /// The key does not open with the passphrase.
    #[error("the passphrase does not open the key, or the file is damaged")]
    WrongPassphrase,
    /// The key is encrypted in a way that is not supported.
    #[error("the key is encrypted with {0}, which is not supported")]
    UnsupportedEncryption(String),
    /// The key is encrypted, and this program was built without what opens it.
    #[error(
        "the key is encrypted, and this program was built without the feature `encrypted-keys` of upvest-ext"
    )]
    EncryptionNotBuilt,
    /// The key is of a kind that Upvest does not accept.
    #[error(
        "Upvest does not accept {0} keys: use P-521 (`openssl ecparam -name secp521r1 -genkey`) or Ed25519"
    )]
    UnsupportedKey(String),
    /// The PEM block does not hold what its label says.
    #[error("the private key is damaged: {0}")]
    Damaged(&'static str),
    /// The id of the key is empty, or holds characters that no header can carry.
    #[error("a key id is made of letters, digits and `-._`, such as the UUID that Upvest gave the key")]
    InvalidId,
    /// The numbers in the file are no key on its curve.
    #[error("the file holds no valid key for {0}")]
    Invalid(KeyAlgorithm),
}
