//! Why a request could not be signed.

use crate::backend_error::BackendError;

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The time of the clock cannot be written as an HTTP date.
    #[error("the clock shows a year before 1970 or after 9999; set it, for example by NTP")]
    Clock,
    /// The nonce source returned an empty text, or one with characters that are not allowed.
    #[error("the nonce is empty or contains characters other than letters, digits and `-._`")]
    InvalidNonce,
    /// The key service or the cryptographic library failed.
    #[error("the signer failed")]
    Signer(#[from] BackendError),
}
