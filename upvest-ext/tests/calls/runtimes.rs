//! A client that several runtimes share, of which some stand still or end.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{advance, sleep, timeout};
use upvest_ext::{Error, Upvest};

use crate::common::{FakeApi, Fate, Reply};

const SECOND: Duration = Duration::from_secs(1);

/// A runtime that runs its tasks only in `block_on`.
fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// A server that never answers token request number `silent`, counted from 0.
fn api(silent: usize) -> FakeApi {
    FakeApi::with_tokens(
        move |_, n| {
            if n == silent {
                Reply::fate(Fate::Silence)
            } else {
                Reply::token(&format!("token-{n}"), 1799)
            }
        },
        |_, _| Reply::empty_list(),
    )
}

async fn list(upvest: &Upvest) -> Result<(), Error> {
    upvest.list_orders().send().await.map(drop)
}

#[test]
fn a_token_request_whose_runtime_stands_still_is_made_again() {
    let api = api(0);
    let upvest = api.client();
    let still = runtime();
    let given_up = still.block_on(async { timeout(SECOND, list(&upvest)).await });
    given_up.unwrap_err();
    runtime().block_on(list(&upvest)).unwrap();
    assert_eq!(api.token_calls(), 2);
}

#[test]
fn a_renewal_whose_runtime_stands_still_holds_no_call_up() {
    let api = api(1);
    let upvest = api.client();
    let still = runtime();
    still.block_on(async {
        list(&upvest).await.unwrap();
        advance(1500 * SECOND).await;
        list(&upvest).await.unwrap();
        tokio::task::yield_now().await;
    });
    assert_eq!(api.token_calls(), 2, "the renewal is running");
    runtime().block_on(async {
        advance(1790 * SECOND).await;
        timeout(SECOND, list(&upvest)).await.unwrap().unwrap();
    });
    assert_eq!(api.token_calls(), 3);
    // The first runtime continues without requesting another token.
    still.block_on(list(&upvest)).unwrap();
    assert_eq!(api.token_calls(), 3);
}

#[test]
fn a_request_that_was_made_again_does_not_replace_the_later_token() {
    let api = FakeApi::with_tokens(
        |_, n| match n {
            0 => Reply::token("token-0", 1799).after(10 * SECOND),
            n => Reply::token(&format!("token-{n}"), 1799),
        },
        |_, _| Reply::empty_list(),
    );
    let upvest = api.client();
    let still = runtime();
    let given_up = still.block_on(async { timeout(SECOND, list(&upvest)).await });
    given_up.unwrap_err();
    runtime().block_on(list(&upvest)).unwrap();
    assert_eq!(api.token_calls(), 2);
    // Now the first runtime goes on, for long enough to receive its token.
    still.block_on(async {
        sleep(20 * SECOND).await;
        list(&upvest).await.unwrap();
    });
    let seen = api.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.header("authorization"), "Bearer token-1");
}

#[test]
fn calls_on_many_runtimes_at_once_share_one_token() {
    let api = api(usize::MAX);
    let upvest = api.client();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for _ in 0..20 {
                    runtime().block_on(list(&upvest)).unwrap();
                }
            });
        }
    });
    // A runtime may end while it requests the token for others.
    assert!(api.token_calls() <= 20, "{}", api.token_calls());
}
