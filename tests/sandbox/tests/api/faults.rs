//! Faults: each has the documented effect on the caller and on the state, and no other.

use std::io::ErrorKind as IoErrorKind;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use http::header::{DATE, RETRY_AFTER};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use upvest_ext::Upvest;
use upvest_ext::{CallOptions, ErrorKind, RetryPolicy};
use upvest_sandbox::{Command, Fault, FaultRule, RequestRecord, Sandbox};
use uuid::Uuid;

use crate::bench::{Bench, DOWN, place, soon};

#[tokio::test]
async fn a_reset_before_the_commit_changes_no_state() {
    let bench = Bench::start().await;
    bench.fail(Fault::ResetBeforeCommit).await;
    let sent = bench.order_by_socket().await;
    assert_eq!(sent.unwrap_err().kind(), IoErrorKind::ConnectionReset);
    bench.fail(Fault::ResetBeforeCommit).await;
    let error = bench.order_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.is_outcome_unknown());
    assert_eq!(bench.orders().await, 0);
    assert_eq!(bench.applied_faults(), [("reset_before_commit", None); 2]);
    bench.order_by_socket().await.unwrap();
    assert_eq!(bench.orders().await, 1);
}

#[tokio::test]
async fn a_reset_after_the_commit_hides_the_created_order() {
    let bench = Bench::start().await;
    bench.fail(Fault::ResetAfterCommit).await;
    let sent = bench.order_by_socket().await;
    assert_eq!(sent.unwrap_err().kind(), IoErrorKind::ConnectionReset);
    bench.fail(Fault::ResetAfterCommit).await;
    let error = bench.order_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.is_outcome_unknown());
    assert_eq!(bench.orders().await, 2);
    assert_eq!(bench.applied_faults(), [("reset_after_commit", None); 2]);
}

