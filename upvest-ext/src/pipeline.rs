//! The one way out. [`Core::call`] reads from top to bottom what a call does: prepare, then { pause after a 429, token, sign, send,
//! read, judge, wait } until there is a response or the deadline has passed.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument as _;
use upvest_runtime::{
    ByteStream, Error, ErrorKind, IdempotencyKey, OperationMeta, Response, ResponseTimeout,
    Transport, reject_encoded,
};

use crate::call_record::{CallRecord, clock_differs};
use crate::hooks::Hooks;
use crate::options::{ATTEMPT, CallOptions};
use crate::refreshing::Fetch;
use crate::retry::{
    Attempt, Failure, GiveUpReason, RetryBudget, RetryClass, RetryPolicy, retry_after,
};
use crate::throttle::Throttle;
use crate::token::{Credentials, TOKEN, Tokens, read_token};
use upvest_signing::SignRequest;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The number of headers of a signed request, so that the map is allocated once.
const MOST_HEADERS: usize = 16;
/// The longest bodies that are read into memory, in bytes. Files have no limit.
const RESPONSE_LIMIT: usize = 64 * 1024 * 1024;
const ERROR_LIMIT: usize = 1024 * 1024;
/// A token request is repeated less often than a call, as calls wait for it.
const TOKEN_ATTEMPTS: u32 = 3;

/// What all calls of a client share.
#[derive(Clone)]
pub(crate) struct Core {
    /// Without a slash at its end.
    pub(crate) base_url: String,
    /// The same URL, for comparison with that of a request.
    pub(crate) base_uri: Uri,
    pub(crate) transport: Arc<dyn Transport>,
    /// `None` for a client without credentials, and for the one that requests tokens.
    pub(crate) tokens: Option<Arc<Tokens>>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    /// The headers of every request: client id, API version, user agent.
    pub(crate) headers: HeaderMap,
    pub(crate) budget: RetryBudget,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) hooks: Hooks,
}

/// Sends calls with one set of options. The generated client sends through it.
#[derive(Clone)]
pub(crate) struct Pipeline {
    pub(crate) core: Arc<Core>,
    pub(crate) options: CallOptions,
}

impl Pipeline {
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        operation: &OperationMeta,
    ) -> Result<Response<ByteStream>, Error> {
        self.core.call(request, operation, &self.options).await
    }
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

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("base_url", &self.core.base_url)
            .field("transport", &self.core.transport)
            .finish_non_exhaustive()
    }
}

/// A call, prepared for its attempts.
struct Call<'a> {
    operation: &'a OperationMeta,
    /// Without token and signature.
    request: Request<Bytes>,
    class: RetryClass,
    policy: RetryPolicy,
    /// Whether a successful response is returned before its body has arrived.
    is_file: bool,
    attempt_limit: Duration,
    deadline: Instant,
}

/// An attempt that was not a success.
struct FailedAttempt {
    failure: Failure,
    error: Error,
    retry_after: Option<Duration>,
    clock_differs: bool,
}

