//! Many calls at a time.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{FakeApi, Fixed, Reply};
use futures_util::stream;
use tokio::time::Instant;
use upvest_ext::bulk::{RateLimit, for_each_concurrent};
use upvest_ext::clock::{Clock as _, TokioClock};
use upvest_ext::sign_request::{SignFuture, SignRequest};

const LIMIT: usize = 300;
const SECOND: Duration = Duration::from_secs(1);

/// 300 requests in each second of a clock, the rest refused.
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
        *if takes { &mut self.accepted } else { &mut self.refused } += 1;
        takes
    }
}

#[tokio::test(start_paused = true)]
async fn eight_workers_use_nine_tenths_of_a_limit_and_are_hardly_ever_refused() {
    let window = Arc::new(Mutex::new(Window::default()));
    let server = Arc::clone(&window);
    let api = FakeApi::new(move |_, _| {
        let reply = if server.lock().unwrap().take() { Reply::empty_list() } else { Reply::status(429) };
        reply.after(Duration::from_millis(15))
    });
    let limit = RateLimit::adaptive();
    let upvest = api.builder().random(Fixed(u64::MAX / 2)).rate_limit(limit.clone()).build().unwrap();
    let started = Instant::now();
    let outcome = for_each_concurrent(stream::iter(0..60 * LIMIT), 8, async |_| {
        upvest.list_orders().send().await.map(drop)
    })
    .await;
    assert_eq!((outcome.succeeded, outcome.failed.len()), (60 * LIMIT, 0));
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
    let upvest = api.builder().rate_limit(RateLimit::at_most(20)).build().unwrap();
    let started = Instant::now();
    for_each_concurrent(stream::iter(0..100), 8, async |_| upvest.list_orders().send().await).await;
    // The first goes at once, the other 99 at intervals of 50 ms.
    let elapsed = started.elapsed();
    assert!((4940..5000).contains(&elapsed.as_millis()), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_run_at_a_time_than_the_bound_and_failures_stop_none() {
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcome = for_each_concurrent(stream::iter(0..50), 8, async |number| {
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(SECOND * (50 - number)).await;
        running.fetch_sub(1, Ordering::SeqCst);
        if number % 10 == 3 { Err(number) } else { Ok(()) }
    })
    .await;
    assert_eq!(most.load(Ordering::SeqCst), 8);
    assert_eq!(outcome.succeeded, 45);
    assert_eq!(outcome.failed, [(3, 3), (13, 13), (23, 23), (33, 33), (43, 43)]);
}

/// Notes when it signs.
#[derive(Clone, Debug, Default)]
struct Signing(Arc<Mutex<Vec<std::time::Instant>>>);

impl SignRequest for Signing {
    fn sign<'a>(&'a self, _: &'a mut http::Request<bytes::Bytes>) -> SignFuture<'a> {
        self.0.lock().unwrap().push(TokioClock.now());
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_turn_before_it_is_signed() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let signing = Signing::default();
    let upvest = api.builder().signer(signing.clone()).rate_limit(RateLimit::at_most(1)).build().unwrap();
    for _ in 0..3 {
        upvest.list_orders().send().await.unwrap();
    }
    let sent: Vec<_> = api.seen_tokens().into_iter().chain(api.seen()).map(|seen| seen.at).collect();
    assert_eq!(*signing.0.lock().unwrap(), sent);
    assert_eq!(sent[3] - sent[2], SECOND);
}