#[tokio::test]
async fn a_delay_only_delays_the_response() {
    let bench = Bench::start().await;
    for client in [false, true] {
        bench.fail(Fault::Delay { millis: 30 }).await;
        let started = Instant::now();
        if client {
            bench.order_once().await.unwrap();
        } else {
            assert_eq!(bench.order().await.status, 201);
        }
        assert!(started.elapsed() >= Duration::from_millis(30));
    }
    assert_eq!(bench.orders().await, 2);
    assert_eq!(bench.applied_faults(), [("delay", Some(201)); 2]);
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_undo_a_delayed_order() {
    let bench = Bench::start().await;
    let hasty = bench.client(
        CallOptions::new()
            .retry(RetryPolicy::never())
            .attempt_timeout(Duration::from_millis(500)),
    );
    // This call fetches the token, so that the delay below affects only the order.
    hasty.list_orders().send().await.unwrap();
    bench.fail(Fault::Delay { millis: 1_000 }).await;
    let error = place(&hasty, bench.account).await.unwrap_err();
    assert!(error.is_timeout() && error.is_outcome_unknown(), "{error}");
    // The response is delayed until after the order was placed.
    bench
        .sandbox
        .fail_next("listOrders", Fault::Delay { millis: 1_000 })
        .await
        .unwrap();
    let orders = bench.upvest.list_orders().send().await.unwrap();
    assert_eq!(orders.meta.as_ref().and_then(|meta| meta.total), Some(1));
    assert_eq!(bench.applied_faults()[0], ("delay", Some(201)));
}

#[tokio::test]
async fn a_signature_does_not_expire_during_a_delay() {
    let bench = Bench::start().await;
    bench.order_once().await.unwrap();
    let so_far = bench.get("/_sandbox/state").await.json()["requests"].as_u64();
    bench.fail(Fault::Delay { millis: 200 }).await;
    let upvest = bench.upvest.clone();
    let account = bench.account;
    let late = tokio::spawn(async move { place(&upvest, account).await });
    while bench.get("/_sandbox/state").await.json()["requests"].as_u64() == so_far {}
    bench.sandbox.shift_clock(3600).await;
    late.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_429_can_have_a_retry_after_or_none() {
    let bench = Bench::start().await;
    for retry_after in [None, Some(7)] {
        let fault = Fault::TooManyRequests { retry_after };
        bench.fail(fault.clone()).await;
        let response = bench.order().await;
        assert_eq!(response.status, 429);
        assert_eq!(response.json()["status"].as_u64(), Some(429));
        let header = response
            .headers
            .get(RETRY_AFTER)
            .map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header, retry_after.map(|seconds| seconds.to_string()));
        bench.fail(fault).await;
        let error = bench.order_once().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert!(!error.is_outcome_unknown());
        assert_eq!(error.retry_after(), retry_after.map(Duration::from_secs));
    }
    assert_eq!(bench.orders().await, 0);
    assert_eq!(
        bench.applied_faults(),
        [("too_many_requests", Some(429)); 4]
    );
}

#[tokio::test]
async fn a_server_error_is_a_problem_document_or_a_page_of_a_gateway() {
    let bench = Bench::start().await;
    for status in [500, 502, 503, 504] {
        bench
            .fail(Fault::ServerError {
                status,
                html: false,
                after_commit: false,
            })
            .await;
        let response = bench.order().await;
        assert_eq!(response.status, status);
        assert_eq!(response.content_type(), "application/problem+json");
        assert_eq!(response.json()["status"], status);
        assert_eq!(
            response.json()["request_id"],
            response.headers["upvest-request-id"].to_str().unwrap()
        );
        bench
            .fail(Fault::ServerError {
                status,
                html: true,
                after_commit: false,
            })
            .await;
        let response = bench.order().await;
        assert_eq!(response.status, status);
        assert_eq!(response.content_type(), "text/html");
        assert!(response.body.starts_with(b"<html>"));
    }
    for html in [false, true] {
        bench
            .fail(Fault::ServerError {
                status: 502,
                html,
                after_commit: false,
            })
            .await;
        let error = bench.order_once().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(error.status().unwrap().as_u16(), 502);
        assert!(
            error.is_outcome_unknown() && !error.to_string().contains('<'),
            "{error}"
        );
    }
    assert_eq!(bench.orders().await, 0);
}

#[tokio::test]
async fn a_server_error_after_the_commit_hides_the_created_order() {
    let bench = Bench::start().await;
    for html in [false, true] {
        bench
            .fail(Fault::ServerError {
                status: 504,
                html,
                after_commit: true,
            })
            .await;
        assert_eq!(bench.order().await.status, 504);
        bench
            .fail(Fault::ServerError {
                status: 504,
                html,
                after_commit: true,
            })
            .await;
        assert!(bench.order_once().await.unwrap_err().is_outcome_unknown());
    }
    assert_eq!(bench.orders().await, 4);
    assert_eq!(bench.applied_faults(), [("server_error", Some(504)); 4]);
}

#[tokio::test]
async fn a_truncated_response_ends_before_the_length_that_it_announced() {
    let bench = Bench::start().await;
    bench.fail(Fault::TruncatedBody).await;
    let raw = bench.order_by_socket().await;
    let raw = raw.expect_err("a connection that breaks off").to_string();
    assert!(raw.contains(" of ") && !raw.starts_with('0'), "{raw}");
    bench.fail(Fault::TruncatedBody).await;
    let error = bench.order_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.is_outcome_unknown());
    assert_eq!(bench.orders().await, 2);
    assert_eq!(bench.applied_faults(), [("truncated_body", Some(201)); 2]);
}

#[tokio::test]
async fn a_valid_body_can_have_a_wrong_content_type() {
    let bench = Bench::start().await;
    bench.fail(Fault::WrongContentType).await;
    let response = bench.order().await;
    assert_eq!(response.status, 201);
    assert_eq!(response.content_type(), "text/plain");
    assert_eq!(response.json()["status"], "NEW");
    bench.fail(Fault::WrongContentType).await;
    // The SDK reads the response despite its media type.
    bench.order_once().await.unwrap();
    assert_eq!(bench.orders().await, 2);
}

#[tokio::test]
async fn an_invalid_json_response_leaves_the_outcome_unknown() {
    let bench = Bench::start().await;
    bench.fail(Fault::InvalidJson).await;
    let response = bench.order().await;
    assert_eq!(response.status, 201);
    assert_eq!(response.content_type(), "application/json");
    serde_json::from_slice::<Value>(&response.body).unwrap_err();
    bench.fail(Fault::InvalidJson).await;
    let error = bench.order_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.is_outcome_unknown());
    assert_eq!(bench.orders().await, 2);
}

