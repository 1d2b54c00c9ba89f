//! The requests of calls, their results, and invalid calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{CLIENT_ID, FakeApi, Fate, Reply, order};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use serde::Deserialize;
use upvest_ext::api::operations;
use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{
    BackendError, BoxFuture, CallOptions, Environment, ErrorKind, Method, RetryPolicy, Unredacted,
    Upvest, UpvestBuilder,
};

/// Numbers its signatures and records the headers that were present.
#[derive(Clone, Debug, Default)]
struct Numbering {
    seen: Arc<Mutex<Vec<(String, bool)>>>,
    broken: bool,
}

impl SignRequest for Numbering {
    fn sign<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        Box::pin(async move {
            if self.broken {
                return Err(BackendError::new("the key is gone").into());
            }
            let mut seen = self.seen.lock().unwrap();
            let authorized = request.headers().contains_key("authorization");
            seen.push((request.uri().path().to_owned(), authorized));
            request
                .headers_mut()
                .insert("signature", HeaderValue::from(seen.len()));
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_signed_anew_after_the_token_and_the_token_request_too() {
    let api =
        FakeApi::new(|_, n| [Reply::status(503), Reply::status(401), Reply::order()][n].clone());
    let signer = Numbering::default();
    let upvest = api.builder().signer(signer.clone()).build().unwrap();
    upvest.create_order().body(order()).send().await.unwrap();
    let seen = signer.seen.lock().unwrap().clone();
    let expected = [
        ("/auth/token", false),
        ("/orders", true),
        ("/orders", true),
        ("/auth/token", false),
        ("/orders", true),
    ];
    assert_eq!(
        seen,
        expected.map(|(path, authorized)| (path.to_owned(), authorized))
    );
    let signatures: Vec<_> = api
        .seen()
        .iter()
        .map(|seen| seen.header("signature").to_owned())
        .collect();
    assert_eq!(signatures, ["2", "3", "5"]);
    assert_eq!(api.seen_tokens()[0].header("signature"), "1");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_signed_is_not_sent() {
    let api = FakeApi::new(|_, _| Reply::order());
    let upvest = api
        .builder()
        .signer(Numbering {
            broken: true,
            ..Numbering::default()
        })
        .build()
        .unwrap();
    let error = upvest
        .create_order()
        .body(order())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Signing);
    assert_eq!(error.attempts(), 0);
    assert!(!error.is_outcome_unknown());
    let signing = std::error::Error::source(&error).unwrap();
    assert_eq!(signing.source().unwrap().to_string(), "the key is gone");
    assert_eq!(api.token_calls(), 0);
    assert_eq!(api.api_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_the_headers_that_upvest_needs() {
    let api = FakeApi::new(|_, _| Reply::order());
    let upvest = api.builder().user_agent("my-bank/2.1").build().unwrap();
    let options = CallOptions::new().header("x-trace", "abc");
    upvest
        .with(options)
        .create_order()
        .body(order())
        .send()
        .await
        .unwrap();
    let seen = &api.seen()[0];
    assert_eq!(seen.header("upvest-client-id"), CLIENT_ID);
    assert_eq!(seen.header("upvest-api-version"), "1");
    assert_eq!(seen.header("accept"), "application/json");
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("authorization"), "Bearer token-0");
    assert_eq!(
        seen.header("user-agent"),
        concat!("my-bank/2.1 upvest-rust/", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(seen.header("x-trace"), "abc");
    assert_eq!(seen.headers.get_all("accept").iter().count(), 1);
    assert!(seen.headers["authorization"].is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn headers_of_the_sdk_cannot_be_set_by_hand() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    for name in [
        "Authorization",
        "signature",
        "Signature-Input",
        "idempotency-key",
        "upvest-client-id",
        "host",
        "b ad",
    ] {
        let upvest = api.client().with(CallOptions::new().header(name, "x"));
        let error = upvest.list_orders().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
    }
    assert_eq!(api.api_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn metadata_comes_along_without_losing_the_value() {
    let api = FakeApi::new(|_, n| match n {
        0 => Reply::status(503).header("retry-after", "3"),
        _ => Reply::order()
            .header("upvest-request-id", "r-7")
            .header("upvest-sdk-call", "{\"attempts\": 99}"),
    });
    let order = api
        .client()
        .create_order()
        .body(order())
        .send()
        .await
        .unwrap();
    assert_eq!(order.cash_amount.unwrap().to_string(), "100.00");
    let call = order.metadata();
    assert_eq!(call.status.as_u16(), 201);
    assert_eq!(call.attempts, 2);
    assert_eq!(call.elapsed, Duration::from_secs(3));
    assert_eq!(call.request_id.as_deref(), Some("r-7"));
}

#[tokio::test(start_paused = true)]
async fn a_download_is_handed_on_as_it_comes() {
    let api = FakeApi::new(|_, n| {
        if n == 0 {
            Reply::status(503)
        } else {
            let mut reply = Reply::new(200, "%PDF-1.7");
            reply.content_type = "application/pdf";
            reply
        }
    });
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let file = api
        .client()
        .retrieve_file()
        .file_id(id)
        .send()
        .await
        .unwrap();
    assert_eq!(file.metadata().attempts, 2);
    let chunks: Vec<_> = futures_util::StreamExt::collect(file.into_inner()).await;
    let bytes: Vec<u8> = chunks
        .into_iter()
        .flat_map(|chunk| chunk.unwrap().to_vec())
        .collect();
    assert_eq!(bytes, b"%PDF-1.7");
    assert_eq!(
        api.seen()[1].header("accept"),
        "application/pdf, application/octet-stream"
    );
}

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

#[tokio::test(start_paused = true)]
async fn a_body_beyond_its_limit_is_an_error_that_names_the_limit() {
    let huge = |status| Reply {
        status,
        ..Reply::fate(Fate::Huge)
    };
    let api = FakeApi::new(move |seen, _| match seen.path.as_str() {
        "/orders" | "/raw" => huge(200),
        _ => huge(503),
    });
    let upvest = api.client_with(CallOptions::new().retry(RetryPolicy::never()));
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!error.is_outcome_unknown());
    assert!(error.to_string().contains("67108864"), "{error}");
    let error = upvest
        .request(Method::POST, ["raw"])
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.attempts(), 1);
    assert!(error.is_outcome_unknown());
    assert!(error.to_string().contains("67108864"), "{error}");
    let error = upvest.list_users().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(error.status().unwrap().as_u16(), 503);
    let detail = error.problem().unwrap().detail.clone().unwrap();
    assert!(detail.contains("1048576"), "{detail}");

    let api = FakeApi::with_tokens(move |_, _| huge(200), |_, _| Reply::empty_list());
    let error = api.client().list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert_eq!(api.token_calls(), 1);
    assert!(error.to_string().contains("67108864"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn only_a_4xx_other_than_408_says_that_nothing_happened() {
    for status in [
        300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 408, 409, 410, 422, 425, 429, 499, 500,
        501, 503, 599,
    ] {
        let api = FakeApi::new(move |_, _| Reply::status(status));
        let upvest = api.client_with(CallOptions::new().retry(RetryPolicy::never()));
        let expected = !(400..500).contains(&status) || status == 408;
        let error = upvest
            .create_order()
            .body(order())
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.is_outcome_unknown(), expected, "{status}");
        let error = upvest
            .request(Method::POST, ["orders"])
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.is_outcome_unknown(), expected, "raw, {status}");
        let error = upvest.list_orders().send().await.unwrap_err();
        assert!(
            !error.is_outcome_unknown(),
            "a read changes nothing, {status}"
        );
    }
}

#[test]
fn debug_of_call_options_hides_header_values() {
    let options = CallOptions::new().header("x-customer", "Erika Mustermann");
    for text in [format!("{options:?}"), format!("{options:#?}")] {
        assert!(
            text.contains("x-customer") && !text.contains("Erika"),
            "{text}"
        );
    }
}

#[test]
fn a_client_id_or_secret_with_whitespace_around_it_is_rejected_with_a_clear_message() {
    let url = || Environment::Custom("http://127.0.0.1:9".parse().unwrap());
    for (id, secret) in [
        (" id", "secret"),
        ("id\n", "secret"),
        ("id", "secret\n"),
        ("id", "\tsecret"),
    ] {
        let error = Upvest::builder(url())
            .credentials(id, secret)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("whitespace"), "{error}");
        assert!(!error.to_string().contains("secret\n"));
    }
    Upvest::builder(url())
        .credentials("id", "a secret with blanks inside")
        .build()
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_server_writes_is_shown_without_control_and_bidirectional_characters() {
    let nasty = "a\u{1b}[31mb\u{202e}c\u{2066}d\u{200f}e\u{61c}f\u{9b}g\nh";
    let body =
        serde_json::json!({ "title": nasty, "detail": nasty, "request_id": nasty, "type": nasty });
    let api = FakeApi::new(move |_, _| Reply::new(400, body.to_string()));
    let error = api.client().list_orders().send().await.unwrap_err();
    assert_eq!(error.request_id(), None);
    let problem = error.problem().unwrap().clone();
    let shown = [
        Unredacted(&error).to_string(),
        format!("{:?}", Unredacted(&error)),
        problem.to_string(),
        format!("{problem:?}"),
        problem.title.clone().unwrap(),
        problem.detail.clone().unwrap(),
        problem.code().unwrap().to_owned(),
    ];
    for text in shown {
        let odd = |c: char| {
            c.is_control()
                || ('\u{200e}'..='\u{200f}').contains(&c)
                || ('\u{202a}'..='\u{2069}').contains(&c)
        };
        assert!(!text.contains(odd) && !text.contains('\u{61c}'), "{text:?}");
        assert!(text.contains('h'), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn asking_for_a_token_by_hand_needs_no_token() {
    use upvest_ext::api::types::AccessToken;
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let token: AccessToken = api
        .client()
        .create_access_token()
        .body_map(|body| {
            body.client_id(CLIENT_ID)
                .client_secret("s")
                .grant_type("client_credentials")
                .scope("a")
        })
        .send()
        .await
        .unwrap()
        .into_inner();
    assert!(!format!("{token:?}").contains("token-0"));
    assert_eq!(api.token_calls(), 1);
    assert!(api.seen_tokens()[0].headers.get("authorization").is_none());
}

#[test]
fn a_builder_reports_everything_that_is_wrong_at_once() {
    let url = "http://example.com".parse().unwrap();
    let error = Upvest::builder(Environment::Custom(url))
        .user_agent("line\nbreak")
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let message = error.to_string();
    for part in ["https", "user agent", "client secret"] {
        assert!(message.contains(part), "{message}");
    }
    let error = Upvest::builder(Environment::Live)
        .credentials("id", "secret")
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("unsigned"));
}

/// A builder with these environment variables.
fn builder_from_vars(vars: &[(&str, &str)]) -> UpvestBuilder {
    UpvestBuilder::from_vars(|name| {
        let mut vars = vars.iter();
        vars.find(|(other, _)| *other == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

/// A client from these environment variables.
fn from_vars(vars: &[(&str, &str)]) -> Result<Upvest, upvest_ext::Error> {
    builder_from_vars(vars).build()
}

#[tokio::test]
async fn the_values_of_the_variables_are_sent() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let key_id = "2606a727-e55e-4f72-b47d-323f163acfff";
    let builder = builder_from_vars(&[
        ("UPVEST_ENVIRONMENT", "http://localhost"),
        ("UPVEST_CLIENT_ID", CLIENT_ID),
        ("UPVEST_CLIENT_SECRET", "hush"),
        ("UPVEST_SCOPES", "users:read orders:read"),
        ("UPVEST_SIGNING_KEY_ID", key_id),
        (
            "UPVEST_SIGNING_KEY",
            include_str!("../fixtures/keys/p521.sec1.pem"),
        ),
    ]);
    let upvest = builder.transport(api.clone()).build().unwrap();
    upvest.list_orders().send().await.unwrap();
    let tokens = api.seen_tokens();
    let form = String::from_utf8(tokens[0].body.clone()).unwrap();
    assert_eq!(
        form,
        format!(
            "client_id={CLIENT_ID}&client_secret=hush&grant_type=client_credentials\
             &scope=orders%3Aread+users%3Aread"
        )
    );
    let seen = api.seen();
    assert_eq!(seen[0].header("upvest-client-id"), CLIENT_ID);
    let signer = format!("keyid=\"{key_id}\"");
    assert!(seen[0].header("signature-input").contains(&signer));
}

#[test]
fn the_error_of_the_environment_also_names_the_problems_that_build_would_report() {
    let error = from_vars(&[
        ("UPVEST_ENVIRONMENT", "http://example.com"),
        ("UPVEST_CLIENT_ID", "id\n"),
        ("UPVEST_SIGNING_KEY_ID", "not an id"),
        (
            "UPVEST_SIGNING_KEY",
            include_str!("../fixtures/keys/p521.sec1.pem"),
        ),
    ])
    .unwrap_err()
    .to_string();
    for part in [
        "UPVEST_CLIENT_SECRET is not set",
        "https",
        "whitespace",
        "the id of the signing key",
    ] {
        assert_eq!(error.matches(part).count(), 1, "{part}: {error}");
    }
}

#[test]
fn a_key_that_cannot_be_read_is_not_called_missing() {
    let base = [
        ("UPVEST_ENVIRONMENT", "live"),
        ("UPVEST_CLIENT_ID", CLIENT_ID),
        ("UPVEST_CLIENT_SECRET", "hush"),
        (
            "UPVEST_SIGNING_KEY_ID",
            "2606a727-e55e-4f72-b47d-323f163acfff",
        ),
    ];
    let encrypted = include_str!("../fixtures/keys/p521.sec1-aes256.pem");
    let public = include_str!("../fixtures/keys/p521.public.pem");
    for (name, value, problem) in [
        (
            "UPVEST_SIGNING_KEY",
            "no key",
            "UPVEST_SIGNING_KEY: no PEM block",
        ),
        (
            "UPVEST_SIGNING_KEY",
            public,
            "UPVEST_SIGNING_KEY: this is a public key",
        ),
        (
            "UPVEST_SIGNING_KEY",
            encrypted,
            "no passphrase was given in UPVEST_SIGNING_KEY_PASSPHRASE",
        ),
        (
            "UPVEST_SIGNING_KEY_FILE",
            "/nowhere/key.pem",
            "UPVEST_SIGNING_KEY_FILE: /nowhere/key.pem",
        ),
    ] {
        let mut vars = base.to_vec();
        vars.push((name, value));
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
        assert!(!error.contains("not set"), "{error}");
        // With another problem, both are named and nothing else.
        vars.remove(1);
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
        assert!(error.contains("UPVEST_CLIENT_ID is not set"), "{error}");
        assert_eq!(error.matches("not set").count(), 1, "{error}");
    }
}

#[test]
fn a_missing_key_is_an_error_of_build_and_named_with_other_problems() {
    let client = [
        ("UPVEST_CLIENT_ID", CLIENT_ID),
        ("UPVEST_CLIENT_SECRET", "hush"),
    ];
    for environment in ["sandbox", "live"] {
        let mut vars = client.to_vec();
        vars.push(("UPVEST_ENVIRONMENT", environment));
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(
            error.contains("UPVEST_SIGNING_KEY_ID and UPVEST_SIGNING_KEY"),
            "{error}"
        );
        vars.remove(0);
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(
            error.contains("UPVEST_SIGNING_KEY_ID and UPVEST_SIGNING_KEY"),
            "{error}"
        );
    }
    // Another server may accept unsigned requests.
    let error = from_vars(&[("UPVEST_ENVIRONMENT", "http://localhost")]).unwrap_err();
    assert!(!error.to_string().contains("SIGNING_KEY"), "{error}");
}

#[test]
fn an_empty_variable_is_called_empty() {
    let error = from_vars(&[("UPVEST_ENVIRONMENT", "live"), ("UPVEST_CLIENT_ID", " ")]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("UPVEST_CLIENT_ID is empty"), "{error}");
    assert!(error.contains("UPVEST_CLIENT_SECRET is not set"), "{error}");
}

#[test]
fn all_missing_variables_are_reported_in_one_error() {
    let error = UpvestBuilder::from_vars(|_| None).build().unwrap_err();
    for name in [
        "UPVEST_ENVIRONMENT",
        "UPVEST_CLIENT_ID",
        "UPVEST_CLIENT_SECRET",
    ] {
        assert!(error.to_string().contains(name), "{error}");
    }
    let sandbox = |name: &str| (name == "UPVEST_ENVIRONMENT").then(|| "sandbox".to_owned());
    let error = UpvestBuilder::from_vars(sandbox).build().unwrap_err();
    for name in [
        "UPVEST_CLIENT_ID",
        "UPVEST_CLIENT_SECRET",
        "UPVEST_SIGNING_KEY_ID",
        "UPVEST_SIGNING_KEY ",
    ] {
        assert!(error.to_string().contains(name), "{error}");
    }
    let with = |environment: &'static str| {
        UpvestBuilder::from_vars(move |name| match name {
            "UPVEST_ENVIRONMENT" => Some(environment.to_owned()),
            "UPVEST_CLIENT_ID" => Some(CLIENT_ID.to_owned()),
            "UPVEST_CLIENT_SECRET" => Some("hush".to_owned()),
            _ => None,
        })
    };
    let error = with("production").build().unwrap_err();
    assert!(error.to_string().contains("sandbox") && !error.to_string().contains("hush"));
    for environment in ["sandbox", "live", "http://127.0.0.1:8080"] {
        let builder = with(environment).signer(Numbering::default());
        builder.build().unwrap();
    }
}

#[test]
fn plain_http_to_another_host_needs_an_explicit_variable() {
    let build = |insecure: Option<&'static str>| {
        Upvest::from_vars(move |name| {
            let value = match name {
                "UPVEST_ENVIRONMENT" => "http://upvest-sandbox:8080",
                "UPVEST_CLIENT_ID" | "UPVEST_CLIENT_SECRET" => "x",
                "UPVEST_INSECURE_HTTP" => insecure?,
                _ => return None,
            };
            Some(value.to_owned())
        })
        .map_or_else(|error| error.to_string(), |_| String::new())
    };
    for rejected in [None, Some("0"), Some("")] {
        let error = build(rejected);
        assert!(error.contains("UPVEST_INSECURE_HTTP=1"), "{error}");
    }
    assert!(build(Some("yes")).contains("neither 1 nor 0"));
    let error = build(Some("1"));
    assert!(!error.contains("https"), "{error}");
}

#[test]
fn a_default_header_that_is_not_valid_is_reported_by_build() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let options = CallOptions::new().header("not a name", "value");
    let error = api.builder().defaults(options).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("default settings"), "{error}");
}

#[test]
fn a_setting_that_is_set_again_has_no_problem_any_more() {
    let vars = |name: &str| match name {
        "UPVEST_ENVIRONMENT" => Some("live".to_owned()),
        "UPVEST_SIGNING_KEY" => Some("no key".to_owned()),
        _ => None,
    };
    let builder = UpvestBuilder::from_vars(vars).credentials(CLIENT_ID, "hush");
    let error = builder.build().unwrap_err().to_string();
    assert!(!error.contains("CLIENT"), "{error}");
    assert!(error.contains("UPVEST_SIGNING_KEY"), "{error}");
    let builder = UpvestBuilder::from_vars(vars).credentials(CLIENT_ID, "hush");
    builder.signer(Numbering::default()).build().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_403_names_the_scope_of_the_operation() {
    let api = FakeApi::new(|_, _| Reply::status(403));
    let upvest = api.builder().scopes(["orders:read"]).build().unwrap();
    let error = upvest.list_users().send().await.unwrap_err();
    assert!(
        error.hint().unwrap().contains("users:"),
        "{:?}",
        error.hint()
    );
}