impl Core {
    /// Sends `request`, again where that is safe. A response that is not a success is an error.
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        operation: &OperationMeta,
        options: &CallOptions,
    ) -> Result<Response<ByteStream>, Error> {
        let mut record = CallRecord::start(operation, &request);
        let result = match self.prepare(request, operation, options, &mut record) {
            Ok(call) => {
                let span = record.span.clone();
                // Pinned on the stack, as moving a future of this size takes time.
                let attempts = pin!(self.attempts(&call, &mut record));
                attempts.instrument(span).await
            }
            Err(error) => Err(error),
        };
        let report = match &result {
            Ok(response) => record.finish(Some(response.status()), None),
            Err(error) => record.finish(error.status(), Some(error.kind())),
        };
        self.hooks.report(&report);
        match result {
            Ok(response) => Ok(record.complete(response)),
            Err(error) => Err(record.explain(error)),
        }
    }

    /// Adds what is the same for all attempts.
    fn prepare<'a>(
        &self,
        mut request: Request<Bytes>,
        operation: &'a OperationMeta,
        options: &CallOptions,
        record: &mut CallRecord<'_>,
    ) -> Result<Call<'a>, Error> {
        if let Some(problem) = options.problem() {
            return Err(Error::new(ErrorKind::InvalidRequest, problem.to_owned()));
        }
        // The token and the signature must not be sent to another server.
        if !is_same_server(request.uri(), &self.base_uri) {
            let message = "the URL of the request is not under the client's base URL";
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let attempt_limit = options.attempt_limit();
        if attempt_limit > ATTEMPT {
            // The transport's own limit is that of attempts by default.
            let limit = ResponseTimeout(attempt_limit);
            request.extensions_mut().insert(limit);
        }
        // Strict servers answer 411 without a length, and HTTP/2 adds one after the signature (RFC 9110 section 8.6).
        let expects_body = matches!(
            *request.method(),
            Method::POST | Method::PUT | Method::PATCH
        );
        let lacks_expected_body = expects_body && request.body().is_empty();
        let headers = request.headers_mut();
        headers.reserve(MOST_HEADERS);
        for (name, value) in self.headers.iter().chain(options.headers()) {
            headers.insert(name, value.clone());
        }
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static(operation.accept));
        }
        let is_file = !headers.get(ACCEPT).is_some_and(names_json);
        // A compressed body would have another length than the file, and no JSON.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if lacks_expected_body {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        record.idempotency_key = idempotency_key(headers, operation)?;
        Ok(Call {
            operation,
            class: RetryClass::of_request(operation, headers.contains_key(IDEMPOTENCY_KEY)),
            request,
            policy: options.policy(),
            is_file,
            attempt_limit,
            deadline: Instant::now() + options.call_limit(),
        })
    }

    /// The loop. It ends with a success, or with the error of the last attempt.
    async fn attempts(
        &self,
        call: &Call<'_>,
        record: &mut CallRecord<'_>,
    ) -> Result<Response<ByteStream>, Error> {
        let mut last_error = None;
        let mut is_replay = false;
        loop {
            if let Err(pause) = self.throttle.wait(call.deadline).await {
                // The failure of this call says more than the pause that another call caused.
                return Err(last_error.unwrap_or(pause));
            }
            let token = self.token(call).await?;
            let request = self.sign(call, token.as_ref()).await?;
            let failed = match self.send(call, request, record).await? {
                Ok(response) => {
                    self.budget.record_success(record.attempts);
                    return Ok(response);
                }
                Err(failed) => failed,
            };
            let is_rejected = failed.failure == Failure::Status(StatusCode::UNAUTHORIZED);
            if is_rejected && !is_replay && self.drop_token(token.as_ref()) {
                // The server rejected the call before it acted on it, so it is safe to send it again.
                tracing::warn!("token rejected, sending the call again with a new one");
                is_replay = true;
                continue;
            }
            let Some(wait) = self.judge(call, &failed, record) else {
                return Err(failed.error);
            };
            last_error = Some(failed.error);
            sleep(wait).await;
        }
    }

    /// The token of a call that needs one.
    async fn token(&self, call: &Call<'_>) -> Result<Option<HeaderValue>, Error> {
        match &self.tokens {
            Some(tokens) if call.operation.needs_token => {
                let token = by(call.deadline, tokens.authorization()).await;
                token.ok_or_else(deadline_passed)?.map(Some)
            }
            _ => Ok(None),
        }
    }

    fn drop_token(&self, token: Option<&HeaderValue>) -> bool {
        match (&self.tokens, token) {
            (Some(tokens), Some(token)) => tokens.reject(token),
            _ => false,
        }
    }

    /// The request of one attempt, with token and signature.
    async fn sign(
        &self,
        call: &Call<'_>,
        token: Option<&HeaderValue>,
    ) -> Result<Request<Bytes>, Error> {
        let mut request = call.request.clone();
        self.hooks.change_headers(request.headers_mut());
        if let Some(token) = token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        let Some(signer) = &self.signer else {
            return Ok(request);
        };
        match by(call.attempt_end(), signer.sign(&mut request)).await {
            Some(Ok(())) => Ok(request),
            Some(Err(error)) => {
                let message = "the request could not be signed";
                Err(Error::new(ErrorKind::Signing, message).with_source(error))
            }
            None => {
                let message = "the signer did not respond in time";
                Err(Error::new(ErrorKind::Timeout, message))
            }
        }
    }

    /// One attempt. An outer error ends the call.
    async fn send(
        &self,
        call: &Call<'_>,
        request: Request<Bytes>,
        record: &mut CallRecord<'_>,
    ) -> Result<Result<Response<ByteStream>, FailedAttempt>, Error> {
        if call.deadline <= Instant::now() {
            return Err(deadline_passed());
        }
        record.attempts += 1;
        let end = call.attempt_end();
        let exchange = pin!(self.exchange(call, request));
        let response = match by(end, exchange).await {
            Some(Ok(response)) => response,
            Some(Err(error)) => {
                if error.is_timeout() {
                    self.transport.timed_out();
                }
                return Ok(Err(without_response(error)));
            }
            None => {
                self.transport.timed_out();
                if end == call.deadline {
                    record.may_have_happened |= call.changes();
                    return Err(deadline_passed());
                }
                let message = "no answer within the attempt timeout";
                let error = Error::new(ErrorKind::Timeout, message);
                return Ok(Err(without_response(error)));
            }
        };
        tracing::debug!(
            attempt = record.attempts,
            http.response.status_code = response.status().as_u16(),
            upvest.request_id = response.request_id(),
            "answer"
        );
        if response.status().is_success() {
            return Ok(Ok(response));
        }
        Ok(Err(self.rejected(call, response, end).await))
    }

    /// Sends a request and reads a successful response, so that an attempt fails if the connection breaks in the middle of it. A
    /// file is not read here.
    async fn exchange(
        &self,
        call: &Call<'_>,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, Error> {
        let response = self.transport.execute(request, call.operation).await?;
        let response = reject_encoded(response);
        if !response.status().is_success() {
            return Ok(response);
        }
        let response = response.map(|body| body.idle_limit(call.attempt_limit));
        if call.is_file {
            return Ok(response);
        }
        let (body, headers, metadata) = response.into_parts();
        let body = body.bytes_within(RESPONSE_LIMIT).await;
        let body = body.map_err(|error| match error.kind() {
            // The whole response came, although its body is of no use.
            ErrorKind::Decode => error.with_metadata(&metadata),
            _ => error,
        })?;
        Ok(Response::new(body.into(), headers, metadata))
    }

    /// An attempt whose response is not a success. Its body is read until `end`.
    async fn rejected(
        &self,
        call: &Call<'_>,
        response: Response<ByteStream>,
        end: Instant,
    ) -> FailedAttempt {
        let (body, headers, metadata) = response.into_parts();
        let body = match by(end, body.bytes_within(ERROR_LIMIT)).await {
            Some(Ok(body)) => body,
            Some(Err(error)) if error.kind() == ErrorKind::Decode => {
                let detail = serde_json::json!({ "detail": error.to_string() });
                detail.to_string().into()
            }
            // The status is more useful than an error about the missing body.
            Some(Err(error)) if !error.is_timeout() => Bytes::new(),
            Some(Err(_)) | None => {
                self.transport.timed_out();
                Bytes::new()
            }
        };
        FailedAttempt {
            failure: Failure::Status(metadata.status),
            error: Error::from_answer(call.operation, metadata.status, &headers, &body),
            retry_after: retry_after(&headers),
            clock_differs: clock_differs(&headers),
        }
    }

    /// The wait before the next attempt. `None` if the failure is final.
    fn judge(
        &self,
        call: &Call<'_>,
        failed: &FailedAttempt,
        record: &mut CallRecord<'_>,
    ) -> Option<Duration> {
        let failure = failed.failure;
        record.may_have_happened |= call.changes() && failure.may_have_happened();
        record.retry_after = failed.retry_after;
        record.clock_differs = failed.clock_differs;
        if failure == Failure::Status(StatusCode::TOO_MANY_REQUESTS) {
            self.throttle.pause(failed.retry_after);
        }
        let attempt = Attempt {
            class: call.class,
            failure,
            retry_after: failed.retry_after,
            made: record.attempts,
            left: call.deadline.saturating_duration_since(Instant::now()),
        };
        let attempts = record.attempts;
        match call.policy.next(&attempt, &self.budget) {
            Ok(wait) => {
                let wait_s = wait.as_secs_f64();
                tracing::warn!(
                    attempt = attempts,
                    ?failure,
                    wait_s,
                    "attempt failed, retrying"
                );
                Some(wait)
            }
            Err(reason) => {
                if reason == GiveUpReason::Final {
                    tracing::debug!(
                        attempt = attempts,
                        ?failure,
                        "attempt failed, not retryable"
                    );
                } else {
                    tracing::warn!(
                        attempt = attempts,
                        ?failure,
                        ?reason,
                        "attempt failed, giving up"
                    );
                }
                record.gave_up = Some(reason);
                None
            }
        }
    }

    /// The same core, with a token for each call that needs one. `options` are those of the token requests.
    pub(crate) fn with_tokens(self, credentials: Credentials, options: &CallOptions) -> Self {
        let sender = Arc::new(self.clone());
        let credentials = Arc::new(credentials);
        // Calls wait for a token, so all its attempts together take no longer than one of theirs.
        let limit = options.attempt_limit();
        let options = CallOptions::new()
            .retry(options.policy().capped(TOKEN_ATTEMPTS))
            .attempt_timeout(limit)
            .call_timeout(limit);
        let form = Arc::clone(&credentials);
        let fetch = move || fetch_token(Arc::clone(&sender), Arc::clone(&form), options.clone());
        let tokens = Tokens::new(credentials, limit, fetch);
        Self {
            tokens: Some(Arc::new(tokens)),
            ..self
        }
    }

    /// The URI of `path` and `query`, which are already encoded.
    pub(crate) fn url(&self, path: &str, query: &str) -> Result<Uri, Error> {
        let mark = if query.is_empty() { "" } else { "?" };
        let text = [self.base_url.as_str(), path, mark, query].concat();
        Uri::try_from(text).map_err(|error| {
            let message = "the URL of the request is too long or malformed";
            Error::new(ErrorKind::InvalidRequest, message).with_source(error)
        })
    }
}

