//! Decrypts PKCS#8 as written by `openssl pkcs8 -topk8` and `openssl genpkey -aes256` (PBES2 of RFC 8018).

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::{EncryptionScheme, pbes2};
use zeroize::Zeroizing;

use super::key_error::KeyError;

/// Limits what a hostile file can cost: a few seconds of PBKDF2, or 1 GiB of scrypt. OpenSSL writes 2,048 rounds and 16 MiB.
const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
pub(super) fn decrypt(der: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // A parse error means a damaged file, or an algorithm that the parser does not know.
    let key = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| {
        KeyError::UnsupportedEncryption("something other than PBES2 with AES".to_owned())
    })?;
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
    let too_dear = |what: &str| {
        Err(KeyError::UnsupportedEncryption(format!(
            "{what} at too high a cost"
        )))
    };
    match kdf {
        pbes2::Kdf::Pbkdf2(parameters) if parameters.iteration_count > MAX_PBKDF2_ROUNDS => {
            too_dear("PBKDF2")
        }
        pbes2::Kdf::Scrypt(parameters) => {
            let factors = [
                parameters.cost_parameter,
                parameters.block_size.into(),
                parameters.parallelization.into(),
            ];
            let bytes = factors.into_iter().try_fold(128_u64, u64::checked_mul);
            if bytes.is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES) {
                Ok(())
            } else {
                too_dear("scrypt")
            }
        }
        _ => Ok(()),
    }
}
