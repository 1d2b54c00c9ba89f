//! Reads requests for the adapters.

use bytes::Bytes;
use http::request::Parts;
use http::{Request, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::signing::IncomingRequest;

/// Reads a request with a body of at most `limit` bytes. A body that is longer according to its headers is not read at all.
pub(super) async fn read_request<B>(
    request: Request<B>,
    limit: usize,
) -> Result<(Parts, Bytes), StatusCode>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok((parts, collected.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

/// The request for the verifier.
pub(super) fn incoming<'a>(parts: &'a Parts, body: &'a Bytes) -> IncomingRequest<'a> {
    IncomingRequest::new(&parts.method, original_target(parts), &parts.headers, body)
}

/// The target as Upvest sent it. The signature covers the whole target, and a nested axum router removes its prefix from the URI.
fn original_target(parts: &Parts) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(target)) = parts.extensions.get() {
        return target;
    }
    &parts.uri
}
