//! From a PEM file to the number that is the private key.

use pem::Pem;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::pkcs5::{EncryptionScheme, pbes2};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::algorithm::KeyAlgorithm;
use super::key_error::KeyError;
use super::legacy_pem;

/// A private scalar, big-endian and as long as its curve's field, or an Ed25519 seed.
pub(super) type PrivateScalar = Zeroizing<Vec<u8>>;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// What a hostile file may cost: a few seconds of PBKDF2, 1 GiB of scrypt. OpenSSL writes 2,048 rounds and 16 MiB.
const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
/// A key file is a few kilobytes.
const MAX_FILE: usize = 1 << 20;

/// Finds the private key in `pem` and opens it.
pub(super) fn read(pem: &[u8], passphrase: Option<&str>) -> Result<(KeyAlgorithm, PrivateScalar), KeyError> {
    if pem.len() > MAX_FILE {
        return Err(KeyError::Damaged("it is over 1 MiB long"));
    }
    let mut blocks = pem::parse_many(pem).map_err(|_| KeyError::NotPem)?;
    let Some(at) = blocks.iter().position(|block| block.tag().ends_with("PRIVATE KEY")) else {
        return Err(no_private_key(&blocks));
    };
    let block = blocks.swap_remove(at);
    let label = block.tag().to_owned();
    let dek_info = block.headers().get("DEK-Info").map(str::to_owned);
    let is_encrypted = block.headers().get("Proc-Type").is_some_and(|value| value.ends_with("ENCRYPTED"));
    let content = Zeroizing::new(block.into_contents());

    match label.as_str() {
        "EC PRIVATE KEY" if is_encrypted => {
            let passphrase = passphrase.ok_or(KeyError::PassphraseMissing)?;
            let dek_info = dek_info.ok_or(KeyError::Damaged("`Proc-Type` without `DEK-Info`"))?;
            let der = legacy_pem::decrypt(&content, &dek_info, passphrase)?;
            from_sec1(&der, None).map_err(|error| match error {
                // One wrong passphrase in 256 leaves a valid padding, with noise before it.
                KeyError::Damaged(_) => KeyError::WrongPassphrase,
                other => other,
            })
        }
        "EC PRIVATE KEY" => from_sec1(&content, None),
        "PRIVATE KEY" => from_pkcs8(&content),
        "ENCRYPTED PRIVATE KEY" => {
            let der = decrypt_pkcs8(&content, passphrase.ok_or(KeyError::PassphraseMissing)?)?;
            from_pkcs8(&der)
        }
        other => Err(KeyError::UnsupportedKey(other.trim_end_matches(" PRIVATE KEY").to_owned())),
    }
}

/// The SEC1 document of a private scalar.
pub(super) fn sec1(algorithm: KeyAlgorithm, scalar: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let parameters = Some(EcParameters::NamedCurve(algorithm.oid()));
    EcPrivateKey { private_key: scalar, parameters, public_key: None }
        .to_der()
        .map(Zeroizing::new)
        .map_err(|_| KeyError::Invalid(algorithm))
}

fn no_private_key(blocks: &[Pem]) -> KeyError {
    match blocks.first().map(Pem::tag) {
        None => KeyError::NotPem,
        Some(label) if label.ends_with("PUBLIC KEY") => KeyError::PublicKey,
        Some(label) => KeyError::NoPrivateKey(label.chars().take(40).collect()),
    }
}

fn from_sec1(der: &[u8], curve: Option<KeyAlgorithm>) -> Result<(KeyAlgorithm, PrivateScalar), KeyError> {
    let key = EcPrivateKey::from_der(der).map_err(|_| KeyError::Damaged("not the DER of RFC 5915"))?;
    let named = key.parameters.and_then(EcParameters::named_curve);
    let algorithm = match (named, curve) {
        (Some(oid), _) => supported_curve(oid)?,
        (None, Some(curve)) => curve,
        (None, None) => return Err(KeyError::Damaged("it does not name its curve")),
    };
    if curve.is_some_and(|curve| curve != algorithm) {
        return Err(KeyError::Damaged("it names two curves"));
    }
    Ok((algorithm, pad(algorithm, key.private_key)?))
}

