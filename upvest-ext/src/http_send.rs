//! The lowest layer: one HTTP request over the network, once.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What [`HttpSend::send`] returns.
pub type HttpFuture<'a> = Pin<Box<dyn Future<Output = Result<reqwest::Response, SendError>> + Send + 'a>>;

/// Sends one HTTP request, once.
///
/// The client's own goes over `reqwest`; a test or a recorder can stand in its place, see
/// [`UpvestBuilder::http_sender`](crate::UpvestBuilder::http_sender).
pub trait HttpSend: fmt::Debug + Send + Sync {
    /// Sends `request` and returns the answer, whatever its status. Must neither repeat it nor follow redirects.
    fn send(&self, request: reqwest::Request) -> HttpFuture<'_>;
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

/// Sends over a `reqwest` client.
#[derive(Clone, Debug)]
pub(crate) struct ReqwestSend(pub(crate) reqwest::Client);

impl HttpSend for ReqwestSend {
    fn send(&self, request: reqwest::Request) -> HttpFuture<'_> {
        let asked = request.url().clone();
        Box::pin(async move {
            let response = self.0.execute(request).await?;
            // A client made elsewhere may follow redirects, and would have taken the signature along.
            if *response.url() != asked {
                let source = "redirected".into();
                return Err(SendError { how: Interruption::Redirected, source });
            }
            Ok(response)
        })
    }
}
