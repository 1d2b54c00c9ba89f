//! The access token: what its request contains, what the response means, and when a token is dropped.
//!
//! The pipeline sends the request, as it sends any other call.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::Instant;
use upvest_runtime::{
    Error, ErrorContext, ErrorKind, OperationMeta, Problem, without_byte_order_mark,
};
use zeroize::Zeroizing;

use crate::refreshing::{Expiring, Pauses, Refreshing, ValueRequest};

/// Descriptions name it differently, so it is defined here (`PROTOCOL` 3). A second token harms nobody.
pub(crate) static TOKEN: OperationMeta =
    OperationMeta::custom("createAccessToken", Method::POST, "/auth/token")
        .without_token()
        .changing_nothing();

/// The life of a token without `expires_in`, which RFC 6749 section 5.1 only recommends.
const UNSTATED_LIFE: Duration = Duration::from_secs(60);
/// The longest life of a token. A longer one is shortened to this.
const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);
/// A token that expires sooner than this is not sent, as it might expire on the way.
const EXPIRY_MARGIN: Duration = Duration::from_secs(15);
/// If a token is rejected this soon after the one before, the cause is something else, and no other token is requested.
const TOO_SOON: Duration = Duration::from_secs(3);
/// The length of a token request without its values, rounded up.
const FORM_NAMES: usize = 128;
/// The longest error code or request id that is shown, in characters.
const LONGEST_CODE: usize = 64;

/// What a token request consists of.
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    /// Sorted, and separated by spaces.
    pub(crate) scopes: String,
}

impl Credentials {
    /// The token request.
    pub(crate) fn request(&self, uri: Uri) -> Request<Bytes> {
        let secret = self.client_secret.expose_secret();
        let values = self.client_id.len() + secret.len() + self.scopes.len();
        // An encoded byte has up to three characters. A text that grows would leave a copy of the secret in memory.
        let capacity = FORM_NAMES + 3 * values;
        let form = form_urlencoded::Serializer::new(String::with_capacity(capacity))
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", secret)
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.scopes)
            .finish();
        let body = Bytes::from_owner(Zeroizing::new(form.into_bytes()));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        request
    }

    /// `text` if it can be shown: it is short, has only allowed characters, and does not contain the secret.
    fn showable<'a>(&self, text: Option<&'a str>, is_allowed: fn(u8) -> bool) -> Option<&'a str> {
        let text = text?;
        let fits = (1..=LONGEST_CODE).contains(&text.len()) && text.bytes().all(is_allowed);
        let secret = self.client_secret.expose_secret().to_ascii_lowercase();
        let has_secret = text.to_ascii_lowercase().contains(&secret);
        (fits && !has_secret).then_some(text)
    }
}

/// Requests and renews the token of a client.
pub(crate) struct Tokens {
    credentials: Arc<Credentials>,
    request: Box<dyn Fn() -> ValueRequest<HeaderValue> + Send + Sync>,
    current: Arc<Refreshing<HeaderValue>>,
    last_rejected: Mutex<Option<RejectedToken>>,
}

struct RejectedToken {
    token: HeaderValue,
    at: Instant,
}

impl Tokens {
    /// The tokens that `request` requests, which ends by itself after `request_limit`.
    pub(crate) fn new(
        credentials: Arc<Credentials>,
        request_limit: Duration,
        request: impl Fn() -> ValueRequest<HeaderValue> + Send + Sync + 'static,
    ) -> Self {
        let pauses = Pauses {
            after_success: Duration::ZERO,
            after_failure: Duration::from_secs(2),
            between_renewals: Duration::from_secs(15),
        };
        Self {
            credentials,
            request: Box::new(request),
            current: Refreshing::new(pauses, request_limit),
            last_rejected: Mutex::default(),
        }
    }

    /// The value of the header `authorization`.
    pub(crate) async fn authorization(&self) -> Result<HeaderValue, Error> {
        let mut token = self.current.get(|_| true, |_| (self.request)()).await;
        // A caller that waited for a request without a response starts another one, once, unless the pause after a
        // failure is not over.
        if token.as_ref().is_err_and(Error::is_timeout) {
            token = self.current.get(|_| true, |_| (self.request)()).await;
        }
        match token {
            Ok(Some(token)) => Ok(token),
            Ok(None) => Err(Error::new(ErrorKind::Token, "the server issued no token")),
            Err(error) => Err(self.no_token(&error)),
        }
    }

    /// Replaces a token that the server rejected with 401. Returns whether the call may succeed with another one.
    pub(crate) fn replace(&self, token: &HeaderValue) -> bool {
        let is_current = self.current.peek().is_some_and(|current| current == token);
        // Otherwise another call has replaced it, or is about to.
        !is_current || self.drop_current(token)
    }

