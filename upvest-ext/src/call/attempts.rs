//! The attempts of a call: token, signature, request, and the decision to retry.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use upvest_api::{ByteStream, Error, ErrorKind};

use crate::call::call_info::CallInfo;
use crate::call::http_send::{HttpSend, SendError};
use crate::call::pipeline::{Call, Core};
use crate::call::telemetry::CallSpan;
use crate::call::throttle;
use crate::metrics::Measurement;
use crate::retry::{AttemptFailure, Decision, GiveUpReason, Try, retry_after};
use crate::signing::{SignRequest, SigningError};
use crate::token::{AccessToken, TokenCache};

type Token = Option<Arc<AccessToken>>;

/// Everything that is needed to send calls over the network.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) http: Arc<dyn HttpSend>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    pub(crate) tokens: TokenCache,
}

impl Network {
    /// Sends `call` until there is a final answer or its deadline passes, and records the attempts in `info`.
    pub(crate) async fn attempts(
        &self,
        core: &Core,
        call: &Call<'_>,
        info: &mut CallInfo,
    ) -> Result<Response<ByteStream>, Error> {
        let mut replayed = false;
        let mut spent = None;
        loop {
            let ready = pin!(self.ready(core, call));
            let (request, token) = core.by(call.deadline, ready).await?;
            let result = self.attempt(request, core, call, info).await?;
            let failure = match &result {
                Ok(answer) if !is_error(answer.status()) => {
                    core.budget.deposit(spent.unwrap_or(1));
                    let answer = result?;
                    return Ok(if call.streams {
                        answer.map(|body| core.limit_idle(body, call.attempt_timeout))
                    } else {
                        answer
                    });
                }
                Ok(answer) => AttemptFailure::Answered(answer.status()),
                Err(error) => AttemptFailure::Interrupted(error.how),
            };
            if let (Some(token), Some(scopes)) = (&token, call.scopes)
                && failure == AttemptFailure::Answered(StatusCode::UNAUTHORIZED)
                && self.tokens.refuse(scopes, token, replayed)
            {
                // The server rejected the call before it acted on it, so it is safe to send it again.
                replayed = true;
                CallSpan::token_refused();
                continue;
            }
            core.note(failure, result.as_ref().ok().map(Response::headers), info);
            match call.policy.decide(
                &core.try_of(call, failure, info),
                &core.budget,
                core.clock_and_rng.fraction(),
            ) {
                Decision::Again { wait, cost } => {
                    CallSpan::retrying(info.attempts, failure, wait);
                    spent = Some(cost);
                    if core.pause(wait, call.deadline).await.is_err() {
                        // The failure of this call says more than the pause that another call caused.
                        info.gave_up = Some(GiveUpReason::Deadline);
                        return result.map_err(Error::from);
                    }
                }
                Decision::GiveUp(reason) => {
                    CallSpan::gave_up(info.attempts, failure, reason);
                    info.gave_up = Some(reason);
                    return result.map_err(Error::from);
                }
            }
        }
    }

    /// Waits for the end of a pause, then creates the request with a token and a new signature.
    async fn ready(&self, core: &Core, call: &Call<'_>) -> Result<(Request<Bytes>, Token), Error> {
        // The wait comes before the signature, because a signature expires after a few seconds.
        core.throttle
            .wait(&core.clock_and_rng, call.deadline)
            .await?;
        let mut request = call.request();
        #[cfg(feature = "opentelemetry")]
        crate::call::trace_context::inject(request.headers_mut());
        let token = match call.scopes {
            Some(scopes) => Some(self.tokens.get(scopes).await?),
            None => None,
        };
        if let Some(token) = &token {
            request
                .headers_mut()
                .insert(AUTHORIZATION, token.header().clone());
        }
        if let Some(signer) = &self.signer {
            signer.sign(&mut request).await.map_err(unsigned)?;
        }
        Ok((request, token))
    }

    /// Sends `request` once and reads the answer, within the attempt timeout. An outer error ends the call.
    async fn attempt(
        &self,
        request: Request<Bytes>,
        core: &Core,
        call: &Call<'_>,
        info: &mut CallInfo,
    ) -> Result<Result<Response<ByteStream>, SendError>, Error> {
        info.attempts += 1;
        let started = core.clock_and_rng.now();
        let left = core.time_until(call.deadline);
        let mut exchange = pin!(async {
            read(
                self.http.send(request).await?,
                call.streams,
                core.body_limits,
            )
            .await
        });
        let result = tokio::select! {
            biased;
            result = &mut exchange => Some(result),
            () = core.clock_and_rng.clock.sleep(call.attempt_timeout.min(left)) => None,
        };
        let answer = result.as_ref().and_then(|result| result.as_ref().ok());
        core.metrics.record(&Measurement::Attempt {
            operation: info.operation,
            duration: core.clock_and_rng.now().saturating_duration_since(started),
            status: answer.map(|answer| answer.status().as_u16()),
        });
        if let Some(answer) = answer {
            CallSpan::answered(info.attempts, answer.status(), answer.headers());
        }
        if let Some(result) = result {
            return Ok(result);
        }
        self.http.timed_out();
        if left < call.attempt_timeout {
            info.may_have_happened |= info.changes;
            return Err(late());
        }
        Ok(Err(SendError::timed_out(
            "no answer within the attempt timeout",
        )))
    }
}

