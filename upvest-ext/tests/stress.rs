//! Everything at once: 200 tasks against a server that fails every third request, with tokens that live for seconds and
//! are revoked, a signer that sometimes hangs, calls that are dropped, and a rate limit.
//!
//! A minute by default; for longer, `UPVEST_STRESS_SECONDS=600 cargo test -p upvest-ext --test stress -- --nocapture`.
//! The seed of the random numbers is `UPVEST_STRESS_SEED`.

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use upvest_ext::signing::{KeyAlgorithm, RequestSigner, SigningKey};
use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{
    Backoff, BoxFuture, CallOptions, Environment, Error, ErrorKind, IdempotencyKey, RetryBudget,
    RetryPolicy, Upvest,
};

const TASKS: usize = 200;
/// The rate limit of the server, as in Upvest's sandbox.
const REQUESTS_PER_SECOND: usize = 300;
const TOKEN_LIFE: u64 = 4;
const ATTEMPT: Duration = Duration::from_millis(500);
const CALL: Duration = Duration::from_secs(5);
/// The client's pause after a request for a token that failed: until then, every call without a token fails at once.
const PAUSE_WITHOUT_TOKEN: Duration = Duration::from_secs(2);
/// After this time, a request that the server has delayed has ended.
const FORGOTTEN: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Random(Arc<Mutex<StdRng>>);

impl Random {
    fn chance(&self, probability: f64) -> bool {
        self.0.lock().unwrap().random_bool(probability)
    }

    fn below(&self, limit: u64) -> u64 {
        self.0.lock().unwrap().random_range(0..limit)
    }
}

/// The server. Each order has a different amount, which identifies it.
struct Server {
    random: Random,
    tokens: Mutex<HashMap<String, Instant>>,
    orders: Mutex<HashMap<String, (String, Instant)>>,
    /// A second, and the requests in it.
    window: Mutex<(Instant, usize)>,
    requests: AtomicUsize,
    faults: AtomicUsize,
    throttled: AtomicUsize,
    doubled: AtomicUsize,
    /// The token requests that failed.
    token_faults: AtomicUsize,
}

/// The faults of a request, before and after it is carried out.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    ResetBefore,
    ResetAfter,
    Rejected(u16),
    FailedAfter(u16),
    Late,
}

impl Server {
    fn fault(&self) -> Fault {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if self.is_over_its_limit() {
            self.throttled.fetch_add(1, Ordering::Relaxed);
            return Fault::Rejected(429);
        }
        if !self.random.chance(0.35) {
            return Fault::None;
        }
        self.faults.fetch_add(1, Ordering::Relaxed);
        match self.random.below(9) {
            0 | 1 => Fault::ResetBefore,
            2 | 3 => Fault::ResetAfter,
            4 | 5 => Fault::Rejected(503),
            6 | 7 => Fault::FailedAfter(504),
            _ => Fault::Late,
        }
    }

