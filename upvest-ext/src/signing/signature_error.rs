//! Why a signed message was not accepted.

/// Why a signed message was not accepted, in the order in which it is looked at: a later reason came further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Method or target are none that HTTP has.
    #[error("the request is malformed")]
    MalformedRequest,
    /// One of the headers `signature` and `signature-input` is missing.
    #[error("the request carries no signature")]
    MissingSignature,
    /// One of the headers `signature`, `signature-input`, `digest` and `content-digest` is longer than 8 KiB.
    #[error("a header of the signature is longer than 8 KiB")]
    TooLong,
    /// `signature-input` is no list of components with `keyid` and `created`, names one twice, or has more than
    /// 8 labels, 64 components or 16 parameters.
    #[error("the header signature-input is malformed")]
    MalformedSignatureInput,
    /// A label comes twice.
    #[error("a signature label comes twice")]
    DuplicateLabel,
    /// `signature` is no base64 between colons.
    #[error("the header signature is malformed")]
    MalformedSignature,
    /// `signature` has no signature under the label of `signature-input`.
    #[error("the labels of signature and signature-input differ")]
    LabelMismatch,
    /// The signature leaves out the method, the path, the query or the body.
    #[error("the signature does not cover method, path, query and body")]
    RequiredComponentMissing,
    /// The signature ends before it begins, or more than an hour later.
    #[error("the signature ends before it begins or lives longer than an hour")]
    InvalidLifetime,
    /// The signature is from the future, beyond the tolerance.
    #[error("the signature was made in the future: the clocks differ")]
    CreatedInFuture,
    /// The signature is past its end, beyond the tolerance.
    #[error("the signature has expired")]
    Expired,
    /// The signature covers a header that the request does not have.
    #[error("the signature covers something that the request does not have")]
    ComponentMissing,
    /// The digest is not SHA-512 (version 15) or SHA-256 (version 6).
    #[error("the digest of the body uses an algorithm that is not allowed")]
    UnsupportedDigest,
    /// The body is not the one of the digest.
    #[error("the digest does not fit the body")]
    DigestMismatch,
    /// No known key has the id.
    #[error("the signature's key is not known")]
    UnknownKey,
    /// The key is of a kind that is not allowed here.
    #[error("the signature's key is of a kind that is not allowed")]
    KeyNotAllowed,
    /// The key did not make this signature over this request.
    #[error("the signature does not fit the request")]
    SignatureMismatch,
    /// The delivery is for another webhook subscription, or holds an event that names none.
    #[error("the delivery is for another webhook subscription")]
    OtherWebhook,
}

impl SignatureError {
    /// A stable name, such as `digest_mismatch`, for metrics and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformed_request",
            Self::MissingSignature => "missing_signature",
            Self::TooLong => "too_long",
            Self::MalformedSignatureInput => "malformed_signature_input",
            Self::DuplicateLabel => "duplicate_label",
            Self::MalformedSignature => "malformed_signature",
            Self::LabelMismatch => "label_mismatch",
            Self::RequiredComponentMissing => "required_component_missing",
            Self::InvalidLifetime => "invalid_lifetime",
            Self::CreatedInFuture => "created_in_future",
            Self::Expired => "expired",
            Self::ComponentMissing => "component_missing",
            Self::UnsupportedDigest => "unsupported_digest",
            Self::DigestMismatch => "digest_mismatch",
            Self::UnknownKey => "unknown_key",
            Self::KeyNotAllowed => "key_not_allowed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::OtherWebhook => "other_webhook",
        }
    }
}
