//! Sends one HTTP request over the network, without retries.

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response, Version};
use reqwest::Url;
use upvest_api::{ByteStream, Error, ErrorKind};

use crate::debug_fields::debug_fields;

/// Sends an HTTP request exactly once.
///
/// The client uses `reqwest` unless a test or a recorder replaces it, see
/// [`UpvestBuilder::http_sender`](crate::UpvestBuilder::http_sender).
pub trait HttpSend: fmt::Debug + Send + Sync {
    /// Sends `request` and returns the answer with any status. It must not retry or follow redirects, and must send
    /// method, URI, headers and body unchanged, because the signature covers them.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<ByteStream>, SendError>>;

    /// Called after a request timed out. Its connection may be dead, so the next request should use a
    /// new one. The default implementation does nothing.
    fn timed_out(&self) {}
}

/// Why there is no answer, and whether the server may have received the request.
#[derive(Debug)]
pub struct SendError {
    pub(crate) how: Interruption,
    pub(crate) source: Box<dyn StdError + Send + Sync>,
}

/// At which stage a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// There was no connection, so nothing was sent.
    NotSent,
    /// The connection was not established in time, so nothing was sent.
    ConnectTimeout,
    /// The connection broke. The request may have been sent.
    Broken,
    /// There was no answer in time. The request may have been sent.
    Timeout,
    /// The HTTP client followed a redirect, so the answer may be from another server.
    Redirected,
    /// The HTTP client would have changed the signed URL, so nothing was sent.
    UrlChanged,
    /// The body of the answer is longer than the limit.
    TooLong,
}

impl SendError {
    /// There was no connection, so that nothing of the request was sent.
    pub fn not_sent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            how: Interruption::NotSent,
            source: source.into(),
        }
    }

    /// The connection broke after the request, or a part of it, may have been sent.
    pub fn broken(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            how: Interruption::Broken,
            source: source.into(),
        }
    }

    /// There was no answer in time, and the request may have been sent.
    pub fn timed_out(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            how: Interruption::Timeout,
            source: source.into(),
        }
    }

    /// The body of the answer could not be read.
    pub(crate) fn unread(error: Error) -> Self {
        let how = match error.kind() {
            ErrorKind::Timeout => Interruption::Timeout,
            ErrorKind::Decode => Interruption::TooLong,
            _ => Interruption::Broken,
        };
        Self {
            how,
            source: error.into(),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.how {
            Interruption::NotSent => "no connection to the server",
            Interruption::ConnectTimeout => "no connection to the server in time",
            Interruption::Broken => "the connection broke before the answer was complete",
            Interruption::Timeout => "no answer in time",
            Interruption::Redirected => "the `reqwest` client of your own followed a redirect; build it with `redirect(Policy::none())`",
            Interruption::UrlChanged => {
                "the HTTP client would change the URL that was signed; percent-encode it, without dot segments"
            }
            Interruption::TooLong => return self.source.fmt(f),
        })
    }
}

impl StdError for SendError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        // The query of the URL may contain personal data.
        let error = error.without_url();
        let how = match (error.is_connect() || error.is_builder(), error.is_timeout()) {
            (true, true) => Interruption::ConnectTimeout,
            (true, false) => Interruption::NotSent,
            (false, true) => Interruption::Timeout,
            (false, false) => Interruption::Broken,
        };
        Self {
            how,
            source: Box::new(error),
        }
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        let kind = match error.how {
            Interruption::NotSent | Interruption::ConnectTimeout => ErrorKind::Connect,
            Interruption::Broken => ErrorKind::Interrupted,
            Interruption::Timeout => ErrorKind::Timeout,
            Interruption::Redirected => ErrorKind::Configuration,
            Interruption::UrlChanged => ErrorKind::InvalidRequest,
            Interruption::TooLong => ErrorKind::Decode,
        };
        Self::new(kind, error.to_string()).with_source(error.source)
    }
}

/// Makes a `reqwest` client with its own connections.
pub(crate) type Connect = Box<dyn Fn() -> reqwest::Result<reqwest::Client> + Send + Sync>;

/// Sends over a `reqwest` client.
pub(crate) struct ReqwestSend {
    client: Mutex<reqwest::Client>,
    /// Makes a client with new connections. `None` if the application provided the client.
    connect: Option<Connect>,
    /// When a client with new connections was last made.
    renewed: Mutex<Option<Instant>>,
    /// Whether the last answer came over HTTP/1, whose connections are closed after a request that timed out.
    is_http1: AtomicBool,
}

/// The shortest time between two renewals of the connections, as many requests can time out together.
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);

impl ReqwestSend {
    pub(crate) fn new(client: reqwest::Client, connect: Option<Connect>) -> Self {
        let (renewed, is_http1) = Default::default();
        Self {
            client: Mutex::new(client),
            connect,
            renewed,
            is_http1,
        }
    }
}

/// Pings HTTP/2 connections, idle ones too, so that a dead one is noticed and no longer used.
pub(crate) fn keep_alive(
    client: reqwest::ClientBuilder,
    interval: Duration,
) -> reqwest::ClientBuilder {
    let client = client
        .http2_keep_alive_interval(interval)
        .http2_keep_alive_timeout(interval / 2);
    client.http2_keep_alive_while_idle(true)
}

