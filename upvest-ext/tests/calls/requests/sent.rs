//! What every call sends: its headers, its signature, and what metadata says about it.

use std::time::Duration;

use super::support::Numbering;
use crate::common::{CLIENT_ID, FakeApi, Fate, Reply, order};
use upvest_ext::{CallOptions, ErrorKind, Method, RetryPolicy, Unredacted};

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
