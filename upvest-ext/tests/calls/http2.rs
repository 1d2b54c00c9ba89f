//! HTTP/2 over a real socket: a connection that hangs is abandoned, and an unprocessed request is retried.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt as _;
use h2::server::SendResponse;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use upvest_ext::signing::{IncomingRequest, KeyAlgorithm, SignaturePolicy, SigningKey};
use upvest_ext::{
    Backoff, CallOptions, Environment, ErrorKind, HttpTransport, Method, RetryPolicy, Upvest,
    UpvestBuilder,
};

const TOKEN: &str = r#"{"access_token": "token", "expires_in": 1799}"#;

/// A client over HTTP/2 for the server at `listener`, which does not wait before it sends again.
fn client(listener: &TcpListener, ping: Duration, attempt: Duration) -> Upvest {
    builder(listener, ping, attempt).build().unwrap()
}

fn builder(listener: &TcpListener, ping: Duration, attempt: Duration) -> UpvestBuilder {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let transport = HttpTransport::new(move || {
        HttpTransport::settings()
            .http2_prior_knowledge()
            .no_proxy()
            .http2_keep_alive_interval(ping)
            .http2_keep_alive_timeout(ping / 2)
            .build()
    });
    let at_once = RetryPolicy::new().backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
    let options = CallOptions::new().retry(at_once).attempt_timeout(attempt);
    Upvest::builder(Environment::Custom(url.parse().unwrap()))
        .credentials("id", "secret")
        .transport(transport.unwrap())
        .defaults(options)
}

fn respond(respond: &mut SendResponse<Bytes>, body: &'static str) {
    let mut stream = respond
        .send_response(http::Response::new(()), false)
        .unwrap();
    stream.send_data(body.into(), true).unwrap();
}

/// A server whose first connection answers two requests, and then nothing any more.
async fn hang(listener: TcpListener, connections: Arc<AtomicUsize>) {
    while let Ok((stream, _)) = listener.accept().await {
        let is_first = connections.fetch_add(1, Ordering::SeqCst) == 0;
        tokio::spawn(answer(stream, if is_first { 2 } else { usize::MAX }));
    }
}

async fn answer(stream: TcpStream, requests: usize) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    let mut answered = 0;
    while answered < requests
        && let Some(Ok((request, mut response))) = connection.accept().await
    {
        let is_token = request.uri().path() == "/auth/token";
        respond(&mut response, if is_token { TOKEN } else { "{}" });
        answered += 1;
    }
    // The responses so far are sent. Further requests and pings are not answered.
    std::future::poll_fn(|context| connection.poll_closed(context)).now_or_never();
    std::future::pending::<()>().await;
}

async fn get(upvest: &Upvest) -> u32 {
    let response = upvest.request(Method::GET, ["orders"]).send().await;
    response.unwrap().metadata().attempts
}

#[tokio::test]
async fn after_a_timeout_a_request_is_sent_again_over_a_new_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upvest = client(
        &listener,
        Duration::from_secs(3600),
        Duration::from_millis(300),
    );
    let connections = Arc::<AtomicUsize>::default();
    tokio::spawn(hang(listener, Arc::clone(&connections)));
    for attempts in [1, 2, 1, 1] {
        assert_eq!(get(&upvest).await, attempts);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_dead_connection_is_found_by_its_pings_and_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upvest = client(
        &listener,
        Duration::from_millis(100),
        Duration::from_secs(20),
    );
    let connections = Arc::<AtomicUsize>::default();
    tokio::spawn(hang(listener, Arc::clone(&connections)));
    let started = std::time::Instant::now();
    for attempts in [1, 2] {
        assert_eq!(get(&upvest).await, attempts);
    }
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_change_without_a_key_that_http2_rejects_is_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upvest = client(
        &listener,
        Duration::from_secs(3600),
        Duration::from_secs(20),
    );
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut rejected = 0;
        while let Some(Ok((request, mut response))) = connection.accept().await {
            if request.uri().path() == "/auth/token" {
                respond(&mut response, TOKEN);
            } else if rejected < 2 {
                rejected += 1;
                response.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                respond(&mut response, "{}");
            }
        }
    });
    let response = upvest.request(Method::POST, ["orders"]).send().await;
    assert_eq!(response.unwrap().metadata().attempts, 3);
}

