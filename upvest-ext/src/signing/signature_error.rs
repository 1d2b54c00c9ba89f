//! Why a signature was rejected.

macro_rules! signature_errors {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $code:literal $message:literal,)+ }) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$doc])* #[error($message)] $variant,)+
        }

        impl $name {
            /// A stable name, such as `digest_mismatch`, for metrics and logs.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }
    };
}

signature_errors! {
    /// Why a signature was rejected. The variants are in the order of the checks, so that a greater one passed more of them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
    #[non_exhaustive]
    SignatureError {
        /// The method or the target holds characters that HTTP does not allow.
        MalformedRequest "malformed_request" "the request is malformed",
        /// One of the headers `signature` and `signature-input` is missing.
        MissingSignature "missing_signature" "the request has no signature",
        /// One of the headers `signature`, `signature-input`, `digest` and `content-digest` is longer than 8 KiB.
        TooLong "too_long" "a header of the signature is longer than 8 KiB",
        /// `signature-input` is not a list of components with `keyid` and `created`, names a component twice, or has more than
        /// 8 labels, 64 components or 16 parameters.
        MalformedSignatureInput "malformed_signature_input" "the header signature-input is malformed",
        /// A label occurs twice.
        DuplicateLabel "duplicate_label" "a signature label occurs twice",
        /// `signature` is not base64 between colons.
        MalformedSignature "malformed_signature" "the header signature is malformed",
        /// The header `signature` has no entry for a label of `signature-input`.
        LabelMismatch "label_mismatch" "the labels of signature and signature-input differ",
        /// The signature does not cover the method, the path, the query or the body.
        RequiredComponentMissing "required_component_missing" "the signature does not cover method, path, query and body",
        /// The signature expires before it was created, or more than an hour later.
        InvalidLifetime "invalid_lifetime" "the signature expires before it was created, or more than an hour later",
        /// The signature was created in the future, by more than the tolerance.
        CreatedInFuture "created_in_future" "the signature was created in the future; check that this machine's clock is right",
        /// The signature expired longer ago than the tolerance.
        Expired "expired" "the signature has expired",
        /// The signature covers a header that the request does not have.
        ComponentMissing "component_missing" "the signature covers something that the request does not have",
        /// The digest is not SHA-512 (version 15) or SHA-256 (version 6).
        UnsupportedDigest "unsupported_digest" "the digest of the body uses an algorithm that is not allowed",
        /// The digest is not that of the body.
        DigestMismatch "digest_mismatch" "the digest does not match the body",
        /// The key set has no key with this id.
        UnknownKey "unknown_key" "there is no known key with the id of the signature",
        /// The algorithm of the key is not allowed here.
        KeyNotAllowed "key_not_allowed" "the algorithm of the signature's key is not allowed",
        /// The key did not make this signature over this request.
        SignatureMismatch "signature_mismatch" "the signature does not match the request",
        /// The delivery is for another webhook subscription, or holds an event that names none.
        OtherWebhook "other_webhook" "the delivery is for another webhook subscription",
    }
}
