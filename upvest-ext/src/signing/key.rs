//! A private key in memory.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;

use super::algorithm::KeyAlgorithm;
use super::key_error::KeyError;
use super::key_file::{self, PrivateScalar};
use super::public_key::PublicKey;
use super::signer::{Signer, SignerError, SignerFuture};

/// A private key that signs requests.
///
/// ```
/// use upvest_ext::signing::{KeyAlgorithm, SigningKey};
///
/// let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
/// assert!(key.public_key().to_pem().starts_with("-----BEGIN PUBLIC KEY-----"));
/// # Ok::<(), upvest_ext::signing::KeyError>(())
/// ```
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

/// aws-lc signs P-521 with SHA-512; for the smaller curves it only verifies that pair, hence `RustCrypto`.
enum Pair {
    P521(EcdsaKeyPair),
    P384(p384::ecdsa::SigningKey),
    P256(p256::ecdsa::SigningKey),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a private key from PEM, whatever OpenSSL wrote: SEC1 (with or without `EC PARAMETERS` before it) or PKCS#8,
    /// plain or encrypted (`Proc-Type: 4,ENCRYPTED` with AES-CBC; PBES2 with PBKDF2 or scrypt).
    ///
    /// A passphrase for a key that is not encrypted is ignored.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says what is wrong with the file, such as a wrong passphrase or an unsupported curve.
    pub fn from_pem(pem: impl AsRef<[u8]>, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let (algorithm, scalar) = key_file::read(pem.as_ref(), passphrase)?;
        Self::from_scalar(algorithm, &scalar)
    }

    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Invalid`] where the system has no randomness to give, and for one random number in 2^32 on P-256.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid(algorithm);
        let mut scalar = PrivateScalar::new(vec![0; algorithm.field_len()]);
        aws_lc_rs::rand::fill(&mut scalar).map_err(|_| invalid())?;
        if algorithm == KeyAlgorithm::EcdsaP521 {
            // 521 bits in 66 bytes: the top seven are none of the number's. The rest is below the order but for one in 2^255.
            let first = scalar.first_mut().ok_or_else(invalid)?;
            *first &= 1;
        }
        Self::from_scalar(algorithm, &scalar)
    }

    /// The public half of the key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public.algorithm()
    }

    /// Signs `message` here and now; [`Signer::sign`] does the same.
    ///
    /// # Errors
    ///
    /// [`SignerError`] where the system has no randomness to give.
    pub fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let failed = |_| SignerError::new("the cryptographic library refused to sign");
        Ok(match &self.pair {
            Pair::P521(pair) => pair.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec(),
            Pair::P384(pair) => {
                let signature: p384::ecdsa::Signature =
                    pair.sign_prehash(sha512(message).as_ref()).map_err(SignerError::new)?;
                signature.to_der().as_bytes().to_vec()
            }
            Pair::P256(pair) => {
                let signature: p256::ecdsa::Signature =
                    pair.sign_prehash(sha512(message).as_ref()).map_err(SignerError::new)?;
                signature.to_der().as_bytes().to_vec()
            }
            Pair::Ed25519(pair) => pair.try_sign(message).map_err(failed)?.as_ref().to_vec(),
        })
    }

    fn from_scalar(algorithm: KeyAlgorithm, scalar: &[u8]) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid(algorithm);
        let (pair, public) = match algorithm {
            KeyAlgorithm::EcdsaP521 => {
                let der = key_file::sec1(algorithm, scalar)?;
                let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P521_SHA512_ASN1_SIGNING, &der)
                    .map_err(|_| invalid())?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::P521(pair), public)
            }
            KeyAlgorithm::EcdsaP384 => {
                let pair = p384::ecdsa::SigningKey::from_slice(scalar).map_err(|_| invalid())?;
                let public = pair.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                (Pair::P384(pair), public)
            }
            KeyAlgorithm::EcdsaP256 => {
                let pair = p256::ecdsa::SigningKey::from_slice(scalar).map_err(|_| invalid())?;
                let public = pair.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                (Pair::P256(pair), public)
            }
            KeyAlgorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(scalar).map_err(|_| invalid())?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::Ed25519(pair), public)
            }
        };
        let public = PublicKey::from_bytes(algorithm, &public).map_err(|_| invalid())?;
        Ok(Self { pair, public })
    }
}

fn sha512(message: &[u8]) -> aws_lc_rs::digest::Digest {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, message)
}

impl Signer for SigningKey {
    fn algorithm(&self) -> KeyAlgorithm {
        self.public.algorithm()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> SignerFuture<'a> {
        Box::pin(async move { self.sign_now(message) })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}
