//! A `tracing` span for each call and an event for each attempt. The names follow OpenTelemetry's HTTP conventions.
//!
//! They never contain ids, bodies, queries or secrets. The path is the template, so that there are few different names. Without the
//! feature `tracing` there are none.
#![cfg_attr(
    not(feature = "tracing"),
    expect(unused_variables, clippy::unused_self, reason = "there is no log")
)]

use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, Request, StatusCode};
use upvest_api::ErrorKind;
use upvest_api::runtime::OperationMeta;

use crate::call::call_info::CallInfo;
use crate::retry::{AttemptFailure, GiveUpReason};

pub(crate) struct CallSpan(#[cfg(feature = "tracing")] tracing::Span);

impl CallSpan {
    pub(crate) fn new<B>(operation: &OperationMeta, request: &Request<B>) -> Self {
        Self(
            #[cfg(feature = "tracing")]
            tracing::info_span!(
                "upvest.call",
                otel.name = format_args!("{} {}", request.method(), operation.path),
                otel.kind = "client",
                http.request.method = request.method().as_str(),
                url.template = operation.path,
                server.address = request.uri().host(),
                upvest.operation = operation.name,
                http.request.resend_count = tracing::field::Empty,
                http.response.status_code = tracing::field::Empty,
                "error.type" = tracing::field::Empty,
                otel.status_code = tracing::field::Empty,
            ),
        )
    }

    pub(crate) fn run<F: Future>(&self, call: F) -> impl Future<Output = F::Output> + use<F> {
        #[cfg(feature = "tracing")]
        let call = tracing::Instrument::instrument(call, self.0.clone());
        call
    }

    pub(crate) fn ended(
        &self,
        status: Option<StatusCode>,
        error: Option<ErrorKind>,
        info: &CallInfo,
    ) {
        #[cfg(feature = "tracing")]
        {
            self.0
                .record("http.request.resend_count", info.attempts.saturating_sub(1));
            self.0.record(
                "http.response.status_code",
                status.map(|status| status.as_u16()),
            );
            self.0
                .record("error.type", error.map(tracing::field::debug));
            self.0.record("otel.status_code", error.map(|_| "ERROR"));
        }
    }

    pub(crate) fn answered(attempt: u32, status: StatusCode, headers: &HeaderMap) {
        #[cfg(feature = "tracing")]
        tracing::debug!(
            attempt,
            http.response.status_code = status.as_u16(),
            upvest.request_id = crate::call::call_info::request_id(headers),
            "answer"
        );
    }

    pub(crate) fn retrying(attempt: u32, failure: AttemptFailure, wait: Duration) {
        #[cfg(feature = "tracing")]
        tracing::warn!(
            attempt,
            ?failure,
            wait_s = wait.as_secs_f64(),
            "attempt failed, retrying"
        );
    }

    pub(crate) fn gave_up(attempt: u32, failure: AttemptFailure, reason: GiveUpReason) {
        #[cfg(feature = "tracing")]
        if reason == GiveUpReason::Final {
            tracing::debug!(attempt, ?failure, "attempt failed, not retryable");
        } else {
            tracing::warn!(attempt, ?failure, ?reason, "attempt failed, giving up");
        }
    }

    pub(crate) fn token_refused() {
        #[cfg(feature = "tracing")]
        tracing::warn!("token rejected, sending the call again with a new one");
    }

    pub(crate) fn token_not_renewed(status: Option<u16>, pause: Duration) {
        #[cfg(feature = "tracing")]
        tracing::warn!(
            http.response.status_code = status,
            pause_s = pause.as_secs_f64(),
            "token not renewed"
        );
    }
}