#[tokio::test]
async fn a_slow_drip_delivers_the_whole_response() {
    let bench = Bench::start().await;
    for client in [false, true] {
        bench.fail(Fault::SlowDrip { millis: 4 }).await;
        let started = Instant::now();
        if client {
            bench.order_once().await.unwrap();
        } else {
            assert_eq!(bench.order().await.json()["status"], "NEW");
        }
        // Ten pieces, unless the body does not divide by ten.
        assert!(started.elapsed() >= Duration::from_millis(9 * 4));
    }
    let hasty = bench.client(
        CallOptions::new()
            .retry(RetryPolicy::never())
            .attempt_timeout(Duration::from_millis(500)),
    );
    hasty.list_orders().send().await.unwrap();
    bench.fail(Fault::SlowDrip { millis: 100 }).await;
    let error = place(&hasty, bench.account).await.unwrap_err();
    assert!(error.is_timeout() && error.is_outcome_unknown(), "{error}");
    assert_eq!(bench.orders().await, 3);
}

/// Makes all reads return the state from `seconds` seconds ago.
async fn make_stale(bench: &Bench, seconds: u32) {
    let rule = FaultRule {
        operation: None,
        times: None,
        fault: Fault::StaleRead { seconds },
    };
    bench.sandbox.add_fault(rule).await.unwrap();
}

#[tokio::test]
async fn a_stale_read_returns_the_state_of_an_earlier_time() {
    let bench = Bench::start().await;
    make_stale(&bench, 5).await;
    let order = bench.order().await.json();
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).await.status, 404);
    assert_eq!(bench.get("/orders").await.json()["meta"]["total"], 0);
    let account = bench.get(&format!("/accounts/{}", bench.account)).await;
    assert_eq!(account.status, 200, "it was there before the fault");

    let mut seen = Vec::new();
    for _ in 0..8 {
        bench.sandbox.advance(Duration::from_secs(1)).await;
        let response = bench.get(&path).await;
        let status = response.json()["status"].clone();
        seen.push(if response.status == 200 {
            status
        } else {
            json!(null)
        });
    }
    let late = json!([
        null,
        null,
        null,
        null,
        "NEW",
        "PROCESSING",
        "FILLED",
        "FILLED"
    ]);
    assert_eq!(json!(seen), late);

    bench.order().await;
    bench.sandbox.clear_faults().await;
    assert_eq!(bench.get("/orders").await.json()["meta"]["total"], 2);
}

#[tokio::test]
async fn only_reads_are_stale_and_each_uses_the_fault_once() {
    let bench = Bench::start().await;
    let rule = FaultRule {
        operation: None,
        times: Some(2),
        fault: Fault::StaleRead { seconds: 600 },
    };
    bench.sandbox.add_fault(rule).await.unwrap();
    for _ in 0..3 {
        assert_eq!(bench.order().await.status, 201);
    }
    let mut totals = Vec::new();
    for _ in 0..3 {
        totals.push(bench.get("/orders").await.json()["meta"]["total"].clone());
    }
    assert_eq!(json!(totals), json!([0, 0, 3]));
    assert_eq!(bench.applied_faults(), [("stale_read", Some(200)); 2]);

    // Nothing is remembered from before the next fault.
    make_stale(&bench, 600).await;
    assert_eq!(bench.get("/orders").await.json()["meta"]["total"], 3);
}

#[tokio::test]
async fn a_stale_read_can_be_requested_over_http() {
    let bench = Bench::start().await;
    let fault = json!({ "kind": "stale_read", "seconds": 60 });
    for seconds in [json!(0), json!(601), json!(-1), json!("5")] {
        let fault = json!({ "kind": "stale_read", "seconds": seconds });
        let response = bench.command("add_fault", json!({ "fault": fault })).await;
        assert_eq!(response.status, 400, "{seconds}");
    }
    let random = json!({ "rate": 1.0, "faults": [fault] });
    assert_eq!(bench.command("random_faults", random).await.status, 200);
    bench.order().await;
    assert_eq!(bench.get("/orders").await.json()["meta"]["total"], 0);
    bench.sandbox.clear_faults().await;

    let rule = json!({ "operation": "listOrders", "fault": fault });
    assert_eq!(bench.command("add_fault", rule).await.status, 200);
    bench.order().await;
    assert_eq!(bench.get("/orders").await.json()["meta"]["total"], 1);
    let overview = bench.get("/_sandbox/overview").await.json();
    assert_eq!(overview["faults"][0]["fault"], fault);
}

