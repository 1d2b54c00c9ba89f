//! The loop of a call: token, signature, one request, and what to do when it fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use upvest_api::{ByteStream, Error, ErrorKind};

use crate::call_info::CallInfo;
use crate::http_send::{HttpSend, SendError};
use crate::pipeline::{Call, Core};
use crate::redact::Secrets;
use crate::retry::{Decision, Setback, Try, retry_after};
use crate::sign_request::{SignFailure, SignRequest};
use crate::telemetry::CallSpan;
use crate::token::{AccessToken, TokenCache};

type Token = Option<Arc<AccessToken>>;

/// The way to Upvest's servers.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) http: Arc<dyn HttpSend>,
    pub(crate) signer: Option<Arc<dyn SignRequest>>,
    pub(crate) tokens: TokenCache,
    pub(crate) client_secret: SecretString,
}

impl Network {
    /// Sends `call` until it is answered for good, or its deadline has passed. What there is to know on the way is noted in
    /// `info`.
    pub(crate) async fn attempts(
        &self,
        core: &Core,
        call: &Call<'_>,
        info: &mut CallInfo,
    ) -> Result<Response<ByteStream>, Error> {
        let mut replayed = false;
        let mut spent = None;
        loop {
            let (request, token) = core.by(call.deadline, self.ready(core, call)).await?;
            let result = self.attempt(request, core, call, info).await?;
            let setback = match &result {
                Ok(answer) if !is_error(answer.status()) => {
                    core.budget.deposit(spent.unwrap_or(1));
                    return result.map_err(Error::from);
                }
                Ok(answer) => Setback::Answered(answer.status()),
                Err(error) => Setback::Interrupted(error.how),
            };
            if let (Some(token), Some(scopes)) = (&token, call.scopes)
                && setback == Setback::Answered(StatusCode::UNAUTHORIZED)
                && !replayed
            {
                // The server has refused the call before it looked at it, so this repeats nothing.
                replayed = true;
                CallSpan::token_refused();
                let refuse = async { Ok(self.tokens.refuse(scopes, token).await) };
                core.by(call.deadline, refuse).await?;
                continue;
            }
            core.note(setback, result.as_ref().ok().map(Response::headers), info);
            match call.policy.decide(&core.try_of(call, setback, info), &core.budget, core.ambient.fraction())
            {
                Decision::Again { wait, cost } => {
                    CallSpan::retrying(info.attempts, setback, wait);
                    spent = Some(cost);
                    core.ambient.clock.sleep(wait).await;
                }
                Decision::Stop(stop) => {
                    CallSpan::gave_up(info.attempts, setback, stop);
                    info.stop = Some(stop);
                    return self.give_up(result?, &token).await;
                }
            }
        }
    }

    /// A request with a token and a fresh signature, once it is its turn.
    async fn ready(&self, core: &Core, call: &Call<'_>) -> Result<(Request<Bytes>, Token), Error> {
        if let Some(limit) = &core.rate_limit
            // Before the signature, which is good for seconds only.
            && !limit.wait(&*core.ambient.clock, call.deadline).await
        {
            let message = "the rate limit has no turn for the call before its deadline";
            return Err(Error::new(ErrorKind::RateLimited, message));
        }
        let mut request = call.request();
        let token = match call.scopes {
            Some(scopes) => Some(self.tokens.get(scopes).await?),
            None => None,
        };
        if let Some(token) = &token {
            request.headers_mut().insert(AUTHORIZATION, token.header().clone());
        }
        if let Some(signer) = &self.signer {
            signer.sign(&mut request).await.map_err(unsigned)?;
        }
        Ok((request, token))
    }

    /// Sends `request` once and reads the answer, within the time for one attempt. The outer error ends the call.
    async fn attempt(
        &self,
        request: Request<Bytes>,
        core: &Core,
        call: &Call<'_>,
        info: &mut CallInfo,
    ) -> Result<Result<Response<ByteStream>, SendError>, Error> {
        info.attempts += 1;
        let left = core.time_until(call.deadline);
        let exchange = async { read(self.http.send(request).await?, call.streams).await };
        let result = tokio::select! {
            biased;
            result = exchange => result,
            () = core.ambient.clock.sleep(call.attempt_timeout.min(left)) => {
                if left < call.attempt_timeout {
                    info.may_have_happened |= info.changes;
                    return Err(late());
                }
                Err(SendError::timed_out("the attempt took too long"))
            }
        };
        if let Ok(answer) = &result {
            CallSpan::answered(info.attempts, answer.status(), answer.headers());
        }
        Ok(result)
    }

    /// The last answer is the call's, unless it tells a secret.
    async fn give_up(
        &self,
        answer: Response<ByteStream>,
        token: &Token,
    ) -> Result<Response<ByteStream>, Error> {
        let (parts, body) = answer.into_parts();
        let body = body.bytes().await?;
        let token = token.as_ref().map(|token| token.secret());
        let secrets = Secrets::new(token.into_iter().chain([self.client_secret.expose_secret()]));
        let shown = secrets.hide(parts.status, &body).map_or(body, Bytes::from);
        Ok(Response::from_parts(parts, shown.into()))
    }
}

impl Core {
    fn note(&self, setback: Setback, headers: Option<&HeaderMap>, info: &mut CallInfo) {
        info.may_have_happened |= info.changes && setback.may_have_happened();
        let wall = self.ambient.clock.wall();
        info.retry_after = headers.and_then(|headers| retry_after(headers, wall));
        info.clock_offset = headers.and_then(|headers| crate::clock::offset(headers, wall));
        if let (Some(limit), Setback::Answered(StatusCode::TOO_MANY_REQUESTS)) = (&self.rate_limit, setback) {
            limit.refuse(&*self.ambient.clock, info.retry_after);
        }
    }

    fn try_of(&self, call: &Call<'_>, setback: Setback, info: &CallInfo) -> Try {
        Try {
            class: call.class,
            setback,
            retry_after: info.retry_after,
            made: info.attempts,
            left: self.time_until(call.deadline),
        }
    }

    fn time_until(&self, deadline: Instant) -> Duration {
        deadline.saturating_duration_since(self.ambient.now())
    }

    /// Waits for `work`, but not beyond `deadline`. Where nothing has to be waited for, no timer is started.
    pub(crate) async fn by<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = async { self.ambient.clock.sleep(self.time_until(deadline)).await } => Err(late()),
        }
    }
}

pub(crate) fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the call's deadline has passed")
}

/// Reads the body, so that a connection that breaks on the way is the attempt's failure. A download is handed on as it comes.
pub(crate) async fn read(
    answer: Response<ByteStream>,
    streams: bool,
) -> Result<Response<ByteStream>, SendError> {
    let status = answer.status();
    if streams && status.is_success() {
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let body = match body.bytes().await {
        Ok(body) => body,
        // An error status says more than the body that did not come.
        Err(_) if is_error(status) => Bytes::new(),
        Err(error) if error.is_timeout() => return Err(SendError::timed_out(error)),
        Err(error) => return Err(SendError::broken(error)),
    };
    Ok(Response::from_parts(parts, body.into()))
}

pub(crate) fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

pub(crate) fn unsigned(failure: SignFailure) -> Error {
    Error::new(ErrorKind::Signing, "the request cannot be signed").with_source(failure)
}
