//! Why a signature was rejected.

/// Why a signature was rejected.
///
/// If a request has several signatures, the error of the one that passed the most checks is reported. See
/// [`SignatureError::stage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The method or the target holds characters that HTTP does not allow.
    #[error("the request is malformed")]
    MalformedRequest,
    /// One of the headers `signature` and `signature-input` is missing.
    #[error("the request has no signature")]
    MissingSignature,
    /// One of the headers `signature`, `signature-input`, `digest` and `content-digest` is longer than 8 KiB.
    #[error("a header of the signature is longer than 8 KiB")]
    TooLong,
    /// `signature-input` is not a list of components with `keyid` and `created`, names a component twice, or has more
    /// than 8 labels, 64 components or 16 parameters.
    #[error("the header signature-input is malformed")]
    MalformedSignatureInput,
    /// A label occurs twice.
    #[error("a signature label occurs twice")]
    DuplicateLabel,
    /// `signature` is not base64 between colons.
    #[error("the header signature is malformed")]
    MalformedSignature,
    /// The header `signature` has no entry for a label of `signature-input`.
    #[error("the labels of signature and signature-input differ")]
    LabelMismatch,
    /// The signature does not cover the method, the path, the query or the body.
    #[error("the signature does not cover method, path, query and body")]
    RequiredComponentMissing,
    /// The signature was created in the future, by more than the tolerance.
    #[error("the signature was created in the future; check that this machine's clock is right")]
    CreatedInFuture,
    /// The signature expired longer ago than the tolerance.
    #[error("the signature has expired")]
    Expired,
    /// The signature covers a header that the request does not have.
    #[error("the signature covers something that the request does not have")]
    ComponentMissing,
    /// The digest is not made with the algorithm of the signature's version: SHA-512 for 15, SHA-256 for 6.
    #[error("the digest of the body uses an algorithm that is not allowed")]
    UnsupportedDigest,
    /// The digest is not that of the body.
    #[error("the digest does not match the body")]
    DigestMismatch,
    /// The key set has no key with this id.
    #[error("there is no known key with the id of the signature")]
    UnknownKey,
    /// The algorithm of the key is not allowed here.
    #[error("the algorithm of the signature's key is not allowed")]
    KeyNotAllowed,
    /// The key did not make this signature over this request.
    #[error("the signature does not match the request")]
    SignatureMismatch,
    /// The key made this signature, but it expires before its creation, or more than an hour after it.
    #[error("the signature expires before its creation, or more than an hour after it")]
    InvalidLifetime,
    /// An event of the delivery is for another webhook subscription.
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
            Self::CreatedInFuture => "created_in_future",
            Self::Expired => "expired",
            Self::ComponentMissing => "component_missing",
            Self::UnsupportedDigest => "unsupported_digest",
            Self::DigestMismatch => "digest_mismatch",
            Self::UnknownKey => "unknown_key",
            Self::KeyNotAllowed => "key_not_allowed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::InvalidLifetime => "invalid_lifetime",
            Self::OtherWebhook => "other_webhook",
        }
    }

    /// The number of the check that failed. A signature with a greater number passed more checks.
    pub fn stage(self) -> u8 {
        match self {
            // Checks of the whole request, before its signatures are told apart.
            Self::MalformedRequest => 0,
            Self::MissingSignature => 1,
            Self::DuplicateLabel => 2,
            // Checks of one signature, before its key is looked up.
            Self::MalformedSignatureInput => 3,
            Self::LabelMismatch => 4,
            Self::MalformedSignature => 5,
            Self::RequiredComponentMissing => 6,
            Self::CreatedInFuture => 7,
            Self::Expired => 8,
            Self::ComponentMissing => 9,
            // If `signature` or `signature-input` is too long, nothing is compared. If a digest is, this is its first
            // check.
            Self::TooLong => 10,
            Self::UnsupportedDigest => 11,
            Self::DigestMismatch => 12,
            // Checks with the key.
            Self::UnknownKey => 13,
            Self::KeyNotAllowed => 14,
            Self::SignatureMismatch => 15,
            Self::InvalidLifetime => 16,
            // The signature is valid.
            Self::OtherWebhook => 17,
        }
    }

    /// The error of the signature that passed more checks.
    #[must_use]
    pub fn furthest(self, other: Self) -> Self {
        if other.stage() > self.stage() {
            other
        } else {
            self
        }
    }
}
