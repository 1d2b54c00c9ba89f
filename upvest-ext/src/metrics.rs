//! Measurements of calls, for the metrics system of the application.
//!
//! Guide: `docs/guides/observability.md`. It includes spans, traces and an example for the crate `metrics`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use upvest_api::ErrorKind;

/// A measurement, which [`UpvestBuilder::metrics`](crate::UpvestBuilder::metrics) passes to its hook. Its texts contain no ids or personal data and have few different values, so they can be used as labels.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use upvest_ext::{Environment, Measurement, Upvest};
///
/// let failed = Arc::new(AtomicU32::new(0));
/// let count = Arc::clone(&failed);
/// let builder = Upvest::builder(Environment::Sandbox).metrics(move |measured| match measured {
///     Measurement::Call { error: Some(_), .. } => drop(count.fetch_add(1, Ordering::Relaxed)),
///     _ => {}
/// });
/// # let _ = builder;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measurement {
    /// A call with all its attempts and waits. A call whose future was dropped is not measured.
    #[non_exhaustive]
    Call {
        /// The `operationId`, such as `createOrder`; `raw` for requests that the description does not contain.
        operation: &'static str,
        /// The time from the start of the call to its result.
        duration: Duration,
        /// The number of attempts.
        attempts: u32,
        /// The status of the last answer.
        status: Option<u16>,
        /// The kind of the call's error, if it failed.
        error: Option<ErrorKind>,
    },
    /// One attempt of a call.
    #[non_exhaustive]
    Attempt {
        /// The `operationId`.
        operation: &'static str,
        /// The time from sending the request to the end of the answer, or to the end of its headers if the body is a file.
        duration: Duration,
        /// The status of the answer. `None` if there was none.
        status: Option<u16>,
    },
    /// One request for an access token.
    #[non_exhaustive]
    TokenRequest {
        /// From sending the request to the end of the answer.
        duration: Duration,
        /// The status of the answer, if it was an error.
        status: Option<u16>,
        /// Whether it returned a token.
        succeeded: bool,
    },
}

type Hook = dyn Fn(&Measurement) + Send + Sync;

/// The hook of the application, if it has set one.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Option<Arc<Hook>>);

impl Metrics {
    pub(crate) fn new(hook: impl Fn(&Measurement) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Calls the hook. A panic in it must not affect the call.
    pub(crate) fn record(&self, measured: &Measurement) {
        if let Some(hook) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(measured)));
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Metrics" } else { "None" })
    }
}
