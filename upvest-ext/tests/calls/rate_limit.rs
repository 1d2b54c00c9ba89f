//! The rate limit.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{FakeApi, Fixed, Reply};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::{Instant, advance, sleep, timeout};
use upvest_ext::RateLimit;
use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{BoxFuture, CallOptions, ErrorKind};
use upvest_ext::{Clock as _, TokioClock};

const LIMIT: usize = 300;
/// Makes `calls`, at most `limit` at a time. Returns how many succeeded and how many failed.
async fn at_a_time<F: Future<Output = Result<R, E>>, R, E>(
    limit: usize,
    calls: usize,
    call: impl Fn() -> F,
) -> (usize, usize) {
    let results = stream::iter(0..calls)
        .map(|_| call())
        .buffer_unordered(limit);
    results
        .fold((0, 0), async |(ok, failed), result| {
            if result.is_ok() {
                (ok + 1, failed)
            } else {
                (ok, failed + 1)
            }
        })
        .await
}

const SECOND: Duration = Duration::from_secs(1);

/// A server that allows 300 requests per second of a clock.
#[derive(Debug, Default)]
struct Window {
    started: Option<Instant>,
    taken: usize,
    refused: usize,
    accepted: usize,
}

impl Window {
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let started = *self.started.get_or_insert(now);
        let passed = now.duration_since(started).as_secs();
        if passed > 0 {
            self.started = Some(started + Duration::from_secs(passed));
            self.taken = 0;
        }
        self.taken += 1;
        let takes = self.taken <= LIMIT;
        *if takes {
            &mut self.accepted
        } else {
            &mut self.refused
        } += 1;
        takes
    }
}

#[tokio::test(start_paused = true)]
async fn eight_workers_use_nine_tenths_of_a_limit_and_are_hardly_ever_refused() {
    let window = Arc::new(Mutex::new(Window::default()));
    let server = Arc::clone(&window);
    let api = FakeApi::new(move |_, _| {
        let reply = if server.lock().unwrap().take() {
            Reply::empty_list()
        } else {
            Reply::status(429)
        };
        reply.after(Duration::from_millis(15))
    });
    let limit = RateLimit::adaptive();
    let upvest = api
        .builder()
        .random(Fixed(u64::MAX / 2))
        .rate_limit(limit.clone())
        .build()
        .unwrap();
    let started = Instant::now();
    let outcome = at_a_time(8, 60 * LIMIT, || upvest.list_orders().send()).await;
    assert_eq!(outcome, (60 * LIMIT, 0));
    let elapsed = started.elapsed().as_secs_f64();
    let window = window.lock().unwrap();
    let (accepted, refused) = (as_f64(window.accepted), as_f64(window.refused));
    let share = refused / (accepted + refused);
    let used = accepted / elapsed / as_f64(LIMIT);
    println!(
        "{:.2} % refused, {:.1} % of the limit used in {elapsed:.1} s, {limit:?}",
        share * 100.0,
        used * 100.0
    );
    assert!(share < 0.01, "{refused} of {accepted}");
    assert!(used >= 0.9, "{used}");
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_given_is_not_exceeded() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .rate_limit(RateLimit::at_most(20))
        .build()
        .unwrap();
    let started = Instant::now();
    at_a_time(8, 100, || upvest.list_orders().send()).await;
    // The first is sent immediately, the other 99 at intervals of 50 ms.
    let elapsed = started.elapsed();
    assert!((4940..5000).contains(&elapsed.as_millis()), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn twice_the_load_that_a_limit_allows_is_half_of_it_sent_and_the_rest_refused_at_once() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .rate_limit(RateLimit::at_most(10))
        .build()
        .unwrap();
    let hasty = upvest.with(CallOptions::new().call_timeout(2 * SECOND));
    let tasks: Vec<_> = (0..1200)
        .map(|number| {
            let hasty = hasty.clone();
            tokio::spawn(async move {
                sleep(number * SECOND / 20).await;
                let started = Instant::now();
                (hasty.list_orders().send().await, started.elapsed())
            })
        })
        .collect();
    let (mut sent, mut refused) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            (Ok(_), elapsed) => {
                sent += 1;
                assert!(elapsed < 2 * SECOND);
            }
            (Err(error), elapsed) => {
                refused += 1;
                assert_eq!(
                    (error.kind(), elapsed),
                    (ErrorKind::RateLimited, Duration::ZERO),
                    "{error}"
                );
                assert!(error.is_transient() && !error.is_outcome_unknown());
            }
        }
    }
    assert!(
        (600..=620).contains(&sent),
        "{sent} sent in 60 s, {refused} refused"
    );
    assert_eq!(sent, api.api_calls());
    let started = Instant::now();
    upvest.list_orders().send().await.unwrap();
    assert!(
        started.elapsed() <= 2 * SECOND,
        "a single later call waited {:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_dropped_gives_its_place_back() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api
        .builder()
        .rate_limit(RateLimit::at_most(10))
        .build()
        .unwrap();
    let started = Instant::now();
    let waiting = join_all((0..500).map(|_| upvest.list_orders().send()));
    timeout(SECOND * 95 / 100, waiting).await.unwrap_err();
    assert_eq!(api.api_calls(), 10);
    upvest.list_orders().send().await.unwrap();
    assert_eq!(started.elapsed(), SECOND, "the place after the ten");

    // The one in the middle is dropped, so that the later ones move up.
    let stays = upvest.list_orders().send();
    let leaves = timeout(SECOND / 20, upvest.list_orders().send());
    let behind = async {
        upvest.list_orders().send().await.unwrap();
        started.elapsed()
    };
    let (stayed, left, arrived) = tokio::join!(stays, leaves, behind);
    assert!(stayed.is_ok() && left.is_err());
    assert_eq!(arrived, SECOND + SECOND / 5);
}

