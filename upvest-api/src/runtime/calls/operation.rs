//! What the description says of an operation, and the traits by which code can be generic over operations.

use std::future::Future;

use bytes::Bytes;
use http::{Method, Request};

use crate::runtime::answers::error::Error;
use crate::runtime::answers::list_response::Page;
use crate::runtime::answers::response::Response;

/// One operation of the description, as the generated table has it.
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
    /// The OAuth scopes that a token needs for the call. Empty if the call takes no token.
    pub scopes: &'static [&'static str],
    /// Whether the server honours an `idempotency-key`: only then may a call that changes something be sent twice.
    pub idempotency_key: bool,
    /// How the operation pages, where it does.
    pub paging: Option<Paging>,
    /// The `accept` header: the media types of the success answer.
    pub accept: &'static str,
}

impl OperationMeta {
    /// Describes an operation that the table does not know, for raw requests. All optional facts are left out.
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

    /// The same operation, needing these scopes.
    #[must_use]
    pub const fn scoped(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// The same operation, taking an idempotency key.
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
    /// Items on a page where the request does not say.
    pub default_limit: u32,
    /// The least `limit` the server takes.
    pub min_limit: u32,
    /// The greatest `limit` the server takes.
    pub max_limit: u32,
}

impl Paging {
    pub(crate) const fn new(default_limit: u32, min_limit: u32, max_limit: u32) -> Self {
        Self { default_limit, min_limit, max_limit }
    }
}

/// An operation's builder, ready to be sent. It owns what it needs, so that it can be moved into a task.
pub trait Operation: Clone + Send + Sync + Sized + 'static {
    /// What the description says of the operation.
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

    /// Takes the items, and what is known about the whole list, out of an answer.
    fn page(output: Self::Output) -> Page<Self::Item>;
}

/// A [`List`] that comes in pages, chosen by `offset` and `limit`.
pub trait Paginated: List {
    /// Asks for `limit` items from item number `offset` on, counted from 0.
    #[must_use]
    fn at(self, offset: u64, limit: u32) -> Self;
}

/// An operation whose answer is a file, or can be one.
pub trait Download: Operation {
    /// The request for the file, for a transport that resumes and follows redirects.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), with everything that is wrong with the arguments.
    fn request(self) -> Result<Request<Bytes>, Error>;
}

/// Finds the operation whose method is called `name` in a table sorted by it.
pub(crate) fn find_operation(table: &[&'static OperationMeta], name: &str) -> Option<&'static OperationMeta> {
    let index = table.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
    table.get(index).copied()
}

/// Makes a builder an [`Operation`].
macro_rules! operation {
    ($builder:ident, $meta:ident -> $output:ty) => {
        impl $crate::runtime::Operation for $builder {
            const META: &'static $crate::runtime::OperationMeta = &super::operations::$meta;

            type Output = $output;

            async fn send(self) -> Result<$crate::runtime::Response<$output>, $crate::runtime::Error> {
                self.send().await
            }
        }
    };
}
pub(crate) use operation;

/// Makes a builder whose answer is a [`ListResponse`](crate::runtime::ListResponse) a [`List`].
macro_rules! list {
    ($builder:ident, $item:ty) => {
        impl $crate::runtime::List for $builder {
            type Item = $item;

            fn page(output: Self::Output) -> $crate::runtime::Page<$item> {
                output.into()
            }
        }
    };
}
pub(crate) use list;

/// Makes a [`List`] with the parameters `offset` and `limit` [`Paginated`].
macro_rules! paginated {
    ($builder:ident) => {
        impl $crate::runtime::Paginated for $builder {
            fn at(self, offset: u64, limit: u32) -> Self {
                self.offset(offset).limit(limit)
            }
        }
    };
}
pub(crate) use paginated;

/// Makes a builder a [`Download`] of its own media types, or of others.
macro_rules! download {
    ($builder:ident $(, $accept:literal)?) => {
        impl $crate::runtime::Download for $builder {
            fn request(self) -> Result<http::Request<bytes::Bytes>, $crate::runtime::Error> {
                self.0$(.accept($accept))?.request()
            }
        }
    };
}
pub(crate) use download;
