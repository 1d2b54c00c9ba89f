//! A public key: verifies signatures, and can be written for onboarding.

use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::KeyAlgorithm;
use super::key_error::KeyError;
use super::pem::{self, PemText};

/// The points of small order on Edwards25519, without their sign bit: with such a key, forged signatures verify.
const SMALL_ORDER: [&str; 5] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "7P///////////////////////////////////////38=",
    "JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=",
    "xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=",
];

/// A valid public key: its point is on its curve.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// Reads an uncompressed point (`04 || x || y`), or the 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Invalid`] if the bytes are anything else, such as a point off the curve, or an Ed25519 point of
    /// small order.
    pub fn from_bytes(algorithm: KeyAlgorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        // aws-lc also accepts compressed points and SPKI documents. Only one encoding is allowed here.
        let expected = match algorithm {
            KeyAlgorithm::Ed25519 => 32,
            ecdsa => 1 + 2 * ecdsa.field_len(),
        };
        if bytes.len() != expected
            || (algorithm == KeyAlgorithm::Ed25519 && is_of_small_order(bytes))
        {
            return Err(KeyError::Invalid(algorithm));
        }
        let parsed = ParsedPublicKey::new(algorithm.verification(), bytes)
            .map_err(|_| KeyError::Invalid(algorithm))?;
        Ok(Self { algorithm, parsed })
    }

    /// Reads a public key from PEM (`BEGIN PUBLIC KEY`), as [`PublicKey::to_pem`] and `openssl pkey -pubout` write it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] with the reason.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let text = PemText::new(pem.as_ref());
        let blocks = text.blocks();
        let block = blocks.iter().find(|block| block.label == "PUBLIC KEY");
        let body = block.and_then(|block| block.decode().ok());
        let der = body.ok_or(KeyError::NoPublicKey)?.content;
        let known = |kind: &KeyAlgorithm| Some((*kind, der.strip_prefix(kind.spki_prefix())?));
        let key = KeyAlgorithm::ALL.iter().find_map(known);
        let (algorithm, point) = key.ok_or(KeyError::UnsupportedPublicKey)?;
        Self::from_bytes(algorithm, point)
    }

    /// The algorithm of the key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The uncompressed point (`04 || x || y`), or the 32 bytes of an Ed25519 key.
    pub fn as_bytes(&self) -> &[u8] {
        self.parsed.as_ref()
    }

    /// Whether `signature` (DER for ECDSA) is a signature of `message` by the matching private key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }

    /// The key as PEM (`BEGIN PUBLIC KEY`), as `openssl pkey -pubout` writes it.
    pub fn to_pem(&self) -> String {
        let der = [self.algorithm.spki_prefix(), self.as_bytes()].concat();
        pem::encode("PUBLIC KEY", &der)
    }

    /// The encoding that Upvest asks for during onboarding: PEM for ECDSA, the 32 bytes in base64 for Ed25519
    /// (`PROTOCOL` 1.6).
    pub fn for_onboarding(&self) -> String {
        match self.algorithm {
            KeyAlgorithm::Ed25519 => STANDARD.encode(self.as_bytes()),
            _ => self.to_pem(),
        }
    }
}

fn is_of_small_order(bytes: &[u8]) -> bool {
    let mut y = bytes.to_vec();
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&&*STANDARD.encode(y))
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey")
            .field(&self.algorithm)
            .field(&STANDARD.encode(self.as_bytes()))
            .finish()
    }
}
