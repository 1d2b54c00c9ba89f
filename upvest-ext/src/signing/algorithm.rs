//! What a key can be: its curve, and with it the way it signs.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA512_ASN1, ED25519, VerificationAlgorithm,
};
use pkcs8::ObjectIdentifier;

/// How a key signs. ECDSA is always over SHA-512 and its signatures are DER (`PROTOCOL` 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on P-521: the one that Upvest documents.
    EcdsaP521,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-256.
    EcdsaP256,
    /// Ed25519.
    Ed25519,
}

impl KeyAlgorithm {
    const ALL: [Self; 4] = [Self::EcdsaP521, Self::EcdsaP384, Self::EcdsaP256, Self::Ed25519];

    /// The name of the curve, as JSON Web Keys have it: `P-521`, `P-384`, `P-256` or `Ed25519`.
    pub fn curve(self) -> &'static str {
        match self {
            Self::EcdsaP521 => "P-521",
            Self::EcdsaP384 => "P-384",
            Self::EcdsaP256 => "P-256",
            Self::Ed25519 => "Ed25519",
        }
    }

    #[cfg(feature = "webhooks")]
    pub(crate) fn from_curve(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.curve() == name)
    }

    /// The object identifier of the curve (SEC 2, RFC 5480), or of the algorithm for Ed25519 (RFC 8410).
    pub(crate) fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::EcdsaP521 => "1.3.132.0.35",
            Self::EcdsaP384 => "1.3.132.0.34",
            Self::EcdsaP256 => "1.2.840.10045.3.1.7",
            Self::Ed25519 => "1.3.101.112",
        })
    }

    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.oid() == oid)
    }

    /// Bytes of a private scalar, and of each coordinate of a point.
    pub(crate) fn field_len(self) -> usize {
        match self {
            Self::EcdsaP521 => 66,
            Self::EcdsaP384 => 48,
            Self::EcdsaP256 | Self::Ed25519 => 32,
        }
    }

    pub(crate) fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EcdsaP521 => &ECDSA_P521_SHA512_ASN1,
            Self::EcdsaP384 => &ECDSA_P384_SHA512_ASN1,
            Self::EcdsaP256 => &ECDSA_P256_SHA512_ASN1,
            Self::Ed25519 => &ED25519,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519 => f.write_str("Ed25519"),
            ecdsa => write!(f, "ECDSA {} with SHA-512", ecdsa.curve()),
        }
    }
}
