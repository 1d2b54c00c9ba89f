//! The error type of this SDK.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::error_context::ErrorContext;
use super::error_kind::ErrorKind;
use super::problem::Problem;
use super::response::{Metadata, request_id};
use super::retry_after::retry_after;
use crate::operation_meta::OperationMeta;
use crate::values::idempotency_key::IdempotencyKey;
use crate::values::invalid::InvalidValue;
use crate::values::invalid_body::InvalidBody;
use crate::values::text::{harmless, printable};
use crate::values::unredacted::Unredacted;

/// The longest text of `Display`, in characters.
const DISPLAY_LIMIT: usize = 500;

/// The error type of this SDK: what went wrong, where, and what to do about it.
///
/// Guide: `docs/guides/errors.md`. It describes what to do for each kind.
///
/// Every operation of this SDK that can fail returns this type, so one `#[from]` in your own error type is enough:
///
/// ```no_run
/// use upvest_runtime::{Error, Operation};
///
/// async fn place<O: Operation>(order: O) -> Result<O::Output, Error> {
///     match order.send().await {
///         Ok(order) => Ok(order.into_inner()),
///         // The order may exist: send it again with the same `idempotency_key()`, never with a new one.
///         Err(error) if error.is_outcome_unknown() => Err(error),
///         Err(error) => {
///             eprintln!("{error}; {}", error.hint().unwrap_or("no hint"));
///             Err(error)
///         }
///     }
/// }
/// ```
///
/// `Display` is one line of at most 500 characters with the operation, the status, the problem's code and the request
/// id. `Display` and `Debug` contain no text that a server wrote, as it may quote personal data or the request: it is
/// in [`Error::problem`], and [`Unredacted`] prints it. An error is as large as a pointer, and clones share its
/// content. Tests create one with [`Error::new`] and the `with_` methods.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Error>();
    assert!(size_of::<Error>() == size_of::<usize>());
};

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    status: Option<StatusCode>,
    problem: Option<Problem>,
    context: ErrorContext,
    last_seen: Option<Arc<dyn Any + Send + Sync>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, without the facts of the call. It contains no text of a server.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The status of the last response, or that of the token endpoint if no token could be obtained.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The server's description of the error.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.problem.as_ref()
    }

    /// The facts of the call that failed.
    pub fn context(&self) -> &ErrorContext {
        &self.0.context
    }

    /// The id to quote to Upvest's support. `None` if it has other characters than an id has.
    pub fn request_id(&self) -> Option<&str> {
        let of_problem = self
            .problem()
            .and_then(|problem| problem.request_id.as_deref());
        let plain = of_problem.and_then(printable);
        plain.or(self.0.context.request_id.as_deref().and_then(printable))
    }

    /// The `operationId` of the call, such as `createOrder`.
    pub fn operation(&self) -> Option<&str> {
        self.0.context.operation.as_deref()
    }

    /// The number of attempts, without token requests.
    pub fn attempts(&self) -> u32 {
        self.0.context.attempts
    }

    /// The time from the call to its failure.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.context.elapsed
    }

    /// The idempotency key of the call, if its operation supports one. Sending the same body again with this key cannot
    /// have an effect twice.
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        self.0.context.idempotency_key
    }

    /// How long the server asked to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.context.retry_after
    }

    /// Whether the server may have carried out the call, although it failed.
    ///
    /// `false` means that nothing was changed: nothing was sent, or the server answered with a 4xx status other than
    /// 408. `true` is possible only for calls that change something: if the connection broke, if there was no response
    /// in time, after any other error status, or if a successful response could not be decoded. Check whether the
    /// resource exists, or send the same body again with [`Error::idempotency_key`].
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.context.is_outcome_unknown
    }

    /// The likely cause and what to do about it, if known.
    pub fn hint(&self) -> Option<&str> {
        self.0
            .context
            .hint
            .as_deref()
            .or_else(|| self.hint_of_kind())
    }

    /// How far a list or a download was read: the index of the first item that was not read, counted from 0, or the
    /// number of bytes that were received.
    pub fn position(&self) -> Option<u64> {
        self.0.context.position
    }

    /// The latest state of the resource that a wait polled, if it is a `T`.
    pub fn last_seen<T: 'static>(&self) -> Option<&T> {
        self.0.last_seen.as_deref()?.downcast_ref()
    }

    /// Whether the same call may succeed later. Check [`Error::is_outcome_unknown`] before you send it again.
    pub fn is_transient(&self) -> bool {
        match (self.kind(), self.status()) {
            (
                ErrorKind::Connect
                | ErrorKind::Unprocessed
                | ErrorKind::Interrupted
                | ErrorKind::Timeout,
                _,
            ) => true,
            (kind, None) => matches!(kind, ErrorKind::Token | ErrorKind::RateLimited),
            (_, Some(status)) => matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504),
        }
    }

    /// Whether an attempt or the whole call took too long.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the last attempt sent nothing, as no connection could be established. An earlier attempt may have been
    /// carried out: see [`Error::is_outcome_unknown`].
    pub fn is_connect(&self) -> bool {
        self.kind() == ErrorKind::Connect
    }

    /// Whether the credentials, the token or the signature were rejected (401).
    pub fn is_authentication(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether a scope or a permission is missing (403).
    pub fn is_permission(&self) -> bool {
        self.kind() == ErrorKind::Permission
    }

    /// Whether the resource does not exist (404, 410).
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether the current state of the resource does not allow the operation (409).
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// Whether the request is invalid, according to the server (400, 422) or to the builder before it was sent.
    pub fn is_validation(&self) -> bool {
        matches!(self.kind(), ErrorKind::Rejected | ErrorKind::InvalidRequest)
    }

    /// Whether there were too many requests (429).
    pub fn is_rate_limited(&self) -> bool {
        self.kind() == ErrorKind::RateLimited
    }

    /// Whether the server failed (5xx).
    pub fn is_server_error(&self) -> bool {
        self.kind() == ErrorKind::Server
    }

    fn hint_of_kind(&self) -> Option<&'static str> {
        Some(match (self.kind(), self.idempotency_key()) {
            (_, Some(_)) if self.is_outcome_unknown() => {
                "the call may have been carried out: send the same body again with the same `idempotency_key()`"
            }
            (_, None) if self.is_outcome_unknown() => {
                "the call may have been carried out: check that before you send it again, as it has no idempotency key"
            }
            (ErrorKind::Decode, _) => {
                "the server does not follow the description of this SDK version: update the SDK, or use a raw request"
            }
            (ErrorKind::Conflict, Some(_)) => {
                "the state of the resource does not allow it, or its idempotency key was used for another request"
            }
            (ErrorKind::Rejected, Some(_))
                if self.status() == Some(StatusCode::UNPROCESSABLE_ENTITY) =>
            {
                "the content is not accepted, or its idempotency key was used for another request, which is not changed"
            }
            (ErrorKind::Permission, _) => {
                "the token does not have a scope that the operation needs, or the client is not allowed to do this"
            }
            (ErrorKind::Connect, _) => "check the network, the proxy and the base URL",
            (ErrorKind::RateLimited, _) => "send fewer requests at a time",
            _ => return None,
        })
    }
}

