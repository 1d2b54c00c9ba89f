//! The one error of this SDK.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use super::error_kind::ErrorKind;
use super::problem::Problem;
use super::response::{Metadata, request_id};
use crate::runtime::calls::body_builder::InvalidBody;
use crate::runtime::calls::idempotency_key::IdempotencyKey;
use crate::runtime::calls::operation::OperationMeta;
use crate::runtime::values::invalid::InvalidValue;
use crate::runtime::values::text::harmless;

/// The greatest length of `Display`, which may quote what a server sent, in characters.
const DISPLAY_LIMIT: usize = 500;

/// What went wrong, where, and what to do about it.
///
/// Guide: `docs/guides/errors.md`, with what to do for each kind.
///
/// Every fallible operation of this SDK returns it, so that one `#[from]` in an error type of your own catches everything:
///
/// ```no_run
/// use upvest_api::types::{Order, OrderCreate};
/// use upvest_api::{Client, Error};
///
/// async fn place(client: &Client, order: OrderCreate) -> Result<Order, Error> {
///     match client.create_order().body(order).send().await {
///         Ok(order) => Ok(order.into_inner()),
///         // The order may exist: send it again under `idempotency_key()`, never under a new one.
///         Err(error) if error.is_outcome_unknown() => Err(error),
///         Err(error) => {
///             eprintln!("{error}; {}", error.hint().unwrap_or("no hint"));
///             Err(error)
///         }
///     }
/// }
/// ```
///
/// `Display` is one line of at most 500 characters and holds neither bodies nor secrets. It has the size of a pointer; clones
/// share what is inside. A test makes one with [`Error::new`] and the methods that begin with `with_`.
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
    known: Known,
}

/// Facts that are there only where they are known.
#[derive(Clone, Default)]
struct Known {
    operation: Option<Cow<'static, str>>,
    status: Option<StatusCode>,
    problem: Option<Problem>,
    request_id: Option<String>,
    attempts: u32,
    elapsed: Option<Duration>,
    idempotency_key: Option<IdempotencyKey>,
    retry_after: Option<Duration>,
    is_outcome_unknown: bool,
    hint: Option<Cow<'static, str>>,
    position: Option<u64>,
    last_seen: Option<Arc<dyn Any + Send + Sync>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status of the last answer, or of the token endpoint's if there is no token.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.known.status
    }

    /// What the server said.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.known.problem.as_ref()
    }

    /// The id to quote to Upvest's support.
    pub fn request_id(&self) -> Option<&str> {
        self.problem().and_then(|problem| problem.request_id.as_deref()).or(self
            .0
            .known
            .request_id
            .as_deref())
    }

    /// The `operationId` of the call, such as `createOrder`.
    pub fn operation(&self) -> Option<&str> {
        self.0.known.operation.as_deref()
    }

    /// How many requests were sent, token requests not counted.
    pub fn attempts(&self) -> u32 {
        self.0.known.attempts
    }

    /// The time from the call to its failure.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.known.elapsed
    }

    /// The key under which the call was sent, if its operation takes one. Sending the same body again under this key cannot
    /// do the same thing twice.
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        self.0.known.idempotency_key
    }

    /// How long the server asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.known.retry_after
    }

    /// Whether the server may have done what the call asked for, though the call failed.
    ///
    /// `false` means that nothing was changed: nothing was sent, or the server answered with a 4xx other than 408. `true` is
    /// only ever said of calls that change something: after a connection that broke, an answer that did not come in time, any
    /// other status, or a success answer that could not be read. Look whether the resource exists, or send the same body again
    /// under [`Error::idempotency_key`].
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.known.is_outcome_unknown
    }

    /// A sentence on the likely cause and what to do, if there is one to give.
    pub fn hint(&self) -> Option<&str> {
        self.0.known.hint.as_deref().or_else(|| self.hint_of_kind())
    }

    /// How far a list or a download came: the number of the first item that was not read, counted from 0, or the number of
    /// bytes that were received.
    pub fn position(&self) -> Option<u64> {
        self.0.known.position
    }

    /// The last state that a wait saw, if it saw a `T`.
    pub fn last_seen<T: 'static>(&self) -> Option<&T> {
        self.0.known.last_seen.as_deref()?.downcast_ref()
    }

    /// Whether the same call may succeed later. It says nothing about safety, see [`Error::is_outcome_unknown`].
    pub fn is_transient(&self) -> bool {
        match (self.kind(), self.status()) {
            (ErrorKind::Connect | ErrorKind::Interrupted | ErrorKind::Timeout, _) => true,
            (kind, None) => matches!(kind, ErrorKind::Token | ErrorKind::RateLimited),
            (_, Some(status)) => matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504),
        }
    }

    /// Whether an attempt or the whole call took too long.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether no connection could be made, so that nothing was sent.
    pub fn is_connect(&self) -> bool {
        self.kind() == ErrorKind::Connect
    }

    /// Whether the credentials, the token or the signature were refused (401).
    pub fn is_authentication(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether the token lacks a scope, or the client a right (403).
    pub fn is_permission(&self) -> bool {
        self.kind() == ErrorKind::Permission
    }

    /// Whether the resource does not exist (404, 410).
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether the present state of the resource forbids the operation (409).
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// Whether the server refused what the request says (400, 422), or the builder did before sending.
    pub fn is_validation(&self) -> bool {
        matches!(self.kind(), ErrorKind::Refused | ErrorKind::InvalidRequest)
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
            (ErrorKind::Decode, _) => {
                "the server and this version of the SDK disagree: look for a newer version, or use a raw request"
            }
            (_, Some(_)) if self.is_outcome_unknown() => {
                "it may have happened: send the same body again under the same `idempotency_key()`"
            }
            (_, None) if self.is_outcome_unknown() => {
                "it may have happened: look before you send it again, as it was sent without an idempotency key"
            }
            (ErrorKind::Permission, _) => {
                "the token lacks a scope that the operation needs, or the client is not allowed to do this"
            }
            (ErrorKind::Connect, _) => "nothing was sent; check the network, the proxy and the base URL",
            (ErrorKind::RateLimited, _) => "send fewer requests at a time",
            _ => return None,
        })
    }
}

