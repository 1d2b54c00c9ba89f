//! The client: a base URL and a transport.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};

use super::byte_stream::ByteStream;
use super::error::Error;
use super::error_kind::ErrorKind;
use super::operation::OperationMeta;
use super::response::Response;
use super::transport::Transport;

/// Client for the API: one method for each operation, which returns the operation's builder.
///
/// Cheap to clone; clones share the transport.
///
/// ```
/// use upvest_api::{Client, runtime::Direct};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = Direct::new(reqwest::Client::new()).bearer("token")?;
/// let client = Client::new("http://127.0.0.1:8080", transport);
/// let request = client.list_orders().limit(50);
/// # let _ = request; Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    base: Arc<Base>,
    transport: Arc<dyn Transport>,
}

struct Base {
    url: String,
    /// Scheme, authority and the path that all operations stand under; `None` if `url` is not a base URL.
    parts: Option<(Scheme, Authority, String)>,
}

impl Client {
    /// A client for the API at `base_url` that sends its requests over `transport`.
    ///
    /// A base URL is `http` or `https`, a host, and optionally a port and a path: `https://api.example.com/v1`. A slash at its
    /// end makes no difference. With any other text every call fails with [`ErrorKind::Configuration`].
    pub fn new(base_url: &str, transport: impl Transport + 'static) -> Self {
        let url = base_url.trim_end_matches('/').to_owned();
        Self { base: Arc::new(Base { parts: parts(&url), url }), transport: Arc::new(transport) }
    }

    /// A client for the same API that sends its requests over `transport`.
    #[must_use]
    pub fn with_transport(&self, transport: impl Transport + 'static) -> Self {
        Self { base: Arc::clone(&self.base), transport: Arc::new(transport) }
    }

    /// The base URL, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base.url
    }

    /// The URL of `path` and, where it is not empty, `query`. Both are percent-encoded already.
    pub(crate) fn url(&self, path: &str, query: &str) -> Result<Uri, Error> {
        let Some((scheme, authority, prefix)) = &self.base.parts else {
            // It may hold a password, so it is not shown.
            let message = "the client's base URL is not of the form https://host[:port][/path]";
            return Err(Error::new(ErrorKind::Configuration, message));
        };
        let mut target = String::with_capacity(prefix.len() + path.len() + query.len() + 1);
        target.push_str(prefix);
        target.push_str(path);
        if !query.is_empty() {
            target.push('?');
            target.push_str(query);
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme.clone());
        parts.authority = Some(authority.clone());
        parts.path_and_query =
            Some(PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(unsendable)?);
        Uri::from_parts(parts).map_err(unsendable)
    }

    /// Sends `request` and turns every answer that is not a success into an error.
    pub(crate) async fn exchange(
        &self,
        request: Request<Bytes>,
        operation: &'static OperationMeta,
    ) -> Result<Response<ByteStream>, Error> {
        let error = match self.transport.execute(request, operation).await {
            Ok(response) if response.status().is_success() => return Ok(response),
            Ok(response) => {
                let (stream, headers, metadata) = response.into_parts();
                // A body that breaks off must not hide the status, which says more.
                let body = stream.bytes().await.unwrap_or_default();
                Error::from_answer(operation, metadata.status, &headers, &body).with_metadata(&metadata)
            }
            Err(error) => error,
        };
        Err(if error.operation().is_none() { error.with_operation(operation.id) } else { error })
    }
}

fn parts(url: &str) -> Option<(Scheme, Authority, String)> {
    let uri = url.parse::<Uri>().ok()?.into_parts();
    let scheme = uri.scheme.filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)?;
    // A user and a password in the URL would become a second `authorization`.
    let authority = uri.authority.filter(|authority| !authority.as_str().contains('@'))?;
    let path = uri.path_and_query.filter(|path| path.query().is_none() && !url.contains('#'))?;
    Some((scheme, authority, path.path().trim_end_matches('/').to_owned()))
}

fn unsendable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidRequest, "the URL of the request is too long or malformed")
        .with_source(error)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base.parts.as_ref().map(|_| &self.base.url))
            .field("transport", &self.transport)
            .finish()
    }
}
