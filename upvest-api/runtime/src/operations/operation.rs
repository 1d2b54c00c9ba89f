//! Traits for code that is generic over operations.

use std::future::Future;

use crate::operation_meta::OperationMeta;
use crate::responses::error::Error;
use crate::responses::list_response::Page;
use crate::responses::response::Response;

/// The builder of an operation. It borrows nothing, so it can be moved into a task.
pub trait Operation: Clone + Send + Sync + Sized + 'static {
    /// The metadata of the operation.
    const META: &'static OperationMeta;

    /// The value of a successful response.
    type Output: Send + 'static;

    /// Sends the request, as the builder's own `send` does.
    fn send(self) -> impl Future<Output = Result<Response<Self::Output>, Error>> + Send;
}

/// An operation whose response is a list of items.
pub trait List: Operation {
    /// One item of the list.
    type Item: Send + 'static;

    /// Returns the items of a response and its information about the whole list.
    fn page(output: Self::Output) -> Page<Self::Item>;

    /// Requests `limit` items from the index `offset` on, counted from 0. A list without pages is requested as a whole.
    #[must_use]
    fn with_page(self, offset: u64, limit: u32) -> Self;
}

/// A [`List`] with pages, which `offset` and `limit` select.
pub trait Paginated: List {}

/// An operation whose response can be a file.
pub trait Download: Operation {}
