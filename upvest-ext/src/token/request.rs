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
use uuid::Uuid;
use zeroize::Zeroizing;

use super::access_token::AccessToken;
use super::scopes::Scopes;
use super::store::{StoredToken, TokenClaim, TokenKey, TokenStore};
use crate::call::attempts::unsigned;
use crate::call::call_info::request_id;
use crate::call::hint::token_hint;
use crate::call::http_send::{HttpSend, SendError};
use crate::call::redact::Secrets;
use crate::call::telemetry::CallSpan;
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

/// About how often the store is checked while another process requests the token.
const POLL: Duration = Duration::from_millis(100);

/// Requests tokens.
pub(crate) struct TokenRequest {
    pub(crate) url: Uri,
    pub(crate) server: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    /// The headers of every request: client id, API version, user agent.
    pub(crate) headers: HeaderMap,
    pub(crate) http: Arc<dyn HttpSend>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    pub(crate) store: Option<Arc<dyn TokenStore>>,
    pub(crate) timeout: Duration,
    /// The longest answer that is read, in bytes.
    pub(crate) body_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) metrics: Metrics,
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
        let token = token
            .and_then(|token| AccessToken::new(token, asked, self.lifetime(), self.lifetime()));
        token.ok_or_else(|| {
            Error::new(
                ErrorKind::Token,
                "the token is empty or not a valid header value",
            )
        })
    }

    fn lifetime(&self) -> Duration {
        self.expires_in.unwrap_or(UNSTATED_LIFETIME)
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
    /// Returns a token from the store, if it has one that is neither `refused` nor due for renewal, or else from Upvest. While
    /// another process requests a token, waits for it to be saved. `None` if all this takes longer than one attempt of a call may
    /// take.
    pub(crate) async fn fetch(
        &self,
        scopes: &Scopes,
        refused: Option<&AccessToken>,
    ) -> Option<Result<Arc<AccessToken>, Error>> {
        let started = self.clock_and_rng.now();
        let token = async {
            let claim = match self.stored_or_claim(scopes, refused, started).await {
                Ok(token) => return Ok(token),
                Err(claim) => claim,
            };
            let asked = self.ask(scopes, started).await;
            let asked = asked.and_then(|(answer, asked)| Ok((answer.token(asked)?, answer, asked)));
            let answer = asked
                .as_ref()
                .ok()
                .map(|(_, answer, asked)| (answer, *asked));
            let left = self.left(started).min(self.store_timeout());
            self.clock_and_rng
                .within(left, self.keep(scopes, answer, claim))
                .await;
            asked.map(|(token, ..)| token)
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

    /// After this time, a store that does not answer is treated as empty.
    fn store_timeout(&self) -> Duration {
        self.timeout / 4
    }

    /// Returns a token from the store, or the claim to request one. There is no claim if there is no store, or if others hold the
    /// claim for too long.
    async fn stored_or_claim(
        &self,
        scopes: &Scopes,
        refused: Option<&AccessToken>,
        started: Instant,
    ) -> Result<AccessToken, Option<Uuid>> {
        let Some(store) = &self.store else {
            return Err(None);
        };
        let key = self.key(scopes);
        let mut claim = None;
        loop {
            if let Some(token) = self.stored(scopes, refused).await {
                if let Some(claim) = claim {
                    self.clock_and_rng
                        .within(self.store_timeout(), store.release(&key, claim))
                        .await;
                }
                return Ok(token);
            }
            if claim.is_some() || self.left(started) < self.timeout / 2 {
                return Err(claim);
            }
            // With a new claim the store is checked again, as another process may have saved a token in between.
            let claimed = store.claim(&key, self.lease());
            match self
                .clock_and_rng
                .within(self.store_timeout(), claimed)
                .await
            {
                Some(TokenClaim::Ours(ours)) => claim = Some(ours),
                Some(TokenClaim::Busy) => {
                    let pause = POLL.mul_f64(0.5 + self.clock_and_rng.fraction());
                    self.clock_and_rng.clock.sleep(pause).await;
                }
                Some(TokenClaim::Unavailable) | None => return Err(None),
            }
        }
    }

    /// How long a claim is valid: longer than a token request takes, but short enough that others can still request a token if its
    /// holder stops.
    fn lease(&self) -> Duration {
        self.timeout / 4
    }

    async fn stored(&self, scopes: &Scopes, refused: Option<&AccessToken>) -> Option<AccessToken> {
        let (store, key) = (self.store.as_ref()?, self.key(scopes));
        let stored = self
            .clock_and_rng
            .within(self.store_timeout(), store.load(&key))
            .await??;
        let now = self.clock_and_rng.now();
        let token = AccessToken::new(
            stored.token.expose_secret(),
            now,
            stored.left,
            stored.lifetime,
        )?;
        if refused.is_some_and(|refused| refused.header() == token.header()) {
            self.clock_and_rng
                .within(self.store_timeout(), store.remove(&key, &stored.token))
                .await;
            return None;
        }
        (!token.is_due(now)).then_some(token)
    }

    /// Saves the token, if there is one, and releases the claim.
    async fn keep(
        &self,
        scopes: &Scopes,
        answer: Option<(&TokenAnswer, Instant)>,
        claim: Option<Uuid>,
    ) {
        let Some(store) = &self.store else { return };
        let key = self.key(scopes);
        if let Some((answer, asked)) = answer {
            let lifetime = answer.lifetime();
            let left =
                lifetime.saturating_sub(self.clock_and_rng.now().saturating_duration_since(asked));
            let token = answer.access_token.clone();
            store
                .save(
                    &key,
                    StoredToken {
                        token,
                        left,
                        lifetime,
                    },
                )
                .await;
        }
        if let Some(claim) = claim {
            store.release(&key, claim).await;
        }
    }

    fn key(&self, scopes: &Scopes) -> TokenKey {
        TokenKey {
            server: self.server.clone(),
            client_id: self.client_id.clone(),
            scopes: scopes.clone(),
        }
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

    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let wall = self.clock_and_rng.clock.wall();
        let hidden = Secrets::new([self.client_secret.expose_secret()]).hide(status, body);
        let body = hidden.as_deref().unwrap_or(body);
        let error = Error::from_answer(&TOKEN_REQUEST, status, headers, body);
        // The call that needs the token was not sent, so its outcome is known.
        let mut error = error
            .with_kind(ErrorKind::Token)
            .with_outcome_unknown(false);
        if let Some(wait) = retry_after(headers, wall) {
            error = error.with_retry_after(wait);
        }
        match token_hint(&error, crate::clock::offset(headers, wall)) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

debug_fields!(TokenRequest, |self| server = self.server);
