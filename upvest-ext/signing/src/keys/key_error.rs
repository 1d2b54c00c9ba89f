//! Why a key could not be read.

use super::algorithm::KeyAlgorithm;

/// Why a key could not be read. The message never contains any part of the key.
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
    #[error("the passphrase is wrong, or the file is damaged")]
    WrongPassphrase,
    /// The key is encrypted in a way that is not supported, or that would take too long to decrypt. The message has the
    /// command of OpenSSL that converts the file.
    #[error("the key is encrypted with {0}, which is not supported: `{command}` converts the file", command = command(.0))]
    UnsupportedEncryption(String),
    /// The file has a format that is not supported. The message has the command that converts it.
    #[error("{format} cannot be read: {remedy}")]
    UnsupportedFormat {
        /// What the file contains.
        format: &'static str,
        /// The command that converts the file, or makes another one.
        remedy: &'static str,
    },
    /// The key is encrypted, and the feature `encrypted-keys` is not enabled.
    #[error(
        "the key is encrypted, and this program was built without the feature `encrypted-keys`"
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
    /// The numbers are not a valid key for their curve, or the point has a small order.
    #[error("not a valid key for {0}")]
    Invalid(KeyAlgorithm),
    /// The text has no PEM block `PUBLIC KEY`.
    #[error("no PEM block `PUBLIC KEY` found; `openssl pkey -in KEY -pubout` writes one")]
    NoPublicKey,
    /// The public key is not for P-521, P-384, P-256 or Ed25519.
    #[error("the block `PUBLIC KEY` does not contain a key for P-521, P-384, P-256 or Ed25519")]
    UnsupportedPublicKey,
    /// The text is not a JSON Web Key Set, or it has more than 100 keys or 1 MiB.
    #[error(
        "not a JSON Web Key Set: an object with a list `keys` of at most 100 entries, and at most 1 MiB"
    )]
    InvalidKeySet,
}

/// The command that encrypts the key with AES-256 instead.
fn command(encryption: &str) -> &'static str {
    // OpenSSL 3 has these ciphers in its legacy provider only.
    let legacy = [
        "DES", "RC2", "RC4", "RC5", "IDEA", "SEED", "BF", "Blowfish", "CAST5",
    ];
    let mut words = encryption.split([' ', '-']);
    if words.any(|word| legacy.contains(&word)) && !encryption.starts_with("DES-EDE") {
        "openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in KEY -out NEW"
    } else {
        "openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW"
    }
}
