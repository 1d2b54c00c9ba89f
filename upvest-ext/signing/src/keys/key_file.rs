//! Reads the private key from a PEM file.

use der::Decode as _;
use der::Tagged as _;
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use zeroize::Zeroizing;

use super::algorithm::KeyAlgorithm;
#[cfg(feature = "encrypted-keys")]
use super::encrypted_pkcs8;
use super::key_der::{Algorithm, KeyDer};
use super::key_error::KeyError;
#[cfg(feature = "encrypted-keys")]
use super::legacy_pem;
use super::object_ids::{EC_PUBLIC_KEY, key_name};
use super::pem::{PemBlock, PemBody, PemError, PemText};

/// A key file is a few kilobytes.
const MAX_FILE: usize = 1 << 20;

/// A private key as its algorithm needs it.
pub(super) struct PrivateKey {
    pub(super) algorithm: KeyAlgorithm,
    /// SEC1 for ECDSA, the 32 bytes of the seed for Ed25519.
    pub(super) secret: Zeroizing<Vec<u8>>,
    /// The public key, if a file with Ed25519 has it.
    pub(super) public: Option<Vec<u8>>,
}

/// Finds the private key in `pem` and decrypts it.
pub(super) fn read(pem: &[u8], passphrase: Option<&str>) -> Result<PrivateKey, KeyError> {
    if pem.len() > MAX_FILE {
        return Err(KeyError::Damaged("it is over 1 MiB long"));
    }
    let text = PemText::new(pem);
    let blocks = text.blocks();
    let block = blocks
        .iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"))
        .ok_or_else(|| no_private_key(&blocks))?;
    match block.label {
        "EC PRIVATE KEY" | "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => {
            read_block(&decode(block)?, passphrase)
        }
        "OPENSSH PRIVATE KEY" => Err(openssh(&decode(block)?)),
        other => Err(KeyError::UnsupportedKey(
            other.trim_end_matches(" PRIVATE KEY").to_owned(),
        )),
    }
}

fn no_private_key(blocks: &[PemBlock<'_>]) -> KeyError {
    match blocks.first().map(|block| block.label) {
        None => KeyError::NotPem,
        Some(label) if label.ends_with("PUBLIC KEY") => KeyError::PublicKey,
        Some(label) => KeyError::NoPrivateKey(label.chars().take(40).collect()),
    }
}

fn decode(block: &PemBlock<'_>) -> Result<PemBody, KeyError> {
    block.decode().map_err(|error| match error {
        PemError::NoEnd => KeyError::Damaged("its last line, `-----END ...-----`, is missing"),
        PemError::Base64 => {
            KeyError::Damaged("the text between its first and its last line is not base64")
        }
    })
}

fn openssh(body: &PemBody) -> KeyError {
    let ed25519 = b"ssh-ed25519";
    let is_ed25519 = body
        .content
        .windows(ed25519.len())
        .any(|window| window == ed25519);
    if is_ed25519 {
        KeyError::UnsupportedFormat {
            format: "an Ed25519 key in the format of OpenSSH",
            remedy: "ssh-keygen cannot convert it; `openssl genpkey -algorithm ed25519 -out NEW` generates one that can be read",
        }
    } else {
        KeyError::UnsupportedFormat {
            format: "a key in the format of OpenSSH",
            remedy: "`ssh-keygen -p -m PKCS8 -f KEY` converts the file in place",
        }
    }
}

fn read_block(body: &PemBody, passphrase: Option<&str>) -> Result<PrivateKey, KeyError> {
    if body.is_encrypted {
        let der = decrypt_legacy(&body.content, body.dek_info.as_deref(), passphrase)?;
        return read_decrypted(&der);
    }
    match key_der(&body.content)? {
        KeyDer::Encrypted { encryption, data } => {
            let der = decrypt_pkcs8(&encryption, data, passphrase)?;
            read_decrypted(&der)
        }
        key => read_key(key, &body.content),
    }
}

#[cfg(feature = "encrypted-keys")]
fn decrypt_legacy(
    content: &[u8],
    dek_info: Option<&str>,
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let dek_info = dek_info.ok_or(KeyError::Damaged("`Proc-Type` without `DEK-Info`"))?;
    legacy_pem::decrypt(content, dek_info, passphrase)
}

#[cfg(feature = "encrypted-keys")]
fn decrypt_pkcs8(
    encryption: &Algorithm<'_>,
    data: &[u8],
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    encrypted_pkcs8::decrypt(encryption, data, passphrase)
}

#[cfg(not(feature = "encrypted-keys"))]
fn decrypt_legacy(
    _: &[u8],
    _: Option<&str>,
    _: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    Err(KeyError::EncryptionNotBuilt)
}

#[cfg(not(feature = "encrypted-keys"))]
fn decrypt_pkcs8(
    _: &Algorithm<'_>,
    _: &[u8],
    _: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    Err(KeyError::EncryptionNotBuilt)
}

/// About one wrong passphrase in 256 produces valid padding after random bytes.
fn read_decrypted(der: &[u8]) -> Result<PrivateKey, KeyError> {
    let key = KeyDer::read(der).map_err(|_| KeyError::WrongPassphrase)?;
    read_key(key, der)
}

fn key_der(der: &[u8]) -> Result<KeyDer<'_>, KeyError> {
    KeyDer::read(der).map_err(|_| KeyError::Damaged("it is not the DER of SEC1 or PKCS#8"))
}