#[tokio::test(start_paused = true)]
async fn a_learned_rate_grows_only_while_it_is_used_and_never_beyond_its_ceiling() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    for (limit, ceiling) in [
        (RateLimit::adaptive(), 1000.0),
        (RateLimit::at_most(200), 200.0),
    ] {
        let upvest = api.builder().rate_limit(limit.clone()).build().unwrap();
        let rate = || limit.per_second().unwrap_or_default();
        upvest.list_orders().send().await.unwrap();
        let start = rate();
        advance(300 * SECOND).await;
        upvest.list_orders().send().await.unwrap();
        // One call per second is far below the limit of 50.
        for _ in 0..60 {
            upvest.list_orders().send().await.unwrap();
            sleep(SECOND).await;
        }
        assert!(rate() < start + 1.0, "{limit:?}");
        at_a_time(64, 10_000, || upvest.list_orders().send()).await;
        assert!((rate() - ceiling).abs() < 0.001, "{limit:?}");
    }
}

/// Records the time of each signature.
#[derive(Clone, Debug, Default)]
struct Signing(Arc<Mutex<Vec<std::time::Instant>>>);

impl SignRequest for Signing {
    fn sign<'a>(
        &'a self,
        _: &'a mut http::Request<bytes::Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        self.0.lock().unwrap().push(TokioClock.now());
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_turn_before_it_is_signed() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let signing = Signing::default();
    let upvest = api
        .builder()
        .signer(signing.clone())
        .rate_limit(RateLimit::at_most(1))
        .build()
        .unwrap();
    for _ in 0..3 {
        upvest.list_orders().send().await.unwrap();
    }
    let sent: Vec<_> = api
        .seen_tokens()
        .into_iter()
        .chain(api.seen())
        .map(|seen| seen.at)
        .collect();
    assert_eq!(*signing.0.lock().unwrap(), sent);
    assert_eq!(sent[3] - sent[2], SECOND);
}