impl Core {
    fn note(&self, failure: AttemptFailure, headers: Option<&HeaderMap>, info: &mut CallInfo) {
        info.may_have_happened |= info.changes && failure.may_have_happened();
        let wall = self.clock_and_rng.clock.wall();
        info.retry_after = headers.and_then(|headers| retry_after(headers, wall));
        info.clock_offset = headers.and_then(|headers| crate::clock::offset(headers, wall));
        if failure == AttemptFailure::Answered(StatusCode::TOO_MANY_REQUESTS) {
            self.throttle
                .pause(self.clock_and_rng.now(), info.retry_after);
        }
    }

    /// Waits before the next attempt: until a pause that the server asked for is over, and for `wait` at least.
    async fn pause(&self, wait: Duration, deadline: Instant) -> Result<(), Error> {
        let time = &self.clock_and_rng;
        let resume = time.now() + wait;
        self.throttle.wait(time, deadline).await?;
        let left = resume.saturating_duration_since(time.now());
        if !left.is_zero() {
            time.clock.sleep(left).await;
        }
        Ok(())
    }

    /// Makes a body fail if no bytes arrive for `limit`.
    fn limit_idle(&self, body: ByteStream, limit: Duration) -> ByteStream {
        let clock = Arc::clone(&self.clock_and_rng.clock);
        let chunks = stream::try_unfold((body, clock), move |(mut body, clock)| async move {
            let chunk = tokio::select! {
                biased;
                chunk = body.try_next() => chunk?,
                () = clock.sleep(limit) => return Err(stalled(limit)),
            };
            Ok(chunk.map(|chunk| (chunk, (body, clock))))
        });
        ByteStream::new(chunks)
    }

    fn try_of(&self, call: &Call<'_>, failure: AttemptFailure, info: &CallInfo) -> Try {
        let is_throttled = failure == AttemptFailure::Answered(StatusCode::TOO_MANY_REQUESTS);
        let pause = is_throttled.then_some(throttle::UNSTATED);
        Try {
            class: call.class,
            failure,
            retry_after: info.retry_after.or(pause),
            made: info.attempts,
            left: self.time_until(call.deadline),
        }
    }

    fn time_until(&self, deadline: Instant) -> Duration {
        deadline.saturating_duration_since(self.clock_and_rng.now())
    }

    /// Waits for `work` until `deadline`. No timer is started if `work` is ready immediately.
    pub(crate) async fn by<T>(
        &self,
        deadline: Instant,
        mut work: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            outcome = &mut work => outcome,
            () = async { self.clock_and_rng.clock.sleep(self.time_until(deadline)).await } => Err(late()),
        }
    }
}

fn stalled(limit: Duration) -> Error {
    let message = format!("no bytes of the file arrived for {limit:?}");
    Error::new(ErrorKind::Timeout, message)
}

pub(crate) fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the call's deadline has passed")
}

/// The longest bodies that are read into memory, in bytes.
/// `errors` is for answers with an error status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) answers: usize,
    pub(crate) errors: usize,
}

/// Reads the body, so that an attempt fails if the connection breaks in the middle of it. The body of a download is not read here.
pub(crate) async fn read(
    answer: Response<ByteStream>,
    streams: bool,
    limits: BodyLimits,
) -> Result<Response<ByteStream>, SendError> {
    let status = answer.status();
    if streams && status.is_success() {
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let limit = if is_error(status) {
        limits.errors
    } else {
        limits.answers
    };
    let body = match body.bytes_within(limit).await {
        Ok(body) => body,
        // The error status is more useful than an error about the missing body.
        Err(error) if is_error(status) && error.kind() == ErrorKind::Decode => {
            serde_json::json!({ "detail": error.to_string() })
                .to_string()
                .into()
        }
        Err(_) if is_error(status) => Bytes::new(),
        Err(error) => return Err(SendError::unread(error)),
    };
    Ok(Response::from_parts(parts, body.into()))
}

pub(crate) fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

pub(crate) fn unsigned(failure: SigningError) -> Error {
    Error::new(ErrorKind::Signing, "the request could not be signed").with_source(failure)
}
