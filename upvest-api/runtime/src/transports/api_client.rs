//! The part of a client that is the same for every description.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Uri};

use super::base_url::BaseUrl;
use super::transport::Transport;
use crate::events::event_object::EventObjects;
use crate::operation_meta::OperationMeta;
use crate::responses::byte_stream::ByteStream;
use crate::responses::content_encoding::reject_encoded;
use crate::responses::error::Error;
use crate::responses::response::Response;

/// The `Client` of a generated crate, for code that works with the client of any crate.
///
/// Every generated crate implements it; you never do. A `Client` has a method for each operation of its description,
/// which returns the builder of the operation. These methods differ from crate to crate, so they are not a part of the
/// trait. The trait has only what such code needs: how to make a client from a transport, the list of all operations,
/// and the objects in events.
///
/// ```
/// use upvest_runtime::GeneratedClient;
///
/// /// The scopes that a token needs for all operations of a description.
/// fn all_scopes<C: GeneratedClient>() -> Vec<&'static str> {
///     let operations = C::OPERATIONS.iter();
///     operations
///         .flat_map(|operation| operation.scopes)
///         .copied()
///         .collect()
/// }
/// ```
pub trait GeneratedClient: Clone + fmt::Debug + Send + Sync + 'static {
    /// The objects in the webhook events of the description.
    type EventObject: EventObjects;

    /// All operations, sorted by the name of their method.
    const OPERATIONS: &'static [&'static OperationMeta];

    /// A client for the API at `base_url` that sends its requests over `transport`.
    fn new(base_url: &str, transport: impl Transport + 'static) -> Self;
}

/// The base URL and the transport of a client. The `Client` of a generated crate wraps it.
///
/// Cheap to clone; clones share the transport.
#[derive(Clone)]
pub struct ApiClient {
    base_url: BaseUrl,
    transport: Arc<dyn Transport>,
}

impl ApiClient {
    /// A client for the API at `base_url`, a [`BaseUrl`], that sends its requests over `transport`.
    ///
    /// With a base URL that cannot be used every call fails with [`ErrorKind::Configuration`](crate::ErrorKind).
    pub fn new(base_url: &str, transport: impl Transport + 'static) -> Self {
        Self {
            base_url: BaseUrl::new(base_url),
            transport: Arc::new(transport),
        }
    }

    /// A client for the same API that sends its requests over `transport`.
    #[must_use]
    pub fn with_transport(&self, transport: impl Transport + 'static) -> Self {
        Self {
            base_url: self.base_url.clone(),
            transport: Arc::new(transport),
        }
    }

    /// The base URL, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.base_url.as_str()
    }

    /// The URL of `path` and `query`, which may be empty. Both are already percent-encoded.
    pub(crate) fn url(&self, path: &str, query: &str) -> Result<Uri, Error> {
        self.base_url.join(path, query)
    }

    /// Sends `request` and turns every response that is not a success into an error.
    pub(crate) async fn exchange(
        &self,
        request: Request<Bytes>,
        operation: &'static OperationMeta,
    ) -> Result<Response<ByteStream>, Error> {
        let response = self.transport.execute(request, operation).await;
        let error = match response.map(reject_encoded) {
            Ok(response) if response.status().is_success() => return Ok(response),
            Ok(response) => {
                let (stream, headers, metadata) = response.into_parts();
                // An error about the body must not hide the status, which is more useful.
                let body = stream
                    .bytes_within(ByteStream::ERROR_LIMIT)
                    .await
                    .unwrap_or_default();
                Error::from_response(operation, metadata.status, &headers, &body)
                    .with_metadata(&metadata)
            }
            Err(error) => error,
        };
        Err(if error.operation().is_none() {
            error.with_context(|context| context.operation = Some(operation.id.into()))
        } else {
            error
        })
    }
}

/// Prints it as the `Client` that wraps it.
impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url)
            .field("transport", &self.transport)
            .finish()
    }
}
