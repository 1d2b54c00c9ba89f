//! The headers that only the SDK sets.

use http::{HeaderName, header};

const RESERVED: [HeaderName; 13] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::DATE,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("digest"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];
const RESERVED_PREFIXES: [&str; 3] = ["content-", "signature", "upvest-"];

/// Whether a header is set by the SDK itself, or would change how the request is sent.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    let has_prefix = |prefix: &&str| name.as_str().starts_with(prefix);
    RESERVED.contains(name) || RESERVED_PREFIXES.iter().any(has_prefix)
}
