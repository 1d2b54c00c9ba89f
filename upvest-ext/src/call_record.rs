//! What is known of a call, for its response, its error, its report and its span.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::header::DATE;
use http::{HeaderMap, Request};
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;
use upvest_runtime::{ByteStream, Error, ErrorKind, IdempotencyKey, OperationMeta, Response};

use crate::hooks::CallReport;
use crate::retry::GiveUpReason;

/// Signatures expire after 5 to 60 seconds (PROTOCOL 1.4), so a clock that differs by more than this is a likely cause
/// of a 401.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// The facts of a call, which the pipeline collects.
pub(crate) struct CallRecord<'a> {
    operation: &'a OperationMeta,
    started: Instant,
    /// Its names follow OpenTelemetry's HTTP conventions. It contains no ids, bodies, queries or secrets.
    pub(crate) span: Span,
    pub(crate) attempts: u32,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// Whether the server may have carried out an attempt that failed.
    pub(crate) may_have_been_processed: bool,
    pub(crate) gave_up: Option<GiveUpReason>,
    /// Whether the clocks differ, by the response of the last failed attempt.
    pub(crate) clock_differs: bool,
}

impl<'a> CallRecord<'a> {
    pub(crate) fn start<B>(operation: &'a OperationMeta, request: &Request<B>) -> Self {
        let span = tracing::info_span!(
            "upvest.call",
            otel.name = format_args!("{} {}", request.method(), operation.path),
            otel.kind = "client",
            http.request.method = request.method().as_str(),
            url.template = operation.path,
            server.address = request.uri().host(),
            upvest.operation = operation.name,
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        Self {
            operation,
            started: Instant::now(),
            span,
            attempts: 0,
            idempotency_key: None,
            may_have_been_processed: false,
            gave_up: None,
            clock_differs: false,
        }
    }

    /// The report of the finished call.
    pub(crate) fn report(&self, result: &Result<Response<ByteStream>, Error>) -> CallReport {
        let error = result.as_ref().err();
        let status = match result {
            Ok(response) => Some(response.status()),
            Err(error) => error.status(),
        };
        CallReport {
            operation: self.operation.id,
            status,
            error: error.map(Error::kind),
            attempts: self.attempts,
            elapsed: self.started.elapsed(),
        }
    }

    /// Adds the result of the call to the span.
    pub(crate) fn end_span(&self, report: &CallReport) {
        let resends = report.attempts.saturating_sub(1);
        let status = report.status.map(|status| status.as_u16());
        let error = report.error;
        self.span.record("http.request.resend_count", resends);
        self.span.record("http.response.status_code", status);
        self.span
            .record("error.type", error.map(tracing::field::debug));
        self.span.record("otel.status_code", error.map(|_| "ERROR"));
    }

    /// Adds the facts to the response.
    pub(crate) fn add_to_response(&self, response: Response<ByteStream>) -> Response<ByteStream> {
        let (body, headers, mut metadata) = response.into_parts();
        metadata.attempts = self.attempts;
        metadata.elapsed = self.started.elapsed();
        metadata.idempotency_key = self.idempotency_key;
        Response::new(body, headers, metadata)
    }

    /// Adds the facts to the error.
    #[cold]
    pub(crate) fn add_to_error(&self, error: Error) -> Error {
        let error = error.with_context(|context| {
            context.operation = Some(self.operation.id.into());
            context.elapsed = Some(self.started.elapsed());
            context.is_outcome_unknown |= self.may_have_been_processed;
            context.idempotency_key = context.idempotency_key.or(self.idempotency_key);
            context.attempts = context.attempts.max(self.attempts);
        });
        let Some(mut hint) = self.hint(&error) else {
            return error;
        };
        if let Some(first) = error.hint().filter(|_| error.is_outcome_unknown()) {
            hint = format!("{first}; {hint}").into();
        }
        error.with_context(|context| context.hint = Some(hint))
    }

    fn hint(&self, error: &Error) -> Option<Cow<'static, str>> {
        if error.kind() == ErrorKind::Authentication && !error.is_outcome_unknown() {
            return Some(self.authentication_hint().into());
        }
        if error.kind() == ErrorKind::Permission && !self.operation.scopes.is_empty() {
            return Some(self.permission_hint().into());
        }
        let hint = match self.gave_up? {
            GiveUpReason::RetryAfter => Some(
                "not retried, as the server asks for a longer wait than the retry policy allows: see `retry_after()`",
            ),
            GiveUpReason::Budget => Some(
                "not retried, as the retry budget is used up because many calls of this client are failing: try again later",
            ),
            GiveUpReason::Deadline => {
                Some("not retried, as the wait would have ended after the call's deadline")
            }
            GiveUpReason::Final | GiveUpReason::Attempts => None,
        };
        hint.map(Cow::Borrowed)
    }

    fn permission_hint(&self) -> String {
        let sets = self.operation.scope_sets.iter();
        let mut choices: Vec<_> = sets.map(|set| set.join("` and `")).collect();
        if choices.is_empty() {
            choices.push(self.operation.scopes.join("` and `"));
        }
        let scopes = choices.join("` or `");
        format!(
            "the token does not have the scope `{scopes}`, or the client is not allowed to do this"
        )
    }

    fn authentication_hint(&self) -> &'static str {
        if self.clock_differs {
            return "this machine's clock differs from the server's by more than the lifetime of a signature: set it, for example by NTP";
        }
        if self.operation.needs_token {
            "a new token was rejected too: check the signing key and its id, the clock, and that no proxy changes headers"
        } else {
            "check the client id and secret, that the signing key belongs to this client, and that the client is allowed each requested scope"
        }
    }
}

/// Whether the clock of the server, by the `date` of its response, differs from the clock of this machine.
pub(crate) fn clock_differs(headers: &HeaderMap) -> bool {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.map(|date| httpdate::parse_http_date(date.trim()));
    let Some(Ok(theirs)) = date else {
        return false;
    };
    let ours = SystemTime::now();
    let ahead = theirs.duration_since(ours);
    let difference = ahead.or_else(|_| ours.duration_since(theirs));
    difference.is_ok_and(|difference| difference > CLOCK_TOLERANCE)
}
