//! The loop of a call: token, signature, one request, and what to do when it fails.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use reqwest::{Request, Response};
use secrecy::ExposeSecret;

use crate::answer::Answer;
use crate::error::{Error, ErrorKind};
use crate::http_send::SendError;
use crate::pipeline::{Call, Core};
use crate::redact::Secrets;
use crate::response::{CallInfo, request_id};
use crate::retry::{Decision, Setback, Try, retry_after};
use crate::sign_request::SignFailure;
use crate::telemetry::CallSpan;
use crate::token::AccessToken;

type Token = Option<Arc<AccessToken>>;

impl Core {
    /// Sends `call` until it is answered for good. What there is to know on the way is noted in `info`, so that it is not
    /// lost where this future is dropped at the deadline.
    pub(crate) async fn attempts(&self, call: &Call<'_>, info: &mut CallInfo) -> Result<Response, Error> {
        let mut replayed = false;
        let mut spent = None;
        loop {
            if let Some(limit) = &self.rate_limit {
                // Before the signature, which is good for seconds only.
                if !limit.wait(&*self.ambient.clock, call.deadline).await {
                    let message = "the rate limit has no turn for the call before its deadline";
                    return Err(Error::new(ErrorKind::RateLimited, message));
                }
            }
            let (request, token) = self.ready(call, info).await?;
            let result = self.attempt(request, call, info).await;
            let setback = match &result {
                Ok(answer) if !answer.is_error() => {
                    self.budget.deposit(spent.unwrap_or(1));
                    return result.map(Answer::into_response).map_err(Error::interrupted);
                }
                Ok(answer) => Setback::Answered(answer.status()),
                Err(error) => Setback::Interrupted(error.how),
            };
            if let (Some(token), Some(scopes)) = (&token, call.scopes)
                && setback == Setback::Answered(StatusCode::UNAUTHORIZED)
                && self.tokens.refuse(scopes, token, replayed)
            {
                // The server has refused the call before it looked at it, so this repeats nothing.
                replayed = true;
                CallSpan::token_refused();
                continue;
            }
            self.note(setback, result.as_ref().ok().map(Answer::headers), info);
            match call.policy.decide(&self.try_of(call, setback, info), &self.budget, self.ambient.fraction())
            {
                Decision::Again { wait, cost } => {
                    CallSpan::retrying(info.attempts, setback, wait);
                    spent = Some(cost);
                    self.ambient.clock.sleep(wait).await;
                }
                Decision::Stop(stop) => {
                    CallSpan::gave_up(info.attempts, setback, stop);
                    info.stop = Some(stop);
                    return self.give_up(result, &token);
                }
            }
        }
    }

    /// A request with a token and a fresh signature.
    async fn ready(&self, call: &Call<'_>, info: &mut CallInfo) -> Result<(Request, Token), Error> {
        let Some(mut request) = call.request.try_clone() else {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                "a streamed body can be neither signed nor sent again",
            ));
        };
        let token = match call.scopes {
            Some(scopes) => Some(self.tokens.get(scopes).await.inspect_err(|error| error.leave_facts(info))?),
            None => None,
        };
        if let Some(token) = &token {
            request.headers_mut().insert(AUTHORIZATION, token.header().clone());
        }
        if let Some(signer) = &self.signer {
            signer.sign(&mut request).await.map_err(Error::unsigned)?;
        }
        Ok((request, token))
    }

    /// Sends `request` once and reads the answer, within the time for one attempt.
    async fn attempt(
        &self,
        request: Request,
        call: &Call<'_>,
        info: &mut CallInfo,
    ) -> Result<Answer, SendError> {
        info.attempts += 1;
        info.in_flight = true;
        let exchange = async { Answer::read(self.http.send(request).await?, call.streams).await };
        let result = tokio::select! {
            biased;
            result = exchange => result,
            () = self.ambient.clock.sleep(call.attempt_timeout) => Err(SendError::timed_out("the attempt took too long")),
        };
        info.in_flight = false;
        if let Ok(answer) = &result {
            CallSpan::answered(
                info.attempts,
                answer.status().as_u16(),
                request_id(answer.headers()).as_deref(),
            );
        }
        result
    }

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
            left: self.time_until(call),
        }
    }

    fn time_until(&self, call: &Call<'_>) -> Duration {
        call.deadline.saturating_duration_since(self.ambient.now())
    }

    /// The last answer is the call's, unless it tells a secret.
    fn give_up(&self, result: Result<Answer, SendError>, token: &Token) -> Result<Response, Error> {
        let mut answer = result.map_err(Error::interrupted)?;
        let token = token.as_ref().map(|token| token.secret());
        answer.hide(&Secrets::new(token.into_iter().chain([self.client_secret.expose_secret()])));
        Ok(answer.into_response())
    }
}

impl Error {
    pub(crate) fn unsigned(failure: SignFailure) -> Self {
        Self::new(ErrorKind::Signing, "the request cannot be signed").with_source(failure)
    }
}
