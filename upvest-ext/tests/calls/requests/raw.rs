//! Raw requests: `Upvest::request`.

use crate::common::{CLIENT_ID, FakeApi, Reply};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use upvest_ext::api::operations;
use upvest_ext::{CallOptions, ErrorKind, Method};

#[tokio::test(start_paused = true)]
async fn a_raw_request_gets_the_same_token_and_headers() {
    #[derive(Deserialize)]
    struct Quote {
        price: String,
    }
    let api = FakeApi::new(|_, _| {
        Reply::new(200, r#"{"price": "1.50"}"#).header("upvest-request-id", "r-1")
    });
    let upvest = api.client();
    let quote = upvest
        .request(Method::GET, ["quotes"])
        .query("isin", "DE 1&2")
        .send_json::<Quote>()
        .await
        .unwrap();
    assert_eq!(quote.price.as_str(), "1.50");
    assert_eq!(quote.metadata().request_id.as_deref(), Some("r-1"));
    let seen = &api.seen()[0];
    assert_eq!(seen.path.as_str(), "/quotes");
    assert_eq!(seen.header("authorization"), "Bearer token-0");
    assert_eq!(seen.header("accept"), "application/json");

    let error = upvest
        .request(Method::GET, ["quotes"])
        .send_json::<u8>()
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error} {error:?}").contains("1.50"));
}

#[tokio::test(start_paused = true)]
async fn a_raw_request_for_an_operation_is_retried_with_one_key() {
    let replies = [Reply::status(503), Reply::order(), Reply::status(409)];
    let api = FakeApi::new(move |_, n| replies[n].clone());
    let upvest = api.client();
    let request = || {
        let request = upvest.request(Method::POST, ["orders"]);
        request.for_operation(&operations::CREATE_ORDER)
    };
    let response = request().send().await.unwrap();
    let seen = api.seen();
    let key = seen[0].header("idempotency-key");
    assert_eq!(seen[1].header("idempotency-key"), key);
    let metadata = response.metadata();
    assert_eq!(metadata.idempotency_key.unwrap().to_string(), key);
    let error = request().send().await.unwrap_err();
    assert_eq!(error.operation(), Some("createOrder"));
}

#[tokio::test(start_paused = true)]
async fn a_raw_body_is_sent_as_it_is() {
    let api = FakeApi::new(|_, _| Reply::new(200, "{}"));
    let csv = HeaderValue::from_static("text/csv");
    let request = api.client().request(Method::POST, ["imports"]);
    request.body(csv, "a,b\n").send().await.unwrap();
    let seen = api.seen().pop().unwrap();
    assert_eq!(seen.header("content-type"), "text/csv");
    assert_eq!(seen.body, b"a,b\n");
}

#[tokio::test(start_paused = true)]
async fn forwarded_headers_are_those_that_the_sdk_does_not_set() {
    let api = FakeApi::new(|_, _| Reply::new(200, "{}"));
    let mut headers = HeaderMap::new();
    for name in [
        "x-trace",
        "authorization",
        "signature",
        "upvest-client-id",
        "content-length",
    ] {
        headers.insert(name, HeaderValue::from_static("of-another"));
    }
    let options = CallOptions::new().forward(&headers);
    let request = api.client().request(Method::GET, ["quotes"]);
    request.options(options).send().await.unwrap();
    let seen = api.seen().pop().unwrap();
    assert_eq!(seen.header("x-trace"), "of-another");
    assert_eq!(seen.header("authorization"), "Bearer token-0");
    assert_eq!(seen.header("upvest-client-id"), CLIENT_ID);
    assert!(!seen.headers.contains_key("signature"));
}

const ID: &str = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";

#[tokio::test(start_paused = true)]
async fn a_raw_request_cannot_leave_its_path() {
    let api = FakeApi::new(|_, _| Reply::new(200, "{}"));
    let upvest = api.client();
    for id in ["..", ".", "", "..;", "..;a=b", ".;x"] {
        let error = upvest
            .request(Method::DELETE, ["orders", id])
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}");
        assert!(!error.is_outcome_unknown());
    }
    assert!(api.seen().is_empty() && api.seen_tokens().is_empty());
    for id in [
        "../users/42",
        "./42",
        "a/../../users/42",
        "..\\users\\42",
        "%2e%2e/users/42",
        ".%2e%2fusers%2f42",
        "..%5cusers%5c42",
        "%252e%252e/users/42",
        "//evil.example/x",
        "a\\b",
        "a\tb",
        "a\nb",
        "a\u{7f}b",
        "a%0d%0ab",
        "a%00b",
        "a?b",
        "a#b",
    ] {
        let request = upvest.request(Method::DELETE, ["orders", id]);
        request.send().await.unwrap();
        let seen = api.seen().pop().unwrap();
        let segments: Vec<_> = seen.path.split('/').collect();
        assert_eq!(segments.len(), 3, "{}", seen.path);
        let odd = |c: char| c.is_control() || matches!(c, '?' | '#' | '\\');
        assert!(
            !seen.path.contains(odd) && seen.query.is_empty(),
            "{}",
            seen.path
        );
        let decoded: Vec<u8> = percent_encoding::percent_decode_str(segments[2]).collect();
        assert_eq!(decoded, id.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn segments_of_a_raw_path_are_encoded() {
    let api = FakeApi::new(|_, _| Reply::new(200, "{}"));
    let upvest = api.client();
    for (id, path) in [
        (ID, format!("/orders/{ID}")),
        ("../users/42", "/orders/..%2Fusers%2F42".to_owned()),
        ("%2e%2e", "/orders/%252e%252e".to_owned()),
        ("a?b#c", "/orders/a%3Fb%23c".to_owned()),
        ("a\\b\n", "/orders/a%5Cb%0A".to_owned()),
        ("ä b", "/orders/%C3%A4%20b".to_owned()),
        (
            "urn:isin:DE0005933931",
            "/orders/urn:isin:DE0005933931".to_owned(),
        ),
        ("@!$&'()*+,;=", "/orders/@!$&'()*+,;=".to_owned()),
    ] {
        upvest
            .request(Method::DELETE, ["orders", id])
            .send()
            .await
            .unwrap();
        assert_eq!(api.seen().pop().unwrap().path, path);
    }
    let sent = api.seen().len();
    for id in ["", ".", "..", "..;a=b"] {
        let error = upvest
            .request(Method::DELETE, ["orders", id])
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}");
    }
    assert_eq!(api.seen().len(), sent);
}