/// For transports and tests.
impl Error {
    /// A failure of this kind. `message` completes a sentence that begins with the operation; it must not hold secrets or
    /// personal data.
    ///
    /// ```
    /// use upvest_api::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Timeout, "no answer in time").with_operation("createOrder").with_outcome_unknown(true);
    /// assert!(error.is_timeout() && error.is_outcome_unknown());
    /// assert_eq!(error.to_string(), "createOrder: no answer in time; it may have been carried out all the same");
    /// ```
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), known: Known::default() }))
    }

    /// The failure that an answer to `operation` stands for, whose `status` is not a success.
    pub fn from_answer(
        operation: &OperationMeta,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let message = match status {
            status if status.is_redirection() => "redirects are not followed",
            _ => "a status that the description does not know",
        };
        let is_error = status.is_client_error() || status.is_server_error();
        let may_have_happened = !status.is_client_error() || status == StatusCode::REQUEST_TIMEOUT;
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let known = Known {
            operation: Some(operation.id.into()),
            status: Some(status),
            problem: is_error.then(|| Problem::from_body(status, body)),
            request_id: request_id(headers),
            retry_after: seconds.map(Duration::from_secs),
            is_outcome_unknown: may_have_happened && !operation.is_safe(),
            ..Known::default()
        };
        Self(Arc::new(Inner { kind: ErrorKind::of(status), message: message.into(), known }))
    }

    /// The same failure, as another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        Arc::make_mut(&mut self.0).kind = kind;
        self
    }

    /// The same failure, with what is known about its call.
    #[must_use]
    pub fn with_metadata(self, metadata: &Metadata) -> Self {
        self.with(|known| {
            known.status = Some(metadata.status);
            known.request_id.clone_from(&metadata.request_id);
            known.attempts = metadata.attempts;
            known.elapsed = Some(metadata.elapsed);
            known.idempotency_key = metadata.idempotency_key;
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Known)) -> Self {
        change(&mut Arc::make_mut(&mut self.0).known);
        self
    }
}

