//! Errors as problem documents (RFC 9457), with the types of PROTOCOL 5.

use serde_json::json;

use crate::domain::state::Rejected;

/// An error response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    kind: &'static str,
    title: &'static str,
    pub(crate) detail: String,
}

impl Problem {
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", "Invalid request", detail)
    }

    pub(crate) fn missing_client_id() -> Self {
        let detail = "The header `upvest-client-id` is missing.";
        Self::new(400, "missing_client_id", "Missing client ID", detail)
    }

    pub(crate) fn missing_idempotency_key() -> Self {
        let detail =
            "The header `idempotency-key` is missing. Use a new random UUID for each new request.";
        Self::new(
            400,
            "missing_idempotency_key",
            "Missing idempotency key",
            detail,
        )
    }

    pub(crate) fn unauthorised(detail: impl Into<String>) -> Self {
        Self::new(401, "unauthorised", "Unauthorised", detail)
    }

    pub(crate) fn forbidden(scopes: &[String]) -> Self {
        let detail = format!(
            "The access token does not have the scope `{}`.",
            scopes.join("` or `")
        );
        Self::new(403, "forbidden", "Forbidden", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not_found", "Not found", detail)
    }

    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let detail = format!("The allowed methods of this path are {allowed}.");
        Self::new(405, "method_not_allowed", "Method not allowed", detail)
    }

    pub(crate) fn not_acceptable(offered: &str) -> Self {
        let detail = format!(
            "The media type of the response is {offered}, which the header `accept` does not allow."
        );
        Self::new(406, "not_acceptable", "Not acceptable", detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "Conflict", detail)
    }

    pub(crate) fn too_many_requests() -> Self {
        let detail = "This client sends too many requests per second.";
        Self::new(429, "too_many_requests", "Too many requests", detail)
    }

    pub(crate) fn server_error(status: u16, detail: &str) -> Self {
        let (kind, title) = match status {
            502 => ("bad_gateway", "Bad gateway"),
            503 => ("unavailable", "Service unavailable"),
            504 => ("gateway_timeout", "Gateway timeout"),
            _ => ("internal", "Internal error"),
        };
        Self::new(status, kind, title, detail)
    }

    /// The same problem with another status: a description can have 422 where Upvest has 400.
    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn to_json(&self, request_id: &str) -> Vec<u8> {
        let Self {
            status,
            kind,
            title,
            detail,
        } = self;
        let kind = format!("https://docs.upvest.co/errors/{kind}");
        json!({ "type": kind, "status": status, "title": title, "detail": detail, "request_id": request_id })
            .to_string()
            .into_bytes()
    }

    fn new(
        status: u16,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
        }
    }
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::NotFound => {
                Self::not_found("No resource with this id exists for this client.")
            }
            Rejected::Unknown(field) => Self::from(Rejected::unknown(&field)).with_status(422),
            Rejected::Invalid(detail) => Self::invalid(detail),
            Rejected::Conflict(detail) => Self::conflict(detail),
        }
    }
}
