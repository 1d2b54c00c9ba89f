//! The one error of this crate.

mod convert;
mod hint;
mod kind;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use upvest_api::types::Problem;

use crate::idempotency::IdempotencyKey;
use crate::response::CallInfo;
pub use kind::ErrorKind;

/// Most characters of `Display`, which may quote what a server sent.
const DISPLAY_LIMIT: usize = 500;

type Source = Arc<dyn StdError + Send + Sync>;

/// What went wrong with a call, where, and what to do about it.
///
/// Every `send()` of the generated client converts into it with `?`:
///
/// ```no_run
/// # use upvest_ext::{Upvest, Error, api::types::{Order, OrderCreate}};
/// async fn place(upvest: &Upvest, order: OrderCreate) -> Result<Order, Error> {
///     let result = upvest.create_order().body(order).send().await.map_err(Error::from);
///     match result {
///         Ok(order) => Ok(order.into_inner()),
///         // The order may exist: ask again under `idempotency_key()`, never under a new one.
///         Err(error) if error.is_outcome_unknown() => Err(error),
///         Err(error) if error.is_validation() => Err(error),
///         Err(error) => {
///             eprintln!("{error}; {}", error.hint().unwrap_or("no hint"));
///             Err(error)
///         }
///     }
/// }
/// ```
///
/// `Display` is one line and holds neither bodies nor secrets. Clones share what is inside.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

const _: () = assert!(size_of::<Error>() <= 128);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    status: Option<StatusCode>,
    request_id: Option<String>,
    problem: Option<Problem>,
    info: Option<CallInfo>,
    source: Option<Source>,
}

impl Error {
    /// What sort of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status of the last answer, or of the token endpoint's where no token could be had.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// What the server said.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.problem.as_ref()
    }

    /// The id to quote to Upvest's support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the server asked to wait before another try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.info()?.retry_after
    }

    /// The operation, by the name of the client's method.
    pub fn operation(&self) -> Option<&str> {
        self.info().map(|info| info.operation.as_ref())
    }

    /// How many requests were sent, token requests not counted.
    pub fn attempts(&self) -> u32 {
        self.info().map_or(0, |info| info.attempts)
    }

    /// The time from the call to its failure.
    pub fn elapsed(&self) -> Option<Duration> {
        self.info().map(|info| info.elapsed)
    }

    /// The key under which the call was sent, where its operation takes one. Sending the same body again under this key,
    /// with [`CallOptions::idempotency_key`](crate::CallOptions::idempotency_key), cannot do the thing twice.
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        self.info()?.idempotency_key
    }

    /// Whether the server may have done what the call asked for, though the call failed.
    ///
    /// `false` means that nothing was changed. `true` is only ever said of calls that change something: after a connection
    /// that broke, an answer that did not come in time, a 5xx, or a success answer that could not be read. Look whether the
    /// thing exists, or send the same body again under [`Error::idempotency_key`].
    pub fn is_outcome_unknown(&self) -> bool {
        let Some(info) = self.info() else { return false };
        let of_the_call = self.kind() != ErrorKind::Token;
        let answered_well = of_the_call && self.status().is_some_and(|status| status.is_success());
        info.changes && (info.may_have_happened || answered_well)
    }

    /// Whether the same call may well succeed later. It says nothing about safety, see [`Error::is_outcome_unknown`].
    pub fn is_transient(&self) -> bool {
        match self.status() {
            Some(status) => matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504),
            None => matches!(
                self.kind(),
                ErrorKind::Connect
                    | ErrorKind::Interrupted
                    | ErrorKind::Timeout
                    | ErrorKind::Token
                    | ErrorKind::RateLimited
            ),
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

    /// Whether the thing does not exist (404, 410).
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether the thing's present state forbids the operation (409).
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

    fn info(&self) -> Option<&CallInfo> {
        self.0.info.as_ref()
    }
}

/// How the crate makes errors.
impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            status: None,
            request_id: None,
            problem: None,
            info: None,
            source: None,
        }))
    }

    /// An answer with an error status. A problem's own request id wins over the header's.
    pub(crate) fn answered(status: StatusCode, problem: Problem, request_id: Option<String>) -> Self {
        Self::new(ErrorKind::of(status), "").map(|inner| {
            inner.status = Some(status);
            inner.request_id = problem.request_id.clone().or(request_id);
            inner.problem = Some(problem);
        })
    }

    pub(crate) fn with_kind(self, kind: ErrorKind) -> Self {
        self.map(|inner| inner.kind = kind)
    }

    pub(crate) fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.map(|inner| inner.source = Some(Arc::from(source.into())))
    }

    pub(crate) fn with_status(self, status: StatusCode, request_id: Option<String>) -> Self {
        self.map(|inner| (inner.status, inner.request_id) = (Some(status), request_id))
    }

    pub(crate) fn with_info(self, info: Option<CallInfo>) -> Self {
        self.map(|inner| inner.info = info)
    }

    /// Tells what a failed token request has to say about the call that waited for it.
    pub(crate) fn leave_facts(&self, info: &mut CallInfo) {
        info.retry_after = self.retry_after();
        info.clock_offset = self.info().and_then(|own| own.clock_offset);
    }

    fn map(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        self.describe(&mut line)?;
        // What the server wrote may hold line breaks and terminal escapes.
        let visible = line.chars().map(|c| if c.is_control() { ' ' } else { c });
        visible.take(DISPLAY_LIMIT).try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

impl Error {
    fn describe(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let inner = &self.0;
        if let Some(info) = &inner.info {
            write!(out, "{}: ", info.operation)?;
        }
        if inner.kind == ErrorKind::Token {
            out.write_str("no access token: ")?;
        }
        match (&inner.problem, inner.status) {
            (Some(problem), _) => write!(out, "{problem}")?,
            (None, Some(status)) => write!(out, "{} {}", status.as_u16(), inner.message)?,
            (None, None) => out.write_str(&inner.message)?,
        }
        if self.attempts() > 1 {
            write!(out, ", after {} attempts", self.attempts())?;
        }
        if self.is_outcome_unknown() {
            out.write_str("; it may have been carried out all the same")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &format_args!("{self}"))
            .field("status", &inner.status.map(|status| status.as_u16()))
            .field("request_id", &inner.request_id)
            .field("call", &inner.info)
            .field("source", &inner.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
