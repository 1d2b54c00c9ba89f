//! The one way out. [`Core::call`] reads from top to bottom what a call does: prepare, then { pause after a 429, token,
//! sign, send, read, judge, wait } until there is a response or the deadline has passed.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument as _;
use upvest_runtime::{
    BaseUrl, ByteStream, Error, ErrorKind, IdempotencyKey, OperationMeta, Response,
    ResponseTimeout, Transport, reject_encoded,
};

use crate::call_record::{CallRecord, clock_differs};
use crate::hooks::Hooks;
use crate::options::{ATTEMPT, CallOptions};
use crate::retry::{Attempt, Failure, GiveUpReason, RetryClass, RetryPolicy};
use crate::retry_budget::RetryBudget;
use crate::throttle::Throttle;
use crate::token::Tokens;
use upvest_signing::SignRequest;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The number of headers of a signed request, so that the map is allocated once.
const MAX_HEADERS: usize = 16;
/// An attempt whose deadline leaves it less than this part of its full time says nothing about the connection.
const NEARLY_FULL: f64 = 0.9;

/// What all calls of a client share.
#[derive(Clone)]
pub(crate) struct Core {
    pub(crate) base_url: BaseUrl,
    pub(crate) transport: Arc<dyn Transport>,
    /// `None` for a client without credentials, and for the core that requests tokens.
    pub(crate) tokens: Option<Arc<Tokens>>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    /// The headers of every request: client id, API version, user agent.
    pub(crate) headers: HeaderMap,
    pub(crate) budget: RetryBudget,
    /// `None` for a client without a server.
    pub(crate) throttle: Option<Arc<Throttle>>,
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
    is_streamed: bool,
    attempt_limit: Duration,
    deadline: Instant,
}

/// The request of one attempt.
struct SignedRequest {
    request: Request<Bytes>,
    token: Option<HeaderValue>,
}

/// The result of one attempt.
#[expect(
    clippy::large_enum_variant,
    reason = "a success is the usual result, and a box would be an allocation for each call"
)]
enum AttemptOutcome {
    Success(Response<ByteStream>),
    Failed(FailedAttempt),
    /// The deadline of the call has passed before there was a response.
    DeadlinePassed,
}

/// An attempt that was not a success.
struct FailedAttempt {
    failure: Failure,
    error: Error,
    clock_differs: bool,
}