    fn is_over_its_limit(&self) -> bool {
        let mut window = self.window.lock().unwrap();
        if window.0.elapsed() >= Duration::from_secs(1) {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        window.1 > REQUESTS_PER_SECOND
    }

    fn new_token(&self) -> Value {
        let token = uuid::Uuid::new_v4().to_string();
        let mut tokens = self.tokens.lock().unwrap();
        let now = Instant::now();
        tokens.retain(|_, until| *until > now);
        tokens.insert(token.clone(), now + Duration::from_secs(TOKEN_LIFE));
        json!({ "access_token": token, "expires_in": TOKEN_LIFE })
    }

    fn knows(&self, headers: &axum::http::HeaderMap) -> bool {
        let token = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let tokens = self.tokens.lock().unwrap();
        token
            .and_then(|token| tokens.get(token))
            .is_some_and(|until| *until > Instant::now())
    }

    /// Places the order, once for each key. A second key for the same order is an error of the client.
    fn place(&self, key: &str, body: &[u8]) -> String {
        let order: Value = serde_json::from_slice(body).unwrap();
        let amount = order["cash_amount"].as_str().unwrap().to_owned();
        let mut orders = self.orders.lock().unwrap();
        let (first, _) = orders
            .entry(amount.clone())
            .or_insert_with(|| (key.to_owned(), Instant::now()));
        if first != key {
            self.doubled.fetch_add(1, Ordering::Relaxed);
        }
        common::ORDER.replace("100.00", &amount)
    }

    fn carry_out(
        &self,
        path: &str,
        headers: &axum::http::HeaderMap,
        body: &[u8],
    ) -> (StatusCode, String) {
        match path {
            "/auth/token" => (StatusCode::OK, self.new_token().to_string()),
            _ if !self.knows(headers) => (StatusCode::UNAUTHORIZED, "{}".to_owned()),
            "/orders" if !body.is_empty() => {
                let key = headers["idempotency-key"].to_str().unwrap();
                (StatusCode::CREATED, self.place(key, body))
            }
            _ => (StatusCode::OK, r#"{"data": []}"#.to_owned()),
        }
    }
}

async fn serve(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 1024 * 1024).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let reset = || {
        let broken: [Result<Bytes, std::io::Error>; 1] =
            [Err(std::io::ErrorKind::ConnectionReset.into())];
        Body::from_stream(futures_util::stream::iter(broken)).into_response()
    };
    let fault = server.fault();
    if parts.uri.path() == "/auth/token" && fault != Fault::None {
        server.token_faults.fetch_add(1, Ordering::Relaxed);
    }
    match fault {
        Fault::ResetBefore => return reset(),
        Fault::Rejected(status) => return StatusCode::from_u16(status).unwrap().into_response(),
        Fault::Late => sleep(2 * ATTEMPT).await,
        _ => {}
    }
    let (status, body) = server.carry_out(parts.uri.path(), &parts.headers, &body);
    match fault {
        Fault::ResetAfter => reset(),
        Fault::FailedAfter(status) => StatusCode::from_u16(status).unwrap().into_response(),
        _ => (status, [("content-type", "application/json")], body).into_response(),
    }
}

/// A signer that hangs forever for one request in 200.
#[derive(Clone)]
struct Signer(RequestSigner, Random);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl SignRequest for Signer {
    fn sign<'a>(
        &'a self,
        request: &'a mut http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        if self.1.chance(0.005) {
            return Box::pin(std::future::pending());
        }
        self.0.sign(request)
    }
}

/// The results of the tasks.
#[derive(Default)]
struct Tally {
    next: AtomicU64,
    acknowledged: AtomicUsize,
    dropped: AtomicUsize,
    failed: AtomicUsize,
    lost: AtomicUsize,
    slowest_ms: AtomicU64,
    failures: Mutex<HashMap<String, usize>>,
}

impl Tally {
    /// Records a failure, and waits before the next call if that would fail too, as an application would.
    async fn failed(&self, error: &Error) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:?} {:?}", error.kind(), error.status());
        *self.failures.lock().unwrap().entry(name).or_default() += 1;
        if error.is_rate_limited() {
            sleep(Duration::from_millis(200)).await;
        }
        if error.kind() == ErrorKind::Token {
            sleep(PAUSE_WITHOUT_TOKEN).await;
        }
    }
}

