//! The text and the fields of errors.

use std::error::Error as _;
use std::time::Duration;

use upvest_api::http::{HeaderMap, HeaderValue, StatusCode};
use upvest_api::operations::{CREATE_ORDER, LIST_ORDERS};
use upvest_api::runtime::{InvalidValue, Unredacted};
use upvest_api::types::{CurrencyCode, OrderCreate, OrderStatus, Problem};
use upvest_api::uuid::Uuid;
use upvest_api::{Error, ErrorKind, IdempotencyKey};

const PROBLEM: &[u8] = br#"{
    "type": "https://docs.upvest.co/errors/insufficient_cash",
    "status": 422,
    "title": "Unprocessable Entity",
    "detail": "The account holds 12.00 EUR.",
    "request_id": "6ec8ab9f"
}"#;

fn answered(status: u16, body: &[u8]) -> Error {
    let status = StatusCode::from_u16(status).expect("a status");
    Error::from_response(&CREATE_ORDER, status, &HeaderMap::new(), body)
}

#[test]
fn an_error_is_as_large_as_a_pointer_and_its_clone_says_the_same() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    let error = answered(422, PROBLEM);
    let clone = error.clone();
    assert_eq!(clone.to_string(), error.to_string());
    // Changing one does not change the other.
    assert_eq!(clone.with_kind(ErrorKind::Token).kind(), ErrorKind::Token);
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[test]
fn an_error_status_shows_operation_status_code_and_request_and_its_words_on_request() {
    let error = answered(422, PROBLEM);
    let expected = "createOrder: 422 Unprocessable Entity (insufficient_cash, request 6ec8ab9f)";
    assert_eq!(error.to_string(), expected);
    assert!(!format!("{error:?} {:?}", error.problem()).contains("12.00"));
    let words = ": Unprocessable Entity: The account holds 12.00 EUR.";
    assert_eq!(Unredacted(&error).to_string(), format!("{expected}{words}"));
    assert_eq!(error.operation(), Some("createOrder"));
    assert_eq!(error.request_id(), Some("6ec8ab9f"));
    assert_eq!(
        error.problem().and_then(Problem::code),
        Some("insufficient_cash")
    );
}