macro_rules! completed_with {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) -> $field:ident: $known:expr;)*) => {
        impl Error {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(self, $value: $type) -> Self {
                    self.with(|known| known.$field = $known)
                }
            )*
        }
    };
}

completed_with! {
    /// The same failure, caused by `source`.
    with_source(source: impl Into<Box<dyn StdError + Send + Sync>>) -> source: Some(Arc::from(source.into()));
    /// The same failure of the operation with this `operationId`.
    with_operation(id: impl Into<Cow<'static, str>>) -> operation: Some(id.into());
    /// The same failure, found in an answer with `status`.
    with_status(status: StatusCode) -> status: Some(status);
    /// The same failure, explained by the server.
    with_problem(problem: Problem) -> problem: Some(problem);
    /// The same failure, with the id that the server gave the request.
    with_request_id(id: impl Into<String>) -> request_id: Some(id.into());
    /// The same failure after this many requests.
    with_attempts(attempts: u32) -> attempts: attempts;
    /// The same failure after this time.
    with_elapsed(elapsed: Duration) -> elapsed: Some(elapsed);
    /// The same failure of a call under `key`.
    with_idempotency_key(key: IdempotencyKey) -> idempotency_key: Some(key);
    /// The same failure, after which the server asks to wait.
    with_retry_after(wait: Duration) -> retry_after: Some(wait);
    /// The same failure, saying whether the call may have been carried out all the same.
    with_outcome_unknown(is_unknown: bool) -> is_outcome_unknown: is_unknown;
    /// The same failure with a hint of its own.
    with_hint(hint: impl Into<Cow<'static, str>>) -> hint: Some(hint.into());
    /// The same failure at this item of a list, or after this many bytes of a download.
    with_position(position: u64) -> position: Some(position);
    /// The same failure of a wait that saw `state` last.
    with_last_seen(state: impl Any + Send + Sync) -> last_seen: Some(Arc::new(state));
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        self.describe(&mut line)?;
        let mut shown = line.chars().map(harmless);
        shown.by_ref().take(DISPLAY_LIMIT - 1).try_for_each(|c| fmt::Write::write_char(f, c))?;
        match (shown.next(), shown.next()) {
            (Some(last), None) => fmt::Write::write_char(f, last),
            (Some(_), Some(_)) => f.write_str("…"),
            (None, _) => Ok(()),
        }
    }
}

impl Error {
    fn describe(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let Inner { kind, message, known } = &*self.0;
        if let Some(operation) = &known.operation {
            write!(out, "{operation}: ")?;
        }
        if *kind == ErrorKind::Token {
            out.write_str("no access token: ")?;
        }
        match (known.status, &known.problem) {
            (status, Some(problem)) => {
                problem.describe(status.map(|status| status.as_u16()).or(problem.status), out)?;
            }
            (Some(status), None) => {
                let separator = if status.is_success() { ", but " } else { ": " };
                write!(out, "{status}{separator}{message}")?;
            }
            (None, None) => out.write_str(message)?,
        }
        let code = known.problem.as_ref().and_then(Problem::code);
        match (code, self.request_id()) {
            (Some(code), Some(id)) => write!(out, " ({code}, request {id})")?,
            (Some(code), None) => write!(out, " ({code})")?,
            (None, Some(id)) => write!(out, " (request {id})")?,
            (None, None) => {}
        }
        if known.attempts > 1 {
            write!(out, ", after {} attempts", known.attempts)?;
        }
        if let Some(position) = known.position {
            write!(out, ", at position {position}")?;
        }
        if known.is_outcome_unknown {
            out.write_str("; it may have been carried out all the same")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Known { attempts, idempotency_key, source, .. } = &self.0.known;
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("message", &format_args!("{self}"))
            .field("status", &self.status().map(|status| status.as_u16()))
            .field("request_id", &self.request_id())
            .field("attempts", attempts)
            .field("idempotency_key", idempotency_key)
            .field("source", &source.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.known.source.as_deref().map(|source| source as &(dyn StdError + 'static))
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