debug_fields!(ReqwestSend, |self| client = self.client);

impl HttpSend for ReqwestSend {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<ByteStream>, SendError>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let signed = parts.uri.to_string();
            let changed = |source| SendError {
                how: Interruption::UrlChanged,
                source,
            };
            let url = Url::parse(&signed).map_err(|error| changed(error.into()))?;
            // `reqwest` resolves dot segments and encodes characters that should have been encoded.
            if url.as_str() != signed {
                return Err(changed("reqwest writes it in another way".into()));
            }
            let mut request = reqwest::Request::new(parts.method, url);
            *request.headers_mut() = parts.headers;
            *request.body_mut() = Some(body.into());
            let client = self
                .client
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let response = client.execute(request).await?;
            self.is_http1
                .store(response.version() < Version::HTTP_2, Ordering::Relaxed);
            // A client that the application provided may follow redirects, and would then have sent the signature to another
            // server.
            if response.url().as_str() != signed {
                return Err(SendError {
                    how: Interruption::Redirected,
                    source: "redirected".into(),
                });
            }
            Ok(answer(response))
        })
    }

    fn timed_out(&self) {
        let Some(connect) = self
            .connect
            .as_ref()
            .filter(|_| !self.is_http1.load(Ordering::Relaxed))
        else {
            return;
        };
        {
            let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
            if renewed.is_some_and(|renewed| renewed.elapsed() < RENEWAL_PAUSE) {
                return;
            }
            *renewed = Some(Instant::now());
        }
        if let Ok(client) = connect() {
            *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
        }
    }
}

fn answer(mut response: reqwest::Response) -> Response<ByteStream> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let body = response
        .bytes_stream()
        .map_err(|error| SendError::from(error).into());
    let mut answer = Response::new(ByteStream::new(body));
    (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use futures_util::FutureExt as _;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::client::environment::Environment;
    use crate::client::upvest::Upvest;
    use crate::retry::{Backoff, RetryPolicy};

    /// A server of HTTP/2 whose first connection answers two requests, a token and a list, and then nothing any more.
    async fn serve(listener: TcpListener, connections: Arc<AtomicUsize>) {
        while let Ok((stream, _)) = listener.accept().await {
            let is_first = connections.fetch_add(1, Ordering::SeqCst) == 0;
            tokio::spawn(answer_all(stream, if is_first { 2 } else { usize::MAX }));
        }
    }

    async fn answer_all(stream: TcpStream, requests: usize) {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut answered = 0;
        while answered < requests
            && let Some(Ok((request, mut respond))) = connection.accept().await
        {
            let body = match request.uri().path() {
                "/auth/token" => r#"{"access_token": "token", "expires_in": 1799}"#,
                _ => r#"{"data": []}"#,
            };
            respond
                .send_response(Response::new(()), false)
                .unwrap()
                .send_data(body.into(), true)
                .unwrap();
            answered += 1;
        }
        // What was answered is sent, and whatever comes is read and let lie. Pings are not answered.
        std::future::poll_fn(|context| connection.poll_closed(context)).now_or_never();
        std::future::pending::<()>().await;
    }

    /// A client for it that pings after `interval` and gives an attempt `timeout`, and the count of its connections.
    async fn client(interval: Duration, timeout: Duration) -> (Upvest, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        tokio::spawn(serve(listener, Arc::clone(&connections)));
        let connect = move || {
            keep_alive(
                reqwest::Client::builder()
                    .http2_prior_knowledge()
                    .no_proxy(),
                interval,
            )
            .build()
        };
        let at_once = RetryPolicy::new().backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
        let upvest = Upvest::builder(Environment::Custom(url))
            .credentials("id", "secret")
            .http_sender(ReqwestSend::new(
                connect().unwrap(),
                Some(Box::new(connect)),
            ))
            .retry(at_once)
            .timeout(timeout);
        let upvest = upvest.build().unwrap();
        upvest
            .request(http::Method::GET, "/orders")
            .send()
            .await
            .unwrap();
        (upvest, connections)
    }

    #[tokio::test]
    async fn after_a_timeout_a_request_is_sent_again_over_a_new_connection() {
        let (upvest, connections) =
            client(Duration::from_secs(3600), Duration::from_millis(200)).await;
        for attempts in [2, 1, 1] {
            let answer = upvest
                .request(http::Method::GET, "/orders")
                .send()
                .await
                .unwrap();
            assert_eq!(answer.metadata().attempts, attempts);
        }
        assert_eq!(connections.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_dead_connection_is_found_by_its_pings_and_left() {
        let (upvest, connections) =
            client(Duration::from_millis(100), Duration::from_secs(20)).await;
        let answer = upvest
            .request(http::Method::GET, "/orders")
            .send()
            .await
            .unwrap();
        assert!(answer.metadata().elapsed < Duration::from_secs(10));
        assert_eq!(
            (
                answer.metadata().attempts,
                connections.load(Ordering::SeqCst)
            ),
            (2, 2)
        );
    }
}
