//! Reads the DER of the private key from a PEM file.

use pem::Pem;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::algorithm::KeyAlgorithm;
use super::key_error::KeyError;
#[cfg(feature = "encrypted-keys")]
use super::{encrypted_pkcs8, legacy_pem};

/// SEC1 or PKCS#8, wiped when it is dropped.
type Der = Zeroizing<Vec<u8>>;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A key file is a few kilobytes.
const MAX_FILE: usize = 1 << 20;

/// Finds the private key in `pem` and decrypts it.
pub(super) fn read(pem: &[u8], passphrase: Option<&str>) -> Result<(KeyAlgorithm, Der), KeyError> {
    if pem.len() > MAX_FILE {
        return Err(KeyError::Damaged("it is over 1 MiB long"));
    }
    let mut blocks = pem::parse_many(pem).map_err(|_| KeyError::NotPem)?;
    let Some(at) = blocks
        .iter()
        .position(|block| block.tag().ends_with("PRIVATE KEY"))
    else {
        return Err(no_private_key(&blocks));
    };
    let block = blocks.swap_remove(at);
    let label = block.tag().to_owned();
    let dek_info = block.headers().get("DEK-Info").map(str::to_owned);
    let is_encrypted = block
        .headers()
        .get("Proc-Type")
        .is_some_and(|value| value.ends_with("ENCRYPTED"));
    let content = Zeroizing::new(block.into_contents());

    match label.as_str() {
        "EC PRIVATE KEY" if is_encrypted => decrypt_sec1(&content, dek_info.as_deref(), passphrase),
        "EC PRIVATE KEY" => Ok((kind_of_sec1(&content)?, content)),
        "PRIVATE KEY" => Ok((kind_of_pkcs8(&content)?, content)),
        "ENCRYPTED PRIVATE KEY" => decrypt_pkcs8(&content, passphrase),
        other => Err(KeyError::UnsupportedKey(
            other.trim_end_matches(" PRIVATE KEY").to_owned(),
        )),
    }
}

#[cfg(feature = "encrypted-keys")]
fn decrypt_sec1(
    content: &[u8],
    dek_info: Option<&str>,
    passphrase: Option<&str>,
) -> Result<(KeyAlgorithm, Der), KeyError> {
    let passphrase = passphrase.ok_or(KeyError::PassphraseMissing)?;
    let dek_info = dek_info.ok_or(KeyError::Damaged("`Proc-Type` without `DEK-Info`"))?;
    let der = legacy_pem::decrypt(content, dek_info, passphrase)?;
    // About one wrong passphrase in 256 produces valid padding after random bytes.
    let algorithm = kind_of_sec1(&der).map_err(|error| match error {
        KeyError::Damaged(_) => KeyError::WrongPassphrase,
        other => other,
    })?;
    Ok((algorithm, der))
}

#[cfg(feature = "encrypted-keys")]
fn decrypt_pkcs8(
    content: &[u8],
    passphrase: Option<&str>,
) -> Result<(KeyAlgorithm, Der), KeyError> {
    let der = encrypted_pkcs8::decrypt(content, passphrase.ok_or(KeyError::PassphraseMissing)?)?;
    Ok((kind_of_pkcs8(&der)?, der))
}

#[cfg(not(feature = "encrypted-keys"))]
fn decrypt_sec1(
    _: &[u8],
    _: Option<&str>,
    _: Option<&str>,
) -> Result<(KeyAlgorithm, Der), KeyError> {
    Err(KeyError::EncryptionNotBuilt)
}

#[cfg(not(feature = "encrypted-keys"))]
fn decrypt_pkcs8(_: &[u8], _: Option<&str>) -> Result<(KeyAlgorithm, Der), KeyError> {
    Err(KeyError::EncryptionNotBuilt)
}

fn no_private_key(blocks: &[Pem]) -> KeyError {
    match blocks.first().map(Pem::tag) {
        None => KeyError::NotPem,
        Some(label) if label.ends_with("PUBLIC KEY") => KeyError::PublicKey,
        Some(label) => KeyError::NoPrivateKey(label.chars().take(40).collect()),
    }
}

fn kind_of_sec1(der: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let key =
        EcPrivateKey::from_der(der).map_err(|_| KeyError::Damaged("not the DER of RFC 5915"))?;
    let curve = key.parameters.and_then(EcParameters::named_curve);
    kind(curve.ok_or(KeyError::Damaged("it does not name its curve"))?)
}

fn kind_of_pkcs8(der: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let key =
        PrivateKeyInfoRef::from_der(der).map_err(|_| KeyError::Damaged("not the DER of PKCS#8"))?;
    if key.algorithm.oid != EC_PUBLIC_KEY {
        return kind(key.algorithm.oid);
    }
    let curve = key
        .algorithm
        .parameters
        .and_then(|any: AnyRef<'_>| ObjectIdentifier::try_from(any).ok());
    kind(curve.ok_or(KeyError::Damaged("it does not name its curve"))?)
}

/// The algorithm for an object identifier. Common unsupported types are named in the error.
fn kind(oid: ObjectIdentifier) -> Result<KeyAlgorithm, KeyError> {
    let name = match oid.to_string().as_str() {
        "1.3.132.0.35" => return Ok(KeyAlgorithm::EcdsaP521),
        "1.3.101.112" => return Ok(KeyAlgorithm::Ed25519),
        "1.3.132.0.34" => "P-384",
        "1.2.840.10045.3.1.7" => "P-256",
        "1.2.840.113549.1.1.1" => "RSA",
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.33" => "P-224",
        "1.2.840.10045.3.1.1" => "P-192",
        "1.3.101.113" => "Ed448",
        "1.3.101.110" => "X25519",
        other => other,
    }
    .to_owned();
    Err(KeyError::UnsupportedKey(name))
}