/// Places orders and lists them until the time is over. Failed calls are sent again with the same key, as an
/// application would.
async fn work(upvest: Upvest, server: Arc<Server>, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
    let random = server.random.clone();
    while !stop.load(Ordering::Relaxed) {
        if random.chance(0.3) {
            if let Some(Err(error)) = call(&random, &tally, upvest.list_orders().send()).await {
                tally.failed(&error).await;
            }
            continue;
        }
        let amount = format!("{}.01", tally.next.fetch_add(1, Ordering::Relaxed));
        let key = IdempotencyKey::generate();
        for _ in 0..3 {
            let order = common::order().cash_amount(amount.as_str());
            let call_again = upvest.create_order().idempotency_key(key).body(order);
            match call(&random, &tally, call_again.send()).await {
                Some(Ok(order)) => {
                    assert_eq!(
                        order.cash_amount.unwrap().to_string(),
                        amount,
                        "the response to another call"
                    );
                    tally.acknowledged.fetch_add(1, Ordering::Relaxed);
                    if server.orders.lock().unwrap().remove(&amount).is_none() {
                        tally.lost.fetch_add(1, Ordering::Relaxed);
                    }
                    break;
                }
                Some(Err(error)) => tally.failed(&error).await,
                None => {}
            }
        }
    }
}

/// Awaits a call, or returns `None` after dropping it in the middle, for one call in ten.
async fn call<T>(
    random: &Random,
    tally: &Tally,
    call: impl Future<Output = Result<T, Error>>,
) -> Option<Result<T, Error>> {
    let patience = if random.chance(0.1) {
        Duration::from_millis(random.below(300))
    } else {
        2 * CALL
    };
    let started = Instant::now();
    let result = timeout(patience, call).await.ok();
    let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap();
    tally.slowest_ms.fetch_max(elapsed, Ordering::Relaxed);
    if result.is_none() {
        assert!(patience < CALL, "a call hangs: {elapsed} ms");
        tally.dropped.fetch_add(1, Ordering::Relaxed);
    }
    result
}

fn client(address: std::net::SocketAddr, random: &Random) -> Upvest {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let signer = RequestSigner::new("stress", key).unwrap();
    let backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(200));
    let options = CallOptions::new()
        .attempt_timeout(ATTEMPT)
        .call_timeout(CALL)
        .retry(RetryPolicy::new().max_attempts(8).backoff(backoff));
    Upvest::builder(Environment::Custom(
        format!("http://{address}").parse().unwrap(),
    ))
    .credentials(common::CLIENT_ID, common::CLIENT_SECRET)
    .signer(Signer(signer, random.clone()))
    .defaults(options)
    // A third of the requests fails all the time, for which the default budget is too small.
    .retry_budget(RetryBudget::new(1_000_000))
    .build()
    .unwrap()
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// The memory of the process in KiB, and the number of its open files; 0 if unknown.
fn usage() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    (
        memory.unwrap_or(0),
        std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_faults_revocations_cancellation_and_a_hanging_signer_nothing_hangs_doubles_or_grows()
{
    let seconds = variable("UPVEST_STRESS_SECONDS", 60);
    let seed = variable("UPVEST_STRESS_SEED", 7);
    let (_, files_before) = usage();
    let random = Random(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))));
    let server = Arc::new(Server {
        random: random.clone(),
        tokens: Mutex::default(),
        orders: Mutex::default(),
        window: Mutex::new((Instant::now(), 0)),
        requests: AtomicUsize::new(0),
        throttled: AtomicUsize::new(0),
        faults: AtomicUsize::new(0),
        doubled: AtomicUsize::new(0),
        token_faults: AtomicUsize::new(0),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upvest = client(listener.local_addr().unwrap(), &random);
    let router = Router::new()
        .fallback(serve)
        .with_state(Arc::clone(&server));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let tally = Arc::new(Tally::default());
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            tokio::spawn(work(
                upvest.clone(),
                Arc::clone(&server),
                Arc::clone(&tally),
                Arc::clone(&stop),
            ))
        })
        .collect();

    let mut samples = Vec::new();
    for _ in 0..seconds {
        sleep(Duration::from_secs(1)).await;
        samples.push(usage());
        if random.chance(0.3) {
            server.tokens.lock().unwrap().clear();
        }
        server
            .orders
            .lock()
            .unwrap()
            .retain(|_, (_, placed)| placed.elapsed() < FORGOTTEN);
    }
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        timeout(5 * CALL, task)
            .await
            .expect("a task hangs")
            .unwrap();
    }

    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let requests = count(&server.requests);
    let faults = count(&server.faults);
    let acknowledged = count(&tally.acknowledged);
    let failed = count(&tally.failed);
    let slowest = tally.slowest_ms.load(Ordering::Relaxed);
    println!(
        "seed {seed}, {seconds} s: {requests} requests, {faults} faults, {} throttled, {acknowledged} orders acknowledged, {} calls \
         dropped, {failed} failed {:?}, slowest {slowest} ms",
        count(&server.throttled),
        count(&tally.dropped),
        tally.failures.lock().unwrap(),
    );
    assert_eq!(
        count(&server.doubled),
        0,
        "orders were placed under two keys"
    );
    assert_eq!(
        count(&tally.lost),
        0,
        "orders were acknowledged and are not there"
    );
    assert!(
        slowest < 1000 + u64::try_from(CALL.as_millis()).unwrap(),
        "a call took {slowest} ms"
    );
    // Calls that wait for the end of a pause are sent together, so that many of them are rejected with 429 again.
    let accepted = requests - count(&server.throttled);
    assert!(
        faults * 100 >= accepted * 30,
        "too few faults for the test to mean anything"
    );
    assert!(
        acknowledged > 10 * usize::try_from(seconds).unwrap(),
        "only {acknowledged} orders came through"
    );
    let failures = tally.failures.lock().unwrap().clone();
    let failed_as = |is_counted: fn(&str) -> bool| -> usize {
        let counted = failures.iter().filter(|(name, _)| is_counted(name));
        counted.map(|(_, count)| count).sum()
    };
    // A token request that failed is sent up to twice more, if the retry budget allows it, and then each task fails
    // once.
    let token_faults = count(&server.token_faults);
    let without_token = failed_as(|name| name.starts_with("Token"));
    assert!(
        without_token <= TASKS * token_faults,
        "{without_token} calls got no token after {token_faults} token requests that failed"
    );
    // A call fails with `RateLimited` if the server asks for more pauses than its deadline allows. The tasks ask for
    // more than the server's limit all the time.
    let others = failed_as(|name| !name.starts_with("Token") && !name.starts_with("RateLimited"));
    assert!(others * 5 < acknowledged, "{others} calls failed");
    drop(upvest);
    serving.abort();
    is_flat(&samples);
    let (_, files_after) = usage();
    assert!(
        files_after <= files_before + 2 * TASKS + 50,
        "{files_before} files were open before, {files_after} are now"
    );
}

