//! Work that continues if the caller that started it is cancelled.

use std::future::Future;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// Runs `work` on its own task and returns its result, or `None` if it panicked or the runtime was shut down.
///
/// Outside of a tokio runtime it cannot be spawned, so it runs only while the caller polls it.
pub(crate) fn detached<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> BoxFuture<'static, Option<T>> {
    #[cfg(feature = "tracing")]
    let work = tracing::Instrument::in_current_span(work);
    match Handle::try_current() {
        Ok(runtime) => runtime.spawn(work).map(Result::ok).boxed(),
        Err(_) => work.map(Some).boxed(),
    }
}
