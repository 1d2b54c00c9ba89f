//! Responses with a compressed body, which no request asks for.

use futures_util::StreamExt as _;
use http::header::CONTENT_ENCODING;

use super::byte_stream::ByteStream;
use super::error::Error;
use super::error_kind::ErrorKind;
use super::response::Response;
use crate::values::text::printable;

/// The response with a body that fails if it is encoded. The status and the headers stay as they are.
pub fn reject_encoded(response: Response<ByteStream>) -> Response<ByteStream> {
    let encoding = response.headers().get(CONTENT_ENCODING);
    let encoding = encoding.map(|value| value.to_str().unwrap_or_default().trim());
    let Some(encoding) =
        encoding.filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case("identity"))
    else {
        return response;
    };
    let shown = printable(encoding).unwrap_or("another encoding");
    let message = format!("the body is encoded as `{shown}`, which was not requested");
    response.map(|body| {
        ByteStream::new(body.map(move |chunk| match chunk {
            // The response to a HEAD request has the header and no body.
            Ok(bytes) if bytes.is_empty() => Ok(bytes),
            Ok(_) => Err(Error::new(ErrorKind::Decode, message.clone())),
            Err(error) => Err(error),
        }))
    })
}
