//! The pipeline of calls, from the request of an operation's builder to its answer.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING};
use http::uri::{Authority, InvalidUri};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use reqwest::Url;
use upvest_api::runtime::{OperationMeta, Transport};
use upvest_api::{ByteStream, Error, ErrorKind, IdempotencyKey, Response};

use crate::call::attempts::{BodyLimits, Network, late, read};
use crate::call::call_info::CallInfo;
use crate::call::options::CallOptions;
use crate::call::telemetry::CallSpan;
use crate::call::throttle::Throttle;
use crate::clock::{ClockAndRng, random_uuid};
use crate::metrics::{Measurement, Metrics};
use crate::retry::{RetryBudget, RetryClass, RetryPolicy};
use crate::token::{Scopes, TOKEN_REQUEST};

/// One day, so that adding a timeout to the current time cannot overflow.
const LONGEST_CALL: Duration = Duration::from_secs(24 * 3600);

/// The number of headers of a signed request, so that the map is allocated once.
const MOST_HEADERS: usize = 14;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The settings and the state that all calls of a client share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) base_url: Url,
    /// The same URL as a `Uri`, for comparison with that of a request.
    pub(crate) base_uri: Uri,
    pub(crate) link: Link,
    /// A token is kept for each set. A call uses the first set that covers its operation.
    pub(crate) scopes: Vec<Scopes>,
    /// The headers of every request: client id, API version, user agent.
    pub(crate) headers: HeaderMap,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) metrics: Metrics,
    pub(crate) attempt_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) body_limits: BodyLimits,
    pub(crate) clock_and_rng: ClockAndRng,
}

/// The connection of a client to the server.
#[derive(Debug)]
pub(crate) enum Link {
    /// Over the network, with tokens, signatures and retries.
    Network(Network),
    /// To the transport of a test, without retries.
    Transport(Arc<dyn Transport>),
}

/// Sends calls with one set of options.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) core: Arc<Core>,
    pub(crate) options: CallOptions,
}

impl Transport for Pipeline {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        Box::pin(self.call(request, operation))
    }
}

impl Pipeline {
    /// Sends `request` with retries. An answer that is not a success is an error.
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        operation: &OperationMeta,
    ) -> Result<Response<ByteStream>, Error> {
        let (answer, info) = self.exchange(request, operation).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(Box::pin(info.error_from(answer, operation)).await)
    }

    /// Sends `request` with retries, and returns the answer with any status.
    pub(crate) async fn exchange(
        &self,
        request: Request<Bytes>,
        operation: &OperationMeta,
    ) -> Result<(Response<ByteStream>, CallInfo), Error> {
        let started = self.core.clock_and_rng.now();
        let span = CallSpan::new(operation, &request);
        let mut info = CallInfo::new(operation);
        let result = {
            // Pinned on the stack, as moving a future of this size takes time.
            let sent = pin!(async {
                let call = self.prepare(request, operation, started, &mut info)?;
                self.core.send(&call, operation, &mut info).await
            });
            span.run(sent).await
        };
        info.elapsed = self
            .core
            .clock_and_rng
            .now()
            .saturating_duration_since(started);
        let (status, error) = match &result {
            Ok(answer) if answer.status().is_success() => (Some(answer.status()), None),
            Ok(answer) => (Some(answer.status()), Some(ErrorKind::of(answer.status()))),
            Err(error) => (error.status(), Some(error.kind())),
        };
        span.ended(status, error, &info);
        self.core.metrics.record(&Measurement::Call {
            operation: operation.id,
            duration: info.elapsed,
            attempts: info.attempts,
            status: status.map(|status| status.as_u16()),
            error,
        });
        match result {
            Ok(answer) => {
                let status = answer.status();
                let (parts, body) = answer.into_parts();
                Ok((
                    Response::new(body, parts.headers, info.metadata(status)),
                    info,
                ))
            }
            Err(error) => Err(info.complete(error)),
        }
    }

    fn time_left(&self, started: Instant) -> Duration {
        let timeout = self
            .options
            .call_timeout
            .unwrap_or(self.core.call_timeout)
            .min(LONGEST_CALL);
        match self.options.deadline {
            Some(deadline) => timeout.min(deadline.saturating_duration_since(started)),
            None => timeout,
        }
    }

    /// Prepares everything that is the same for all attempts.
    fn prepare<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
        started: Instant,
        info: &mut CallInfo,
    ) -> Result<Call<'a>, Error> {
        let left = self.time_left(started);
        let deadline = started
            .checked_add(left)
            .filter(|_| !left.is_zero())
            .ok_or_else(late)?;
        if let Some(problem) = &self.options.problem {
            return Err(Error::new(ErrorKind::InvalidRequest, problem.clone()));
        }
        // The token and the signature must not be sent to another server.
        if !is_same_server(request.uri(), &self.core.base_uri) {
            let message = "the URL of the request is not under the client's base URL";
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        info.idempotency_key = self.idempotency_key(&request, operation)?;
        let accept = request
            .headers()
            .get(ACCEPT)
            .cloned()
            .unwrap_or(HeaderValue::from_static(operation.accept));
        Ok(Call {
            pipeline: self,
            request,
            idempotency_key: info.idempotency_key.map(|key| {
                HeaderValue::try_from(key.to_string()).expect("a UUID is visible ASCII")
            }),
            class: RetryClass::of(operation),
            policy: self.options.retry.unwrap_or(self.core.retry),
            scopes: self.scopes(operation),
            streams: !accepts_json(&accept),
            accept,
            attempt_timeout: self
                .options
                .attempt_timeout
                .unwrap_or(self.core.attempt_timeout),
            deadline,
        })
    }

    fn idempotency_key(
        &self,
        request: &Request<Bytes>,
        operation: &OperationMeta,
    ) -> Result<Option<IdempotencyKey>, Error> {
        if let Some(key) = request.headers().get(&IDEMPOTENCY_KEY) {
            let key = key.to_str().ok().and_then(|key| key.parse().ok());
            return key.map(Some).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidRequest,
                    "the idempotency key is not a UUID",
                )
            });
        }
        match &self.options.idempotency_key {
            Some(given) => given.for_request(request).map(Some).ok_or_else(|| {
                let message =
                    "the idempotency key was already used for another request; use a new key for each request";
                Error::new(ErrorKind::InvalidRequest, message)
            }),
            None if operation.idempotency_key => {
                Ok(Some(random_uuid(&*self.core.clock_and_rng.random).into()))
            }
            None => Ok(None),
        }
    }

    /// The scopes of the token to send, or `None` for the token request itself.
    fn scopes(&self, operation: &OperationMeta) -> Option<&Scopes> {
        if operation.path == TOKEN_REQUEST.path {
            return None;
        }
        let sets = &self.core.scopes;
        let covering = || match sets.as_slice() {
            [only] => Some(only),
            sets => sets
                .iter()
                .find(|set| set.covers(operation.scopes))
                .or(sets.last()),
        };
        self.options.scopes.as_ref().or_else(covering)
    }
}

