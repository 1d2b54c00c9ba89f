//! Servers that hang up, lie, or answer with something that is not HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use upvest_ext::api::runtime::{OperationMeta, ResponseTimeout};
use upvest_ext::{
    BoxFuture, ByteStream, CallOptions, Environment, Error, ErrorKind, HttpTransport, Metadata,
    Method, Response, RetryPolicy, Transport, Upvest,
};

use crate::common::socket::{SocketServer, http, read, token};
use crate::common::{FakeApi, Reply, order};

const SECOND: Duration = Duration::from_secs(1);

/// The way in which a server ends a connection on which it has answered requests.
#[derive(Clone, Copy, Debug)]
enum HangUp {
    /// After a response that did not announce it.
    Idle,
    /// Once it has received the second request of the connection.
    Unanswered,
    /// In the middle of the second response.
    MidResponse,
}

/// Counts the requests with each body.
type Received = Arc<Mutex<HashMap<String, u32>>>;

async fn serve(mut stream: TcpStream, hang_up: HangUp, received: Received) {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    for number in 0.. {
        let request = read(&mut stream).await;
        let Some((_, body)) = request.split_once("\r\n\r\n") else {
            return;
        };
        *received.lock().unwrap().entry(body.to_owned()).or_default() += 1;
        let response = match (hang_up, number) {
            (HangUp::Unanswered, 1) => return,
            (HangUp::MidResponse, 1) => &OK[..30],
            _ => OK,
        };
        stream.write_all(response).await.unwrap();
        if number == 1 || matches!(hang_up, HangUp::Idle) {
            return;
        }
    }
}

#[tokio::test]
async fn a_change_without_a_key_is_sent_once_if_the_server_hangs_up() {
    for hang_up in [HangUp::Idle, HangUp::Unanswered, HangUp::MidResponse] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Received::default();
        let counts = Arc::clone(&received);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, hang_up, Arc::clone(&counts)));
            }
        });
        let network = HttpTransport::new(|| HttpTransport::settings().no_proxy().build()).unwrap();
        let upvest = Upvest::builder(Environment::Custom(url.parse().unwrap()))
            .transport(network)
            .build()
            .unwrap();
        for number in 0..100 {
            let request = upvest.request(Method::POST, ["orders"]).json(&number);
            let result = request.send().await;
            let count = received.lock().unwrap().get(&number.to_string()).copied();
            let count = count.unwrap_or(0);
            assert!(count <= 1, "{hang_up:?}: {count} times");
            match result {
                Ok(_) => assert_eq!(count, 1),
                Err(error) => assert!(count == 0 || error.is_outcome_unknown(), "{error}"),
            }
        }
        server.abort();
    }
}

