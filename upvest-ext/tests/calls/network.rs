//! Tests with real sockets, for behaviour that the fake server does not have.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use crate::common::order;
use crate::common::socket::{self, SocketServer, http, token};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Uri};
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, PublicKey, SignRequest, SignaturePolicy, SigningError,
    SigningKey,
};
use upvest_ext::{BoxFuture, ErrorKind, HttpTransport};

fn is_token(request: &str) -> bool {
    request.starts_with("POST /auth/token")
}

fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap();
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(n, _)| *n == name)
        .map(|(_, v)| v)
        .collect()
}

#[tokio::test]
async fn an_order_goes_out_complete_and_each_header_once() {
    let server = SocketServer::start(|request| {
        if is_token(request) {
            token()
        } else {
            http(
                "201 Created",
                "upvest-request-id: r-1\r\n",
                crate::common::ORDER,
            )
        }
    })
    .await;
    let upvest = server.builder().build().unwrap();
    let response = upvest.create_order().body(order()).send().await.unwrap();
    assert_eq!(response.metadata().request_id.as_deref(), Some("r-1"));
    let request = server.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(header(&request, "content-length"), [body.len().to_string()]);
    for (name, value) in [
        ("authorization", "Bearer socket-token"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("upvest-client-id", crate::common::CLIENT_ID),
        ("upvest-api-version", "1"),
    ] {
        assert_eq!(header(&request, name), [value], "{name}");
    }
    assert_eq!(header(&request, "idempotency-key").len(), 1);
    assert_eq!(header(&request, "api-version"), [""; 0]);
}

/// A server may answer a change without a length with 411, and what is signed must be what is sent.
#[tokio::test]
async fn a_change_without_a_body_says_once_that_it_has_no_bytes() {
    let server = SocketServer::start(|request| {
        if is_token(request) {
            token()
        } else {
            http("200 OK", "", "{}")
        }
    })
    .await;
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let public = key.public_key().clone();
    let builder = server.builder().signing_key(crate::common::CLIENT_ID, key);
    let upvest = builder.build().unwrap();
    for (method, length) in [
        (Method::POST, &["0"][..]),
        (Method::PUT, &["0"]),
        (Method::PATCH, &["0"]),
        (Method::GET, &[]),
        (Method::DELETE, &[]),
    ] {
        let request = upvest.request(method.clone(), ["webhooks", "1", "test"]);
        request.send().await.unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(header(&request, "content-length"), length, "{method}");
        assert_eq!(header(&request, "transfer-encoding"), [""; 0], "{method}");
        check_signature(&request, &public);
        let covered = header(&request, "signature-input").remove(0);
        let covers_length = covered.contains("\"content-length\"");
        assert_eq!(covers_length, !length.is_empty(), "{method}");
    }
}

#[tokio::test]
async fn each_ascii_character_in_a_segment_and_a_query_is_sent_as_it_was_signed() {
    let server = SocketServer::start(|request| {
        if is_token(request) {
            token()
        } else {
            http("200 OK", "", "{}")
        }
    })
    .await;
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let public = key.public_key().clone();
    let builder = server.builder().signing_key(crate::common::CLIENT_ID, key);
    let upvest = builder.build().unwrap();
    for code in 0..128_u8 {
        let text = format!("a{}b", char::from(code));
        let request = upvest.request(Method::GET, ["instruments", &text]);
        request.query("q", &text).send().await.unwrap();
        let request = server.requests().pop().unwrap();
        check_signature(&request, &public);
        let target = request.split(' ').nth(1).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        let segment = path.strip_prefix("/instruments/").unwrap();
        let decoded = percent_encoding::percent_decode_str(segment);
        assert_eq!(decoded.decode_utf8().unwrap(), text);
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        assert_eq!(pairs.next().unwrap().1, text, "{query}");
    }
}

/// Checks the signature of a request as it was written to the socket.
fn check_signature(request: &str, key: &PublicKey) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap().split(' ');
    let method: Method = words.next().unwrap().parse().unwrap();
    let target: Uri = words.next().unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    let received = IncomingRequest::new(&method, &target, &headers, body.as_bytes());
    let policy = SignaturePolicy::requests();
    let claims = policy.claims(&received, SystemTime::now()).unwrap();
    assert!(claims[0].is_signed_by(key), "{request}");
}

#[tokio::test]
async fn an_order_whose_connection_dropped_is_sent_again_with_its_key() {
    let count = AtomicUsize::new(0);
    let server = SocketServer::start(move |request| {
        if is_token(request) {
            return token();
        }
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => None,
            // The body is shorter than its content length.
            1 => Some("HTTP/1.1 201 Created\r\ncontent-length: 9999\r\n\r\n{".to_owned()),
            _ => http("201 Created", "", crate::common::ORDER),
        }
    })
    .await;
    let upvest = server.builder().build().unwrap();
    let response = upvest.create_order().body(order()).send().await.unwrap();
    assert_eq!(response.metadata().attempts, 3);
    let key = response.metadata().idempotency_key.unwrap().to_string();
    for request in server.requests() {
        assert_eq!(header(&request, "idempotency-key"), [key.as_str()]);
    }
}

