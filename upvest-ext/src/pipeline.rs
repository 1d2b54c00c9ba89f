//! A call, from the request that a builder made to its answer: token, signature, attempts, waits.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, Response, Url};
use secrecy::SecretString;
use upvest_api::operations::CREATE_ACCESS_TOKEN;
use upvest_api::runtime::{OperationMeta, Transport, TransportFuture, carry};

use crate::bulk::RateLimit;
use crate::clock::Ambient;
use crate::error::{Error, ErrorKind};
use crate::http_send::HttpSend;
use crate::idempotency::IdempotencyKey;
use crate::options::CallOptions;
use crate::response::CallInfo;
use crate::retry::{RetryBudget, RetryClass, RetryPolicy};
use crate::sign_request::SignRequest;
use crate::telemetry::CallSpan;
use crate::token::{Scopes, TokenCache};

/// A day, so that no timeout is too long to be added to a clock.
const LONGEST_CALL: Duration = Duration::from_secs(24 * 3600);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What all calls of a client have in common.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) base_url: Url,
    pub(crate) http: Arc<dyn HttpSend>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    pub(crate) tokens: TokenCache,
    pub(crate) client_secret: SecretString,
    /// A token is kept for each set; a call takes the first that covers it.
    pub(crate) scopes: Vec<Scopes>,
    /// What goes on every request: client id, API version, user agent.
    pub(crate) headers: HeaderMap,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) ambient: Ambient,
}

/// Sends calls with one set of options.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) core: Arc<Core>,
    pub(crate) options: CallOptions,
}

impl Transport for Pipeline {
    fn execute<'a>(&'a self, request: Request, operation: &'static OperationMeta) -> TransportFuture<'a> {
        Box::pin(async move {
            match self.call(request, operation).await {
                Ok(response) => Ok(response),
                Err(error) => Err(carry(error).await),
            }
        })
    }
}

impl Pipeline {
    /// Sends `request` until there is an answer to hand on, whatever its status, or an error.
    pub(crate) async fn call(&self, request: Request, operation: &OperationMeta) -> Result<Response, Error> {
        let started = self.core.ambient.now();
        let span = CallSpan::new(operation, request.url(), request.method());
        let mut info = CallInfo::new(operation);
        let result = span.run(self.within_deadline(request, operation, started, &mut info)).await;
        info.elapsed = self.core.ambient.now().saturating_duration_since(started);
        match result {
            Ok(mut response) => {
                let status = response.status();
                let error = (!status.is_success()).then(|| ErrorKind::of(status));
                span.ended(Some(status.as_u16()), error, &info);
                info.write(response.headers_mut());
                Ok(response)
            }
            Err(error) => {
                span.ended(error.status().map(|status| status.as_u16()), Some(error.kind()), &info);
                Err(error.with_info(Some(info)))
            }
        }
    }

    async fn within_deadline(
        &self,
        request: Request,
        operation: &OperationMeta,
        started: Instant,
        info: &mut CallInfo,
    ) -> Result<Response, Error> {
        let late = || Error::new(ErrorKind::Timeout, "the call's deadline has passed");
        let left = self.time_left(started);
        let deadline = started.checked_add(left).filter(|_| !left.is_zero()).ok_or_else(late)?;
        let call = self.prepare(request, operation, deadline, info)?;
        let outcome = {
            let attempts = pin!(self.core.attempts(&call, info));
            tokio::select! {
                biased;
                outcome = attempts => Some(outcome),
                () = self.core.ambient.clock.sleep(left) => None,
            }
        };
        outcome.unwrap_or_else(|| {
            info.may_have_happened |= info.changes && info.in_flight;
            Err(late())
        })
    }

    fn time_left(&self, started: Instant) -> Duration {
        let timeout = self.options.call_timeout.unwrap_or(self.core.call_timeout).min(LONGEST_CALL);
        match self.options.deadline {
            Some(deadline) => timeout.min(deadline.saturating_duration_since(started)),
            None => timeout,
        }
    }

