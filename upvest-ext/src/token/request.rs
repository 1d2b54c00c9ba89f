//! The request for a token: signed, without `authorization`, and never through the loop that needs a token.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use upvest_api::runtime::OperationMeta;
use upvest_api::{Error, ErrorKind};
use zeroize::Zeroizing;

use super::access_token::AccessToken;
use super::scopes::Scopes;
use super::store::{StoredToken, TokenKey, TokenStore};
use crate::attempts::unsigned;
use crate::call_info::request_id;
use crate::clock::Ambient;
use crate::hint::token_hint;
use crate::http_send::{HttpSend, SendError};
use crate::redact::Secrets;
use crate::retry::retry_after;
use crate::sign_request::SignRequest;

/// The one call that takes no token (`PROTOCOL` 3), whatever a description calls it.
pub(crate) static TOKEN_REQUEST: OperationMeta =
    OperationMeta::custom("createAccessToken", Method::POST, "/auth/token");

/// The life of a token whose answer does not say (`expires_in` is only recommended by RFC 6749 section 5.1).
const UNSTATED_LIFETIME: Duration = Duration::from_secs(60);

/// Everything that it takes to ask for a token.
pub(crate) struct TokenRequest {
    pub(crate) url: Uri,
    pub(crate) server: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    /// What goes on every request: client id, API version, user agent.
    pub(crate) headers: HeaderMap,
    pub(crate) http: Arc<dyn HttpSend>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    pub(crate) store: Option<Arc<dyn TokenStore>>,
    pub(crate) timeout: Duration,
    pub(crate) ambient: Ambient,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    expires_in: Option<u64>,
}

impl TokenRequest {
    /// A token from the store, if it has one that is not `refused` and not due for renewal, else from Upvest.
    pub(crate) async fn fetch(
        &self,
        scopes: &Scopes,
        refused: Option<&AccessToken>,
    ) -> Result<Arc<AccessToken>, Error> {
        if let Some(token) = self.stored(scopes, refused).await {
            return Ok(Arc::new(token));
        }
        let started = self.ambient.now();
        let answer = self.ask(scopes).await?;
        let lifetime = answer.expires_in.map_or(UNSTATED_LIFETIME, Duration::from_secs);
        self.keep(scopes, &answer.access_token, started, lifetime).await;
        let token = AccessToken::new(answer.access_token.expose_secret(), started, lifetime, lifetime);
        token
            .map(Arc::new)
            .ok_or_else(|| Error::new(ErrorKind::Token, "the token does not fit an HTTP header"))
    }

    /// Takes a refused token out of the store.
    pub(crate) async fn forget(&self, scopes: &Scopes, refused: &AccessToken) {
        if let Some(store) = &self.store {
            store.remove(&self.key(scopes), &refused.secret().into()).await;
        }
    }

    async fn stored(&self, scopes: &Scopes, refused: Option<&AccessToken>) -> Option<AccessToken> {
        let stored = self.store.as_ref()?.load(&self.key(scopes)).await?;
        let (now, wall) = (self.ambient.now(), self.ambient.clock.wall());
        let left = stored.expires_at.duration_since(wall).ok()?;
        let token = AccessToken::new(stored.token.expose_secret(), now, left, stored.lifetime)?;
        let was_refused = refused.is_some_and(|refused| refused.header() == token.header());
        (!was_refused && !token.is_due(now)).then_some(token)
    }

    async fn keep(&self, scopes: &Scopes, token: &SecretString, started: Instant, lifetime: Duration) {
        let Some(store) = &self.store else { return };
        let left = lifetime.saturating_sub(self.ambient.now().saturating_duration_since(started));
        if let Some(expires_at) = self.ambient.clock.wall().checked_add(left) {
            store.save(&self.key(scopes), StoredToken { token: token.clone(), expires_at, lifetime }).await;
        }
    }

    fn key(&self, scopes: &Scopes) -> TokenKey {
        TokenKey { server: self.server.clone(), client_id: self.client_id.clone(), scopes: scopes.clone() }
    }

    async fn ask(&self, scopes: &Scopes) -> Result<TokenAnswer, Error> {
        let mut request = self.build(scopes);
        if let Some(signer) = &self.signer {
            signer.sign(&mut request).await.map_err(unsigned)?;
        }
        let exchange = async {
            let (parts, body) = self.http.send(request).await?.into_parts();
            Ok((parts.status, parts.headers, body.bytes().await.map_err(SendError::broken)?))
        };
        let answer = tokio::select! {
            answer = exchange => answer,
            () = self.ambient.clock.sleep(self.timeout) => Err(SendError::timed_out("the token endpoint is too slow")),
        };
        let (status, headers, body) =
            answer.map_err(|error| Error::from(error).with_kind(ErrorKind::Token))?;
        if !status.is_success() {
            return Err(self.refused(status, &headers, &body));
        }
        serde_json::from_slice(&body).map_err(|_| {
            let error = Error::new(ErrorKind::Token, "an answer without `access_token`").with_status(status);
            request_id(&headers).map_or(error.clone(), |id| error.with_request_id(id))
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
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        request
    }

    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let wall = self.ambient.clock.wall();
        let hidden = Secrets::new([self.client_secret.expose_secret()]).hide(status, body);
        let body = hidden.as_deref().unwrap_or(body);
        let error = Error::from_answer(&TOKEN_REQUEST, status, headers, body);
        // It is told as the failure of a call that was not sent.
        let mut error = error.with_kind(ErrorKind::Token).with_outcome_unknown(false);
        if let Some(wait) = retry_after(headers, wall) {
            error = error.with_retry_after(wait);
        }
        match token_hint(&error, crate::clock::offset(headers, wall)) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("server", &self.server).finish_non_exhaustive()
    }
}
