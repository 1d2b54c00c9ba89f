//! A digest of 128 bits: the first half of SHA-256.

use sha2::{Digest as _, Sha256};

/// The digest of the concatenated parts.
pub(crate) fn short_digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut short = [0; 16];
    short
        .iter_mut()
        .zip(hash.finalize().iter())
        .for_each(|(byte, digest)| *byte = *digest);
    short
}
