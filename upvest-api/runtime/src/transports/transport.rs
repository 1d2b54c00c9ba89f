//! The interface between the operation builders and the code that sends their requests.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Request;

use crate::operation_meta::OperationMeta;
use crate::responses::byte_stream::ByteStream;
use crate::responses::error::Error;
use crate::responses::response::Response;

/// Sends the requests that the operation builders make.
///
/// A transport gets each call once. The client of `upvest-ext` is one that adds tokens, signatures and retries, and
/// sends each attempt over another one, such as [`HttpTransport`](crate::HttpTransport).
///
/// ```
/// use bytes::Bytes;
/// use futures_util::future::BoxFuture;
/// use upvest_runtime::{ByteStream, Error, HttpTransport, OperationMeta, Response, Transport};
///
/// /// Prints each operation before it is sent.
/// #[derive(Debug)]
/// struct Printing(HttpTransport);
///
/// impl Transport for Printing {
///     fn execute<'a>(
///         &'a self,
///         request: http::Request<Bytes>,
///         operation: &'a OperationMeta,
///     ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
///         println!("{}: {} {}", operation.id, request.method(), operation.path);
///         self.0.execute(request, operation)
///     }
/// }
/// ```
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends `request`, which was built for `operation`, and returns the response.
    ///
    /// The response may have any status. The caller turns an error status into an [`Error`] with the response's
    /// [`Problem`](crate::Problem). A transport with more information about a failure returns the error itself.
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>>;

    /// Called after a request got no response in time. Its connection may be dead, so the next request should use
    /// another one. The default implementation does nothing.
    fn timed_out(&self) {}
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        T::execute(self, request, operation)
    }

    fn timed_out(&self) {
        T::timed_out(self);
    }
}
