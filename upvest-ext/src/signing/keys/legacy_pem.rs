//! Decrypts PEM as written by `openssl ec -aes256`: headers of RFC 1421 section 4.6.1.1, and OpenSSL's own key derivation.

use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use aes::{Aes128, Aes192, Aes256};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::key_error::KeyError;

const BLOCK: usize = 16;

/// Decrypts the content of a block whose `DEK-Info` header is `dek_info`.
pub(super) fn decrypt(
    content: &[u8],
    dek_info: &str,
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (cipher, iv) = dek_info
        .split_once(',')
        .ok_or(KeyError::Damaged("`DEK-Info` has no IV"))?;
    let key_len = match cipher.trim() {
        "AES-128-CBC" => 16,
        "AES-192-CBC" => 24,
        "AES-256-CBC" => 32,
        other => {
            return Err(KeyError::UnsupportedEncryption(
                other.chars().take(40).collect(),
            ));
        }
    };
    let iv = unhex(iv.trim()).ok_or(KeyError::Damaged(
        "the IV of `DEK-Info` is not 16 bytes in hex",
    ))?;
    let key = derive(passphrase.as_bytes(), &iv, key_len);
    let mut buffer = Zeroizing::new(content.to_vec());
    let len = match key_len {
        16 => open::<Aes128>(&key, &iv, &mut buffer),
        24 => open::<Aes192>(&key, &iv, &mut buffer),
        _ => open::<Aes256>(&key, &iv, &mut buffer),
    }
    .ok_or(KeyError::WrongPassphrase)?;
    buffer.truncate(len);
    Ok(buffer)
}

/// OpenSSL's `EVP_BytesToKey` with MD5, one round, and the first 8 bytes of the initialization vector as salt.
fn derive(passphrase: &[u8], iv: &[u8; BLOCK], len: usize) -> Zeroizing<Vec<u8>> {
    let (salt, _) = iv.split_at(8);
    let mut key = Zeroizing::new(Vec::with_capacity(2 * BLOCK));
    let mut last = Zeroizing::new(Vec::with_capacity(BLOCK));
    while key.len() < len {
        let block = Md5::new()
            .chain_update(&*last)
            .chain_update(passphrase)
            .chain_update(salt)
            .finalize();
        last.clear();
        last.extend_from_slice(&block);
        key.extend_from_slice(&block);
    }
    key.truncate(len);
    key
}

fn open<C>(key: &[u8], iv: &[u8; BLOCK], buffer: &mut [u8]) -> Option<usize>
where
    cbc::Decryptor<C>: aes::cipher::KeyIvInit + aes::cipher::BlockModeDecrypt,
    C: aes::cipher::BlockCipherDecrypt,
{
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    cipher.decrypt_padded::<Pkcs7>(buffer).ok().map(<[u8]>::len)
}

fn unhex(text: &str) -> Option<[u8; BLOCK]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * BLOCK || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}