#[tokio::test]
async fn a_rejected_connection_is_known_to_have_sent_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let upvest = socket::builder(address).build().unwrap();
    let serving = tokio::spawn(socket::serve_once(listener, token()));
    // The list fails, but now the client has a token.
    upvest.list_orders().send().await.unwrap_err();
    serving.await.unwrap();
    // Nothing was sent, so even a call without a key is retried.
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let error = upvest.cancel_order().order_id(id).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.attempts(), 4);
    assert!(!error.is_outcome_unknown());
    let mut chain = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        chain += &error.to_string();
        next = error.source();
    }
    assert!(chain.contains("refused"), "{chain}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = SocketServer::start(|_| http("200 OK", "", "{}")).await;
    let to = format!("location: http://{}/orders\r\n", elsewhere.address);
    let server = SocketServer::start(move |request| {
        if is_token(request) {
            token()
        } else {
            http("307 Temporary Redirect", &to, "")
        }
    })
    .await;
    let error = server
        .builder()
        .build()
        .unwrap()
        .list_orders()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedStatus);
    assert_eq!(error.status().unwrap().as_u16(), 307);
    assert!(error.to_string().contains("redirect"));
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn a_client_of_your_own_that_follows_redirects_is_found_out() {
    let server = SocketServer::start(|request| match request {
        _ if is_token(request) => token(),
        _ if request.starts_with("GET /orders") => {
            http("307 Temporary Redirect", "location: /elsewhere\r\n", "")
        }
        _ => http("200 OK", "", r#"{"data": []}"#),
    })
    .await;
    let upvest = server
        .builder()
        .transport(HttpTransport::new(|| Ok(reqwest::Client::new())).unwrap())
        .build()
        .unwrap();
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn everything_goes_through_the_proxy() {
    let proxy = SocketServer::start(|request| {
        if request.contains("/auth/token") {
            token()
        } else {
            http("200 OK", "", r#"{"data": []}"#)
        }
    })
    .await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let address = proxy.address;
    let through = HttpTransport::new(move || {
        let proxy = reqwest::Proxy::all(format!("http://{address}"))?;
        HttpTransport::settings().proxy(proxy).build()
    });
    let builder = socket::builder(nobody).transport(through.unwrap());
    let upvest = builder.build().unwrap();
    upvest.list_orders().send().await.unwrap();
    let requests = proxy.requests();
    assert!(requests[0].starts_with(&format!("POST http://{nobody}/auth/token HTTP/1.1")));
    assert!(requests[1].starts_with(&format!("GET http://{nobody}/orders HTTP/1.1")));
}

/// A custom signer that rewrites the URL of each call.
#[derive(Debug)]
struct Rewriting(&'static str);

impl SignRequest for Rewriting {
    fn sign<'a>(
        &'a self,
        request: &'a mut http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        let authority = request.uri().authority().unwrap();
        let uri = format!("http://{authority}{}", self.0).parse().unwrap();
        if request.uri().path() != "/auth/token" {
            *request.uri_mut() = uri;
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_url_that_reqwest_would_send_otherwise_than_it_was_signed_is_an_error_and_not_sent() {
    let server = SocketServer::start(|request| {
        if is_token(request) {
            token()
        } else {
            http("200 OK", "", r#"{"data": []}"#)
        }
    })
    .await;
    for path in [
        "/orders/../users",
        "/orders/./1",
        "/orders/{id}",
        "/orders?name=O'Hara",
        "/orders/%2e%2e/users",
    ] {
        let upvest = server.builder().signer(Rewriting(path)).build().unwrap();
        let error = upvest.list_orders().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{path}: {error}");
        assert!(!error.is_outcome_unknown(), "{path}: {error}");
        assert!(
            error.to_string().contains("the URL that was signed"),
            "{error}"
        );
    }
    assert_eq!(server.requests().len(), 0);
    for path in [
        "/orders?note=a%22b&x=1+2",
        "/a//b;v=1/~x/%C3%BC",
        "/orders?",
    ] {
        let upvest = server.builder().signer(Rewriting(path)).build().unwrap();
        upvest.list_orders().send().await.unwrap();
        assert!(
            server
                .requests()
                .pop()
                .unwrap()
                .starts_with(&format!("GET {path} HTTP/1.1"))
        );
    }
}

/// The proxy of the environment is read when a client is built. Tests cannot set variables safely, so they start
/// themselves as a new process.
#[tokio::test]
async fn no_proxy_of_the_environment_is_used_for_this_machine() {
    const NAME: &str = "network::no_proxy_of_the_environment_is_used_for_this_machine";
    let answers = |request: &str| {
        if is_token(request) {
            token()
        } else {
            http("200 OK", "", r#"{"data": []}"#)
        }
    };
    if std::env::var_os("UPVEST_TEST_CHILD").is_some() {
        let server = SocketServer::start(answers).await;
        server
            .builder()
            .build()
            .unwrap()
            .list_orders()
            .send()
            .await
            .unwrap();
        assert_eq!(server.requests().len(), 1);
        return;
    }
    let proxy = SocketServer::start(answers).await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args([NAME, "--exact"]).env("UPVEST_TEST_CHILD", "1");
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        child.env(name, format!("http://{}", proxy.address));
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let output = child.output().await.unwrap();
    assert!(
        proxy.requests().is_empty(),
        "the proxy saw {:?}",
        proxy.requests()
    );
    assert!(output.status.success());
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("1 passed"), "{shown}");
}
