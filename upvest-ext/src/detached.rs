//! Work that goes on when the caller who began it does not.

use std::future::Future;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// Starts `work` on a task of its own and returns its result: `None` where it panicked, or its runtime has ended.
///
/// Without a runtime there is no task to put it on: then it runs only as long as somebody waits for it.
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
