//! Reads a delivery from the network, where anybody can send anything.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Request};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::verify_error::VerifyError;
use upvest_signing::BackendError;
use upvest_signing::SignatureError;

/// What is read of one delivery at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            bytes: 2 * 1024 * 1024,
            time: Duration::from_secs(10),
        }
    }
}

/// Reads the body of a request. Nothing is read of a request without a signature, or of a body that is too long by its
/// own account.
pub(super) async fn read_delivery<B>(
    request: Request<B>,
    limits: BodyLimits,
) -> Result<Request<Bytes>, VerifyError>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let (parts, body) = request.into_parts();
    if !has_signature(&parts.headers) {
        return Err(VerifyError::Rejected(SignatureError::MissingSignature));
    }
    let announced = announced_len(&parts.headers);
    let at_least = announced.unwrap_or(0).max(body.size_hint().lower());
    if at_least > u64::try_from(limits.bytes).unwrap_or(u64::MAX) {
        return Err(VerifyError::TooLarge(limits.bytes));
    }
    let body = timeout(limits.time, Limited::new(body, limits.bytes).collect())
        .await
        .map_err(|_| VerifyError::TimedOut(limits.time))?
        .map_err(|error| read_error(error, limits))?
        .to_bytes();
    check_len(&body, announced)?;
    Ok(Request::from_parts(parts, body))
}

fn has_signature(headers: &HeaderMap) -> bool {
    headers.contains_key("signature") && headers.contains_key("signature-input")
}

fn announced_len(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn read_error(error: Box<dyn std::error::Error + Send + Sync>, limits: BodyLimits) -> VerifyError {
    if error.is::<LengthLimitError>() {
        VerifyError::TooLarge(limits.bytes)
    } else {
        VerifyError::BrokenOff(BackendError::new(error))
    }
}

/// Most servers check the length. A server that does not would otherwise make a cut delivery look like a forged one.
fn check_len(body: &Bytes, announced: Option<u64>) -> Result<(), VerifyError> {
    let received = u64::try_from(body.len()).unwrap_or(u64::MAX);
    match announced {
        Some(announced) if announced != received => {
            let message = format!("received {received} of {announced} bytes");
            Err(VerifyError::BrokenOff(BackendError::new(message)))
        }
        _ => Ok(()),
    }
}
