//! Sends each request once, with `reqwest`.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Version};
use reqwest::Url;
use tokio::time::timeout;

use super::transport::Transport;
use crate::operation_meta::OperationMeta;
use crate::responses::byte_stream::ByteStream;
use crate::responses::error::Error;
use crate::responses::error_kind::ErrorKind;
use crate::responses::response::{Metadata, Response};

/// How often connections are checked. A dead one is noticed after 1.5 times this, which is less than the default time
/// of an attempt.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// The shortest time between two new clients, as many requests can time out together.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(1);

/// How long to wait for the status and the headers of a response, unless the request says otherwise.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// An extension of a request: how long [`HttpTransport`] waits for the status and the headers of its response. 20 s
/// without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseTimeout(pub Duration);

/// Makes a `reqwest` client with connections of its own.
type Connect = Box<dyn Fn() -> reqwest::Result<reqwest::Client> + Send + Sync>;

/// Sends each request once over the network, byte for byte, without retries and redirects.
///
/// It waits 20 s for the headers of a response, or as long as the request's [`ResponseTimeout`] says.
///
/// ```
/// use upvest_runtime::HttpTransport;
///
/// # fn main() -> Result<(), upvest_runtime::Error> {
/// let transport = HttpTransport::new(|| {
///     let proxy = upvest_runtime::reqwest::Proxy::all("http://proxy.example:3128")?;
///     HttpTransport::settings().proxy(proxy).build()
/// })?;
/// # let _ = transport; Ok(()) }
/// ```
pub struct HttpTransport {
    connect: Connect,
    current: Mutex<CurrentClient>,
}

/// The HTTP client in use. It holds the connections.
struct CurrentClient {
    client: reqwest::Client,
    renewed: Option<Instant>,
    /// Whether requests share a connection. One of HTTP/1 is closed together with the request that got no response.
    are_shared: bool,
}

impl HttpTransport {
    /// Sends with the client that `connect` makes from [`settings`](Self::settings). Another client is made after a
    /// request got no response in time, so that its connection is not used again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if the first client cannot be made.
    pub fn new(
        connect: impl Fn() -> reqwest::Result<reqwest::Client> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let client = connect().map_err(|error| {
            let message = "the HTTP client could not be created";
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })?;
        let current = CurrentClient {
            client,
            renewed: None,
            are_shared: true,
        };
        Ok(Self {
            connect: Box::new(connect),
            current: Mutex::new(current),
        })
    }

    /// The settings that a signed API needs: no redirects and no retries, 5 s for a connection, and pings that find
    /// dead connections. Add a proxy, certificates or timeouts of your own.
    pub fn settings() -> reqwest::ClientBuilder {
        // Redirects and retries would send a signature twice: to another host, or with the same nonce.
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_INTERVAL / 2)
            .http2_keep_alive_while_idle(true)
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        operation: &OperationMeta,
    ) -> Result<Response<ByteStream>, Error> {
        let started = Instant::now();
        let limit = request.extensions().get().copied();
        let ResponseTimeout(limit) = limit.unwrap_or(ResponseTimeout(RESPONSE_TIMEOUT));
        let request = unchanged(request)?;
        let url = request.url().clone();
        let client = self.current().client.clone();
        let Ok(response) = timeout(limit, client.execute(request)).await else {
            self.timed_out();
            let error = Error::new(ErrorKind::Timeout, "no response in time");
            return Err(error.with_outcome_of(operation));
        };
        let mut response =
            response.map_err(|error| no_response(error).with_outcome_of(operation))?;
        self.current().are_shared = response.version() >= Version::HTTP_2;
        if *response.url() != url {
            let message = "the `reqwest` client followed a redirect: make it from `HttpTransport::settings()`";
            let error = Error::new(ErrorKind::Configuration, message);
            // The first server may have carried it out, and the second one too.
            return Err(error.with_context(|context| {
                context.is_outcome_unknown = !operation.is_safe();
            }));
        }
        let headers = std::mem::take(response.headers_mut());
        let mut metadata = Metadata::new(response.status());
        metadata.elapsed = started.elapsed();
        let body = response.bytes_stream().map_err(broken_body);
        Ok(Response::new(ByteStream::new(body), headers, metadata))
    }

    fn current(&self) -> MutexGuard<'_, CurrentClient> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same request for `reqwest`. What was signed must be sent, but `reqwest` resolves dot segments and encodes
/// characters.
fn unchanged(request: Request<Bytes>) -> Result<reqwest::Request, Error> {
    let (parts, body) = request.into_parts();
    let signed = parts.uri.to_string();
    let url = Url::parse(&signed)
        .ok()
        .filter(|url| url.as_str() == signed);
    let url = url.ok_or_else(|| {
        let message = "the HTTP client would change the URL that was signed; percent-encode it, without dot segments";
        Error::new(ErrorKind::InvalidRequest, message)
    })?;
    let mut request = reqwest::Request::new(parts.method, url);
    *request.headers_mut() = parts.headers;
    *request.body_mut() = Some(body.into());
    Ok(request)
}

fn no_response(error: reqwest::Error) -> Error {
    let (kind, message) = if error.is_builder() {
        (ErrorKind::InvalidRequest, "the request cannot be sent")
    } else if error.is_connect() {
        (ErrorKind::Connect, "no connection to the server")
    } else if was_not_processed(&error) {
        let message = "the server closed the HTTP/2 stream before it processed the request";
        (ErrorKind::Unprocessed, message)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, "no response in time")
    } else {
        let message = "the connection broke before the response was complete";
        (ErrorKind::Interrupted, message)
    };
    // The query of the URL may contain personal data.
    Error::new(kind, message).with_source(error.without_url())
}

/// The error of a body that began to arrive. The server has processed the request, whatever it says afterwards.
fn broken_body(error: reqwest::Error) -> Error {
    let (kind, message) = if error.is_timeout() {
        (
            ErrorKind::Timeout,
            "the rest of the body did not arrive in time",
        )
    } else {
        let message = "the connection broke before the response was complete";
        (ErrorKind::Interrupted, message)
    };
    Error::new(kind, message).with_source(error.without_url())
}

/// Whether HTTP/2 says that the server did not process the request (RFC 9113 sections 6.8 and 8.7).
///
/// `h2` gives the error of a `GOAWAY` only to streams above the last one that it names.
fn was_not_processed(error: &reqwest::Error) -> bool {
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        if let Some(error) = inner.downcast_ref::<h2::Error>() {
            let is_shutdown = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            let is_refusal = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            return error.is_remote() && (is_shutdown || is_refusal);
        }
        cause = inner;
    }
    false
}

impl Transport for HttpTransport {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        Box::pin(self.send(request, operation))
    }

    fn timed_out(&self) {
        if !self.current().begin_renewal() {
            return;
        }
        // Not under the lock, which each request takes: reading certificates takes time.
        if let Ok(client) = (self.connect)() {
            self.current().client = client;
        }
    }
}

impl CurrentClient {
    /// Whether the caller is to make another client. Of many requests that time out together, one does.
    fn begin_renewal(&mut self) -> bool {
        let is_recent = |renewed: Instant| renewed.elapsed() < BETWEEN_RENEWALS;
        if !self.are_shared || self.renewed.is_some_and(is_recent) {
            return false;
        }
        self.renewed = Some(Instant::now());
        true
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}