impl Core {
    async fn send(
        &self,
        call: &Call<'_>,
        operation: &OperationMeta,
        info: &mut CallInfo,
    ) -> Result<http::Response<ByteStream>, Error> {
        let transport = match &self.link {
            Link::Network(network) => return network.attempts(self, call, info).await,
            Link::Transport(transport) => transport,
        };
        let sent = pin!(async {
            let (body, headers, metadata) = transport
                .execute(call.request(), operation)
                .await?
                .into_parts();
            info.attempts = metadata.attempts;
            let mut answer = http::Response::new(body);
            (*answer.status_mut(), *answer.headers_mut()) = (metadata.status, headers);
            Ok(read(answer, call.streams, self.body_limits).await?)
        });
        self.by(call.deadline, sent).await
    }
}

fn accepts_json(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|types| types.contains("json"))
}

fn is_same_server(uri: &Uri, base: &Uri) -> bool {
    let same_text =
        || uri.authority().map(Authority::as_str) == base.authority().map(Authority::as_str);
    uri.scheme() == base.scheme() && (same_text() || uri.authority() == base.authority())
}

/// The URI of `path` under `base`. Characters are percent-encoded where necessary.
pub(crate) fn join(base: &Url, path: &str, query: &str) -> Result<Uri, Error> {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    to_uri(&url)
}

pub(crate) fn to_uri(url: &Url) -> Result<Uri, Error> {
    let unfit = |error: InvalidUri| {
        Error::new(
            ErrorKind::InvalidRequest,
            "the URL is too long or malformed",
        )
        .with_source(error)
    };
    Uri::try_from(url.as_str()).map_err(unfit)
}

/// A call, prepared for its attempts.
pub(crate) struct Call<'a> {
    pipeline: &'a Pipeline,
    /// The request of the operation's builder.
    request: Request<Bytes>,
    accept: HeaderValue,
    idempotency_key: Option<HeaderValue>,
    pub(crate) class: RetryClass,
    pub(crate) policy: RetryPolicy,
    pub(crate) scopes: Option<&'a Scopes>,
    /// Whether a successful answer is returned before its body has arrived.
    pub(crate) streams: bool,
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Instant,
}

impl Call<'_> {
    /// The request of one attempt, without the token and the signature.
    pub(crate) fn request(&self) -> Request<Bytes> {
        let Pipeline { core, options } = self.pipeline;
        let mut headers = HeaderMap::with_capacity(MOST_HEADERS);
        for (name, value) in self
            .request
            .headers()
            .iter()
            .chain(&core.headers)
            .chain(&options.headers)
        {
            headers.insert(name, value.clone());
        }
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, self.accept.clone());
        }
        if self.streams {
            // Without compression, the content length is the length of the file.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if let Some(key) = &self.idempotency_key {
            headers.insert(IDEMPOTENCY_KEY, key.clone());
        }
        let mut request = Request::new(self.request.body().clone());
        *request.method_mut() = self.request.method().clone();
        *request.uri_mut() = self.request.uri().clone();
        *request.headers_mut() = headers;
        request
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::call::http_send::{HttpSend, SendError};
    use crate::client::environment::Environment;
    use crate::client::upvest::Upvest;

    #[derive(Debug)]
    struct Unreachable;

    impl HttpSend for Unreachable {
        fn send(
            &self,
            request: Request<Bytes>,
        ) -> BoxFuture<'_, Result<http::Response<ByteStream>, SendError>> {
            panic!("sent {}", request.uri())
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_to_another_server_than_the_configured_one() {
        static META: OperationMeta = OperationMeta::custom("x", Method::GET, "/x");
        let environment = Environment::Custom("http://127.0.0.1:9".parse().unwrap());
        let builder = Upvest::builder(environment)
            .credentials("id", "secret")
            .http_sender(Unreachable);
        let upvest = builder.build().unwrap();
        for url in [
            "http://127.0.0.1:10/x",
            "https://127.0.0.1:9/x",
            "http://localhost:9/x",
            "http://evil.example:9/x",
        ] {
            let request = Request::get(url).body(Bytes::new()).unwrap();
            let error = upvest.pipeline().call(request, &META).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
        }
    }
}