impl Call<'_> {
    fn changes(&self) -> bool {
        self.class != RetryClass::Safe
    }

    /// When an attempt that starts now ends.
    fn attempt_end(&self) -> Instant {
        self.deadline.min(Instant::now() + self.attempt_limit)
    }
}

/// Requests a token by an ordinary call.
fn fetch_token(
    core: Arc<Core>,
    credentials: Arc<Credentials>,
    options: CallOptions,
) -> Fetch<HeaderValue> {
    Box::pin(async move {
        let request = credentials.request(core.url(TOKEN.path, "")?);
        let asked = Instant::now();
        let response = core.call(request, &TOKEN, &options).await?;
        let (body, _, metadata) = response.into_parts();
        let token = read_token(&body.bytes().await?, asked);
        token.map_err(|error| error.with_metadata(&metadata))
    })
}

/// The idempotency key of a call. One that is in the request stays.
fn idempotency_key(
    headers: &mut HeaderMap,
    operation: &OperationMeta,
) -> Result<Option<IdempotencyKey>, Error> {
    if let Some(given) = headers.get(IDEMPOTENCY_KEY) {
        let key = given.to_str().ok().and_then(|key| key.parse().ok());
        let message = "the idempotency key is not a UUID";
        return match key {
            Some(key) => Ok(Some(key)),
            None => Err(Error::new(ErrorKind::InvalidRequest, message)),
        };
    }
    if !operation.idempotency_key {
        return Ok(None);
    }
    let key = IdempotencyKey::generate();
    headers.insert(IDEMPOTENCY_KEY, key_header(key));
    Ok(Some(key))
}

/// The value of the header for a key.
pub(crate) fn key_header(key: IdempotencyKey) -> HeaderValue {
    HeaderValue::try_from(key.to_string()).expect("a UUID is visible ASCII")
}

fn names_json(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|types| types.contains("json"))
}

fn is_same_server(uri: &Uri, base: &Uri) -> bool {
    // Comparing the texts is faster, and they are almost always equal.
    let texts_are_equal =
        || uri.authority().map(Authority::as_str) == base.authority().map(Authority::as_str);
    uri.scheme() == base.scheme() && (texts_are_equal() || uri.authority() == base.authority())
}

fn without_response(error: Error) -> FailedAttempt {
    FailedAttempt {
        failure: Failure::NoResponse(error.kind()),
        error,
        retry_after: None,
        clock_differs: false,
    }
}

/// The result of `work`, or `None` at `end`. No timer is started if `work` is ready immediately.
async fn by<T>(end: Instant, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        result = work => Some(result),
        () = async { sleep_until(end).await } => None,
    }
}

fn deadline_passed() -> Error {
    Error::new(ErrorKind::Timeout, "the call's deadline has passed")
}
