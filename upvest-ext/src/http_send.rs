//! The lowest layer: one HTTP request over the network, once.

use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use reqwest::Url;
use upvest_api::{ByteStream, Error, ErrorKind};

/// What [`HttpSend::send`] returns.
pub type HttpFuture<'a> = BoxFuture<'a, Result<Response<ByteStream>, SendError>>;

/// Sends one HTTP request, once.
///
/// The client's own goes over `reqwest`; a test or a recorder can stand in its place, see
/// [`UpvestBuilder::http_sender`](crate::UpvestBuilder::http_sender).
pub trait HttpSend: fmt::Debug + Send + Sync {
    /// Sends `request` and returns the answer, whatever its status. Must neither repeat it nor follow redirects, and must send
    /// method, URI, headers and body as they are: the signature covers them.
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_>;
}

/// Why there is no answer, and whether the server may have seen the request.
#[derive(Debug)]
pub struct SendError {
    pub(crate) how: Interruption,
    pub(crate) source: Box<dyn StdError + Send + Sync>,
}

/// How far a request came that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// Nothing was written: no connection.
    NotSent,
    /// As above, and it took too long to find that out.
    ConnectTimeout,
    /// Something may have been written before the connection broke.
    Broken,
    /// Something may have been written, and no answer came in time.
    Timeout,
    /// The client follows redirects, so the answer may come from anywhere.
    Redirected,
    /// The client would have sent another URL than the one that was signed, so nothing was written.
    UrlChanged,
}

impl SendError {
    /// No connection: not a byte of the request has left.
    pub fn not_sent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { how: Interruption::NotSent, source: source.into() }
    }

    /// The connection broke when the request, or a part of it, may have left.
    pub fn broken(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { how: Interruption::Broken, source: source.into() }
    }

    /// No answer in time, when the request may have left.
    pub fn timed_out(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { how: Interruption::Timeout, source: source.into() }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.how {
            Interruption::NotSent => "no connection to the server",
            Interruption::ConnectTimeout => "no connection to the server in time",
            Interruption::Broken => "the connection broke before the answer was complete",
            Interruption::Timeout => "no answer in time",
            Interruption::Redirected => "the given reqwest client followed a redirect; build it without",
            Interruption::UrlChanged => {
                "the HTTP client would change the URL that was signed; percent-encode it, without dot segments"
            }
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
        // The URL of a request may hold personal data in its query; the path template is reported elsewhere.
        let error = error.without_url();
        let how = match (error.is_connect() || error.is_builder(), error.is_timeout()) {
            (true, true) => Interruption::ConnectTimeout,
            (true, false) => Interruption::NotSent,
            (false, true) => Interruption::Timeout,
            (false, false) => Interruption::Broken,
        };
        Self { how, source: Box::new(error) }
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
        };
        Self::new(kind, error.to_string()).with_source(error.source)
    }
}

/// Sends over a `reqwest` client.
#[derive(Clone, Debug)]
pub(crate) struct ReqwestSend(pub(crate) reqwest::Client);

impl HttpSend for ReqwestSend {
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let signed = parts.uri.to_string();
            let changed = |source| SendError { how: Interruption::UrlChanged, source };
            let url = Url::parse(&signed).map_err(|error| changed(error.into()))?;
            // `reqwest` resolves dot segments, and encodes what it finds to be badly encoded.
            if url.as_str() != signed {
                return Err(changed("reqwest writes it in another way".into()));
            }
            let mut request = reqwest::Request::new(parts.method, url);
            *request.headers_mut() = parts.headers;
            *request.body_mut() = Some(body.into());
            let response = self.0.execute(request).await?;
            // A client made elsewhere may follow redirects, and would have taken the signature along.
            if response.url().as_str() != signed {
                return Err(SendError { how: Interruption::Redirected, source: "redirected".into() });
            }
            Ok(answer(response))
        })
    }
}

fn answer(mut response: reqwest::Response) -> Response<ByteStream> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = response.bytes_stream().map_err(|error| SendError::from(error).into());
    let mut answer = Response::new(ByteStream::new(body));
    (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
    answer
}
