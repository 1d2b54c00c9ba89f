//! The error document of the API: a problem (RFC 9457).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::byte_order_mark::without_byte_order_mark;
use crate::values::text::{harmless, printable};
use crate::values::unredacted::hidden_option;

/// The length that is kept of a body that is not a problem document, in bytes.
const BODY_LIMIT: usize = 4096;

/// The server's description of an error (RFC 9457). Upvest's error documentation lists the types.
///
/// Every error response of every operation has one. If the response is not a problem document, for example from a
/// gateway that sends HTML, `status` and `title` are filled from the status line and the start of the body is in
/// [`Problem::body`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Map<String, Value>")]
#[non_exhaustive]
pub struct Problem {
    /// A URI that identifies the type of the problem. Its last path segment is the code, see [`Problem::code`].
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// The HTTP status, repeated by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A short summary of the problem type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A description of this occurrence. Upvest sends it as `detail`, and sometimes as `details`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// A URI for this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The id to quote to Upvest's support; equal to the header `upvest-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(flatten)]
    extensions: Map<String, Value>,
    #[serde(skip)]
    body: Option<Box<str>>,
}

impl Problem {
    /// A problem for tests.
    ///
    /// ```
    /// use upvest_runtime::{Problem, http::StatusCode};
    ///
    /// let problem = Problem::new(
    ///     StatusCode::CONFLICT,
    ///     "insufficient_cash",
    ///     "The account holds 12.00 EUR.",
    /// );
    /// assert_eq!(
    ///     problem.to_string(),
    ///     "409 Conflict: The account holds 12.00 EUR. (insufficient_cash)"
    /// );
    /// ```
    pub fn new(status: http::StatusCode, code: &str, detail: &str) -> Self {
        Self {
            type_: Some(code.to_owned()),
            status: Some(status.as_u16()),
            title: status.canonical_reason().map(str::to_owned),
            detail: Some(detail.to_owned()),
            ..Self::default()
        }
    }

    /// Reads the body of a response with `status`. The body need not be a problem document.
    pub fn from_body(status: http::StatusCode, body: &[u8]) -> Self {
        let parsed = serde_json::from_slice(without_byte_order_mark(body))
            .ok()
            .filter(Self::is_problem_document);
        let mut problem = parsed.unwrap_or_else(|| Self {
            title: status.canonical_reason().map(str::to_owned),
            body: excerpt(body),
            ..Self::default()
        });
        problem.status.get_or_insert(status.as_u16());
        problem
    }

    /// The problem's code: the last segment of its `type`, such as `not_found`. `None` for the type `about:blank`.
    pub fn code(&self) -> Option<&str> {
        let last = self.type_.as_deref()?.rsplit('/').next()?;
        (!last.is_empty() && last != "about:blank").then_some(last)
    }

    /// The other members of the document as they were sent, such as the list of rejected fields. `Display` and `Debug`
    /// do not print them.
    ///
    /// ```
    /// use upvest_runtime::{Problem, http::StatusCode};
    ///
    /// let body = br#"{"title": "Bad request", "invalid_params": [{"name": "iban"}]}"#;
    /// let problem = Problem::from_body(StatusCode::BAD_REQUEST, body);
    /// assert_eq!(problem.extensions()["invalid_params"][0]["name"], "iban");
    /// ```
    pub fn extensions(&self) -> &Map<String, Value> {
        &self.extensions
    }

    /// The first 4 KiB of a body that is not a problem document. `Display` and `Debug` do not print it.
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

impl Problem {
    /// Whether it has a member of a problem document. Any JSON object has extensions.
    fn is_problem_document(&self) -> bool {
        let texts = [
            &self.type_,
            &self.title,
            &self.detail,
            &self.instance,
            &self.request_id,
        ];
        self.status.is_some() || texts.iter().any(|text| text.is_some())
    }

    /// `404 Not Found`, without any text of the server.
    pub(crate) fn describe_status(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let Some(status) = self.status else {
            return out.write_str("the server reported a problem");
        };
        write!(out, "{status}")?;
        match reason(status) {
            Some(reason) => write!(out, " {reason}"),
            None => Ok(()),
        }
    }

    /// `404 Not Found: <detail>`. Missing parts are left out.
    fn describe(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let status = self.status;
        let mut separator = "";
        if let Some(status) = status {
            write!(out, "{status}")?;
            separator = " ";
        }
        if let Some(title) = self.title.as_deref().or_else(|| reason(status?)) {
            write!(out, "{separator}{title}")?;
            separator = ": ";
        }
        if let Some(detail) = &self.detail {
            write!(out, "{separator}{detail}")?;
        }
        Ok(())
    }
}

/// The standard phrase of a status, for a problem without a title.
fn reason(status: u16) -> Option<&'static str> {
    http::StatusCode::from_u16(status).ok()?.canonical_reason()
}

impl From<Map<String, Value>> for Problem {
    /// Reads each field on its own, so that an invalid one (a `status` in quotes, `detail` as an object) does not
    /// affect the others. Control and bidirectional characters become spaces.
    fn from(mut fields: Map<String, Value>) -> Self {
        let mut text = |name: &str| {
            let text = match fields.remove(name)? {
                Value::String(text) => text,
                Value::Null => return None,
                other => other.to_string(),
            };
            Some(text.chars().map(harmless).collect())
        };
        let mut problem = Self {
            type_: text("type"),
            status: text("status").and_then(|status: String| status.parse().ok()),
            // An OAuth error (RFC 6749 section 5.2), which the token endpoint may send instead of a problem.
            title: text("title").or_else(|| text("error")),
            detail: text("detail")
                .or_else(|| text("details"))
                .or_else(|| text("error_description")),
            instance: text("instance"),
            request_id: text("request_id"),
            extensions: Map::new(),
            body: None,
        };
        problem.extensions = fields;
        problem
    }
}

fn excerpt(body: &[u8]) -> Option<Box<str>> {
    let text = String::from_utf8_lossy(&body[..body.len().min(BODY_LIMIT)]);
    (!text.is_empty()).then(|| text.into())
}

impl fmt::Display for Problem {
    /// The words of the server, which may contain personal data: `404 Not Found: <detail> (not_found, request <id>)`.
    /// Missing parts are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(f)?;
        match (self.code(), &self.request_id) {
            (Some(code), Some(id)) => write!(f, " ({code}, request {id})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, Some(id)) => write!(f, " (request {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("code", &self.code().and_then(printable))
            .field("status", &self.status)
            .field("title", &hidden_option(self.title.as_ref()))
            .field("detail", &hidden_option(self.detail.as_ref()))
            .field("instance", &hidden_option(self.instance.as_ref()))
            .field(
                "request_id",
                &self.request_id.as_deref().and_then(printable),
            )
            .field("extensions", &self.extensions.len())
            .field("body", &self.body.as_ref().map(|body| body.len()))
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Problem {}