#[tokio::test]
async fn a_response_of_another_kind_is_an_error_or_skipped() {
    let ok = http("200 OK", "", r#"{"data": [], "meta": {"total_count": 0}}"#).unwrap();
    let many_headers = "x-header: 1\r\n".repeat(1000);
    let long_header = format!("x-header: {}\r\n", "a".repeat(1024 * 1024));
    let rows = [
        (format!("HTTP/1.1 100 Continue\r\n\r\n{ok}"), None),
        (
            format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{ok}"),
            None,
        ),
        (
            http("304 Not Modified", "", "").unwrap(),
            Some(ErrorKind::UnexpectedStatus),
        ),
        (
            http("302 Found", "", "").unwrap(),
            Some(ErrorKind::UnexpectedStatus),
        ),
        (
            http("302 Found", "location: \u{fffd}\r\n", "").unwrap(),
            Some(ErrorKind::UnexpectedStatus),
        ),
        (
            http("200 OK", "", "<html>").unwrap(),
            Some(ErrorKind::Decode),
        ),
        (
            http("200 OK", &many_headers, "{}").unwrap(),
            Some(ErrorKind::Interrupted),
        ),
        (
            http("200 OK", &long_header, "{}").unwrap(),
            Some(ErrorKind::Interrupted),
        ),
        (
            "SSH-2.0-OpenSSH_9.6\r\n".to_owned(),
            Some(ErrorKind::Interrupted),
        ),
        (
            "HTTP/1.1 999999 What\r\n\r\n".to_owned(),
            Some(ErrorKind::Interrupted),
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_owned(),
            Some(ErrorKind::Interrupted),
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}".to_owned(),
            Some(ErrorKind::Interrupted),
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
            Some(ErrorKind::Interrupted),
        ),
    ];
    for (response, expected) in rows {
        let start: String = response.chars().take(40).collect();
        let server = SocketServer::start(move |request| {
            if request.starts_with("POST /auth/token") {
                token()
            } else {
                Some(response.clone())
            }
        })
        .await;
        let once = CallOptions::new().retry(RetryPolicy::never());
        let upvest = server.builder().defaults(once).build().unwrap();
        let result = upvest.list_orders().send().await;
        let kind = result.map_err(|error| error.kind()).err();
        assert_eq!(kind, expected, "{start:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_no_header_can_carry_is_not_sent() {
    for body in [
        "",
        "<html>",
        "[]",
        "null",
        r#"{"access_token": 5}"#,
        r#"{"access_token": null}"#,
        r#"{"access_token": ["t"]}"#,
        r#"{"access_token": "a\nb"}"#,
        r#"{"access_token": "a\r\nx-evil: 1"}"#,
        r#"{"access_token": "a\u0000"}"#,
    ] {
        let api = FakeApi::with_tokens(
            move |_, _| Reply::new(200, body),
            |_, _| Reply::empty_list(),
        );
        let error = api.client().list_orders().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token, "{body}");
        assert_eq!(api.token_calls(), 1, "{body}");
        assert_eq!(api.api_calls(), 0, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_of_any_type_leaves_the_token_usable() {
    for life in [
        "-5", "\"-5\"", "null", "{}", "[]", "true", "\"soon\"", "\"NaN\"", "\"inf\"", "1e300",
    ] {
        let body = format!(r#"{{"access_token": "t", "expires_in": {life}}}"#);
        let api = FakeApi::with_tokens(
            move |_, _| Reply::new(200, body.clone()),
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        for _ in 0..3 {
            upvest.list_orders().send().await.unwrap();
        }
        assert_eq!(api.token_calls(), 1, "{life}");
    }
}

/// A response whose body starts after 30 s.
#[derive(Debug)]
struct SlowBody;

impl Transport for SlowBody {
    fn execute<'a>(
        &'a self,
        _: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        let body = stream::once(async {
            tokio::time::sleep(30 * SECOND).await;
            Ok(Bytes::from_static(b"{}"))
        });
        let response = http::Response::new(ByteStream::new(body));
        Box::pin(async { Ok(response.into()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_attempt_timeout_holds_for_the_body_too() {
    let url = "http://127.0.0.1:9".parse().unwrap();
    let patient = CallOptions::new().attempt_timeout(40 * SECOND);
    let upvest = Upvest::builder(Environment::Custom(url))
        .transport(SlowBody)
        .defaults(patient.retry(RetryPolicy::never()))
        .build()
        .unwrap();
    upvest.request(Method::GET, ["slow"]).send().await.unwrap();
}

/// A server that accepts connections and sends nothing.
async fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A transport that connects without a limit, as the paused clock would reach it at once.
fn network() -> HttpTransport {
    let connect = || {
        let settings = HttpTransport::settings().no_proxy();
        settings.connect_timeout(3600 * SECOND).build()
    };
    HttpTransport::new(connect).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_transport_alone_waits_twenty_seconds_or_as_told() {
    static GET: OperationMeta = OperationMeta::custom("get", Method::GET, "/");
    let (_listener, url) = silent().await;
    let transport = network();
    for limit in [None, Some(3 * SECOND), Some(90 * SECOND)] {
        let mut request = Request::get(&url).body(Bytes::new()).unwrap();
        if let Some(limit) = limit {
            request.extensions_mut().insert(ResponseTimeout(limit));
        }
        let started = Instant::now();
        let error = transport.execute(request, &GET).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(
            started.elapsed().as_secs(),
            limit.map_or(20, |limit| limit.as_secs())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_attempt_timeout_holds_for_the_network_too() {
    let (_listener, url) = silent().await;
    let patient = CallOptions::new().attempt_timeout(40 * SECOND);
    let upvest = Upvest::builder(Environment::Custom(url.parse().unwrap()))
        .transport(network())
        .defaults(patient.retry(RetryPolicy::never()))
        .build()
        .unwrap();
    let started = Instant::now();
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(started.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_that_is_too_large_for_a_number_is_a_long_wait() {
    let api =
        FakeApi::new(|_, _| Reply::status(503).header("retry-after", "99999999999999999999999"));
    let error = api.client().list_orders().send().await.unwrap_err();
    assert_eq!(api.api_calls(), 1);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(u64::MAX)));
}

#[tokio::test(start_paused = true)]
async fn a_raw_request_cannot_open_a_tunnel() {
    let api = FakeApi::new(|_, _| Reply::new(200, "{}"));
    let request = api.client().request(Method::CONNECT, ["orders"]);
    let error = request.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(api.api_calls() + api.token_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn settings_of_zero_send_nothing_or_once() {
    let api = FakeApi::new(|_, _| Reply::status(503));
    let none = CallOptions::new().retry(RetryPolicy::new().max_attempts(0));
    let upvest = api.client_with(none);
    upvest
        .create_order()
        .body(order())
        .send()
        .await
        .unwrap_err();
    assert_eq!(api.api_calls(), 1);
    let hasty = CallOptions::new()
        .attempt_timeout(Duration::ZERO)
        .call_timeout(Duration::ZERO);
    let late = upvest.with(hasty).list_orders().send().await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    assert_eq!(api.api_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn any_base_url_is_used_or_rejected_by_build() {
    let rows = [
        ("http://localhost/upvest", Some("/upvest/orders")),
        ("http://localhost/upvest/", Some("/upvest/orders")),
        ("http://localhost//", Some("/orders")),
        ("http://localhost/a/../b/%2e%2e/c", Some("/c/orders")),
        ("http://localhost/ä b", Some("/%C3%A4%20b/orders")),
        ("https://bücher.example", Some("/orders")),
        ("HTTPS://EXAMPLE.com:443", Some("/orders")),
        ("http://localhost/?a=b", None),
        ("http://localhost/#a", None),
        ("http://user@localhost", None),
        ("http://:secret@localhost", None),
        ("ftp://localhost", None),
        ("data:text/plain,a", None),
    ];
    for (url, path) in rows {
        let api = FakeApi::new(|_, _| Reply::empty_list());
        let builder = Upvest::builder(Environment::Custom(url.parse().unwrap()));
        let built = builder.transport(api.clone()).build();
        let Some(path) = path else {
            let error = built.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
            continue;
        };
        built.unwrap().list_orders().send().await.unwrap();
        assert_eq!(api.seen()[0].path, path, "{url}");
    }
}

#[tokio::test]
async fn a_signed_path_below_a_base_path_reaches_the_network() {
    let server = SocketServer::start(|request| {
        if request.contains("/auth/token") {
            token()
        } else {
            http("200 OK", "", "{}")
        }
    })
    .await;
    let url = format!("http://{}/base/path/", server.address);
    let upvest = Upvest::builder(Environment::Custom(url.parse().unwrap()))
        .credentials(crate::common::CLIENT_ID, crate::common::CLIENT_SECRET)
        .build()
        .unwrap();
    let nothing: [&str; 0] = [];
    upvest.request(Method::GET, nothing).send().await.unwrap();
    upvest.request(Method::HEAD, ["a"]).send().await.unwrap();
    let lines: Vec<_> = server
        .requests()
        .iter()
        .filter_map(|request| request.lines().next().map(str::to_owned))
        .filter(|line| !line.contains("/auth/token"))
        .collect();
    assert_eq!(
        lines,
        ["GET /base/path HTTP/1.1", "HEAD /base/path/a HTTP/1.1"]
    );
}

/// A transport whose responses break off, with the error of a connection that was never made.
#[derive(Debug, Default)]
struct BreaksOff(Mutex<u32>);

impl Transport for BreaksOff {
    fn execute<'a>(
        &'a self,
        _: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        *self.0.lock().unwrap() += 1;
        let chunks = [
            Ok(Bytes::from("{")),
            Err(Error::new(ErrorKind::Connect, "no connection")),
        ];
        let body = ByteStream::new(stream::iter(chunks));
        let metadata = Metadata::new(StatusCode::CREATED);
        Box::pin(async { Ok(Response::new(body, HeaderMap::new(), metadata)) })
    }
}

#[tokio::test(start_paused = true)]
async fn no_error_of_a_body_proves_that_a_change_was_not_made() {
    let transport = Arc::new(BreaksOff::default());
    let upvest = Upvest::builder(Environment::Custom("http://127.0.0.1:1".parse().unwrap()))
        .transport(Arc::clone(&transport))
        .build()
        .unwrap();
    let response = upvest.request(Method::POST, ["orders"]).send().await;
    let error = response.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert!(error.hint().unwrap().contains("may have been carried out"));
    assert_eq!(*transport.0.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_may_have_been_made_is_never_advised_to_be_repeated() {
    for (status, body) in [(201, "{"), (201, r#"{"id": 1}"#), (503, "")] {
        let api = FakeApi::new(move |_, _| Reply::new(status, body).header("retry-after", "1000"));
        let error = api
            .client()
            .create_order()
            .body(order())
            .send()
            .await
            .unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("the same `idempotency_key()`"), "{hint}");
        assert!(!hint.contains("raw request"), "{hint}");
        assert_eq!(hint.contains("retry_after()"), status == 503, "{hint}");
    }
}