#[tokio::test]
async fn a_client_that_retries_places_one_order_with_any_fault() {
    let bench = Bench::start().await;
    let upvest = bench.client(
        CallOptions::new()
            .retry(RetryPolicy::new().backoff(soon()))
            .attempt_timeout(Duration::from_millis(500)),
    );
    upvest.list_orders().send().await.unwrap();
    for (number, fault) in (1..).zip([
        Fault::ResetBeforeCommit,
        Fault::ResetAfterCommit,
        Fault::Delay { millis: 700 },
        Fault::TooManyRequests {
            retry_after: Some(0),
        },
        DOWN,
        Fault::ServerError {
            status: 504,
            html: true,
            after_commit: true,
        },
        Fault::TruncatedBody,
        Fault::SlowDrip { millis: 200 },
    ]) {
        bench.fail(fault.clone()).await;
        place(&upvest, bench.account)
            .await
            .unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(bench.orders().await, number, "{fault:?}");
    }
    // The delayed attempt has also arrived by then, and changes nothing.
    bench
        .sandbox
        .fail_next("listOrders", Fault::Delay { millis: 900 })
        .await
        .unwrap();
    bench.upvest.list_orders().send().await.unwrap();
    assert_eq!(bench.orders().await, 8);
}

#[tokio::test]
async fn a_shifted_clock_rejects_signatures_and_shows_in_the_date() {
    let sandbox = Sandbox::start().await.unwrap();
    for (seconds, sign) in [(3600, 1), (-3600, -1)] {
        // A client remembers for two seconds that it got no token, so each round has its own.
        let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
        upvest.list_orders().send().await.unwrap();
        sandbox.shift_clock(seconds).await;
        let error = upvest.list_orders().send().await.unwrap_err();
        assert!(error.is_authentication(), "{error}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains("clock")),
            "{error}: {:?}",
            error.hint()
        );
        let response = reqwest::get(format!("{}/orders", sandbox.url()))
            .await
            .unwrap();
        let date = httpdate::parse_http_date(response.headers()[DATE].to_str().unwrap()).unwrap();
        let ahead = DateTime::<Utc>::from(date) - DateTime::<Utc>::from(SystemTime::now());
        assert!(
            (3590..=3610).contains(&(ahead.num_seconds() * sign)),
            "{ahead}"
        );
        sandbox.clear_faults().await;
        let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
        upvest.list_orders().send().await.unwrap();
    }
}

#[tokio::test]
async fn a_client_without_a_token_fails_if_the_token_endpoint_is_down() {
    let sandbox = Sandbox::start().await.unwrap();
    let with_token = Upvest::from_vars(sandbox.vars()).unwrap();
    with_token.list_orders().send().await.unwrap();
    sandbox.take_token_endpoint_down().await;

    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let error = upvest.list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert_eq!(error.status().unwrap().as_u16(), 503);
    assert!(
        error.to_string().contains("token") && error.to_string().contains("503"),
        "{error}"
    );
    assert!(!error.is_outcome_unknown() && error.is_transient());
    with_token
        .list_orders()
        .send()
        .await
        .expect("it needs no token");

    sandbox.clear_faults().await;
    // The first client remembers for two seconds that it got no token.
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    upvest.list_orders().send().await.unwrap();
}

