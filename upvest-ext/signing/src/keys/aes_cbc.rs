//! AES-CBC with the padding of PKCS#7.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

/// The length of a block and of the initialization vector, in bytes.
pub(super) const BLOCK: usize = 16;

/// Decrypts `data` with a key of 16, 24 or 32 bytes. `None` if the padding is wrong, which a wrong key causes.
pub(super) fn decrypt(key: &[u8], iv: [u8; BLOCK], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        _ => &AES_256,
    };
    let key = UnboundCipherKey::new(algorithm, key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let mut buffer = Zeroizing::new(data.to_vec());
    let len = key.decrypt(&mut buffer, context).ok()?.len();
    buffer.truncate(len);
    Some(buffer)
}
