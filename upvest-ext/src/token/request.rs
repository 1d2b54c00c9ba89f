//! The request for a token: signed, without `authorization`, and never through the loop that needs a token.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use upvest_api::types::Problem;
use zeroize::Zeroizing;

use super::access_token::AccessToken;
use super::scopes::Scopes;
use super::store::{StoredToken, TokenKey, TokenStore};
use crate::clock::Ambient;
use crate::error::{Error, ErrorKind};
use crate::http_send::{HttpSend, SendError};
use crate::redact::Secrets;
use crate::response::{CallInfo, request_id};
use crate::retry::retry_after;
use crate::sign_request::SignRequest;

/// The life of a token whose answer does not say (`expires_in` is only recommended by RFC 6749 section 5.1).
const UNSTATED_LIFETIME: Duration = Duration::from_secs(60);

/// Everything that it takes to ask for a token.
pub(crate) struct TokenRequest {
    pub(crate) url: Url,
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
            signer.sign(&mut request).await.map_err(Error::unsigned)?;
        }
        let exchange = async {
            let response = self.http.send(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            Ok((status, headers, response.bytes().await.map_err(SendError::from)?))
        };
        let answer = tokio::select! {
            answer = exchange => answer,
            () = self.ambient.clock.sleep(self.timeout) => Err(SendError::timed_out("the token endpoint is too slow")),
        };
        let (status, headers, body) =
            answer.map_err(|error| Error::interrupted(error).with_kind(ErrorKind::Token))?;
        if !status.is_success() {
            return Err(self.refused(status, &headers, &body));
        }
        serde_json::from_slice(&body).map_err(|_| {
            Error::new(ErrorKind::Token, "an answer without `access_token`")
                .with_status(status, request_id(&headers))
        })
    }

    fn build(&self, scopes: &Scopes) -> reqwest::Request {
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(2048));
        form.append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", scopes.as_str());
        let body = Zeroizing::new(form.finish().into_bytes());
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        *request.body_mut() = Some(Bytes::from_owner(body).into());
        request
    }

    fn refused(&self, status: http::StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let wall = self.ambient.clock.wall();
        let secrets = Secrets::new([self.client_secret.expose_secret()]);
        let problem = match secrets.hide(status, body) {
            Some(hidden) => Problem::from_body(status, &hidden),
            None => Problem::from_body(status, body),
        };
        let info = CallInfo {
            operation: upvest_api::operations::CREATE_ACCESS_TOKEN.name.into(),
            retry_after: retry_after(headers, wall),
            clock_offset: crate::clock::offset(headers, wall),
            ..CallInfo::default()
        };
        Error::answered(status, problem, request_id(headers))
            .with_kind(ErrorKind::Token)
            .with_info(Some(info))
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("server", &self.server).finish_non_exhaustive()
    }
}
