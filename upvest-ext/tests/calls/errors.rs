//! Errors describe a failure in one line, and keep all details.

use std::error::Error as _;

use crate::common::{FakeApi, Fate, Reply, order};
use upvest_ext::{CallOptions, Error, ErrorKind, RetryPolicy, Unredacted};

async fn failure(reply: Reply) -> Error {
    let api = FakeApi::new(move |_, _| reply.clone());
    let upvest = api
        .client()
        .with(CallOptions::new().retry(RetryPolicy::never()));
    upvest
        .create_order()
        .body(order())
        .send()
        .await
        .unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn every_failure_has_its_kind_and_says_whether_it_may_have_happened() {
    use ErrorKind as K;
    let rows = [
        (Reply::status(400), K::Rejected, false),
        (Reply::status(401), K::Authentication, false),
        (Reply::status(403), K::Permission, false),
        (Reply::status(404), K::NotFound, false),
        (Reply::status(408), K::Timeout, true),
        (Reply::status(409), K::Conflict, false),
        (Reply::status(422), K::Rejected, false),
        (Reply::status(426), K::UnexpectedStatus, false),
        (Reply::status(429), K::RateLimited, false),
        (Reply::status(500), K::Server, true),
        (Reply::status(502), K::Server, true),
        (Reply::status(503), K::Server, true),
        (Reply::status(504), K::Server, true),
        (Reply::status(307), K::UnexpectedStatus, true),
        (Reply::status(204), K::Decode, true),
        (Reply::new(201, "{}"), K::Decode, true),
        (Reply::new(201, "<html>"), K::Decode, true),
        (Reply::fate(Fate::NotSent), K::Connect, false),
        (Reply::fate(Fate::Broken), K::Interrupted, true),
        (Reply::fate(Fate::BrokenBody), K::Interrupted, true),
        (Reply::fate(Fate::Silence), K::Timeout, true),
    ];
    for (reply, kind, unknown) in rows {
        let case = format!("{reply:?}");
        let error = failure(reply).await;
        assert_eq!(error.kind(), kind, "{case}: {error}");
        assert_eq!(error.is_outcome_unknown(), unknown, "{case}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_problem_is_kept_and_shown_only_on_request() {
    let body = r#"{"type": "https://docs.upvest.co/errors/unprocessable_entity", "status": 422,
        "title": "Unprocessable entity", "detail": "cash_amount\nis \u001b[31mtoo small", "request_id": "r-9"}"#;
    let error = failure(Reply::new(422, body)).await;
    assert_eq!(
        error.to_string(),
        "createOrder: 422 Unprocessable Entity (unprocessable_entity, request r-9)"
    );
    assert!(!format!("{error:?}").contains("small"));
    assert!(
        Unredacted(&error)
            .to_string()
            .ends_with(": Unprocessable entity: cash_amount is  [31mtoo small")
    );
    let problem = error.problem().unwrap();
    assert_eq!(problem.code(), Some("unprocessable_entity"));
    assert_eq!(error.request_id(), Some("r-9"));
    assert!(error.is_validation() && !error.is_transient());
}

#[tokio::test(start_paused = true)]
async fn html_of_a_gateway_is_kept_but_not_shown() {
    let html = format!("<html>{}</html>", "x".repeat(100_000));
    let error = failure(Reply::new(502, html).header("upvest-request-id", "r-1")).await;
    assert_eq!(error.status().unwrap().as_u16(), 502);
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(error.problem().unwrap().body().unwrap().len(), 4096);
    assert!(error.is_server_error() && error.is_transient());
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("html") && shown.len() < 1000, "{shown}");
}

#[tokio::test(start_paused = true)]
async fn display_is_never_longer_than_500_characters() {
    let error = Error::new(ErrorKind::InvalidRequest, "t\r\n".repeat(10_000));
    assert_eq!(error.to_string().chars().count(), 500);
    assert!(!error.to_string().contains(['\n', '\r']));
}

#[tokio::test(start_paused = true)]
async fn the_chain_of_sources_is_intact() {
    let error = failure(Reply::fate(Fate::Broken)).await;
    assert_eq!(error.source().unwrap().to_string(), "connection reset");
    let error = failure(Reply::new(201, r#"{"id": 7}"#)).await;
    assert_eq!(error.operation(), Some("createOrder"));
    assert_eq!(error.status().unwrap().as_u16(), 201);
    assert!(
        error.to_string().starts_with(
            "createOrder: 201 Created, but the body does not match the schema at id: "
        )
    );
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_builder_sends_nothing() {
    let api = FakeApi::new(|_, _| Reply::order());
    let error = api.client().create_order().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(
        error.is_validation()
            && !error.is_outcome_unknown()
            && error.to_string().contains("`account_id`")
    );
    assert_eq!(api.token_calls(), 0);
    assert_eq!(api.api_calls(), 0);
}

#[test]
fn an_error_can_be_made_for_a_users_own_tests() {
    use upvest_ext::api::types::Problem;
    let status = http::StatusCode::CONFLICT;
    let problem = Problem::from_body(status, br#"{"detail": "already filled"}"#);
    let error = Error::new(ErrorKind::Conflict, "")
        .with_status(status)
        .with_problem(problem);
    assert!(error.is_conflict());
    assert_eq!(error.attempts(), 0);
    assert_eq!(error.operation(), None);
}

#[test]
fn errors_are_small_and_can_be_shared() {
    fn check<T: Send + Sync + Clone + std::error::Error + 'static>() -> usize {
        size_of::<T>()
    }
    assert_eq!(check::<Error>(), size_of::<usize>());
}
