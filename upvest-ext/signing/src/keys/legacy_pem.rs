//! Decrypts PEM as written by `openssl ec -aes256`: headers of RFC 1421 section 4.6.1.1, and OpenSSL's own key
//! derivation.

use zeroize::Zeroizing;

use super::aes_cbc::{self, BLOCK};
use super::key_error::KeyError;

/// Decrypts the content of a block whose `DEK-Info` header is `dek_info`.
pub(super) fn decrypt(
    content: &[u8],
    dek_info: &str,
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (cipher, iv) = dek_info
        .split_once(',')
        .ok_or(KeyError::Damaged("`DEK-Info` has no IV"))?;
    let key_len = match cipher.to_ascii_uppercase().as_str() {
        "AES-128-CBC" => 16,
        "AES-192-CBC" => 24,
        "AES-256-CBC" => 32,
        other => {
            return Err(KeyError::UnsupportedEncryption(
                other.chars().take(40).collect(),
            ));
        }
    };
    let iv = unhex(iv).ok_or(KeyError::Damaged(
        "the IV of `DEK-Info` is not 16 bytes in hex",
    ))?;
    let passphrase = passphrase.ok_or(KeyError::PassphraseMissing)?;
    let key = derive(passphrase.as_bytes(), iv, key_len);
    aes_cbc::decrypt(&key, iv, content).ok_or(KeyError::WrongPassphrase)
}

/// OpenSSL's `EVP_BytesToKey` with MD5, one round, and the first 8 bytes of the initialization vector as salt.
///
/// MD5 comes from the crate `md5`, which has no dependencies, because aws-lc-rs does not offer it.
fn derive(passphrase: &[u8], iv: [u8; BLOCK], len: usize) -> Zeroizing<Vec<u8>> {
    let (salt, _) = iv.split_at(8);
    let mut key = Zeroizing::new(Vec::with_capacity(2 * BLOCK));
    let mut last = Zeroizing::new(Vec::with_capacity(BLOCK));
    while key.len() < len {
        let mut context = md5::Context::new();
        context.consume(&*last);
        context.consume(passphrase);
        context.consume(salt);
        let block = Zeroizing::new(context.finalize().0);
        last.clear();
        last.extend_from_slice(&*block);
        key.extend_from_slice(&*block);
    }
    key.truncate(len);
    key
}

fn unhex(text: &str) -> Option<[u8; BLOCK]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * BLOCK || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}
