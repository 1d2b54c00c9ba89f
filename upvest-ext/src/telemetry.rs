//! A `tracing` span for each call and an event for each attempt, named as OpenTelemetry's HTTP conventions have it.
//!
//! Ids, bodies, queries and secrets never get in. The path is the template, so that the names stay few.

#[cfg(feature = "tracing")]
pub(crate) use on::CallSpan;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::CallSpan;

#[cfg(feature = "tracing")]
mod on {
    use std::future::Future;
    use std::time::Duration;

    use tracing::field::Empty;
    use tracing::{Instrument, Span};
    use upvest_api::runtime::OperationMeta;

    use crate::error::ErrorKind;
    use crate::response::CallInfo;
    use crate::retry::{Setback, Stop};

    pub(crate) struct CallSpan(Span);

    impl CallSpan {
        pub(crate) fn new(operation: &OperationMeta, url: &reqwest::Url, method: &http::Method) -> Self {
            Self(tracing::info_span!(
                "upvest.call",
                otel.name = format_args!("{method} {}", operation.path),
                otel.kind = "client",
                http.request.method = method.as_str(),
                url.template = operation.path,
                server.address = url.host_str(),
                upvest.operation = operation.name,
                http.request.resend_count = Empty,
                http.response.status_code = Empty,
                "error.type" = Empty,
            ))
        }

        pub(crate) async fn run<F: Future>(&self, call: F) -> F::Output {
            call.instrument(self.0.clone()).await
        }

        pub(crate) fn ended(&self, status: Option<u16>, error: Option<ErrorKind>, info: &CallInfo) {
            self.0.record("http.request.resend_count", info.attempts.saturating_sub(1));
            if let Some(status) = status {
                self.0.record("http.response.status_code", status);
            }
            if let Some(error) = error {
                self.0.record("error.type", tracing::field::debug(error));
            }
        }

        pub(crate) fn answered(attempt: u32, status: u16, request_id: Option<&str>) {
            tracing::debug!(
                attempt,
                http.response.status_code = status,
                upvest.request_id = request_id,
                "answer"
            );
        }

        pub(crate) fn retrying(attempt: u32, setback: Setback, wait: Duration) {
            tracing::warn!(attempt, ?setback, ?wait, "attempt failed, trying again");
        }

        pub(crate) fn gave_up(attempt: u32, setback: Setback, stop: Stop) {
            if stop == Stop::Final {
                tracing::debug!(attempt, ?setback, "attempt failed for good");
            } else {
                tracing::warn!(attempt, ?setback, ?stop, "attempt failed, giving up");
            }
        }

        pub(crate) fn token_refused() {
            tracing::warn!("token refused, trying once more with a new one");
        }

        pub(crate) fn token_not_renewed(status: Option<u16>, pause: Duration) {
            tracing::warn!(http.response.status_code = status, ?pause, "no new token");
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::future::Future;
    use std::time::Duration;

    use upvest_api::runtime::OperationMeta;

    use crate::error::ErrorKind;
    use crate::response::CallInfo;
    use crate::retry::{Setback, Stop};

    pub(crate) struct CallSpan;

    impl CallSpan {
        pub(crate) fn new(_: &OperationMeta, _: &reqwest::Url, _: &http::Method) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
        pub(crate) fn run<F: Future>(&self, call: F) -> F {
            call
        }

        #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
        pub(crate) fn ended(&self, _: Option<u16>, _: Option<ErrorKind>, _: &CallInfo) {}

        pub(crate) fn answered(_: u32, _: u16, _: Option<&str>) {}

        pub(crate) fn retrying(_: u32, _: Setback, _: Duration) {}

        pub(crate) fn gave_up(_: u32, _: Setback, _: Stop) {}

        pub(crate) fn token_refused() {}

        pub(crate) fn token_not_renewed(_: Option<u16>, _: Duration) {}
    }
}