#[tokio::test]
async fn rejected_connections_come_back_on_the_same_address() {
    let bench = Bench::start().await;
    bench.upvest.list_orders().send().await.unwrap();
    let mut open = TcpStream::connect(bench.sandbox.address()).await.unwrap();
    // Once it has a response, this connection is known to be accepted.
    open.write_all(b"GET /_sandbox/state HTTP/1.1\r\nhost: sandbox\r\n\r\n")
        .await
        .unwrap();
    assert!(open.read(&mut [0; 1024]).await.unwrap() > 0);

    for _ in 0..3 {
        bench.sandbox.refuse_connections().await;
        let rejected = TcpStream::connect(bench.sandbox.address())
            .await
            .unwrap_err();
        assert_eq!(rejected.kind(), IoErrorKind::ConnectionRefused);
        let error = bench.order_once().await.unwrap_err();
        assert!(error.is_connect() && !error.is_outcome_unknown(), "{error}");
        bench.sandbox.clear_faults().await;
        TcpStream::connect(bench.sandbox.address()).await.unwrap();
        bench.order_once().await.unwrap();
    }
    let mut rest = Vec::new();
    let ended = open.read_to_end(&mut rest).await.unwrap_err();
    assert_eq!(ended.kind(), IoErrorKind::ConnectionReset);
    assert_eq!(bench.orders().await, 3);
}

#[tokio::test]
async fn a_fault_applies_to_the_given_number_of_calls() {
    let bench = Bench::start().await;
    let rule = FaultRule {
        operation: Some("createOrder".to_owned()),
        times: Some(2),
        fault: DOWN,
    };
    bench.sandbox.add_fault(rule).await.unwrap();
    assert_eq!(bench.get("/orders").await.status, 200);
    assert_eq!(bench.order().await.status, 503);
    let left = bench.get("/_sandbox/faults").await.json();
    assert_eq!(left[0]["times"], 1);
    assert_eq!(
        left[0]["fault"],
        json!({"kind": "server_error", "status": 503, "html": false, "after_commit": false})
    );
    assert_eq!(bench.order().await.status, 503);
    assert_eq!(bench.order().await.status, 201);
    assert_eq!(bench.get("/_sandbox/faults").await.json(), json!([]));
}

#[tokio::test]
async fn a_fault_without_an_operation_applies_to_all_until_cleared() {
    let bench = Bench::start().await;
    bench
        .sandbox
        .add_fault(FaultRule {
            operation: None,
            times: None,
            fault: DOWN,
        })
        .await
        .unwrap();
    for _ in 0..3 {
        for path in ["/orders", "/users", "/instruments"] {
            assert_eq!(bench.get(path).await.status, 503);
        }
        assert_eq!(bench.order().await.status, 503);
    }
    assert_eq!(
        bench.get("/_sandbox/state").await.status,
        200,
        "what sets faults is not hit by them"
    );
    bench.sandbox.clear_faults().await;
    assert_eq!(bench.order().await.status, 201);
}

#[tokio::test]
async fn faults_apply_in_their_order_and_before_random_faults() {
    let bench = Bench::start().await;
    let broken = Fault::ServerError {
        status: 500,
        html: false,
        after_commit: false,
    };
    bench
        .sandbox
        .random_faults(1.0, vec![broken])
        .await
        .unwrap();
    bench
        .fail(Fault::TooManyRequests { retry_after: None })
        .await;
    bench.fail(DOWN).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(bench.order().await.status);
    }
    assert_eq!(statuses, [429, 503, 500]);
    assert_eq!(bench.get("/users").await.status, 500);
}

