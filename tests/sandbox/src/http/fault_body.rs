//! The response bodies of faults.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::faults::Fault;

/// The number of pieces of a slow response.
const PIECES: usize = 10;

/// Applies a fault to a complete response.
pub(crate) fn spoil(response: Response<Bytes>, fault: Option<&Fault>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    match fault {
        Some(Fault::TruncatedBody) if !body.is_empty() => {
            parts.headers.insert(CONTENT_LENGTH, body.len().into());
            let half = stream::iter([Ok(body.slice(..body.len() / 2))]);
            let end = stream::once(async {
                // The first part is sent before the connection ends.
                tokio::task::yield_now().await;
                Err(io::Error::other("a requested fault"))
            });
            Response::from_parts(parts, Body::from_stream(half.chain(end)))
        }
        Some(Fault::WrongContentType) => {
            parts
                .headers
                .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            Response::from_parts(parts, Body::from(body))
        }
        Some(Fault::InvalidJson) => {
            let mut broken = b"{\"broken\": ".to_vec();
            broken.extend(&body[body.len() / 2..]);
            Response::from_parts(parts, Body::from(broken))
        }
        Some(Fault::SlowDrip { millis }) if !body.is_empty() => {
            let pause = Duration::from_millis(*millis);
            let size = body.len().div_ceil(PIECES);
            let pieces: Vec<_> = (0..body.len())
                .step_by(size)
                .map(|at| body.slice(at..body.len().min(at + size)))
                .collect();
            let dripping = stream::iter(pieces).then(move |piece| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, io::Error>(piece)
            });
            Response::from_parts(parts, Body::from_stream(dripping))
        }
        _ => Response::from_parts(parts, Body::from(body)),
    }
}

/// The error page of a gateway whose backend cannot be reached.
pub(crate) fn gateway_page(status: u16) -> Response<Bytes> {
    let page = format!(
        "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"
    );
    let mut response = Response::new(Bytes::from(page));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