#[test]
fn the_status_line_fills_in_for_what_a_gateway_leaves_out() {
    assert_eq!(answered(404, b"").to_string(), "createOrder: 404 Not Found");
    assert_eq!(
        answered(403, b"<html>").to_string(),
        "createOrder: 403 Forbidden"
    );
    let error = answered(400, br#"{"detail": "No side."}"#);
    assert_eq!(error.to_string(), "createOrder: 400 Bad Request");
    assert!(Unredacted(&error).to_string().ends_with(": No side."));
    // The status of the response is used, not the one in the body.
    let error = answered(500, PROBLEM);
    assert!(
        error.to_string().starts_with("createOrder: 500 "),
        "{error}"
    );
}

#[test]
fn the_request_id_of_the_header_replaces_a_missing_one_of_the_problem() {
    let headers = HeaderMap::from_iter([(
        "upvest-request-id".parse().expect("a name"),
        HeaderValue::from_static("5f1c9f5e"),
    )]);
    let error = Error::from_response(&LIST_ORDERS, StatusCode::CONFLICT, &headers, b"");
    assert_eq!(
        error.to_string(),
        "listOrders: 409 Conflict (request 5f1c9f5e)"
    );
    let error = Error::from_response(&LIST_ORDERS, StatusCode::CONFLICT, &headers, PROBLEM);
    assert_eq!(error.request_id(), Some("6ec8ab9f"));
}

#[test]
fn what_is_known_about_the_call_is_told() {
    let error = Error::new(ErrorKind::Timeout, "no response in time").with_context(|context| {
        context.operation = Some("createOrder".into());
        context.attempts = 3;
        context.is_outcome_unknown = true;
    });
    let expected = "createOrder: no response in time, after 3 attempts; it may have been carried out all the same";
    assert_eq!(error.to_string(), expected);
    let error = Error::new(ErrorKind::Interrupted, "the file is cut short")
        .with_context(|context| context.position = Some(40));
    assert_eq!(error.to_string(), "the file is cut short, at position 40");
    let error = Error::new(ErrorKind::Token, "no response in time")
        .with_context(|context| context.operation = Some("listOrders".into()));
    assert_eq!(
        error.to_string(),
        "listOrders: no access token: no response in time"
    );
}

#[test]
fn display_is_one_line_of_at_most_500_characters() {
    let message = format!("first\r\nsecond\u{1b}[31m \u{202e}{}", "é".repeat(1000));
    let line = Error::new(ErrorKind::Io, message).to_string();
    assert_eq!(line.chars().count(), 500);
    assert!(line.starts_with("first  second [31m  é"), "{line}");
    assert!(line.ends_with("é…"), "{line}");
    for length in [0, 1, 499, 500] {
        let line = Error::new(ErrorKind::Io, "x".repeat(length)).to_string();
        assert_eq!(line, "x".repeat(length));
    }
    assert_eq!(
        Error::new(ErrorKind::Io, "x".repeat(501)).to_string(),
        format!("{}…", "x".repeat(499))
    );
}

#[test]
fn sources_are_kept_whole() {
    #[derive(Debug, thiserror::Error)]
    #[error("the file cannot be written")]
    struct Outer(#[source] std::io::Error);

    let disk = std::io::Error::new(std::io::ErrorKind::StorageFull, "no space left");
    let error = Error::new(ErrorKind::Io, "the download stopped")
        .with_source(Outer(disk))
        .clone();
    let outer = error.source().expect("there is a source");
    assert!(outer.is::<Outer>());
    let inner = outer
        .source()
        .and_then(|inner| inner.downcast_ref::<std::io::Error>());
    assert_eq!(
        inner.map(std::io::Error::kind),
        Some(std::io::ErrorKind::StorageFull)
    );
    assert!(answered(404, b"").source().is_none());
}

#[test]
fn debug_is_for_the_person_who_runs_main() {
    let key: IdempotencyKey = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11"
        .parse()
        .expect("a UUID");
    let cause = std::io::Error::other("the cable\nis cut");
    let error = Error::new(ErrorKind::Interrupted, "the connection broke")
        .with_source(cause)
        .with_context(|context| {
            context.operation = Some("createOrder".into());
            context.hint = Some("send it again with the same key".into());
            context.idempotency_key = Some(key);
            context.is_outcome_unknown = true;
        });
    let shown = format!("{error:?}");
    let expected = [
        "createOrder: the connection broke; it may have been carried out all the same",
        "  hint: send it again with the same key",
        "  idempotency key: 5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11",
        "  caused by: the cable is cut",
    ];
    assert_eq!(shown, expected.join("\n"));
    assert!(format!("{error:#?}").starts_with("Error {"));
    let invalid = Error::from(OrderCreate::builder().build().unwrap_err());
    assert!(!format!("{invalid:?}").contains('\n'), "{invalid:?}");
}

#[test]
fn debug_shows_neither_bodies_nor_what_a_wait_saw() {
    let error =
        answered(502, b"<html>Ada Lovelace</html>").with_last_seen("Ada Lovelace".to_owned());
    assert!(
        !format!("{error:?} {error:#?}").contains("Ada"),
        "{error:?}"
    );
    assert_eq!(
        error.problem().and_then(Problem::body),
        Some("<html>Ada Lovelace</html>")
    );
}

#[test]
fn a_problem_keeps_the_members_that_it_does_not_know() {
    let body = br#"{"title": "Bad request", "errors": [{"field": "iban", "value": "DE02 Ada"}], "details": null}"#;
    let error = answered(400, body);
    let problem = error.problem().expect("it has a problem");
    assert_eq!(problem.extensions()["errors"][0]["field"], "iban");
    assert_eq!(problem.extensions().len(), 1);
    let shown = format!(
        "{error} {error:?} {error:#?} {problem} {problem:?} {}",
        Unredacted(&error)
    );
    assert!(!shown.contains("Ada"), "{shown}");

    let sent = serde_json::to_value(problem).unwrap();
    assert_eq!(sent["errors"][0]["value"], "DE02 Ada");
    let read: Problem = serde_json::from_value(sent).unwrap();
    assert_eq!(read, *problem);
}

#[test]
fn json_that_is_no_problem_is_kept_as_the_body() {
    let error = answered(500, br#"{"message": "internal"}"#);
    let problem = error.problem().expect("it has a problem");
    assert_eq!(problem.body(), Some(r#"{"message": "internal"}"#));
    assert!(problem.extensions().is_empty());
}

#[test]
fn every_status_has_its_kind() {
    let kinds = [
        (400, ErrorKind::Rejected),
        (401, ErrorKind::Authentication),
        (403, ErrorKind::Permission),
        (404, ErrorKind::NotFound),
        (408, ErrorKind::Timeout),
        (409, ErrorKind::Conflict),
        (410, ErrorKind::NotFound),
        (418, ErrorKind::UnexpectedStatus),
        (422, ErrorKind::Rejected),
        (429, ErrorKind::RateLimited),
        (503, ErrorKind::Server),
        (304, ErrorKind::UnexpectedStatus),
    ];
    for (status, kind) in kinds {
        let error = answered(status, b"");
        assert_eq!(error.kind(), kind);
        assert_eq!(error.status().map(|it| it.as_u16()), Some(status));
        assert_eq!(error.problem().is_some(), status >= 400, "{status}");
    }
    let redirect = "createOrder: 302 Found: redirects are not followed; it may have been carried out all the same";
    assert_eq!(answered(302, b"").to_string(), redirect);
}

#[test]
fn kinds_are_told_in_words() {
    assert_eq!(ErrorKind::NotFound.to_string(), "not found");
    assert_eq!(ErrorKind::Io.to_string(), "io");
    assert_eq!(format!("{:>12}|", ErrorKind::Timeout), "     timeout|");
}

#[test]
fn the_outcome_is_unknown_only_if_a_change_may_have_happened() {
    let unknown = |operation, status| {
        let status = StatusCode::from_u16(status).expect("a status");
        Error::from_response(operation, status, &HeaderMap::new(), b"").is_outcome_unknown()
    };
    for status in [302, 408, 500, 502, 503, 504] {
        assert!(
            unknown(&CREATE_ORDER, status) && !unknown(&LIST_ORDERS, status),
            "{status}"
        );
    }
    for status in [400, 401, 403, 404, 409, 422, 429] {
        assert!(!unknown(&CREATE_ORDER, status), "{status}");
    }
}

#[test]
fn an_outcome_that_is_unknown_stays_unknown() {
    // The last attempt did not reach the server, but an earlier one may have.
    let refused = Error::new(ErrorKind::Connect, "no connection");
    let known = refused.clone().with_outcome_of(&CREATE_ORDER);
    assert!(!known.is_outcome_unknown());
    let earlier = refused.with_context(|context| context.is_outcome_unknown = true);
    let unknown = earlier.with_outcome_of(&CREATE_ORDER);
    assert!(unknown.is_outcome_unknown());
}

#[test]
fn predicates_follow_kind_and_status() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert!(answered(status, b"").is_transient(), "{status}");
    }
    for status in [302, 400, 401, 403, 404, 409, 422, 501] {
        assert!(!answered(status, b"").is_transient(), "{status}");
    }
    for kind in [
        ErrorKind::Connect,
        ErrorKind::Interrupted,
        ErrorKind::Timeout,
        ErrorKind::Token,
    ] {
        assert!(Error::new(kind, "").is_transient(), "{kind}");
    }
    let broken_off = Error::new(ErrorKind::Interrupted, "").with_status(StatusCode::OK);
    assert!(broken_off.is_transient());
    let rejected = Error::new(ErrorKind::Token, "").with_status(StatusCode::UNAUTHORIZED);
    assert!(rejected.is_authentication() && !rejected.is_transient());
    for kind in [
        ErrorKind::Decode,
        ErrorKind::InvalidRequest,
        ErrorKind::Configuration,
        ErrorKind::Io,
    ] {
        assert!(!Error::new(kind, "").is_transient(), "{kind}");
    }
    assert!(
        answered(422, b"").is_validation()
            && Error::new(ErrorKind::InvalidRequest, "").is_validation()
    );
}

#[test]
fn a_wait_is_read_in_seconds_and_as_a_date() {
    let wait = |value| {
        let headers = HeaderMap::from_iter([(
            "retry-after".parse().expect("a name"),
            HeaderValue::from_static(value),
        )]);
        Error::from_response(&CREATE_ORDER, StatusCode::TOO_MANY_REQUESTS, &headers, b"")
            .retry_after()
    };
    assert_eq!(wait("7"), Some(Duration::from_secs(7)));
    // A date in the past.
    let past = wait("Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(past, Some(Duration::ZERO));
    assert_eq!(wait("soon"), None);
}

#[test]
fn a_hint_says_what_to_do_and_can_be_replaced() {
    let lost = Error::new(ErrorKind::Interrupted, "")
        .with_context(|context| context.is_outcome_unknown = true);
    assert!(
        lost.hint()
            .is_some_and(|hint| hint.contains("check that before you send it again"))
    );
    let keyed = lost.with_context(|context| {
        context.idempotency_key = Some(IdempotencyKey::new(Uuid::nil()));
    });
    assert!(
        keyed
            .hint()
            .is_some_and(|hint| hint.contains("same `idempotency_key()`"))
    );
    let replaced = keyed.with_context(|context| context.hint = Some("call support".into()));
    assert_eq!(replaced.hint(), Some("call support"));
    assert_eq!(Error::new(ErrorKind::NotFound, "").hint(), None);
}

#[test]
fn what_a_wait_saw_last_is_had_by_its_type() {
    let error =
        Error::new(ErrorKind::Timeout, "not in time").with_last_seen(OrderStatus::Processing);
    assert_eq!(error.last_seen(), Some(&OrderStatus::Processing));
    assert_eq!(error.last_seen::<String>(), None);
}

/// The error type of a service: one variant is enough for `?` everywhere.
#[test]
fn one_from_catches_all_error_types() {
    #[derive(Debug, thiserror::Error)]
    enum Service {
        #[error(transparent)]
        Upvest(#[from] Error),
    }

    fn currency() -> Result<CurrencyCode, Error> {
        Ok("EURO".parse()?)
    }
    fn body() -> Result<OrderCreate, Error> {
        Ok(OrderCreate::builder().build()?)
    }
    fn key() -> Result<IdempotencyKey, Error> {
        Ok("no key".parse()?)
    }
    fn service() -> Result<CurrencyCode, Service> {
        Ok(currency()?)
    }

    let errors =
        [currency().err(), body().err(), key().err()].map(|error| error.expect("each is wrong"));
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(
            error.source().map(ToString::to_string),
            Some(error.to_string())
        );
    }
    let Service::Upvest(error) = service().expect_err("EURO has four letters");
    assert!(
        error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<InvalidValue>)
    );
}

#[test]
fn a_code_or_an_id_that_could_be_prose_or_personal_data_is_not_shown() {
    let long = "a".repeat(65);
    for text in [
        "Ada Lovelace",
        "ada@example.com",
        "a:b",
        "é",
        "",
        long.as_str(),
    ] {
        let problem = serde_json::json!({ "type": text, "request_id": text });
        let error = answered(409, problem.to_string().as_bytes());
        assert_eq!(error.to_string(), "createOrder: 409 Conflict", "{text}");
        let shown = format!("{error:?} {:?}", error.problem());
        assert!(text.is_empty() || !shown.contains(text), "{shown}");
    }
    let problem = serde_json::json!({ "type": "about:blank", "request_id": "a.b_c/d+e-9" });
    let error = answered(409, problem.to_string().as_bytes());
    assert_eq!(
        error.to_string(),
        "createOrder: 409 Conflict (request a.b_c/d+e-9)"
    );
}