/// For transports and tests.
impl Error {
    /// An error of this kind. `message` follows the name of the operation in the text. It must not contain secrets or
    /// personal data.
    ///
    /// ```
    /// use upvest_runtime::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Timeout, "no response in time").with_context(|context| {
    ///     context.operation = Some("createOrder".into());
    ///     context.is_outcome_unknown = true;
    /// });
    /// assert!(error.is_timeout() && error.is_outcome_unknown());
    /// assert_eq!(
    ///     error.to_string(),
    ///     "createOrder: no response in time; it may have been carried out all the same"
    /// );
    /// ```
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            status: None,
            problem: None,
            context: ErrorContext::default(),
            last_seen: None,
            source: None,
        }))
    }

    /// The error for a response to `operation` whose `status` is not a success.
    pub fn from_response(
        operation: &OperationMeta,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let message = match status {
            status if status.is_redirection() => "redirects are not followed",
            _ => "the description does not contain this status",
        };
        let is_error = status.is_client_error() || status.is_server_error();
        let context = ErrorContext {
            operation: Some(operation.id.into()),
            request_id: request_id(headers),
            retry_after: retry_after(headers),
            ..ErrorContext::default()
        };
        Self(Arc::new(Inner {
            kind: ErrorKind::of(status),
            message: message.into(),
            status: Some(status),
            problem: is_error.then(|| Problem::from_body(status, body)),
            context,
            last_seen: None,
            source: None,
        }))
        .with_outcome_of(operation)
    }

    /// Records whether the server may have carried out `operation`, by the kind and the status of the error. What is
    /// already [unknown](Self::is_outcome_unknown) stays unknown.
    #[must_use]
    pub fn with_outcome_of(self, operation: &OperationMeta) -> Self {
        let may_have_been_processed = self.kind().may_have_been_processed(self.status());
        self.with_context(|context| {
            context.is_outcome_unknown |= may_have_been_processed && !operation.is_safe();
        })
    }

    /// Changes the kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        Arc::make_mut(&mut self.0).kind = kind;
        self
    }

    /// Sets the cause, which [`source`](std::error::Error::source) returns.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::from(source.into()));
        self
    }

    /// Sets the status of the response.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        Arc::make_mut(&mut self.0).status = Some(status);
        self
    }

    /// Sets the server's description of the error.
    #[must_use]
    pub fn with_problem(mut self, problem: Problem) -> Self {
        Arc::make_mut(&mut self.0).problem = Some(problem);
        self
    }

    /// Sets the latest state that a wait polled.
    #[must_use]
    pub fn with_last_seen(mut self, state: impl Any + Send + Sync) -> Self {
        Arc::make_mut(&mut self.0).last_seen = Some(Arc::new(state));
        self
    }

    /// Changes the facts of the call.
    #[must_use]
    pub fn with_context(mut self, change: impl FnOnce(&mut ErrorContext)) -> Self {
        change(&mut Arc::make_mut(&mut self.0).context);
        self
    }

    /// Adds the metadata of the call.
    #[must_use]
    pub fn with_metadata(self, metadata: &Metadata) -> Self {
        let completed = self.with_context(|context| {
            if context.request_id.is_none() {
                context.request_id.clone_from(&metadata.request_id);
            }
            context.attempts = context.attempts.max(metadata.attempts);
            context.elapsed = Some(metadata.elapsed);
            context.idempotency_key = metadata.idempotency_key;
        });
        completed.with_status(metadata.status)
    }

    /// Adds the facts of a call of `operation` that returned a success, whose body cannot be read or used.
    #[must_use]
    pub fn with_call(self, operation: &OperationMeta, metadata: &Metadata) -> Self {
        let completed = self.with_metadata(metadata);
        completed.with_context(|context| {
            context.operation = Some(operation.id.into());
            // The server has carried out the call, whatever the kind of the error is.
            context.is_outcome_unknown |= !operation.is_safe();
            if context.is_outcome_unknown {
                // A hint to repeat the call would be wrong: what to do then is the hint of the kind.
                context.hint = None;
            }
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        self.describe(&mut line)?;
        let mut shown = line.chars().map(harmless);
        shown
            .by_ref()
            .take(DISPLAY_LIMIT - 1)
            .try_for_each(|c| fmt::Write::write_char(f, c))?;
        match (shown.next(), shown.next()) {
            (Some(last), None) => fmt::Write::write_char(f, last),
            (Some(_), Some(_)) => f.write_str("…"),
            (None, _) => Ok(()),
        }
    }
}

impl Error {
    fn describe(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let Inner {
            kind,
            message,
            status,
            problem,
            context,
            ..
        } = &*self.0;
        if let Some(operation) = &context.operation {
            write!(out, "{operation}: ")?;
        }
        if *kind == ErrorKind::Token {
            out.write_str("no access token: ")?;
        }
        match (*status, problem) {
            (Some(status), Some(_)) => write!(out, "{status}")?,
            (None, Some(problem)) => problem.describe_status(out)?,
            (Some(status), None) => {
                let separator = if status.is_success() { ", but " } else { ": " };
                write!(out, "{status}{separator}{message}")?;
            }
            (None, None) => out.write_str(message)?,
        }
        let code = problem.as_ref().and_then(Problem::code);
        match (code.and_then(printable), self.request_id()) {
            (Some(code), Some(id)) => write!(out, " ({code}, request {id})")?,
            (Some(code), None) => write!(out, " ({code})")?,
            (None, Some(id)) => write!(out, " (request {id})")?,
            (None, None) => {}
        }
        if context.attempts > 1 {
            write!(out, ", after {} attempts", context.attempts)?;
        }
        if let Some(position) = context.position {
            write!(out, ", at position {position}")?;
        }
        if context.is_outcome_unknown {
            out.write_str("; it may have been carried out all the same")?;
        }
        Ok(())
    }
}

/// `{:?}` is for a person, as `main` prints it: the line of [`Display`](fmt::Display), what to do, and the causes.
/// `{:#?}` shows the fields.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.fmt_fields(f);
        }
        let line = self.to_string();
        f.write_str(&line)?;
        if let Some(hint) = self.hint() {
            write_line(f, "hint", hint)?;
        }
        if let Some(key) = self.idempotency_key().filter(|_| self.is_outcome_unknown()) {
            write_line(f, "idempotency key", key)?;
        }
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !line.contains(&text) {
                write_line(f, "caused by", text)?;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl Error {
    fn fmt_fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("message", &format_args!("{self}"))
            .field("status", &self.status().map(|status| status.as_u16()))
            .field("request_id", &self.request_id())
            .field("attempts", &self.attempts())
            .field("idempotency_key", &self.idempotency_key())
            .field("source", &self.source().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

/// A line about the error, without the line breaks and control characters that `text` may contain.
fn write_line(f: &mut fmt::Formatter<'_>, name: &str, text: impl fmt::Display) -> fmt::Result {
    let text: String = text.to_string().chars().map(harmless).collect();
    write!(f, "\n  {name}: {text}")
}

/// The line of the error with the words of the server: title, detail, and the start of a body that is not a problem
/// document. They may contain personal data.
///
/// ```
/// use upvest_runtime::http::StatusCode;
/// use upvest_runtime::{Error, ErrorKind, Problem, Unredacted};
///
/// let problem = Problem::new(
///     StatusCode::CONFLICT,
///     "insufficient_cash",
///     "Ada Lovelace has 12.00 EUR",
/// );
/// let error = Error::new(ErrorKind::Conflict, "").with_problem(problem);
/// assert_eq!(error.to_string(), "409 Conflict (insufficient_cash)");
/// assert!(
///     Unredacted(&error)
///         .to_string()
///         .ends_with("Conflict: Ada Lovelace has 12.00 EUR")
/// );
/// ```
impl fmt::Display for Unredacted<'_, Error> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let Some(problem) = self.0.problem() else {
            return Ok(());
        };
        let words = [&problem.title, &problem.detail].map(|text| text.as_deref());
        for words in words.into_iter().chain([problem.body()]).flatten() {
            let words: String = words.chars().map(harmless).collect();
            write!(f, ": {words}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Unredacted<'_, Error> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source as &(dyn StdError + 'static))
    }
}

impl From<InvalidBody> for Error {
    fn from(error: InvalidBody) -> Self {
        Self::new(ErrorKind::InvalidRequest, error.to_string()).with_source(error)
    }
}

impl From<InvalidValue> for Error {
    fn from(error: InvalidValue) -> Self {
        Self::new(ErrorKind::InvalidRequest, error.to_string()).with_source(error)
    }
}
