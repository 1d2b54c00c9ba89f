//! Responses with a compressed body, which no request asks for.

use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::byte_stream::ByteStream;
use super::error::Error;
use super::error_kind::ErrorKind;
use super::response::Response;
use crate::values::text::printable;

/// Replaces a body with a content encoding by one that fails when it is read. Status and headers do not change.
pub fn reject_encoded(response: Response<ByteStream>) -> Response<ByteStream> {
    let encodings = encodings(response.headers());
    if encodings.is_empty() {
        return response;
    }
    let are_printable = encodings.iter().all(|name| printable(name).is_some());
    let shown = if are_printable {
        encodings.join(", ")
    } else {
        "another encoding".to_owned()
    };
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

/// The encodings in all headers that name some, without `identity`, which changes nothing.
fn encodings(headers: &HeaderMap) -> Vec<String> {
    let mut encodings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let names = text.split(',').map(str::trim);
        let changing =
            names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
        encodings.extend(changing.map(str::to_owned));
    }
    encodings
}