    /// Puts on the request what is the same on every attempt.
    fn prepare<'a>(
        &'a self,
        mut request: Request,
        operation: &'a OperationMeta,
        deadline: Instant,
        info: &mut CallInfo,
    ) -> Result<Call<'a>, Error> {
        if let Some(problem) = &self.options.problem {
            return Err(Error::new(ErrorKind::InvalidRequest, problem.clone()));
        }
        // The token and the signature are for one server only.
        if !is_same_origin(request.url(), &self.core.base_url) {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                "the request is for another server than the client's",
            ));
        }
        info.idempotency_key = self.idempotency_key(&request, operation)?;
        let headers = request.headers_mut();
        for (name, value) in self.core.headers.iter().chain(&self.options.headers) {
            headers.insert(name, value.clone());
        }
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static(operation.accept));
        }
        if let Some(key) = info.idempotency_key {
            let key = HeaderValue::try_from(key.to_string()).expect("a UUID is visible ASCII");
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        Ok(Call {
            request,
            class: RetryClass::of(operation),
            policy: self.options.retry.unwrap_or(self.core.retry),
            scopes: self.scopes(operation),
            streams: !operation.accept.contains("json"),
            attempt_timeout: self.options.attempt_timeout.unwrap_or(self.core.attempt_timeout),
            deadline,
        })
    }

    fn idempotency_key(
        &self,
        request: &Request,
        operation: &OperationMeta,
    ) -> Result<Option<IdempotencyKey>, Error> {
        match &self.options.idempotency_key {
            Some(given) => given.for_request(request).map(Some).ok_or_else(|| {
                let message =
                    "the idempotency key was used for another request already; each request needs its own";
                Error::new(ErrorKind::InvalidRequest, message)
            }),
            None if operation.idempotency_key => Ok(Some(IdempotencyKey::generate_with(&self.core.ambient))),
            None => Ok(None),
        }
    }

    /// The scopes of the token to send, or `None` for the one call that takes no token.
    fn scopes(&self, operation: &OperationMeta) -> Option<&Scopes> {
        if operation.id == CREATE_ACCESS_TOKEN.id {
            return None;
        }
        let sets = &self.core.scopes;
        let covering = || sets.iter().find(|set| set.covers(operation.scopes)).or(sets.last());
        self.options.scopes.as_ref().or_else(covering)
    }
}

/// A call that is ready for its attempts.
pub(crate) struct Call<'a> {
    /// Complete but for the token and the signature.
    pub(crate) request: Request,
    pub(crate) class: RetryClass,
    pub(crate) policy: RetryPolicy,
    pub(crate) scopes: Option<&'a Scopes>,
    /// Whether a success answer is handed on before its body has arrived.
    pub(crate) streams: bool,
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Instant,
}

pub(crate) fn is_same_origin(url: &Url, base: &Url) -> bool {
    let origin = |url: &Url| (url.port_or_known_default(), url.scheme() == "https");
    origin(url) == origin(base) && url.host_str() == base.host_str()
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::environment::Environment;
    use crate::http_send::HttpFuture;
    use crate::upvest::Upvest;

    #[derive(Debug)]
    struct Unreachable;

    impl HttpSend for Unreachable {
        fn send(&self, request: Request) -> HttpFuture<'_> {
            panic!("sent {}", request.url())
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_to_another_server_than_the_configured_one() {
        static META: OperationMeta = OperationMeta::custom("x", Method::GET, "/x");
        let environment = Environment::Custom("http://127.0.0.1:9".parse().unwrap());
        let builder = Upvest::builder(environment).credentials("id", "secret").http_sender(Unreachable);
        let upvest = builder.build().unwrap();
        for url in [
            "http://127.0.0.1:10/x",
            "https://127.0.0.1:9/x",
            "http://localhost:9/x",
            "http://evil.example:9/x",
        ] {
            let request = Request::new(Method::GET, url.parse().unwrap());
            let error = upvest.pipeline().call(request, &META).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
        }
    }
}
