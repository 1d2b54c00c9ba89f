//! Traits for code that is generic over operations.

use std::future::Future;

use crate::answers::error::Error;
use crate::answers::list_response::Page;
use crate::answers::response::Response;
use crate::operation_meta::OperationMeta;

/// The builder of an operation. It borrows nothing, so it can be moved into a task.
pub trait Operation: Clone + Send + Sync + Sized + 'static {
    /// The metadata of the operation.
    const META: &'static OperationMeta;

    /// The value of a successful answer.
    type Output: Send + 'static;

    /// Sends the request, as the builder's own `send` does.
    fn send(self) -> impl Future<Output = Result<Response<Self::Output>, Error>> + Send;
}

/// An operation whose answer is a list of items.
pub trait List: Operation {
    /// One item of the list.
    type Item: Send + 'static;

    /// Returns the items of an answer and its information about the whole list.
    fn page(output: Self::Output) -> Page<Self::Item>;

    /// Requests `limit` items from the index `offset` on, counted from 0. A list without pages is requested as a whole.
    #[must_use]
    fn at(self, offset: u64, limit: u32) -> Self;
}

/// A [`List`] with pages, which `offset` and `limit` select.
pub trait Paginated: List {}

/// An operation whose answer can be a file.
pub trait Download: Operation {}

/// Implements [`Operation`] for a builder.
#[doc(hidden)]
#[macro_export]
macro_rules! operation {
    ($builder:ident, $meta:ident -> $output:ty) => {
        impl $crate::Operation for $builder {
            const META: &'static $crate::OperationMeta = &super::operations::$meta;

            type Output = $output;

            async fn send(self) -> Result<$crate::Response<$output>, $crate::Error> {
                self.send().await
            }
        }
    };
}

/// Implements [`List`] for a builder whose answer is a [`ListResponse`](crate::ListResponse), and [`Paginated`] if
/// the operation has the parameters `offset` and `limit`.
#[doc(hidden)]
#[macro_export]
macro_rules! list {
    ($builder:ident, $item:ty) => {
        $crate::list!($builder, $item, |list, _offset, _limit| list);
    };
    ($builder:ident, $item:ty, paginated) => {
        $crate::list!($builder, $item, |list, offset, limit| list
            .offset(offset)
            .limit(limit));

        impl $crate::Paginated for $builder {}
    };
    ($builder:ident, $item:ty, |$list:ident, $offset:ident, $limit:ident| $at:expr) => {
        impl $crate::List for $builder {
            type Item = $item;

            fn page(output: Self::Output) -> $crate::Page<$item> {
                output.into()
            }

            fn at(self, $offset: u64, $limit: u32) -> Self {
                let $list = self;
                $at
            }
        }
    };
}

/// Implements [`Download`] for a builder.
#[doc(hidden)]
#[macro_export]
macro_rules! download {
    ($builder:ident) => {
        impl $crate::Download for $builder {}
    };
}
