//! What a strict server needs in a request, and which forms of a response are read.

use crate::common::{FakeApi, Reply, order};
use upvest_ext::api::operations;
use upvest_ext::{CallOptions, ErrorKind, IdempotencyKey, Method, RetryPolicy, Scopes};

#[tokio::test(start_paused = true)]
async fn a_change_without_a_body_says_that_it_has_no_bytes() {
    let api = FakeApi::new(|_, _| Reply::new(200, "{}"));
    let upvest = api.client();
    for (method, length) in [
        (Method::POST, "0"),
        (Method::PUT, "0"),
        (Method::PATCH, "0"),
        (Method::GET, ""),
        (Method::HEAD, ""),
        (Method::DELETE, ""),
    ] {
        let request = upvest.request(method.clone(), ["webhooks", "test"]);
        request.send().await.unwrap();
        let seen = api.seen().pop().unwrap();
        assert_eq!(seen.header("content-length"), length, "{method}");
        assert_eq!(seen.header("accept-encoding"), "identity", "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_with_an_encoding_is_an_error_that_names_it_and_has_the_status() {
    for (encoding, shown) in [
        ("gzip", "gzip"),
        ("BR", "BR"),
        ("br, gzip", "another encoding"),
    ] {
        let api = FakeApi::new(move |_, _| Reply::order().header("content-encoding", encoding));
        let error = api
            .client()
            .create_order()
            .body(order())
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.status().unwrap().as_u16(), 201);
        assert!(error.to_string().contains(shown), "{error}");
        assert!(error.is_outcome_unknown(), "the order may exist");
        assert_eq!(api.api_calls(), 1, "the server has carried it out");
    }
    for encoding in ["identity", "Identity", ""] {
        let api = FakeApi::new(move |_, _| Reply::order().header("content-encoding", encoding));
        let call = api.client().create_order().body(order()).send().await;
        assert!(call.is_ok(), "{encoding}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_with_an_encoding_keeps_its_place_in_the_retry_rules() {
    for (status, attempts) in [(503, 4), (500, 4), (429, 4), (422, 1), (404, 1)] {
        let api =
            FakeApi::new(move |_, _| Reply::status(status).header("content-encoding", "gzip"));
        let error = api.client().list_orders().send().await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(api.api_calls(), attempts, "{status}");
        let detail = error.problem().unwrap().detail.clone().unwrap();
        assert!(detail.contains("gzip"), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_order_mark_before_json_is_skipped() {
    let marked = |reply: Reply| Reply {
        body: format!("\u{feff}{}", reply.body),
        ..reply
    };
    let api = FakeApi::with_tokens(
        move |_, _| marked(Reply::token("token", 1799)),
        move |seen, _| match seen.path.as_str() {
            "/orders" => marked(Reply::empty_list()),
            _ => marked(Reply::status(409)),
        },
    );
    let upvest = api.client();
    assert!(upvest.list_orders().send().await.unwrap().data.is_empty());
    let error = upvest.list_users().send().await.unwrap_err();
    assert_eq!(error.problem().unwrap().title.as_deref(), Some("told to"));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_request_names_the_scopes_that_it_asked_for() {
    let api = FakeApi::with_tokens(|_, _| Reply::status(401), |_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .scopes(["orders:read", "prices:read"])
        .build()
        .unwrap();
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    let hint = error.hint().unwrap();
    assert!(hint.contains("may not be granted"), "{hint}");
    assert!(hint.contains("orders:read prices:read"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_requested_for_the_scopes_of_the_client() {
    for (scopes, expected) in [
        (Scopes::new(["b a", "a"]), "a+b"),
        (
            Scopes::for_operations([&operations::CREATE_ORDER, &operations::LIST_ORDERS]),
            "orders%3Aadmin+orders%3Aread",
        ),
    ] {
        let api = FakeApi::new(|_, _| Reply::empty_list());
        let upvest = api.builder().scopes(scopes).build().unwrap();
        upvest.list_orders().send().await.unwrap();
        let form = String::from_utf8(api.seen_tokens().remove(0).body).unwrap();
        let (_, scope) = form.split_once("scope=").unwrap();
        assert_eq!(scope, expected);
    }
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api.builder().scopes(Scopes::reading()).build().unwrap();
    upvest.list_orders().send().await.unwrap();
    let form = String::from_utf8(api.seen_tokens().remove(0).body).unwrap();
    assert!(
        form.contains("orders%3Aread") && !form.contains("admin"),
        "{form}"
    );
}

#[test]
fn scopes_of_more_than_a_thousand_characters_are_a_configuration_error() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let scopes: Vec<String> = (0..125).map(|n| format!("s{n:02}:read")).collect();
    let error = api.builder().scopes(&scopes).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("1000"), "{error}");
    assert!(api.builder().scopes(&scopes[..110]).build().is_ok());
}

/// The rows of the table in the documentation of the policy.
const POLICY: &str = include_str!("../../src/retry.rs");

#[test]
fn the_guide_has_the_table_of_the_policy() {
    let guide = include_str!("../../../docs/guides/errors.md");
    let rows = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim_start_matches("/// "));
        let from = lines.skip_while(|line| !line.starts_with("| response or failure"));
        from.take_while(|line| line.starts_with('|'))
            .map(str::to_owned)
            .collect()
    };
    assert!(rows(POLICY).len() > 8);
    assert_eq!(rows(guide), rows(POLICY));
}

/// The cells of a row of the table.
fn row(starts_with: &str) -> Vec<&'static str> {
    let lines = POLICY
        .lines()
        .filter_map(|line| line.strip_prefix("/// | "));
    let mut rows = lines.filter(|line| line.starts_with(starts_with));
    let row = rows
        .next()
        .unwrap_or_else(|| panic!("no row {starts_with}"));
    row.trim_end_matches(" |").split(" | ").collect()
}

#[tokio::test(start_paused = true)]
async fn every_status_is_retried_as_the_table_of_the_policy_says() {
    let listed = ["401", "408", "425", "429", "500", "502", "503", "504"];
    for status in (300..600).filter(|status| *status != 304) {
        let name = status.to_string();
        let cells = if listed.contains(&name.as_str()) {
            let lines = POLICY
                .lines()
                .filter_map(|line| line.strip_prefix("/// | "));
            let mut rows = lines.filter(|line| {
                let (statuses, _) = line.split_once(" | ").unwrap_or_default();
                statuses.split([',', ' ']).any(|word| word == name)
            });
            let found = rows
                .next()
                .unwrap_or_else(|| panic!("{status} is in no row"));
            found.trim_end_matches(" |").split(" | ").collect()
        } else {
            row("any other status")
        };
        for (column, attempts) in cells[1..].iter().zip(attempts_at(status).await) {
            let expected = match *column {
                "yes" => 4,
                "no" => 1,
                "once" => 2,
                other => panic!("{other}"),
            };
            assert_eq!(attempts, expected, "{status}: {cells:?}");
        }
    }
}

/// The attempts of a read, of a change with a key, and of a change without one, that all get this status.
async fn attempts_at(status: u16) -> [usize; 3] {
    let mut attempts = [0; 3];
    for (index, (method, has_key)) in [
        (Method::GET, false),
        (Method::POST, true),
        (Method::POST, false),
    ]
    .into_iter()
    .enumerate()
    {
        let api = FakeApi::new(move |_, _| Reply::status(status));
        let upvest = api.client_with(CallOptions::new().retry(RetryPolicy::new()));
        let mut request = upvest.request(method, ["x"]);
        if has_key {
            request = request.idempotency_key(IdempotencyKey::generate());
        }
        request.send().await.unwrap_err();
        attempts[index] = api.api_calls();
    }
    attempts
}
