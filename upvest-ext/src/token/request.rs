//! The request for a token. It is signed, but has no `authorization` header, so it does not go through the pipeline of calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use upvest_api::runtime::OperationMeta;
use upvest_api::{Error, ErrorKind};
use zeroize::Zeroizing;

use super::access_token::AccessToken;
use super::scopes::Scopes;
use crate::call::attempts::unsigned;
use crate::call::call_info::request_id;
use crate::call::hint::token_hint;
use crate::call::http_send::{HttpSend, SendError};
use crate::call::telemetry::CallSpan;
use crate::call::throttle::Throttle;
use crate::clock::ClockAndRng;
use crate::debug_fields::debug_fields;
use crate::metrics::{Measurement, Metrics};
use crate::retry::{
    AttemptFailure, Decision, RetryBudget, RetryClass, RetryPolicy, Try, retry_after,
};
use crate::signing::SignRequest;

/// The only operation that needs no token (`PROTOCOL` 3). Defined here because descriptions name it differently.
pub(crate) static TOKEN_REQUEST: OperationMeta =
    OperationMeta::custom("createAccessToken", Method::POST, "/auth/token");

/// The lifetime of a token if the answer has no `expires_in`, which RFC 6749 section 5.1 only recommends.
const UNSTATED_LIFETIME: Duration = Duration::from_secs(60);

/// The longest error code or request id that is shown, in characters. Known codes have about 25, and ids 36.
const LONGEST_CODE: usize = 64;

/// Requests tokens.
pub(crate) struct TokenRequest {
    pub(crate) url: Uri,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    /// The headers of every request: client id, API version, user agent.
    pub(crate) headers: HeaderMap,
    pub(crate) http: Arc<dyn HttpSend>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    pub(crate) timeout: Duration,
    /// The longest answer that is read, in bytes.
    pub(crate) body_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) metrics: Metrics,
    /// Calls wait after a 429 of the token endpoint too, as the server counts requests by client id.
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) clock_and_rng: ClockAndRng,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<Duration>,
}

impl TokenAnswer {
    fn token(&self, asked: Instant) -> Result<AccessToken, Error> {
        let token =
            Some(self.access_token.expose_secret()).filter(|token| !token.trim().is_empty());
        let lifetime = self.expires_in.unwrap_or(UNSTATED_LIFETIME);
        let token = token.and_then(|token| AccessToken::new(token, asked, lifetime));
        token.ok_or_else(|| {
            Error::new(
                ErrorKind::Token,
                "the token is empty or not a valid header value",
            )
        })
    }
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

impl TokenRequest {
    /// Requests a token. `None` if this takes longer than one attempt of a call may take.
    pub(crate) async fn fetch(&self, scopes: &Scopes) -> Option<Result<Arc<AccessToken>, Error>> {
        let started = self.clock_and_rng.now();
        let token = async {
            let (answer, asked) = self.ask(scopes, started).await?;
            answer.token(asked)
        };
        let fetched = self.clock_and_rng.within(self.timeout, token).await;
        if fetched.is_none() {
            self.http.timed_out();
        }
        Some(fetched?.map(Arc::new))
    }

    fn left(&self, started: Instant) -> Duration {
        self.timeout
            .saturating_sub(self.clock_and_rng.now().saturating_duration_since(started))
    }

    /// Requests a token with retries. Returns the answer and the time at which its request was sent.
    async fn ask(
        &self,
        scopes: &Scopes,
        started: Instant,
    ) -> Result<(TokenAnswer, Instant), Error> {
        let mut made = 0;
        loop {
            made += 1;
            let asked = self.clock_and_rng.now();
            let answer = self.ask_once(scopes).await;
            self.metrics.record(&Measurement::TokenRequest {
                duration: self.clock_and_rng.now().saturating_duration_since(asked),
                status: answer
                    .as_ref()
                    .err()
                    .and_then(|(_, error)| error.status())
                    .map(|status| status.as_u16()),
                succeeded: answer.is_ok(),
            });
            let (failure, error) = match answer {
                Ok(answer) => return Ok((answer, asked)),
                Err((Some(failure), error)) => (failure, error),
                Err((None, error)) => return Err(error),
            };
            if failure == AttemptFailure::Answered(StatusCode::TOO_MANY_REQUESTS) {
                self.throttle
                    .pause(self.clock_and_rng.now(), error.retry_after());
            }
            let attempt = Try {
                class: RetryClass::Safe,
                failure,
                retry_after: error.retry_after(),
                made,
                left: self.left(started),
            };
            match self
                .retry
                .decide(&attempt, &self.budget, self.clock_and_rng.fraction())
            {
                Decision::Again { wait, .. } => {
                    CallSpan::retrying(made, failure, wait);
                    self.clock_and_rng.clock.sleep(wait).await;
                }
                Decision::GiveUp(_) => return Err(error),
            }
        }
    }

