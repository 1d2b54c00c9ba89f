//! The seam between the generated builders and whatever sends their requests.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use http::header::ACCEPT;
use progenitor_client::{ClientHooks, OperationInfo};

use super::operation::OperationMeta;
use crate::Client;
use crate::generated::operations;

/// What a [`Transport`] returns: the answer to one call, in a box because the trait is used as an object.
pub type TransportFuture<'a> = Pin<Box<dyn Future<Output = reqwest::Result<reqwest::Response>> + Send + 'a>>;

/// Sends the requests that the operation builders make.
///
/// A transport sees each call once: retries, tokens and signatures are its business. An error of its own travels inside
/// the `reqwest::Error` that [`carry`] makes, and comes out of the error's `source()` chain.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends `request`, which was built for `operation`, and returns the answer, whatever its status.
    fn execute<'a>(
        &'a self,
        request: reqwest::Request,
        operation: &'static OperationMeta,
    ) -> TransportFuture<'a>;
}

/// What a [`Client`] carries besides its base URL: the transport of its calls.
#[derive(Clone, Debug)]
pub struct Inner {
    transport: Arc<dyn Transport>,
}

impl Inner {
    /// Wraps `transport` for [`Client::new_with_client`].
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }
}

impl ClientHooks<Inner> for Client {
    async fn exec(
        &self,
        mut request: reqwest::Request,
        info: &OperationInfo,
    ) -> reqwest::Result<reqwest::Response> {
        let Some(operation) = operations::find(info.operation_id) else {
            return Err(carry(UnknownOperation(info.operation_id)).await);
        };
        // The builder of an answer that is no JSON sets none, and `*/*` would be sent.
        let accept = request.headers_mut().entry(ACCEPT);
        accept.or_insert(HeaderValue::from_static(operation.accept));
        self.inner.transport.execute(request, operation).await
    }
}

#[derive(Debug, thiserror::Error)]
#[error("operation `{0}` is not in the operation table; run `cargo xtask regen`")]
struct UnknownOperation(&'static str);

/// Turns any error into a `reqwest::Error` that has it in its `source()` chain, where `downcast_ref` finds it again.
///
/// The generated code can only pass on `reqwest::Error`, which has no public constructor; a body that fails makes one.
///
/// ```
/// # #[derive(Debug)] struct NoToken;
/// # impl std::fmt::Display for NoToken { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no token") } }
/// # impl std::error::Error for NoToken {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let error = upvest_api::runtime::carry(NoToken).await;
/// assert!(upvest_api::runtime::carried::<NoToken>(&error).is_some());
/// # }
/// ```
pub async fn carry<E>(error: E) -> reqwest::Error
where
    E: StdError + Send + Sync + 'static,
{
    let body = reqwest::Body::wrap_stream(FailingBody(Some(Box::new(error))));
    match reqwest::Response::from(http::Response::new(body)).bytes().await {
        Err(error) => error,
        Ok(_) => unreachable!("a stream whose first item is an error is no body"),
    }
}

/// Finds the error that [`carry`] packed, anywhere in the chain of sources of `error`.
pub fn carried<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

type BoxedError = Box<dyn StdError + Send + Sync>;

struct FailingBody(Option<BoxedError>);

impl Stream for FailingBody {
    type Item = Result<Bytes, BoxedError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Err))
    }
}
