//! Decrypts PKCS#8 as written by `openssl pkcs8 -topk8` and `openssl genpkey -aes256` (PBES2 of RFC 8018).
//!
//! aws-lc-rs implements AES and PBKDF2. Algorithms that aws-lc-rs lacks, such as scrypt and PBKDF2 with HMAC-SHA-224,
//! are rejected by name.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use der::asn1::{AnyRef, OctetStringRef};
use der::{Reader as _, SliceReader, Tag};
use zeroize::Zeroizing;

use super::aes_cbc::{self, BLOCK};
use super::key_der::Algorithm;
use super::key_error::KeyError;
use super::object_ids::encryption_name;

/// Limits what a hostile file can cost: a few seconds of PBKDF2. By default, OpenSSL uses 2,048 iterations.
const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;

const DAMAGED: KeyError = KeyError::Damaged("the parameters of its encryption cannot be read");

/// RFC 8018 appendix A.4.
struct Pbes2<'a> {
    derivation: Derivation<'a>,
    key_len: usize,
    iv: [u8; BLOCK],
}

/// How the key is derived from the passphrase: by PBKDF2.
struct Derivation<'a> {
    hmac: pbkdf2::Algorithm,
    rounds: NonZeroU32,
    salt: &'a [u8],
}

pub(super) fn decrypt(
    encryption: &Algorithm<'_>,
    data: &[u8],
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let scheme = read_scheme(encryption)?;
    let passphrase = passphrase.ok_or(KeyError::PassphraseMissing)?.as_bytes();
    let mut key = Zeroizing::new(vec![0; scheme.key_len]);
    let Derivation { hmac, rounds, salt } = scheme.derivation;
    pbkdf2::derive(hmac, rounds, salt, passphrase, &mut key);
    aes_cbc::decrypt(&key, scheme.iv, data).ok_or(KeyError::WrongPassphrase)
}

fn read_scheme<'a>(encryption: &Algorithm<'a>) -> Result<Pbes2<'a>, KeyError> {
    if encryption.id.to_string() != "1.2.840.113549.1.5.13" {
        return Err(unsupported(encryption));
    }
    let (derivation, cipher) = read_pair(encryption.parameters).ok_or(DAMAGED)?;
    let (key_len, iv) = read_cipher(&cipher)?;
    let derivation = match derivation.id.to_string().as_str() {
        "1.2.840.113549.1.5.12" => read_pbkdf2(derivation.parameters, key_len)?,
        _ => return Err(unsupported(&derivation)),
    };
    Ok(Pbes2 {
        derivation,
        key_len,
        iv,
    })
}

fn unsupported(algorithm: &Algorithm<'_>) -> KeyError {
    KeyError::UnsupportedEncryption(encryption_name(algorithm.id))
}

fn read_pair(parameters: Option<AnyRef<'_>>) -> Option<(Algorithm<'_>, Algorithm<'_>)> {
    let mut fields = SliceReader::new(parameters?.value()).ok()?;
    let derivation = Algorithm::read(&mut fields).ok()?;
    let cipher = Algorithm::read(&mut fields).ok()?;
    Some((derivation, cipher))
}

/// The length of the key, and the initialization vector.
fn read_cipher(cipher: &Algorithm<'_>) -> Result<(usize, [u8; BLOCK]), KeyError> {
    let key_len = match cipher.id.to_string().as_str() {
        "2.16.840.1.101.3.4.1.2" => 16,
        "2.16.840.1.101.3.4.1.22" => 24,
        "2.16.840.1.101.3.4.1.42" => 32,
        _ => return Err(unsupported(cipher)),
    };
    let iv = cipher
        .parameters
        .and_then(|iv| iv.decode_as::<&OctetStringRef>().ok())
        .and_then(|iv| iv.as_bytes().try_into().ok());
    Ok((key_len, iv.ok_or(DAMAGED)?))
}

/// RFC 8018 appendix A.2.
fn read_pbkdf2(parameters: Option<AnyRef<'_>>, key_len: usize) -> Result<Derivation<'_>, KeyError> {
    let mut fields = fields(parameters)?;
    let salt: &OctetStringRef = fields.decode().map_err(|_| DAMAGED)?;
    let rounds: u64 = fields.decode().map_err(|_| DAMAGED)?;
    check_key_len(&mut fields, key_len)?;
    let hmac = if fields.is_finished() {
        pbkdf2::PBKDF2_HMAC_SHA1
    } else {
        read_hmac(&mut fields)?
    };
    let rounds = u32::try_from(rounds)
        .ok()
        .filter(|rounds| *rounds <= MAX_PBKDF2_ROUNDS)
        .ok_or_else(|| {
            KeyError::UnsupportedEncryption(format!(
                "{rounds} rounds of PBKDF2, more than the limit of {MAX_PBKDF2_ROUNDS}"
            ))
        })?;
    Ok(Derivation {
        hmac,
        rounds: NonZeroU32::new(rounds).ok_or(DAMAGED)?,
        salt: salt.as_bytes(),
    })
}

fn read_hmac(fields: &mut SliceReader<'_>) -> Result<pbkdf2::Algorithm, KeyError> {
    let hmac = Algorithm::read(fields).map_err(|_| DAMAGED)?;
    match hmac.id.to_string().as_str() {
        "1.2.840.113549.2.7" => Ok(pbkdf2::PBKDF2_HMAC_SHA1),
        "1.2.840.113549.2.9" => Ok(pbkdf2::PBKDF2_HMAC_SHA256),
        "1.2.840.113549.2.10" => Ok(pbkdf2::PBKDF2_HMAC_SHA384),
        "1.2.840.113549.2.11" => Ok(pbkdf2::PBKDF2_HMAC_SHA512),
        _ => Err(unsupported(&hmac)),
    }
}

fn fields(parameters: Option<AnyRef<'_>>) -> Result<SliceReader<'_>, KeyError> {
    let parameters = parameters.ok_or(DAMAGED)?;
    SliceReader::new(parameters.value()).map_err(|_| DAMAGED)
}

/// The length of the key can be repeated in the parameters.
fn check_key_len(fields: &mut SliceReader<'_>, key_len: usize) -> Result<(), KeyError> {
    if Tag::peek(fields).ok() != Some(Tag::Integer) {
        return Ok(());
    }
    let repeated: u32 = fields.decode().map_err(|_| DAMAGED)?;
    if usize::try_from(repeated) == Ok(key_len) {
        Ok(())
    } else {
        Err(DAMAGED)
    }
}