    async fn ask_once(
        &self,
        scopes: &Scopes,
    ) -> Result<TokenAnswer, (Option<AttemptFailure>, Error)> {
        let mut request = self.build(scopes);
        if let Some(signer) = &self.signer {
            signer
                .sign(&mut request)
                .await
                .map_err(|failure| (None, unsigned(failure)))?;
        }
        let exchange = async {
            let (parts, body) = self.http.send(request).await?.into_parts();
            let body = body
                .bytes_within(self.body_limit)
                .await
                .map_err(SendError::unread)?;
            Ok((parts.status, parts.headers, body))
        };
        let (status, headers, body) = exchange.await.map_err(|error: SendError| {
            let failure = AttemptFailure::Interrupted(error.how);
            (
                Some(failure),
                Error::from(error).with_kind(ErrorKind::Token),
            )
        })?;
        if !status.is_success() {
            return Err((
                Some(AttemptFailure::Answered(status)),
                self.refused(status, &headers, &body),
            ));
        }
        serde_json::from_slice(&body).map_err(|_| {
            let error = Error::new(
                ErrorKind::Token,
                "the answer does not contain an `access_token`",
            )
            .with_status(status);
            (
                None,
                request_id(&headers).map_or(error.clone(), |id| error.with_request_id(id)),
            )
        })
    }

    fn build(&self, scopes: &Scopes) -> Request<Bytes> {
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(2048));
        form.append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", scopes.as_str());
        let body = Zeroizing::new(form.finish().into_bytes());
        let mut request = Request::new(Bytes::from_owner(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        request
    }

    /// The error for a rejected token request. It has the status and the error code, but not the server's text, which may
    /// repeat the request and with it the client secret.
    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let wall = self.clock_and_rng.clock.wall();
        let rejection = Rejection::read(body);
        let code = rejection.code().filter(|code| !self.is_secret(code));
        let id = rejection.request_id().filter(|id| !self.is_secret(id));
        let problem =
            serde_json::json!({ "status": status.as_u16(), "type": code, "request_id": id });
        let body = problem.to_string();
        let mut headers = headers.clone();
        let is_plain_id = request_id(&headers)
            .is_some_and(|id| is_made_of(id, is_id_character) && !self.is_secret(id));
        if !is_plain_id {
            headers.remove("upvest-request-id");
        }
        let error = Error::from_answer(&TOKEN_REQUEST, status, &headers, body.as_bytes());
        // The call that needs the token was not sent, so its outcome is known.
        let mut error = error
            .with_kind(ErrorKind::Token)
            .with_outcome_unknown(false);
        if let Some(wait) = retry_after(&headers, wall) {
            error = error.with_retry_after(wait);
        }
        match token_hint(&error, crate::clock::offset(&headers, wall)) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// Whether `code` contains the client secret.
    fn is_secret(&self, code: &str) -> bool {
        let secret = self.client_secret.expose_secret().to_ascii_lowercase();
        code.to_ascii_lowercase().contains(&secret)
    }
}

/// What is read of the body of a rejected token request: `error` of RFC 6749 section 5.2, or fields of a problem document.
#[derive(Default, Deserialize)]
struct Rejection {
    error: Option<String>,
    #[serde(rename = "type")]
    problem_type: Option<String>,
    request_id: Option<String>,
}

impl Rejection {
    /// Nothing, if the body is something else.
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The error code, such as `invalid_client`.
    fn code(&self) -> Option<&str> {
        let text = self.error.as_deref().or(self.problem_type.as_deref())?;
        let code = text.rsplit('/').next()?;
        is_made_of(code, |byte| byte.is_ascii_lowercase() || byte == b'_').then_some(code)
    }

    fn request_id(&self) -> Option<&str> {
        let id = self.request_id.as_deref()?;
        is_made_of(id, is_id_character).then_some(id)
    }
}

fn is_id_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Whether `text` is short and has no other characters, so that it is neither prose nor a part of the request.
fn is_made_of(text: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    (1..=LONGEST_CODE).contains(&text.len()) && text.bytes().all(is_allowed)
}

debug_fields!(TokenRequest, |self| url = self.url);
