//! The metadata of operations, and traits for code that is generic over operations.

use std::future::Future;

use http::Method;

use crate::runtime::answers::error::Error;
use crate::runtime::answers::list_response::Page;
use crate::runtime::answers::response::Response;

/// The metadata of one operation of the description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationMeta {
    /// The description's `operationId`, for example `createOrder`.
    pub id: &'static str,
    /// The name of the client's method, for example `create_order`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path template, for example `/orders/{order_id}`.
    pub path: &'static str,
    /// The first tag, for example `Orders`.
    pub tag: &'static str,
    /// The OAuth scopes that the call needs. Empty if it needs no token.
    pub scopes: &'static [&'static str],
    /// Whether the server supports an `idempotency-key`. Only then may a call that changes something be sent twice.
    pub idempotency_key: bool,
    /// The bounds of the page size, if the operation has pages.
    pub paging: Option<Paging>,
    /// The `accept` header: the media types of a successful answer.
    pub accept: &'static str,
}

impl OperationMeta {
    /// An operation that the description does not contain, for raw requests, without the optional properties.
    pub const fn custom(id: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            id,
            name: id,
            method,
            path,
            tag: "",
            scopes: &[],
            idempotency_key: false,
            paging: None,
            accept: "application/json",
        }
    }

    /// Sets the scopes.
    #[must_use]
    pub const fn scoped(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets that the operation supports an idempotency key.
    #[must_use]
    pub const fn keyed(mut self) -> Self {
        self.idempotency_key = true;
        self
    }

    /// Whether the call only reads (`GET` or `HEAD`), so that sending it twice changes nothing.
    pub fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// The bounds that the description sets on `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paging {
    /// The page size if the request has no `limit`.
    pub default_limit: u32,
    /// The smallest `limit` that the server accepts.
    pub min_limit: u32,
    /// The largest `limit` that the server accepts.
    pub max_limit: u32,
}

impl Paging {
    pub(crate) const fn new(default_limit: u32, min_limit: u32, max_limit: u32) -> Self {
        Self {
            default_limit,
            min_limit,
            max_limit,
        }
    }
}

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

/// Finds the operation whose method has this name in a table that is sorted by it.
pub(crate) fn find_operation(
    table: &[&'static OperationMeta],
    name: &str,
) -> Option<&'static OperationMeta> {
    let index = table
        .binary_search_by(|operation| operation.name.cmp(name))
        .ok()?;
    table.get(index).copied()
}

/// Implements [`Operation`] for a builder.
macro_rules! operation {
    ($builder:ident, $meta:ident -> $output:ty) => {
        impl $crate::runtime::Operation for $builder {
            const META: &'static $crate::runtime::OperationMeta = &super::operations::$meta;

            type Output = $output;

            async fn send(
                self,
            ) -> Result<$crate::runtime::Response<$output>, $crate::runtime::Error> {
                self.send().await
            }
        }
    };
}
pub(crate) use operation;

/// Implements [`List`] for a builder whose answer is a [`ListResponse`](crate::runtime::ListResponse), and [`Paginated`] if
/// the operation has the parameters `offset` and `limit`.
macro_rules! list {
    ($builder:ident, $item:ty) => {
        list!($builder, $item, |list, _offset, _limit| list);
    };
    ($builder:ident, $item:ty, paginated) => {
        list!($builder, $item, |list, offset, limit| list
            .offset(offset)
            .limit(limit));

        impl $crate::runtime::Paginated for $builder {}
    };
    ($builder:ident, $item:ty, |$list:ident, $offset:ident, $limit:ident| $at:expr) => {
        impl $crate::runtime::List for $builder {
            type Item = $item;

            fn page(output: Self::Output) -> $crate::runtime::Page<$item> {
                output.into()
            }

            fn at(self, $offset: u64, $limit: u32) -> Self {
                let $list = self;
                $at
            }
        }
    };
}
pub(crate) use list;

/// Implements [`Download`] for a builder.
macro_rules! download {
    ($builder:ident) => {
        impl $crate::runtime::Download for $builder {}
    };
}
pub(crate) use download;
