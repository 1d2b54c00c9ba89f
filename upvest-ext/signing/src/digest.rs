//! The digest of a body, in the form of each signature version.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::base::SignatureVersion;
use super::signature_input::find_bytes;

/// Why a digest header does not match a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestError {
    Unsupported,
    Mismatch,
}

/// The value of the digest header: `content-digest: sha-512=:...:` or `digest: SHA-256=...`.
pub(crate) fn digest_header(version: SignatureVersion, body: &[u8]) -> String {
    match version {
        SignatureVersion::V6 => format!("SHA-256={}", STANDARD.encode(digest(&SHA256, body))),
        SignatureVersion::V15 => format!("sha-512=:{}:", STANDARD.encode(digest(&SHA512, body))),
    }
}

/// Checks a digest header against the body. Neither is secret, so the comparison need not take constant time.
pub(crate) fn check_digest(
    version: SignatureVersion,
    header: &str,
    body: &[u8],
) -> Result<(), DigestError> {
    let (claimed, actual) = match version {
        SignatureVersion::V6 => (legacy_sha256(header), digest(&SHA256, body)),
        SignatureVersion::V15 => (
            find_bytes(header, "sha-512")
                .map_err(|_| DigestError::Mismatch)?
                .ok_or(DigestError::Unsupported),
            digest(&SHA512, body),
        ),
    };
    if claimed? == actual.as_ref() {
        Ok(())
    } else {
        Err(DigestError::Mismatch)
    }
}

/// RFC 3230 section 4.3.2: `algorithm=value`, comma-separated, the algorithm in any case.
fn legacy_sha256(header: &str) -> Result<Vec<u8>, DigestError> {
    let mut members = header
        .split(',')
        .filter_map(|member| member.trim().split_once('='));
    let (_, value) = members
        .find(|(algorithm, _)| algorithm.eq_ignore_ascii_case("SHA-256"))
        .ok_or(DigestError::Unsupported)?;
    STANDARD.decode(value).map_err(|_| DigestError::Mismatch)
}
