//! A fake server without a network, with the paused clock of tokio.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

pub mod log;
pub mod socket;
#[cfg(feature = "webhooks")]
pub mod tamper;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use tokio::time::Instant;
use upvest_ext::api::ByteStream;
use upvest_ext::api::runtime::OperationMeta;
use upvest_ext::{
    BoxFuture, CallOptions, Environment, Error, ErrorKind, Response, Transport, Upvest,
    UpvestBuilder,
};

pub const CLIENT_ID: &str = "0b8f1c5e-6f0a-4b7d-9c3e-2a4d5e6f7081";
pub const CLIENT_SECRET: &str = "the secret & its 100% odd signs";

/// The reaction of the server to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub after: Duration,
    pub fate: Fate,
    pub content_type: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answer,
    NotSent,
    /// The server reports over HTTP/2 that it did not process the request.
    Unprocessed,
    Broken,
    BrokenBody,
    /// A body of 200 MiB.
    Huge,
    Silence,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        let after = Duration::ZERO;
        let content_type = "application/json";
        Self {
            status,
            headers: vec![],
            body: body.into(),
            after,
            fate: Fate::Answer,
            content_type,
        }
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, r#"{"title": "told to", "detail": "by the test"}"#)
    }

    pub fn fate(fate: Fate) -> Self {
        Self {
            fate,
            ..Self::status(200)
        }
    }

    pub fn empty_list() -> Self {
        Self::new(
            200,
            r#"{"data": [], "meta": {"offset": 0, "limit": 20, "count": 0, "total_count": 0}}"#,
        )
    }

    pub fn order() -> Self {
        Self::new(201, ORDER)
    }

    pub fn token(token: &str, expires_in: u64) -> Self {
        let body = serde_json::json!({"access_token": token, "expires_in": expires_in, "token_type": "bearer", "scope": "a"});
        Self::new(200, body.to_string())
    }

    pub fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }

    pub fn content_type(mut self, media_type: &'static str) -> Self {
        self.content_type = media_type;
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub const ORDER: &str = r#"{"id": "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11",
    "account_id": "6e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11", "user_id": "7e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11",
    "instrument_id": "8e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11", "side": "BUY", "type": "MARKET", "status": "NEW",
    "cash_amount": "100.00", "currency": "EUR",
    "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z"}"#;

/// A request as the server received it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

type Handler = Box<dyn Fn(&Seen, usize) -> Reply + Send + Sync>;

/// A fake server. Its handlers get the number of the request of their type, counted from 0.
#[derive(Clone)]
pub struct FakeApi(Arc<Inner>);

struct Inner {
    token: Handler,
    api: Handler,
    token_calls: AtomicUsize,
    api_calls: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
}

impl FakeApi {
    /// Tokens are valid for 1,799 s and are issued without delay.
    pub fn new(api: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_tokens(|_, n| Reply::token(&format!("token-{n}"), 1799), api)
    }

    pub fn with_tokens(
        token: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
        api: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            token: Box::new(token),
            api: Box::new(api),
            token_calls: AtomicUsize::new(0),
            api_calls: AtomicUsize::new(0),
            seen: Mutex::default(),
        }))
    }

    pub fn token_calls(&self) -> usize {
        self.0.token_calls.load(Ordering::SeqCst)
    }

    pub fn api_calls(&self) -> usize {
        self.0.api_calls.load(Ordering::SeqCst)
    }

    /// The requests without token requests.
    pub fn seen(&self) -> Vec<Seen> {
        self.0
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.path != "/auth/token")
            .cloned()
            .collect()
    }

    pub fn seen_tokens(&self) -> Vec<Seen> {
        self.0
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.path == "/auth/token")
            .cloned()
            .collect()
    }

    pub fn builder(&self) -> UpvestBuilder {
        let url = "http://127.0.0.1:9".parse().unwrap();
        Upvest::builder(Environment::Custom(url))
            .credentials(CLIENT_ID, CLIENT_SECRET)
            .transport(self.clone())
    }

    /// A client with these default settings.
    pub fn client_with(&self, options: CallOptions) -> Upvest {
        self.builder().defaults(options).build().unwrap()
    }

    pub fn client(&self) -> Upvest {
        self.builder().build().unwrap()
    }
}

impl fmt::Debug for FakeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeApi")
    }
}

impl Transport for FakeApi {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let inner = &self.0;
        let seen = Seen {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: request.headers().clone(),
            body: request.body().to_vec(),
            at: Instant::now(),
        };
        let reply = if seen.path == "/auth/token" {
            (inner.token)(&seen, inner.token_calls.fetch_add(1, Ordering::SeqCst))
        } else {
            (inner.api)(&seen, inner.api_calls.fetch_add(1, Ordering::SeqCst))
        };
        inner.seen.lock().unwrap().push(seen);
        Box::pin(async move {
            if !reply.after.is_zero() {
                tokio::time::sleep(reply.after).await;
            }
            answer(reply).await
        })
    }
}

async fn answer(reply: Reply) -> Result<Response<ByteStream>, Error> {
    let mut builder = http::Response::builder()
        .status(reply.status)
        .header("content-type", reply.content_type);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    let body: ByteStream = match reply.fate {
        Fate::Answer => reply.body.into(),
        Fate::NotSent => {
            let error = Error::new(ErrorKind::Connect, "no connection to the server");
            return Err(error.with_source("connection refused"));
        }
        Fate::Unprocessed => {
            let message = "the stream was rejected";
            return Err(Error::new(ErrorKind::Unprocessed, message));
        }
        Fate::Broken => return Err(broken()),
        Fate::Silence => std::future::pending().await,
        Fate::Huge => {
            let chunks = std::iter::repeat_n(Ok(Bytes::from(vec![b' '; 1024 * 1024])), 200);
            ByteStream::new(futures_util::stream::iter(chunks))
        }
        Fate::BrokenBody => {
            let chunks = [Ok(Bytes::from(reply.body[..4].to_owned())), Err(broken())];
            ByteStream::new(futures_util::stream::iter(chunks))
        }
    };
    Ok(builder.body(body).unwrap().into())
}

fn broken() -> Error {
    let message = "the connection broke before the response was complete";
    Error::new(ErrorKind::Interrupted, message).with_source("connection reset")
}

pub fn order() -> upvest_ext::api::bodies::OrderCreateBuilder {
    use upvest_ext::api::types::{OrderCreate, OrderSide, OrderType};
    OrderCreate::builder()
        .account_id("6e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11")
        .instrument_id("8e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11")
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("100.00")
}
