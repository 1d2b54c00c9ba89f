//! What came back from one attempt, its body included.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};

use crate::http_send::SendError;
use crate::redact::Secrets;

/// An answer whose body has arrived, so that a connection that breaks on the way is the attempt's failure; or a download
/// that is handed on as it comes.
pub(crate) enum Answer {
    Whole { status: StatusCode, version: Version, headers: HeaderMap, body: Bytes },
    Stream(reqwest::Response),
}

impl Answer {
    pub(crate) async fn read(mut response: reqwest::Response, streams: bool) -> Result<Self, SendError> {
        let status = response.status();
        if streams && status.is_success() {
            return Ok(Self::Stream(response));
        }
        let version = response.version();
        let headers = std::mem::take(response.headers_mut());
        match response.bytes().await {
            Ok(body) => Ok(Self::Whole { status, version, headers, body }),
            // An error status says more than the body that did not come.
            Err(_) if is_error(status) => Ok(Self::Whole { status, version, headers, body: Bytes::new() }),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Whole { status, .. } => *status,
            Self::Stream(response) => response.status(),
        }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        match self {
            Self::Whole { headers, .. } => headers,
            Self::Stream(response) => response.headers(),
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        is_error(self.status())
    }

    /// Replaces a body that holds one of `secrets`.
    pub(crate) fn hide(&mut self, secrets: &Secrets) {
        if let Self::Whole { status, body, .. } = self
            && let Some(hidden) = secrets.hide(*status, body)
        {
            *body = hidden.into();
        }
    }

    pub(crate) fn into_response(self) -> reqwest::Response {
        match self {
            Self::Stream(response) => response,
            Self::Whole { status, version, headers, body } => {
                let mut response = http::Response::new(body);
                *response.status_mut() = status;
                *response.version_mut() = version;
                *response.headers_mut() = headers;
                response.into()
            }
        }
    }
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}
