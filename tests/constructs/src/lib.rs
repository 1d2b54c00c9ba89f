//! Clients of small descriptions with one construct each, and a server that answers them.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    docsrs,
    allow(unexpected_cfgs, reason = "its descriptions need no features")
)]

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use upvest_runtime::generated_code::{LenientRead, read};
use upvest_runtime::{
    ByteStream, Error, GeneratedClient, Metadata, OperationMeta, Response, Transport,
};

include!(concat!(env!("OUT_DIR"), "/descriptions.rs"));

/// A call that a task can run.
pub type Task = BoxFuture<'static, Result<(), Error>>;

/// An example of a description.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The place of the example.
    pub at: &'static str,
    /// The value.
    pub json: &'static str,
    /// Deserializes a value of the schema's type and serializes it again.
    pub rewrite: fn(&str) -> Result<String, serde_json::Error>,
}

/// Deserializes a `T` and serializes it again.
///
/// # Errors
///
/// The JSON is not a valid `T`.
pub fn rewrite<T: DeserializeOwned + Serialize>(json: &str) -> Result<String, serde_json::Error> {
    let value: T = serde_json::from_str(json)?;
    serde_json::to_string(&value)
}

/// Like [`rewrite`], but reads an optional value with [`LenientRead`].
///
/// # Errors
///
/// The JSON is not a valid `T`.
pub fn rewrite_by_runtime<T: for<'de> LenientRead<'de> + Serialize>(
    json: &str,
) -> Result<String, serde_json::Error> {
    let value: Option<T> = read(&mut serde_json::Deserializer::from_str(json))?;
    serde_json::to_string(&value)
}

/// A server that gives every request the same response and records what it received.
#[derive(Clone, Debug)]
pub struct Server {
    status: StatusCode,
    response: Bytes,
    requests: Arc<Mutex<Vec<Received>>>,
}

/// A request that a [`Server`] has received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The HTTP method.
    pub method: Method,
    /// The URL.
    pub url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Server {
    /// A server that answers with `json`, and a client of it.
    pub fn answering<C: GeneratedClient>(json: impl Into<String>) -> (C, Self) {
        Self::answering_with(StatusCode::OK, json)
    }

    /// A server that answers with this status and `json`, and a client of it.
    pub fn answering_with<C: GeneratedClient>(
        status: StatusCode,
        json: impl Into<String>,
    ) -> (C, Self) {
        let server = Self {
            status,
            response: json.into().into(),
            requests: Arc::default(),
        };
        (C::new("http://api.invalid", server.clone()), server)
    }

    /// The last request.
    ///
    /// # Panics
    ///
    /// If there was none.
    #[expect(clippy::expect_used, reason = "for tests")]
    pub fn last(&self) -> Received {
        self.received().pop().expect("a request was sent")
    }

    /// All requests, in the order of their arrival.
    pub fn received(&self) -> Vec<Received> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.clone()
    }
}

impl Transport for Server {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        _operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let (parts, body) = request.into_parts();
        let received = Received {
            method: parts.method,
            url: parts.uri.to_string(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(received);
        let response = ByteStream::from(self.response.clone());
        let response = Response::new(response, HeaderMap::new(), Metadata::new(self.status));
        Box::pin(std::future::ready(Ok(response)))
    }
}
