//! The seam between the operation builders and whatever sends their requests.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Request;

use crate::runtime::answers::byte_stream::ByteStream;
use crate::runtime::answers::error::Error;
use crate::runtime::answers::response::Response;
use crate::runtime::calls::operation::OperationMeta;

/// Sends the requests that the operation builders make.
///
/// A transport sees each call once: retries, tokens and signatures are its business.
///
/// ```
/// use bytes::Bytes;
/// use futures_util::future::BoxFuture;
/// use upvest_api::runtime::{ByteStream, BearerTransport, OperationMeta};
/// use upvest_api::{Error, Response, Transport};
///
/// /// Prints each operation before it is sent.
/// #[derive(Debug)]
/// struct Printing(BearerTransport);
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
    /// Sends `request`, which was built for `operation`, and returns the answer.
    ///
    /// The answer may have any status: the caller turns an error status into an [`Error`] with the answer's
    /// [`Problem`](crate::runtime::Problem). A transport that knows more about the failure returns the error itself.
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        T::execute(self, request, operation)
    }
}