/// h2 adds a length to a request that has none, which would come after the signature.
#[tokio::test]
async fn a_change_without_a_body_has_its_length_once_over_http2_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let public = key.public_key().clone();
    let hour = Duration::from_secs(3600);
    let upvest = builder(&listener, hour, Duration::from_secs(20))
        .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
        .build()
        .unwrap();
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut response))) = connection.accept().await {
            if request.uri().path() == "/auth/token" {
                respond(&mut response, TOKEN);
            } else {
                sender.send(request.into_parts().0).unwrap();
                respond(&mut response, "{}");
            }
        }
    });
    for (method, expected) in [
        (Method::POST, &["0"][..]),
        (Method::PUT, &["0"]),
        (Method::PATCH, &["0"]),
        (Method::GET, &[]),
        (Method::DELETE, &[]),
    ] {
        let request = upvest.request(method.clone(), ["webhooks", "1", "test"]);
        request.send().await.unwrap();
        let received = requests.recv().await.unwrap();
        let lengths = received.headers.get_all("content-length").iter();
        let lengths: Vec<_> = lengths.map(|length| length.to_str().unwrap()).collect();
        assert_eq!(lengths, expected, "{method}");
        let request = IncomingRequest::new(&method, &received.uri, &received.headers, b"");
        let policy = SignaturePolicy::requests();
        let claims = policy.claims(&request, SystemTime::now()).unwrap();
        assert!(claims[0].is_signed_by(&public), "{method}");
        let base = String::from_utf8_lossy(claims[0].signature_base());
        let is_covered = base.contains("\"content-length\": 0");
        assert_eq!(is_covered, !expected.is_empty(), "{method}");
    }
}

#[tokio::test]
async fn a_post_without_a_key_is_not_sent_again_after_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upvest = client(
        &listener,
        Duration::from_secs(3600),
        Duration::from_secs(20),
    );
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut response))) = connection.accept().await {
            if request.uri().path() == "/auth/token" {
                respond(&mut response, TOKEN);
            } else {
                response.send_reset(h2::Reason::INTERNAL_ERROR);
            }
        }
    });
    let response = upvest.request(Method::POST, ["orders"]).send().await;
    let error = response.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert!(error.is_outcome_unknown());
}

/// One frame: its type, its flags, its stream and its content.
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), content].concat()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// A flag.
const END_HEADERS: u8 = 4;
/// The code of an error.
const REFUSED_STREAM: u32 = 7;

/// Waits for a request.
async fn receive(stream: &mut TcpStream) {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut content = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut content).await.unwrap();
        if head[3] == HEADERS {
            break;
        }
    }
}

/// Waits for the request, and answers with a `GOAWAY` without an error whose last stream is `last`.
async fn go_away(mut stream: TcpStream, last: u32) {
    receive(&mut stream).await;
    let content = [last.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    let goaway = frame(GOAWAY, 0, 0, &content);
    stream.write_all(&goaway).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// Waits for the request, answers that it created something, and then says that it rejects the request.
async fn create_and_reject(stream: &mut TcpStream) {
    receive(stream).await;
    // `:status` is the name of entry 8 in the static table of HPACK.
    let status = frame(HEADERS, END_HEADERS, 1, b"\x08\x03201");
    let body = frame(DATA, 0, 1, b"{\"id\":");
    let reset = frame(RST_STREAM, 0, 1, &REFUSED_STREAM.to_be_bytes());
    stream
        .write_all(&[status, body, reset].concat())
        .await
        .unwrap();
}

/// A client without a token whose server goes away at the first request, and then answers.
async fn attempts_after_goaway(last: u32) -> Result<u32, upvest_ext::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upvest = client_without_token(&listener);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        go_away(stream, last).await;
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream, usize::MAX).await;
    });
    let response = upvest.request(Method::POST, ["orders"]).send().await?;
    Ok(response.metadata().attempts)
}

fn client_without_token(listener: &TcpListener) -> Upvest {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let transport = HttpTransport::new(|| {
        let settings = HttpTransport::settings().http2_prior_knowledge();
        settings.no_proxy().build()
    });
    let upvest = Upvest::builder(Environment::Custom(url.parse().unwrap()));
    upvest.transport(transport.unwrap()).build().unwrap()
}

#[tokio::test]
async fn a_change_whose_response_has_begun_is_not_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upvest = client_without_token(&listener);
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        create_and_reject(&mut stream).await;
        // The connection stays open, so that only the reset ends the body.
        (stream, listener)
    });
    let response = upvest.request(Method::POST, ["orders"]).send().await;
    let error = response.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(201));
    assert_eq!(error.attempts(), 1);
    assert!(error.is_outcome_unknown());
    assert!(error.hint().unwrap().contains("may have been carried out"));
    drop(server.await.unwrap());
}

#[tokio::test]
async fn a_change_without_a_key_after_a_goaway_is_sent_again() {
    assert_eq!(attempts_after_goaway(0).await.unwrap(), 2);
}

#[tokio::test]
async fn a_change_that_a_goaway_includes_is_not_repeated_without_a_key() {
    let error = attempts_after_goaway(1).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert!(error.is_outcome_unknown());
}
