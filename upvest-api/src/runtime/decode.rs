//! From an answer to a value, or to an error that says which operation, which status and which field.

use std::fmt;

use bytes::Bytes;
use progenitor_client::{Error, ResponseValue};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::transport::carry;

/// An answer whose body is not what the description says. Names the place, never the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The `operationId`.
    pub operation: &'static str,
    /// The status of the answer.
    pub status: http::StatusCode,
    /// Where in the body, as `data[3].cash_amount`; empty where the body as a whole is no JSON.
    pub path: String,
    /// What was expected there.
    pub problem: String,
    /// The header `upvest-request-id` of the answer.
    pub request_id: Option<String>,
    /// The headers of the answer, among them what the transport added.
    pub headers: http::HeaderMap,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, status) = (self.operation, self.status.as_u16());
        write!(f, "{operation} answered {status} with a body that does not fit the description")?;
        if !self.path.is_empty() {
            write!(f, ", at `{}`", self.path)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for DecodeError {}

/// Reads a success answer as JSON.
///
/// # Errors
///
/// [`Error::ResponseBodyError`] with a [`DecodeError`] in its chain of sources, where the body breaks off or does not fit `T`.
pub(crate) async fn json<T: DeserializeOwned>(
    response: reqwest::Response,
    operation: &'static str,
) -> Result<ResponseValue<T>, Error<Problem>> {
    let status = response.status();
    let headers = response.headers().clone();
    let (path, problem) = match response.bytes().await {
        Ok(body) => match serde_json::from_slice(&body) {
            Ok(value) => return Ok(ResponseValue::new(value, status, headers)),
            Err(_) => explain::<T>(&body),
        },
        Err(error) => (String::new(), format!("the body broke off: {}", cause(&error))),
    };
    let request_id = request_id(&headers);
    let error = DecodeError { operation, status, path, problem, request_id, headers };
    Err(Error::ResponseBodyError(carry(error).await))
}

/// Reads any answer that is no success: an error status with its problem, everything else as it came.
pub(crate) async fn failure(response: reqwest::Response) -> Error<Problem> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Error::UnexpectedResponse(response);
    }
    let headers = response.headers().clone();
    // A body that breaks off must not hide the status, which says more.
    let body = response.bytes().await.unwrap_or_default();
    let mut problem = Problem::from_body(status, &body);
    if problem.request_id.is_none() {
        problem.request_id = request_id(&headers);
    }
    Error::ErrorResponse(ResponseValue::new(problem, status, headers))
}

fn request_id(headers: &http::HeaderMap) -> Option<String> {
    let value = headers.get("upvest-request-id")?.to_str().ok()?;
    Some(value.to_owned())
}

/// The innermost reason of an error; what lies around it names the URL and little else.
fn cause(error: &dyn std::error::Error) -> &dyn std::error::Error {
    error.source().map_or(error, cause)
}

/// Parses again, slowly, to learn where it went wrong. Only the failing path pays for it.
fn explain<T: DeserializeOwned>(body: &Bytes) -> (String, String) {
    let mut json = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Err(error) => {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            (path, without_values(error.inner()))
        }
        Ok(_) => (String::new(), "trailing characters after the JSON value".to_owned()),
    }
}

/// Serde quotes what it found (`invalid type: string "Ada", expected u64 at line 1 column 9`), which may be personal
/// data: keep the kind.
fn without_values(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let found = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, expected)) = found.and_then(|found| found.rsplit_once(", expected ")) else {
        return message;
    };
    let expected = expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected);
    let kind = found.split(['`', '"']).next().unwrap_or_default().trim_end();
    format!("expected {expected}, found {kind}")
}