    /// Records that the server accepted a token. If it rejects the next one, that one was revoked.
    pub(crate) fn record_accepted(&self) {
        let last = self.last_rejected.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Drops the current token, unless the one before it was rejected a moment ago and none was accepted since.
    fn drop_current(&self, token: &HeaderValue) -> bool {
        let last = self.last_rejected.lock();
        let mut last = last.unwrap_or_else(PoisonError::into_inner);
        let is_too_soon =
            |last: &RejectedToken| last.token != token && last.at.elapsed() < TOO_SOON;
        if last.as_ref().is_some_and(is_too_soon) {
            return false;
        }
        self.current.discard(|current| current == token);
        *last = Some(RejectedToken {
            token: token.clone(),
            at: Instant::now(),
        });
        true
    }

    /// What to do, with the scopes of a request that was rejected.
    fn hint(&self, error: &Error) -> Option<Cow<'static, str>> {
        let hint = hint(error);
        let rejections = [
            StatusCode::BAD_REQUEST,
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
        ];
        let is_rejection = error
            .status()
            .is_some_and(|status| rejections.contains(&status));
        if !is_rejection || self.credentials.scopes.is_empty() {
            return hint;
        }
        let first = hint.map(|hint| format!("{hint}; ")).unwrap_or_default();
        let scopes = &self.credentials.scopes;
        let text = format!(
            "{first}one of the requested scopes may not be granted to this client: {scopes}"
        );
        Some(text.into())
    }

    /// The error of a call that got no token. The server's text is left out, as it may repeat the request and with it
    /// the secret.
    fn no_token(&self, error: &Error) -> Error {
        let is_silent = error.is_timeout() && error.status().is_none() && error.attempts() > 0;
        let failed = if is_silent {
            Error::new(ErrorKind::Token, "no response from the token endpoint")
        } else {
            error.clone().with_kind(kind_without_token(error.kind()))
        };
        let failed = failed.with_context(|context| {
            *context = ErrorContext::default();
            let id = self
                .credentials
                .showable(error.request_id(), is_id_character);
            context.request_id = id.map(str::to_owned);
            context.retry_after = error.retry_after();
            context.hint = self.hint(error);
        });
        let Some(problem) = error.problem() else {
            return failed;
        };
        let code = problem.code().or(problem.title.as_deref());
        let code = self.credentials.showable(code, is_code_character);
        let mut shown = Problem::default();
        shown.status = error.status().map(|status| status.as_u16());
        shown.type_ = code.map(str::to_owned);
        failed.with_problem(shown)
    }
}

/// A call fails with the kind `Token`, unless no request for a token could be made.
fn kind_without_token(kind: ErrorKind) -> ErrorKind {
    match kind {
        ErrorKind::Configuration | ErrorKind::InvalidRequest | ErrorKind::Signing => kind,
        _ => ErrorKind::Token,
    }
}

fn hint(error: &Error) -> Option<Cow<'static, str>> {
    let text =
        "the token request failed for all calls that waited for it: try the call again later";
    let own = error.context().hint.clone();
    own.or_else(|| error.is_transient().then_some(text.into()))
}

fn is_id_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn is_code_character(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte == b'_'
}

/// Reads the response to a token request that was sent at `sent_at`.
pub(crate) fn read_token(
    response: &[u8],
    sent_at: Instant,
) -> Result<Expiring<HeaderValue>, Error> {
    let unusable = |message| Error::new(ErrorKind::Token, message);
    let response: TokenResponse = serde_json::from_slice(without_byte_order_mark(response))
        .map_err(|_| unusable("the response does not contain an `access_token`"))?;
    let token = response.access_token.expose_secret();
    if token.trim().is_empty() {
        return Err(unusable("the token is empty"));
    }
    // The bytes are erased when the last request that contains them is dropped.
    let bearer = Zeroizing::new(["Bearer ".as_bytes(), token.as_bytes()].concat());
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(bearer))
        .map_err(|_| unusable("the token is not a valid header value"))?;
    header.set_sensitive(true);
    let life = response
        .expires_in
        .unwrap_or(UNSTATED_LIFE)
        .min(LONGEST_LIFE);
    // A token with a short life would otherwise never be sent.
    let margin = EXPIRY_MARGIN.min(life / 2);
    let usable = life.saturating_sub(margin);
    // A token with a short life is renewed before it is no longer used, too.
    let renewal = life.mul_f64(0.8).min(usable.mul_f64(0.9));
    Ok(Expiring {
        value: header,
        renew_at: sent_at + renewal,
        good_until: sent_at + usable,
    })
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: SecretString,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<Duration>,
}

/// Some servers write the seconds as `3600.0` or `"3600"`. Other forms are ignored.
fn seconds<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Duration>, D::Error> {
    let text = match Value::deserialize(json)? {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds >= 0.0);
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.min(1e9))))
}
