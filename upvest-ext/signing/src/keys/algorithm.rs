//! The supported curves and signature algorithms.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    VerificationAlgorithm,
};

/// The signature algorithm of a key. ECDSA always uses SHA-512 and signatures in DER (`PROTOCOL` 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on P-521, the algorithm that Upvest documents.
    EcdsaP521,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-256.
    EcdsaP256,
    /// Ed25519.
    Ed25519,
}

impl KeyAlgorithm {
    pub(crate) const ALL: [Self; 4] = [
        Self::EcdsaP521,
        Self::EcdsaP384,
        Self::EcdsaP256,
        Self::Ed25519,
    ];

    /// The name of the curve in JSON Web Keys: `P-521`, `P-384`, `P-256` or `Ed25519`.
    pub fn curve(self) -> &'static str {
        match self {
            Self::EcdsaP521 => "P-521",
            Self::EcdsaP384 => "P-384",
            Self::EcdsaP256 => "P-256",
            Self::Ed25519 => "Ed25519",
        }
    }

    pub(crate) fn from_curve(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.curve() == name)
    }

    /// The start of a public key in DER (`SubjectPublicKeyInfo`: RFC 5480, RFC 8410): everything before the point.
    pub(crate) fn spki_prefix(self) -> &'static [u8] {
        match self {
            Self::EcdsaP521 => b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00",
            Self::EcdsaP384 => b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
            Self::EcdsaP256 => b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
            Self::Ed25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
        }
    }

    /// The length of each coordinate of a point, in bytes.
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
