//! What several of these tests use.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{BoxFuture, Error, Upvest};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) async fn list(upvest: &Upvest) -> Result<(), Error> {
    upvest.list_orders().send().await?;
    Ok(())
}

/// A signer whose first `hangs` signatures of token requests never finish. API requests are signed immediately.
#[derive(Clone, Debug, Default)]
pub(crate) struct HangingSigner {
    pub(crate) hangs: usize,
    pub(crate) calls: Arc<AtomicUsize>,
}

impl HangingSigner {
    pub(crate) fn hanging_for(hangs: usize) -> Self {
        Self {
            hangs,
            calls: Arc::default(),
        }
    }

    pub(crate) fn call<T: Send + 'static>(
        &self,
        result: T,
    ) -> Pin<Box<dyn Future<Output = T> + Send>> {
        if self.calls.fetch_add(1, Ordering::SeqCst) < self.hangs {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(result))
    }
}

impl SignRequest for HangingSigner {
    fn sign<'a>(
        &'a self,
        request: &'a mut http::Request<bytes::Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        if request.uri().path() == "/auth/token" {
            self.call(Ok(()))
        } else {
            Box::pin(async { Ok(()) })
        }
    }
}
