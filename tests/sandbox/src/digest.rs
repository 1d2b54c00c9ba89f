//! The first half of a SHA-256: enough to tell things apart that nobody tries to confuse.

use sha2::{Digest as _, Sha256};

/// Of all parts, one after another.
pub(crate) fn short_digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut short = [0; 16];
    short.iter_mut().zip(hash.finalize().iter()).for_each(|(byte, digest)| *byte = *digest);
    short
}
