//! Tests of requests to a strict server, and of the forms of responses that the client reads.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::common::{FakeApi, Fate, Reply, order};
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
        ("x-gzip", "x-gzip"),
        ("BR", "BR"),
        ("br, gzip", "br, gzip"),
        ("identity, gzip", "gzip"),
        ("gz\u{fc}p", "another encoding"),
        ("gzip;q=1", "another encoding"),
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
    for encoding in ["identity", "Identity", "", "identity, identity", " , "] {
        let api = FakeApi::new(move |_, _| Reply::order().header("content-encoding", encoding));
        let call = api.client().create_order().body(order()).send().await;
        assert!(call.is_ok(), "{encoding}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_encoding_in_a_second_header_is_found() {
    let api = FakeApi::new(|_, _| {
        let reply = Reply::order().header("content-encoding", "identity");
        reply.header("content-encoding", "gzip")
    });
    let call = api.client().create_order().body(order()).send().await;
    let error = call.unwrap_err();
    assert!(error.to_string().contains("gzip"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_rejection_with_an_encoding_keeps_its_place_in_the_retry_rules() {
    for (status, attempts) in [(503, 4), (500, 4), (429, 4), (422, 1), (404, 1)] {
        for encoding in ["gzip", "x-gzip", "br, gzip"] {
            let reply = Reply::status(status).header("content-encoding", encoding);
            let api = FakeApi::new(move |_, _| reply.clone());
            let error = api.client().list_orders().send().await.unwrap_err();
            assert_eq!(error.status().unwrap().as_u16(), status);
            assert_eq!(api.api_calls(), attempts, "{status}");
            let detail = error.problem().unwrap().detail.clone().unwrap();
            assert!(detail.contains(encoding), "{detail}");
        }
        let reply = Reply::status(status).header("content-encoding", "identity");
        let api = FakeApi::new(move |_, _| reply.clone());
        let error = api.client().list_orders().send().await.unwrap_err();
        let title = error.problem().unwrap().title.clone();
        assert_eq!(title.as_deref(), Some("told to"), "{status}");
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

/// All scopes of today have 973 characters, and the field takes 1,000 (`PROTOCOL` 11.3).
#[tokio::test(start_paused = true)]
async fn all_scopes_of_today_are_sent_and_longer_texts_rejected() {
    let scope = |number: usize| format!("scope{number:03}:r");
    let today: Vec<String> = (0..88).map(scope).collect();
    let text = format!("{} later", today.join(" "));
    assert_eq!(text.len(), 973);
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api.builder().scopes([&text]).build().unwrap();
    upvest.list_orders().send().await.unwrap();
    let form = String::from_utf8(api.seen_tokens().remove(0).body).unwrap();
    let (_, sent) = form.split_once("scope=").unwrap();
    let mut sent: Vec<_> = sent.split('+').collect();
    let mut expected: Vec<_> = text.split(' ').collect();
    sent.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sent.join(" ").replace("%3A", ":"), expected.join(" "));
    let longer: Vec<String> = (0..91).map(scope).collect();
    assert_eq!(longer.join(" ").len(), 1000);
    assert!(api.builder().scopes(&longer).build().is_ok());
    let too_long = longer.iter().map(String::as_str).chain(["a"]);
    assert!(api.builder().scopes(too_long).build().is_err());
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

/// The rows of the table in the docs of the policy, each with its cells.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let rows = POLICY
        .lines()
        .filter_map(|line| line.strip_prefix("/// | "));
    rows.map(|row| row.trim_end_matches(" |").split(" | ").collect())
}

/// The cells of the row whose first cell starts with this text.
fn row(starts_with: &str) -> Vec<&'static str> {
    rows()
        .find(|cells| cells[0].starts_with(starts_with))
        .unwrap_or_else(|| panic!("no row starts with {starts_with}"))
}

/// The cells of the row that lists this status.
fn row_for_status(status: &str) -> Vec<&'static str> {
    rows()
        .find(|cells| cells[0].split([',', ' ']).any(|word| word == status))
        .unwrap_or_else(|| panic!("no row lists the status {status}"))
}

#[tokio::test(start_paused = true)]
async fn every_status_is_retried_as_the_table_of_the_policy_says() {
    let listed = ["401", "408", "425", "429", "500", "502", "503", "504"];
    for status in 300..600 {
        let name = status.to_string();
        let cells = if listed.contains(&name.as_str()) {
            row_for_status(&name)
        } else {
            row("any other status")
        };
        let attempts = attempts_after(Reply::status(status)).await;
        assert_eq!(attempts, expected(&cells), "{status}: {cells:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_failure_is_retried_as_the_table_of_the_policy_says() {
    let success = || Reply::new(200, "{}");
    let mut tested = BTreeSet::new();
    for (failure, reply) in [
        ("no connection", Reply::fate(Fate::NotSent)),
        (
            "HTTP/2 says that the request was not processed",
            Reply::fate(Fate::Unprocessed),
        ),
        (
            "the connection broke, or no response in time",
            Reply::fate(Fate::Broken),
        ),
        (
            "the connection broke, or no response in time",
            Reply::fate(Fate::BrokenBody),
        ),
        (
            "the connection broke, or no response in time",
            Reply::fate(Fate::Silence),
        ),
        (
            "a success whose body is too long or encoded",
            Reply::fate(Fate::Huge),
        ),
        (
            "a success whose body is too long or encoded",
            success().header("content-encoding", "gzip"),
        ),
    ] {
        let cells = row(failure);
        assert_eq!(cells[0], failure);
        let attempts = attempts_after(reply).await;
        assert_eq!(attempts, expected(&cells), "{failure}");
        tested.insert(failure);
    }
    let names = POLICY.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("/// | ")?.split_once(" | ")?;
        let is_failure = !name.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        is_failure.then_some(name)
    });
    let others = BTreeSet::from(["response or failure", "any other status"]);
    let failures: BTreeSet<_> = names.filter(|name| !others.contains(name)).collect();
    assert_eq!(failures, tested);
}

/// The number of attempts that a row of the table allows for each kind of call.
fn expected(cells: &[&str]) -> Vec<usize> {
    let attempts = |cell: &&str| match *cell {
        "yes" => 4,
        "no" => 1,
        "once" => 2,
        other => panic!("{other}"),
    };
    cells[1..].iter().map(attempts).collect()
}

/// The numbers of attempts of three calls that always get this reply: a read, a change with an idempotency key, and a
/// change without a key.
async fn attempts_after(reply: Reply) -> Vec<usize> {
    let mut attempts = Vec::new();
    for (method, has_key) in [
        (Method::GET, false),
        (Method::POST, true),
        (Method::POST, false),
    ] {
        let reply = reply.clone();
        let api = FakeApi::new(move |_, _| reply.clone());
        let options = CallOptions::new().attempt_timeout(Duration::from_secs(5));
        let upvest = api.client_with(options.retry(RetryPolicy::new()));
        let mut request = upvest.request(method, ["x"]);
        if has_key {
            request = request.idempotency_key(IdempotencyKey::generate());
        }
        request.send().await.unwrap_err();
        attempts.push(api.api_calls());
    }
    attempts
}