fn read_key(key: KeyDer<'_>, der: &[u8]) -> Result<PrivateKey, KeyError> {
    match key {
        KeyDer::Sec1 { curve } => read_sec1(curve, der),
        KeyDer::Pkcs8 {
            algorithm,
            private_key,
            ..
        } if algorithm.id == EC_PUBLIC_KEY => read_sec1(algorithm.parameters, private_key),
        KeyDer::Pkcs8 {
            algorithm,
            private_key,
            public_key,
        } => read_ed25519(algorithm.id, private_key, public_key),
        KeyDer::Rsa => Err(KeyError::UnsupportedKey("RSA".to_owned())),
        KeyDer::Encrypted { .. } => Err(KeyError::Damaged("it is encrypted twice")),
    }
}

fn read_sec1(curve: Option<AnyRef<'_>>, der: &[u8]) -> Result<PrivateKey, KeyError> {
    let algorithm = named_curve(curve)?;
    Ok(PrivateKey {
        algorithm,
        secret: Zeroizing::new(der.to_vec()),
        public: None,
    })
}

/// P-521, the one curve that Upvest accepts.
fn named_curve(curve: Option<AnyRef<'_>>) -> Result<KeyAlgorithm, KeyError> {
    let curve = curve.ok_or(KeyError::Damaged("it does not name its curve"))?;
    if curve.tag() == der::Tag::Sequence {
        return Err(KeyError::UnsupportedFormat {
            format: "a key with explicit curve parameters instead of the name of the curve",
            remedy: "`openssl ec -in KEY -param_enc named_curve -out NEW` converts the file",
        });
    }
    let name = curve
        .decode_as::<ObjectIdentifier>()
        .map_err(|_| KeyError::Damaged("it does not name its curve"))?;
    match key_name(name).as_str() {
        "P-521" => Ok(KeyAlgorithm::EcdsaP521),
        other => Err(KeyError::UnsupportedKey(other.to_owned())),
    }
}

/// RFC 8410 section 7: the seed is an octet string within the octet string.
fn read_ed25519(
    id: ObjectIdentifier,
    private_key: &[u8],
    public_key: Option<&[u8]>,
) -> Result<PrivateKey, KeyError> {
    let name = key_name(id);
    if name != "Ed25519" {
        return Err(KeyError::UnsupportedKey(name));
    }
    let seed = <&OctetStringRef>::from_der(private_key)
        .map_err(|_| KeyError::Damaged("it is not the DER of RFC 8410"))?;
    Ok(PrivateKey {
        algorithm: KeyAlgorithm::Ed25519,
        secret: Zeroizing::new(seed.as_bytes().to_vec()),
        public: public_key.map(<[u8]>::to_vec),
    })
}