#[tokio::test]
async fn one_seed_applies_the_same_faults_to_the_same_requests() {
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let bench = Bench::with(Sandbox::builder().seed(seed)).await;
        bench
            .sandbox
            .random_faults(0.3, Fault::common())
            .await
            .unwrap();
        for number in 0..120 {
            let path = if number % 3 == 0 { "/users" } else { "/orders" };
            // The response is ignored, and there may be none.
            let _ = bench.request(reqwest::Method::GET, path).send().await;
        }
        let requests = bench.sandbox.requests();
        let run: Vec<_> = requests
            .iter()
            .map(|it| (it.number, it.status, it.fault))
            .collect();
        let hits = run.iter().filter(|(.., fault)| fault.is_some()).count();
        assert!((20..=55).contains(&hits), "{hits} of 120 at a rate of 0.3");
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn an_invalid_fault_is_rejected_and_changes_nothing() {
    let bench = Bench::start().await;
    let not_found = Fault::ServerError {
        status: 404,
        html: false,
        after_commit: false,
    };
    let forever = Fault::Delay { millis: 3_600_000 };
    for (fault, word) in [(not_found, "504"), (forever.clone(), "600000 ms")] {
        let error = bench
            .sandbox
            .fail_next("createOrder", fault.clone())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        bench
            .sandbox
            .random_faults(0.5, vec![DOWN, fault])
            .await
            .unwrap_err();
    }
    for rate in [-0.1, 1.1, f64::NAN] {
        let error = bench
            .sandbox
            .random_faults(rate, vec![DOWN])
            .await
            .unwrap_err();
        assert!(error.to_string().contains("`rate`"), "{error}");
    }
    assert_eq!(bench.order().await.status, 201);
}

#[tokio::test]
async fn a_fault_can_name_its_operation_as_the_sdk_does() {
    let bench = Bench::start().await;
    bench.sandbox.fail_next("create_order", DOWN).await.unwrap();
    assert_eq!(bench.order().await.status, 503);
    assert_eq!(bench.order().await.status, 201);
}

#[tokio::test]
async fn a_fault_for_an_unknown_operation_is_rejected() {
    let bench = Bench::start().await;
    let error = bench
        .sandbox
        .fail_next("createOrdr", DOWN)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`createOrdr`"), "{error}");
    assert!(error.to_string().contains("openapi.json"), "{error}");
    let never = FaultRule {
        operation: None,
        times: Some(0),
        fault: DOWN,
    };
    assert!(
        bench
            .sandbox
            .add_fault(never)
            .await
            .unwrap_err()
            .to_string()
            .contains("`times`")
    );
    assert_eq!(bench.order().await.status, 201);
}

#[tokio::test]
async fn the_operation_for_webhook_keys_can_fail_too() {
    let bench = Bench::start().await;
    bench
        .sandbox
        .fail_next("retrieveVerifyKeys", DOWN)
        .await
        .unwrap();
    assert_eq!(bench.get("/auth/verify_keys").await.status, 503);
    assert_eq!(bench.get("/auth/verify_keys").await.status, 200);
    let operation = |request: &RequestRecord| request.operation.clone();
    let named: Vec<_> = bench
        .sandbox
        .requests()
        .iter()
        .filter_map(operation)
        .collect();
    assert_eq!(
        named
            .iter()
            .filter(|name| *name == "retrieveVerifyKeys")
            .count(),
        2
    );
}

#[tokio::test]
async fn a_clock_is_shifted_by_a_year_at_most() {
    let bench = Bench::start().await;
    for seconds in [i64::MIN, -5_000_000_000, 1_000_000_000_000, i64::MAX] {
        bench
            .sandbox
            .execute(Command::ShiftClock { seconds })
            .await
            .unwrap_err();
    }
    assert_eq!(bench.get("/users").await.status, 200);
}

#[tokio::test]
async fn the_log_has_the_fault_of_each_request() {
    let bench = Bench::start().await;
    bench.fail(Fault::ResetBeforeCommit).await;
    let key = Uuid::new_v4();
    let post = || {
        bench
            .request(reqwest::Method::POST, "/orders")
            .header("idempotency-key", key.to_string())
    };
    post().json(&bench.body()).send().await.unwrap_err();
    let made = post().json(&bench.body()).send().await.unwrap();
    let again = post().json(&bench.body()).send().await.unwrap();
    bench.get("/elsewhere").await;

    let log = bench.sandbox.requests();
    let seen: Vec<_> = log
        .iter()
        .map(|it| (it.number, it.status, it.fault, it.replayed))
        .collect();
    assert_eq!(
        seen,
        [
            (1, None, Some("reset_before_commit"), false),
            (2, Some(201), None, false),
            (3, Some(201), None, true),
            (4, Some(404), None, false)
        ]
    );
    for (record, response) in log[1..].iter().zip([&made, &again]) {
        let id = response.headers()["upvest-request-id"].to_str().unwrap();
        assert_eq!(record.request_id.to_string(), id);
    }
    assert!(
        log[..3]
            .iter()
            .all(|it| it.idempotency_key.as_deref() == Some(&key.to_string()))
    );
    let names: Vec<_> = log
        .iter()
        .map(|it| (&*it.method, &*it.path, it.operation.as_deref()))
        .collect();
    assert_eq!(names[2], ("POST", "/orders", Some("createOrder")));
    assert_eq!(names[3], ("GET", "/elsewhere", None));
}
