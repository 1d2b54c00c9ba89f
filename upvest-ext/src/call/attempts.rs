//! The attempts of a call: token, signature, request, and the decision to retry.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use upvest_api::{ByteStream, Error, ErrorKind};

use crate::call::call_info::CallInfo;
use crate::call::http_send::{HttpSend, SendError};
use crate::call::pipeline::{Call, Core};
use crate::call::redact::Secrets;
use crate::call::telemetry::CallSpan;
use crate::metrics::Measurement;
use crate::retry::{AttemptFailure, Decision, Try, retry_after};
use crate::signing::{SignRequest, SigningError};
use crate::token::{AccessToken, TokenCache};

type Token = Option<Arc<AccessToken>>;

/// Everything that is needed to send calls over the network.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) http: Arc<dyn HttpSend>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    pub(crate) tokens: TokenCache,
    pub(crate) client_secret: SecretString,
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
                    return result.map_err(Error::from);
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
                    core.clock_and_rng.clock.sleep(wait).await;
                }
                Decision::GiveUp(reason) => {
                    CallSpan::gave_up(info.attempts, failure, reason);
                    info.gave_up = Some(reason);
                    return Box::pin(self.give_up(result?, &token)).await;
                }
            }
        }
    }

    /// Waits for the rate limit, then creates the request with a token and a new signature.
    async fn ready(&self, core: &Core, call: &Call<'_>) -> Result<(Request<Bytes>, Token), Error> {
        if let Some(limit) = &core.rate_limit
            // The wait comes before the signature, because a signature expires after a few seconds.
            && !Box::pin(limit.wait(&*core.clock_and_rng.clock, call.deadline)).await
        {
            let message = "the rate limit does not allow the call before its deadline";
            return Err(Error::new(ErrorKind::RateLimited, message));
        }
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
        let (started, left) = (core.clock_and_rng.now(), core.time_until(call.deadline));
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

    /// Returns the last answer. A body that repeats a secret is replaced.
    async fn give_up(
        &self,
        answer: Response<ByteStream>,
        token: &Token,
    ) -> Result<Response<ByteStream>, Error> {
        let (parts, body) = answer.into_parts();
        let body = body.bytes().await?;
        let token = token.as_ref().map(|token| token.secret());
        let secrets = Secrets::new(
            token
                .into_iter()
                .chain([self.client_secret.expose_secret()]),
        );
        let shown = secrets.hide(parts.status, &body).map_or(body, Bytes::from);
        Ok(Response::from_parts(parts, shown.into()))
    }
}

impl Core {
    fn note(&self, failure: AttemptFailure, headers: Option<&HeaderMap>, info: &mut CallInfo) {
        info.may_have_happened |= info.changes && failure.may_have_happened();
        let wall = self.clock_and_rng.clock.wall();
        info.retry_after = headers.and_then(|headers| retry_after(headers, wall));
        info.clock_offset = headers.and_then(|headers| crate::clock::offset(headers, wall));
        if let (Some(limit), AttemptFailure::Answered(StatusCode::TOO_MANY_REQUESTS)) =
            (&self.rate_limit, failure)
        {
            limit.refuse(&*self.clock_and_rng.clock, info.retry_after);
        }
    }

    fn try_of(&self, call: &Call<'_>, failure: AttemptFailure, info: &CallInfo) -> Try {
        Try {
            class: call.class,
            failure,
            retry_after: info.retry_after,
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
