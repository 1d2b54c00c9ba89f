//! The functions of the application that are called for each attempt and after each call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use upvest_runtime::ErrorKind;

use crate::reserved_headers::is_reserved;

/// One finished call, for [`UpvestBuilder::observe`](crate::UpvestBuilderFor::observe). Its texts have few different
/// values, so they can be the labels of metrics.
///
/// Guide: [Observability](crate::guide::observability).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallReport {
    /// The `operationId`, such as `createOrder`; `raw` for requests that the description does not contain, and
    /// `createAccessToken` for the requests of tokens.
    pub operation: &'static str,
    /// The status of the last response.
    pub status: Option<StatusCode>,
    /// The kind of the call's error, if it failed.
    pub error: Option<ErrorKind>,
    /// The number of attempts.
    pub attempts: u32,
    /// The time from the start of the call to its result.
    pub elapsed: Duration,
}

type OnRequest = Arc<dyn Fn(&mut HeaderMap) + Send + Sync>;
type Observe = Arc<dyn Fn(&CallReport) + Send + Sync>;

/// The functions that the application has set.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) on_request: Option<OnRequest>,
    pub(crate) observe: Option<Observe>,
}

impl Hooks {
    /// Lets the application change the headers of a request, except the reserved ones. If it panics, its changes are
    /// discarded.
    pub(crate) fn change_headers(&self, headers: &mut HeaderMap) {
        let Some(on_request) = &self.on_request else {
            return;
        };
        let mut changed = headers.clone();
        if catch_unwind(AssertUnwindSafe(|| on_request(&mut changed))).is_err() {
            tracing::error!("`on_request` panicked, so its changes are discarded");
            return;
        }
        let reserved: Vec<_> = changed
            .keys()
            .filter(|name| is_reserved(name))
            .cloned()
            .collect();
        for name in reserved {
            changed.remove(name);
        }
        for (name, value) in headers.iter().filter(|(name, _)| is_reserved(name)) {
            changed.append(name, value.clone());
        }
        *headers = changed;
    }

    /// Reports a finished call. A panic of the application does not affect the call.
    pub(crate) fn report(&self, report: &CallReport) {
        if let Some(observe) = &self.observe
            && catch_unwind(AssertUnwindSafe(|| observe(report))).is_err()
        {
            tracing::error!("`observe` panicked");
        }
    }
}
