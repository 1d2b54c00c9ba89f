//! Checks that a response is a whole file.

use futures_util::TryStreamExt as _;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};

use super::byte_stream::ByteStream;
use super::error::Error;
use super::error_kind::ErrorKind;
use crate::values::text::printable;

/// The media types of web pages and error messages, which are not files.
const NOT_FILES: [&str; 5] = [
    "text/html",
    "application/json",
    "application/problem+json",
    "application/xml",
    "text/xml",
];

impl ByteStream {
    /// The file that another server than the API's sent, such as the one that a signed link points to.
    ///
    /// Request such a link with an HTTP client of your own, so that neither the token nor the signature goes to another
    /// server.
    ///
    /// ```no_run
    /// # async fn fetch(link: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// use upvest_runtime::ByteStream;
    ///
    /// let response = reqwest::Client::new()
    ///     .get(link)
    ///     .send()
    ///     .await
    ///     .map_err(reqwest::Error::without_url)?;
    /// let file = ByteStream::from_response(response)?;
    /// println!("{:?} bytes", file.length());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The kind of the status, if it is not a success; [`ErrorKind::Decode`] if the response is a part of a file,
    /// compressed, or not a file. They do not contain the URL, as a signed link gives access to the file.
    pub fn from_response(mut response: reqwest::Response) -> Result<Self, Error> {
        let status = response.status();
        if !status.is_success() {
            let message = "the file server returned an error";
            return Err(Error::new(ErrorKind::of(status), message).with_status(status));
        }
        let headers = std::mem::take(response.headers_mut());
        let body = ByteStream::new(response.bytes_stream().map_err(broken));
        whole_file(status, &headers, body, None)
    }
}

fn broken(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if error.is_timeout() {
        let message = "no bytes of the file arrived in time";
        return Error::new(ErrorKind::Timeout, message).with_source(error);
    }
    let message = "the connection broke before the file was complete";
    Error::new(ErrorKind::Interrupted, message).with_source(error)
}

/// Checks that a successful response is a whole file, and makes `body` fail if it has another length than announced.
///
/// `accepted` are the media types that were requested. Without them, any type is accepted except those of web pages and
/// error messages.
///
/// # Errors
///
/// [`ErrorKind::Decode`] if the response is a part of a file, compressed, or not a file.
pub(crate) fn whole_file(
    status: StatusCode,
    headers: &HeaderMap,
    body: ByteStream,
    accepted: Option<&str>,
) -> Result<ByteStream, Error> {
    // No request of this SDK asks for a part.
    if status == StatusCode::PARTIAL_CONTENT {
        return Err(not_a_file("a part of the file instead of the whole file"));
    }
    if status != StatusCode::OK && status != StatusCode::NON_AUTHORITATIVE_INFORMATION {
        return Err(not_a_file("a response without a file"));
    }
    if let Some(encoding) = text(headers, &CONTENT_ENCODING)
        && !encoding.trim().eq_ignore_ascii_case("identity")
    {
        let shown = printable(encoding).unwrap_or("another encoding");
        return Err(not_a_file(&format!(
            "the file compressed as `{shown}`, which was not requested"
        )));
    }
    check_type(headers, accepted)?;
    let length = text(headers, &CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
    let total = text(headers, &CONTENT_RANGE).map(total);
    match (total, length) {
        (None, Some(length)) => Ok(body.of_length(length)),
        (None, None) => Ok(body),
        (Some(Some(total)), Some(length)) if total == length => Ok(body.of_length(length)),
        (Some(Some(total)), None) => Ok(body.of_length(total)),
        (Some(_), _) => Err(not_a_file(
            "a `content-range` that does not cover the whole file",
        )),
    }
}

fn check_type(headers: &HeaderMap, accepted: Option<&str>) -> Result<(), Error> {
    let Some(value) = text(headers, &CONTENT_TYPE) else {
        return Ok(());
    };
    let found = media_type(value);
    let is_file = match accepted {
        Some(accepted) => accepted.split(',').any(|range| includes(range, &found)),
        None => !NOT_FILES.contains(&found.as_str()),
    };
    if is_file {
        return Ok(());
    }
    let shown = printable(&found).unwrap_or("another media type");
    Err(not_a_file(&format!("`{shown}` instead of a file")))
}

/// Whether the media range `range` of an `accept` header includes `found` (RFC 9110 section 12.5.1).
fn includes(range: &str, found: &str) -> bool {
    let range = media_type(range);
    match range.strip_suffix('*') {
        Some("*/") => true,
        Some(prefix) => found.starts_with(prefix),
        None => range == found,
    }
}

/// The type without its parameters, in lower case.
fn media_type(value: &str) -> String {
    let name = value.split(';').next().unwrap_or_default();
    name.trim().to_ascii_lowercase()
}

/// The length of the whole file: 1000 for `bytes 0-999/1000` (RFC 9110 section 14.4).
fn total(range: &str) -> Option<u64> {
    let (_, total) = range.rsplit_once('/')?;
    total.trim().parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn not_a_file(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server sent {what}"))
}