impl Core {
    /// Sends `request`, and retries it if that is safe. Returns an error for a non-success response.
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
        let report = record.report(&result);
        record.end_span(&report);
        self.hooks.report(&report);
        match result {
            Ok(response) => Ok(record.add_to_response(response)),
            Err(error) => Err(record.add_to_error(error)),
        }
    }

    /// Checks the options and the URL, and adds the headers that are the same for all attempts.
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
        if !self.base_url.has_server_of(request.uri()) {
            let message =
                "the URL of the request goes to another server than the base URL of the client";
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let attempt_limit = options.attempt_limit();
        if attempt_limit > ATTEMPT {
            // The transport's own limit is that of attempts by default.
            let limit = ResponseTimeout(attempt_limit);
            request.extensions_mut().insert(limit);
        }
        // Strict servers reject a request without a length with 411, and HTTP/2 adds one after the signature (RFC 9110
        // section 8.6).
        let expects_body = matches!(
            *request.method(),
            Method::POST | Method::PUT | Method::PATCH
        );
        let lacks_expected_body = expects_body && request.body().is_empty();
        let headers = request.headers_mut();
        headers.reserve(MAX_HEADERS);
        for (name, value) in self.headers.iter().chain(options.headers()) {
            headers.insert(name, value.clone());
        }
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static(operation.accept));
        }
        let is_streamed = !headers.get(ACCEPT).is_some_and(names_json);
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
            is_streamed,
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
        let mut token_was_replaced = false;
        let mut retries = 0;
        loop {
            // The failure of the last attempt says more than that there is no time for another one.
            if let Err(pause) = self.pause(call).await {
                return Err(last_error.unwrap_or(pause));
            }
            let SignedRequest { request, token } = match self.authorize(call).await {
                Ok(signed) if !call.is_over() => signed,
                Ok(_) => return Err(last_error.unwrap_or_else(deadline_passed)),
                Err(error) if call.is_over() => return Err(last_error.unwrap_or(error)),
                Err(error) => return Err(error),
            };
            let failed = match self.send(call, request, record).await {
                AttemptOutcome::Success(response) => {
                    self.budget.record_success(retries);
                    if let (Some(tokens), Some(_)) = (&self.tokens, &token) {
                        tokens.record_accepted();
                    }
                    return Ok(response);
                }
                AttemptOutcome::Failed(failed) => failed,
                AttemptOutcome::DeadlinePassed => {
                    return Err(deadline_passed().with_outcome_of(call.operation));
                }
            };
            self.record_failure(&failed, record);
            let is_rejected = failed.failure == Failure::Status(StatusCode::UNAUTHORIZED);
            if is_rejected && !token_was_replaced && self.replace_token(token.as_ref()) {
                // The server rejected the call before it acted on it, so it is safe to send it again.
                tracing::warn!("token rejected, sending the call again with a new one");
                token_was_replaced = true;
                continue;
            }
            let wait = match self.next_wait(call, &failed, retries) {
                Ok(wait) => wait,
                Err(reason) => {
                    log_end(&failed, reason, record);
                    record.gave_up = Some(reason);
                    return Err(failed.error);
                }
            };
            log_retry(&failed, wait, record);
            retries += 1;
            last_error = Some(failed.error);
            sleep(wait).await;
        }
    }

    /// Waits for the end of the pause that a 429 started.
    async fn pause(&self, call: &Call<'_>) -> Result<(), Error> {
        match &self.throttle {
            Some(throttle) => {
                let longest = call.policy.longest_retry_after();
                throttle.wait(call.deadline, longest).await
            }
            None => Ok(()),
        }
    }

    /// The request of an attempt, with token and signature.
    async fn authorize(&self, call: &Call<'_>) -> Result<SignedRequest, Error> {
        let token = self.token(call).await?;
        let request = self.sign(call, token.as_ref()).await?;
        Ok(SignedRequest { request, token })
    }

    /// The token of a call that needs one.
    async fn token(&self, call: &Call<'_>) -> Result<Option<HeaderValue>, Error> {
        match &self.tokens {
            Some(tokens) if call.operation.needs_token => {
                let token = until(call.deadline, tokens.authorization()).await;
                token.ok_or_else(deadline_passed)?.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Replaces a rejected token. Returns whether the call may succeed with another one.
    fn replace_token(&self, token: Option<&HeaderValue>) -> bool {
        match (&self.tokens, token) {
            (Some(tokens), Some(token)) => tokens.replace(token),
            _ => false,
        }
    }

    /// The request with the headers of the application, the token, and the signature.
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
        match until(call.attempt_end(), signer.sign(&mut request)).await {
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

    /// One attempt.
    async fn send(
        &self,
        call: &Call<'_>,
        request: Request<Bytes>,
        record: &mut CallRecord<'_>,
    ) -> AttemptOutcome {
        record.attempts += 1;
        let started = Instant::now();
        let end = call.attempt_end();
        let exchange = pin!(self.exchange(call, request));
        let response = match until(end, exchange).await {
            Some(Ok(response)) => response,
            Some(Err(error)) => return AttemptOutcome::Failed(without_response(call, error)),
            None => {
                self.leave_connection(call, started, end);
                if end == call.deadline {
                    return AttemptOutcome::DeadlinePassed;
                }
                let message = "no response within the attempt timeout";
                let error = Error::new(ErrorKind::Timeout, message);
                return AttemptOutcome::Failed(without_response(call, error));
            }
        };
        tracing::debug!(
            attempt = record.attempts,
            http.response.status_code = response.status().as_u16(),
            upvest.request_id = response.request_id(),
            "response received"
        );
        if response.status().is_success() {
            return AttemptOutcome::Success(response);
        }
        let failed = rejected(call, response, end).await;
        if end <= Instant::now() {
            self.leave_connection(call, started, end);
        }
        AttemptOutcome::Failed(failed)
    }

    /// Tells the transport that an attempt, from `started` to `end`, was not answered to its end. A caller in a hurry
    /// does not take the connections from the others.
    fn leave_connection(&self, call: &Call<'_>, started: Instant, end: Instant) {
        if end - started >= call.attempt_limit.mul_f64(NEARLY_FULL) {
            self.transport.timed_out();
        }
    }

    /// Sends a request and reads a successful response, so that an attempt fails if the connection breaks in the middle
    /// of it. A file and an error are not read here.
    async fn exchange(
        &self,
        call: &Call<'_>,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, Error> {
        let response = self.transport.execute(request, call.operation).await?;
        let response = reject_encoded(response);
        let response = response.map(|body| body.idle_limit(call.attempt_limit));
        if call.is_streamed || !response.status().is_success() {
            return Ok(response);
        }
        let (body, headers, metadata) = response.into_parts();
        let body = body.bytes_within(ByteStream::VALUE_LIMIT).await;
        let body = body.map_err(|error| {
            let error = error.with_call(call.operation, &metadata);
            // The number of bytes would look like the index of an item.
            error.with_context(|context| context.position = None)
        })?;
        Ok(Response::new(body.into(), headers, metadata))
    }

    /// Records what a failure says about the other attempts and the other calls.
    fn record_failure(&self, failed: &FailedAttempt, record: &mut CallRecord<'_>) {
        record.may_have_been_processed |= failed.error.is_outcome_unknown();
        record.clock_differs = failed.clock_differs;
        let is_throttled = failed.failure == Failure::Status(StatusCode::TOO_MANY_REQUESTS);
        if let Some(throttle) = self.throttle.as_ref().filter(|_| is_throttled) {
            throttle.pause(failed.error.retry_after());
        }
    }

    /// The wait before the next attempt, or why there is none. `retries` are those that were made.
    fn next_wait(
        &self,
        call: &Call<'_>,
        failed: &FailedAttempt,
        retries: u32,
    ) -> Result<Duration, GiveUpReason> {
        let attempt = Attempt {
            class: call.class,
            failure: failed.failure,
            retry_after: failed.error.retry_after(),
            retries,
            left: call.deadline.saturating_duration_since(Instant::now()),
        };
        call.policy.next(&attempt, &self.budget)
    }
}

impl Call<'_> {
    fn is_over(&self) -> bool {
        self.deadline <= Instant::now()
    }

    /// When an attempt that starts now ends.
    fn attempt_end(&self) -> Instant {
        self.deadline.min(Instant::now() + self.attempt_limit)
    }
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

fn log_retry(failed: &FailedAttempt, wait: Duration, record: &CallRecord<'_>) {
    tracing::warn!(
        attempt = record.attempts,
        failure = ?failed.failure,
        wait_s = wait.as_secs_f64(),
        "attempt failed, retrying"
    );
}

fn log_end(failed: &FailedAttempt, reason: GiveUpReason, record: &CallRecord<'_>) {
    let attempt = record.attempts;
    let failure = failed.failure;
    if reason == GiveUpReason::Final {
        tracing::debug!(attempt, ?failure, "attempt failed, not retryable");
    } else {
        tracing::warn!(attempt, ?failure, ?reason, "attempt failed, giving up");
    }
}

/// An attempt for which the transport returned an error.
fn without_response(call: &Call<'_>, error: Error) -> FailedAttempt {
    FailedAttempt {
        failure: Failure::of(&error),
        error: error.with_outcome_of(call.operation),
        clock_differs: false,
    }
}

/// An attempt whose response is not a success. Its body is read until `end`.
async fn rejected(call: &Call<'_>, response: Response<ByteStream>, end: Instant) -> FailedAttempt {
    let (body, headers, metadata) = response.into_parts();
    // Compared before the body is read, which takes time.
    let clock_differs = clock_differs(&headers);
    let body = error_body(body, end).await;
    FailedAttempt {
        failure: Failure::Status(metadata.status),
        error: Error::from_response(call.operation, metadata.status, &headers, &body),
        clock_differs,
    }
}

/// The body of an error, as far as it can be read. The status is more useful than an error about a missing body.
async fn error_body(body: ByteStream, end: Instant) -> Bytes {
    match until(end, body.bytes_within(ByteStream::ERROR_LIMIT)).await {
        Some(Ok(body)) => body,
        Some(Err(error)) if error.kind() == ErrorKind::Decode => {
            let detail = serde_json::json!({ "detail": error.message() });
            detail.to_string().into()
        }
        Some(Err(_)) | None => Bytes::new(),
    }
}

/// The result of `work`, or `None` at `end`. No timer is started if `work` is ready immediately.
async fn until<T>(end: Instant, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        result = work => Some(result),
        () = async { sleep_until(end).await } => None,
    }
}

fn deadline_passed() -> Error {
    Error::new(ErrorKind::Timeout, "the call's deadline has passed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Upvest;

    static ORDERS: OperationMeta = OperationMeta::custom("listOrders", Method::GET, "/orders");

    /// Fails the test if a request is sent.
    #[derive(Debug)]
    struct Nowhere;

    impl Transport for Nowhere {
        fn execute<'a>(
            &'a self,
            request: Request<Bytes>,
            _: &'a OperationMeta,
        ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
            panic!("a request was sent to {}", request.uri());
        }
    }

    #[tokio::test]
    async fn a_request_to_another_server_is_not_sent() {
        // Its base URL is http://transport.invalid.
        let upvest = Upvest::from_transport(Nowhere);
        for url in [
            "http://other.invalid/orders",
            "https://transport.invalid/orders",
            "http://transport.invalid:81/orders",
            "/orders",
        ] {
            let request = Request::get(url).body(Bytes::new()).unwrap();
            let error = upvest.pipeline().call(request, &ORDERS).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
            assert_eq!(error.attempts(), 0, "{url}");
        }
    }
}