fn from_pkcs8(der: &[u8]) -> Result<(KeyAlgorithm, PrivateScalar), KeyError> {
    let key = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyError::Damaged("not the DER of PKCS#8"))?;
    let oid = key.algorithm.oid;
    if oid == EC_PUBLIC_KEY {
        let curve = key.algorithm.parameters.and_then(|any: AnyRef<'_>| ObjectIdentifier::try_from(any).ok());
        let curve = curve.ok_or(KeyError::Damaged("it does not name its curve"))?;
        return from_sec1(key.private_key.as_bytes(), Some(supported_curve(curve)?));
    }
    if oid == KeyAlgorithm::Ed25519.oid() {
        let seed = <&OctetStringRef>::from_der(key.private_key.as_bytes())
            .map_err(|_| KeyError::Damaged("not the DER of RFC 8410"))?;
        if seed.as_bytes().len() != KeyAlgorithm::Ed25519.field_len() {
            return Err(KeyError::Invalid(KeyAlgorithm::Ed25519));
        }
        return Ok((KeyAlgorithm::Ed25519, Zeroizing::new(seed.as_bytes().to_vec())));
    }
    Err(KeyError::UnsupportedKey(name_of(oid)))
}

fn decrypt_pkcs8(der: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // What does not parse is damaged, or names an algorithm that the parser does not know.
    let key = EncryptedPrivateKeyInfoRef::from_der(der)
        .map_err(|_| KeyError::UnsupportedEncryption("something other than PBES2 with AES".to_owned()))?;
    let EncryptionScheme::Pbes2(parameters) = &key.encryption_algorithm else {
        return Err(KeyError::UnsupportedEncryption("PBES1".to_owned()));
    };
    affordable(&parameters.kdf)?;
    let document = key.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { oid }) => {
            KeyError::UnsupportedEncryption(oid.to_string())
        }
        _ => KeyError::WrongPassphrase,
    })?;
    Ok(document.to_bytes())
}

fn affordable(kdf: &pbes2::Kdf) -> Result<(), KeyError> {
    let too_dear =
        |what: &str| Err(KeyError::UnsupportedEncryption(format!("an unreasonable cost of {what}")));
    match kdf {
        pbes2::Kdf::Pbkdf2(parameters) if parameters.iteration_count > MAX_PBKDF2_ROUNDS => {
            too_dear("PBKDF2")
        }
        pbes2::Kdf::Scrypt(parameters) => {
            let factors =
                [parameters.cost_parameter, parameters.block_size.into(), parameters.parallelization.into()];
            let bytes = factors.into_iter().try_fold(128_u64, u64::checked_mul);
            if bytes.is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES) { Ok(()) } else { too_dear("scrypt") }
        }
        _ => Ok(()),
    }
}

fn supported_curve(oid: ObjectIdentifier) -> Result<KeyAlgorithm, KeyError> {
    match KeyAlgorithm::from_oid(oid) {
        Some(KeyAlgorithm::Ed25519) | None => Err(KeyError::UnsupportedKey(name_of(oid))),
        Some(curve) => Ok(curve),
    }
}

/// Names for what people have lying about; everything else is called by its number.
fn name_of(oid: ObjectIdentifier) -> String {
    let name = match oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.33" => "P-224",
        "1.2.840.10045.3.1.1" => "P-192",
        "1.3.101.113" => "Ed448",
        "1.3.101.110" => "X25519",
        other => return other.to_owned(),
    };
    name.to_owned()
}

/// Left zero bytes may be missing in files of old tools, or be more than the curve needs.
fn pad(algorithm: KeyAlgorithm, scalar: &[u8]) -> Result<PrivateScalar, KeyError> {
    let len = algorithm.field_len();
    let significant = scalar.iter().position(|byte| *byte != 0).map_or(&[][..], |first| &scalar[first..]);
    if significant.is_empty() || significant.len() > len {
        return Err(KeyError::Invalid(algorithm));
    }
    let mut padded = Zeroizing::new(vec![0; len - significant.len()]);
    padded.reserve_exact(significant.len());
    padded.extend_from_slice(significant);
    Ok(padded)
}