/// Compares the second quarter of the time, after the warm-up, with the last.
fn is_flat(samples: &[(usize, usize)]) {
    let quarter = samples.len() / 4;
    assert!(quarter > 0, "{} samples are too few", samples.len());
    let warm = &samples[quarter..2 * quarter];
    let last = &samples[3 * quarter..];
    let most_memory = |samples: &[(usize, usize)]| samples.iter().map(|(memory, _)| *memory).max();
    let most_files = |samples: &[(usize, usize)]| samples.iter().map(|(_, files)| *files).max();
    let warm_memory = most_memory(warm).expect("a quarter has samples");
    let last_memory = most_memory(last).expect("a quarter has samples");
    let warm_files = most_files(warm).expect("a quarter has samples");
    let last_files = most_files(last).expect("a quarter has samples");
    let is_known = warm_memory > 0 && warm_files > 0;
    assert!(
        is_known || !cfg!(target_os = "linux"),
        "the usage is unknown"
    );
    println!(
        "memory: {warm_memory} KiB, then {last_memory} KiB; open files: {warm_files}, then {last_files}"
    );
    assert!(
        last_memory <= warm_memory + warm_memory / 4 + 16_384,
        "the memory grows"
    );
    // A task has at most one connection, and both of its ends are open in this process. The server's end of a request
    // that timed out stays open until the server has answered.
    assert!(
        last_files <= warm_files.max(3 * TASKS) + 50,
        "open files pile up"
    );
}
