//! A transport for tests, with prepared responses and a record of the requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, StatusCode};
use serde::Serialize;

use super::transport::Transport;
use crate::operation_meta::OperationMeta;
use crate::operations::operation::{Download, Operation};
use crate::responses::byte_stream::ByteStream;
use crate::responses::error::Error;
use crate::responses::error_kind::ErrorKind;
use crate::responses::problem::Problem;
use crate::responses::response::{Metadata, Response};

/// Responds to calls without a server, a token or a key, and records the requests.
///
/// Each operation has its own queue of responses. The last response is repeated. A call of an operation without
/// responses fails.
///
/// ```
/// use upvest_runtime::{GeneratedClient, ListResponse, MockTransport, Operation};
///
/// /// A client whose calls of the operation `L`, which lists resources, return an empty list.
/// fn client<C, L, T>() -> C
/// where
///     C: GeneratedClient,
///     L: Operation<Output = ListResponse<T>>,
///     ListResponse<T>: serde::Serialize,
/// {
///     C::new(
///         "http://mock.invalid",
///         MockTransport::new().respond::<L>(ListResponse::new(Vec::new())),
///     )
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MockTransport(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The responses by `operationId`.
    responses: HashMap<&'static str, VecDeque<Prepared>>,
    requests: Vec<Recorded>,
}

type Prepared = Result<(StatusCode, Bytes), Error>;

/// A request that a [`MockTransport`] has received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The `operationId`.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with the query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
}

impl MockTransport {
    /// A transport without responses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Responds to the next call of the operation with `value` and status 200.
    ///
    /// # Panics
    ///
    /// If `value` cannot be serialized as JSON, which is impossible for generated types.
    #[must_use]
    pub fn respond<O: Operation<Output: Serialize>>(self, value: O::Output) -> Self {
        let body = serde_json::to_vec(&value).expect("the generated types can be written as JSON");
        self.push::<O>(Ok((StatusCode::OK, body.into())))
    }

    /// Responds to the next call of the operation with the bytes of a file.
    #[must_use]
    pub fn respond_bytes<O: Download>(self, file: impl Into<Bytes>) -> Self {
        self.push::<O>(Ok((StatusCode::OK, file.into())))
    }

    /// Responds to the next call of the operation with `problem` and its status, or 400 if it has no error status.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "as in `respond`")]
    pub fn problem<O: Operation>(self, problem: Problem) -> Self {
        let status = problem
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.filter(|status| status.is_client_error() || status.is_server_error());
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        self.push::<O>(Ok((status.unwrap_or(StatusCode::BAD_REQUEST), body.into())))
    }

    /// Fails the next call of the operation with `error`.
    #[must_use]
    pub fn fail<O: Operation>(self, error: Error) -> Self {
        self.push::<O>(Err(error))
    }

    /// The requests so far, in their order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state().requests.clone()
    }

    fn push<O: Operation>(self, prepared: Prepared) -> Self {
        self.state()
            .responses
            .entry(O::META.id)
            .or_default()
            .push_back(prepared);
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, operation: &OperationMeta) -> Prepared {
        let queue = self.responses.get_mut(operation.id);
        let last = queue.and_then(|queue| {
            if queue.len() > 1 {
                queue.pop_front()
            } else {
                queue.front().cloned()
            }
        });
        last.unwrap_or_else(|| {
            let message = format!(
                "the MockTransport has no response for `{}`: add one with `respond`, `problem` or `fail`",
                operation.name
            );
            Err(Error::new(ErrorKind::Configuration, message))
        })
    }
}

impl Transport for MockTransport {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let (parts, body) = request.into_parts();
        let path = parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        let recorded = Recorded {
            operation: operation.id,
            method: parts.method,
            path,
            headers: parts.headers,
            body,
        };
        let mut state = self.state();
        state.requests.push(recorded);
        let prepared = state.next(operation);
        Box::pin(std::future::ready(prepared.map(|(status, body)| {
            Response::new(body.into(), HeaderMap::new(), Metadata::new(status))
        })))
    }
}
