//! The lifetime of a token: when it is renewed, and when it is no longer sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::support::{HangingSigner, SECOND, list};
use crate::common::{FakeApi, Fate, Reply, Seen};
use tokio::time::{Instant, advance, sleep};
use upvest_ext::ErrorKind;

#[tokio::test(start_paused = true)]
async fn over_an_hour_renewals_add_no_latency() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 1799).after(2 * SECOND),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3600) {
        let before = Instant::now();
        list(&upvest).await.unwrap();
        assert_eq!(
            before.elapsed(),
            Duration::ZERO,
            "after {:?}",
            started.elapsed()
        );
        sleep(SECOND).await;
    }
    // 80 % of 1,799 s is 1,439 s, so an hour takes the first token and two renewals.
    assert_eq!(api.token_calls(), 3);
    let last = api.seen().pop().unwrap();
    assert_eq!(last.header("authorization"), "Bearer token-2");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_five_minutes_inside_the_renewal_window_fails_no_call() {
    let down = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&down);
    let api = FakeApi::with_tokens(
        move |_, n| {
            let down = seen.load(Ordering::SeqCst);
            let reply = if down {
                Reply::status(503)
            } else {
                Reply::token(&format!("token-{n}"), 1799)
            };
            reply.after(2 * SECOND)
        },
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1900) {
        let elapsed = started.elapsed().as_secs();
        down.store((1430..1730).contains(&elapsed), Ordering::SeqCst);
        let before = Instant::now();
        list(&upvest).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO, "after {elapsed} s");
        sleep(SECOND).await;
    }
    let calls = api.token_calls();
    assert!(
        (10..70).contains(&calls),
        "{calls} token requests, paced while the endpoint is down"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_with_less_than_fifteen_seconds_to_live_is_not_sent() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 100),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    advance(86 * SECOND).await;
    list(&upvest).await.unwrap();
    assert_eq!(api.seen()[1].header("authorization"), "Bearer token-1");
}

#[tokio::test(start_paused = true)]
async fn the_lifetime_of_a_token_starts_at_its_request() {
    let slow = |_: &Seen, n| Reply::token(&format!("token-{n}"), 60).after(20 * SECOND);
    let api = FakeApi::with_tokens(slow, |_, _| Reply::empty_list());
    let upvest = api.client();
    list(&upvest).await.unwrap();
    // 46 seconds after the request, less than fifteen are left.
    sleep(26 * SECOND).await;
    list(&upvest).await.unwrap();
    let seen = api.seen();
    assert_eq!(seen[0].header("authorization"), "Bearer token-0");
    assert_eq!(seen[1].header("authorization"), "Bearer token-1");
}

#[tokio::test(start_paused = true)]
async fn a_token_with_a_lifetime_of_ten_seconds_is_used() {
    let api = FakeApi::with_tokens(
        |_, n| Reply::token(&format!("token-{n}"), 10),
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    for _ in 0..3 {
        list(&upvest).await.unwrap();
    }
    assert_eq!(api.token_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_with_an_absurd_lifetime_is_used() {
    for expires_in in [0, u64::MAX] {
        let api = FakeApi::with_tokens(
            move |_, _| Reply::token("t", expires_in),
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        list(&upvest).await.unwrap();
        list(&upvest).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_is_given_up_before_the_token_expires() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let signer = HangingSigner {
        hangs: 1,
        calls: Arc::new(AtomicUsize::new(1)),
    };
    let upvest = api.builder().signer(signer.clone()).build().unwrap();
    list(&upvest).await.unwrap();
    advance(1500 * SECOND).await;
    signer.calls.store(0, Ordering::SeqCst);
    for _ in 0..3600 {
        list(&upvest).await.unwrap();
        sleep(SECOND).await;
    }
    // After 1,500 s, the hanging request takes 20 s, and then there is one every 1,439 s.
    assert_eq!(api.token_calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_with_a_fraction_or_in_quotes_is_read_and_an_empty_token_rejected() {
    // Each is valid for an hour, so it is renewed after 48 minutes.
    for (expires_in, lives) in [
        ("3600", true),
        ("3600.0", true),
        ("3.6e3", true),
        (r#""3600""#, true),
        (r#""3600.0""#, true),
        ("null", false),
        ("-3600", false),
        (r#""an hour""#, false),
        (r#""NaN""#, false),
        ("{}", false),
    ] {
        let body = format!(r#"{{"access_token": "t", "expires_in": {expires_in}}}"#);
        let api = FakeApi::with_tokens(
            move |_, _| Reply::new(200, body.clone()),
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        list(&upvest).await.unwrap();
        advance(2879 * SECOND).await;
        list(&upvest).await.unwrap();
        sleep(SECOND).await;
        assert_eq!(api.token_calls() == 1, lives, "{expires_in}");
    }
    for token in ["", "  "] {
        let api = FakeApi::with_tokens(
            move |_, _| Reply::token(token, 3600),
            |_, _| Reply::empty_list(),
        );
        let error = list(&api.client()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token);
        assert_eq!(api.api_calls(), 0);
        assert!(error.to_string().contains("empty"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_in_the_background_ends_with_the_client() {
    let api = FakeApi::with_tokens(
        |_, n| {
            if n == 0 {
                Reply::token("t", 1799)
            } else {
                Reply::fate(Fate::Silence)
            }
        },
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    list(&upvest).await.unwrap();
    advance(1500 * SECOND).await;
    list(&upvest).await.unwrap();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert_eq!(tasks(), 1);
    drop(upvest);
    tokio::task::yield_now().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_with_a_short_lifetime_is_renewed_in_the_background() {
    for life in [10, 30, 60, 75, 120] {
        let api = FakeApi::with_tokens(
            move |_, n| Reply::token(&format!("token-{n}"), life).after(SECOND / 20),
            |_, _| Reply::empty_list(),
        );
        let upvest = api.client();
        list(&upvest).await.unwrap();
        for _ in 0..4000 {
            let started = Instant::now();
            list(&upvest).await.unwrap();
            assert_eq!(started.elapsed(), Duration::ZERO, "a life of {life} s");
            sleep(SECOND / 10).await;
        }
    }
}
