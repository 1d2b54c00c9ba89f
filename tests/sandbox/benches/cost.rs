//! The cost of a sandbox: its start, its requests, and its memory.

use std::convert::Infallible;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use upvest_ext::Upvest;
use upvest_ext::api::types::{OrderCreate, OrderSide, OrderType};
use upvest_sandbox::{Command, Sandbox, SandboxBuilder};
use uuid::Uuid;

const CONNECTIONS: usize = 32;
const REQUESTS: usize = 100_000;
const ORDERS: usize = 1_000_000;

#[tokio::main]
async fn main() {
    start().await;
    if std::env::args().any(|argument| argument == "--memory") {
        memory().await;
    } else {
        println!("memory: run with `-- --memory`; it takes minutes");
    }
    // These come last, as they may miss their limits.
    throughput().await;
    signed_orders().await;
}

async fn start() {
    let vendored = Start {
        builder: Sandbox::builder,
        of: "the vendored description",
        limit: Duration::from_millis(50),
    };
    vendored.measure().await;
    let official = Start {
        builder: official,
        of: "the official description with overlay and lifecycles",
        limit: Duration::from_millis(150),
    };
    official.measure().await;
}

struct Start {
    builder: fn() -> SandboxBuilder,
    of: &'static str,
    limit: Duration,
}

impl Start {
    async fn measure(&self) {
        let mut times = Vec::new();
        for _ in 0..21 {
            let began = Instant::now();
            let sandbox = (self.builder)().start().await.expect("a port is free");
            times.push(began.elapsed());
            sandbox.stop().await.expect("it saves nothing");
        }
        let first = times.remove(0);
        times.sort();
        println!(
            "start with {}: {first:?} the first time in a process, {:?} after that (promised: under {:?})",
            self.of, times[10], self.limit
        );
        assert!(first < self.limit, "the first start took {first:?}");
    }
}

/// A sandbox for the official description.
fn official() -> SandboxBuilder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Sandbox::builder()
        .description(root.join("../fixtures/official/official-1.9.0.json"))
        .overlay(root.join("../../spec/official-overlay.yaml"))
        .lifecycles(root.join("lifecycles/official.yaml"))
}

async fn throughput() {
    let sandbox = Sandbox::builder()
        .plain_http()
        .start()
        .await
        .expect("a port is free");
    let token = token(&sandbox).await;
    let request = format!(
        "GET /instruments?limit=20 HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let (mut stream, mut buffer) = connect(sandbox.address().port()).await;
    let body = exchange(&mut stream, &mut buffer, request.as_bytes()).await;
    let bare = bare_server(body.into()).await;
    // Alternating, so that other load on the machine affects both.
    let mut shares = Vec::new();
    for _ in 0..7 {
        let bare_rate = rate(bare, &request).await;
        let ours = rate(sandbox.address().port(), &request).await;
        println!(
            "GET /instruments?limit=20: {ours:.0} requests/s, a bare server with the same bytes {bare_rate:.0}"
        );
        shares.push(ours / bare_rate);
    }
    shares.sort_by(f64::total_cmp);
    println!(
        "in the middle {:.2} of the bare server (promised: at least half)",
        shares[3]
    );
    assert!(shares[3] >= 0.5, "{shares:?}");
}

/// A minimal server that answers every request with `body`.
async fn bare_server(body: Bytes) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let body = body.clone();
            let service = service_fn(move |_| {
                let response = http::Response::new(Full::new(body.clone()));
                async { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
async fn rate(port: u16, request: &str) -> f64 {
    let began = Instant::now();
    let workers = (0..CONNECTIONS).map(|_| {
        let request = request.to_owned();
        tokio::spawn(async move {
            let (mut stream, mut buffer) = connect(port).await;
            for _ in 0..REQUESTS / CONNECTIONS {
                exchange(&mut stream, &mut buffer, request.as_bytes()).await;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("a worker does not panic");
    }
    REQUESTS as f64 / began.elapsed().as_secs_f64()
}

/// Places signed orders with the SDK over this many connections.
async fn signed_orders() {
    const ORDERS: usize = 100_000;
    let sandbox = Sandbox::builder()
        .log_limit(1000)
        .event_limit(1000)
        .start()
        .await
        .expect("a port is free");
    let account = sandbox
        .open_account("999999999.00")
        .await
        .expect("an account");
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let took = stream::iter(0..ORDERS).map(|_| async {
        let order = OrderCreate::builder()
            .account_id(account)
            .instrument_id(Sandbox::instrument("IE0032077012"))
            .side(OrderSide::Buy)
            .type_(OrderType::Market)
            .cash_amount("100.00");
        let began = Instant::now();
        upvest
            .create_order()
            .body(order)
            .send()
            .await
            .expect("an order");
        began.elapsed()
    });
    let began = Instant::now();
    let mut took: Vec<_> = took.buffer_unordered(64).collect().await;
    took.sort();
    let p50 = took[ORDERS / 2];
    let p99 = took[ORDERS / 100 * 99];
    println!(
        "{ORDERS} signed orders in {:.1?}: p50 {p50:.1?}, p99 {p99:.1?}, {:.1} times that (promised: under 4)",
        began.elapsed(),
        p99.as_secs_f64() / p50.as_secs_f64()
    );
    assert!(p99 < p50 * 4, "p99 {p99:?}, p50 {p50:?}");
}

/// A million orders with their idempotency keys, placed over HTTP, then filled.
async fn memory() {
    let sandbox = Sandbox::builder()
        .plain_http()
        .log_limit(1000)
        .start()
        .await
        .expect("a port is free");
    let account = sandbox
        .open_account("999999999.00")
        .await
        .expect("an account");
    let token = token(&sandbox).await;
    let instrument = Sandbox::instrument("IE0032077012");
    let port = sandbox.address().port();
    let before = resident();
    let began = Instant::now();
    let workers = (0..CONNECTIONS).map(|_| {
        let token = token.clone();
        tokio::spawn(async move {
            let (mut stream, mut buffer) = connect(port).await;
            let body = format!(
                r#"{{"account_id":"{account}","instrument_id":"{instrument}","side":"BUY","type":"MARKET","cash_amount":"100.00","currency":"EUR"}}"#
            );
            for _ in 0..ORDERS / CONNECTIONS {
                let request = format!(
                    "POST /orders HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\nidempotency-key: {}\r\ncontent-length: {}\r\n\r\n{body}",
                    Uuid::new_v4(),
                    body.len()
                );
                exchange(&mut stream, &mut buffer, request.as_bytes()).await;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("a worker does not panic");
    }
    println!(
        "{ORDERS} orders placed in {:.1?}: {} MiB more",
        began.elapsed(),
        resident() - before
    );
    let began = Instant::now();
    sandbox.advance(Duration::from_secs(2)).await;
    println!(
        "all of them filled in {:.1?}: {} MiB in all (promised: under 800)",
        began.elapsed(),
        resident()
    );
    assert!(resident() < 800, "the orders take {} MiB", resident());
    filtered(port, &token, &account.to_string()).await;
    assert!(sandbox.audit().is_empty(), "the books add up");
}

/// Lists orders by account and status, among a million orders.
async fn filtered(port: u16, token: &str, account: &str) {
    const TIMES: u32 = 1_000;
    let (mut stream, mut buffer) = connect(port).await;
    let last = ORDERS - 20;
    for query in [
        format!("account_id={account}"),
        format!("account_id={account}&offset={last}"),
        "status=FILLED".to_owned(),
        format!("account_id={account}&status=FILLED&offset={last}"),
        format!("account_id={}", Uuid::new_v4()),
    ] {
        let request = format!(
            "GET /orders?{query} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let began = Instant::now();
        for _ in 0..TIMES {
            exchange(&mut stream, &mut buffer, request.as_bytes()).await;
        }
        let each = began.elapsed() / TIMES;
        println!("GET /orders?{query}: {each:?} (promised: under 0.5 ms)");
        assert!(each < Duration::from_micros(500), "{query} takes {each:?}");
    }
}

async fn token(sandbox: &Sandbox) -> String {
    let response = sandbox.execute(Command::IssueToken).await.expect("a token");
    response["access_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn connect(port: u16) -> (TcpStream, Vec<u8>) {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the server listens");
    stream.set_nodelay(true).expect("a socket option");
    (stream, vec![0; 1 << 16])
}

/// Sends a request and reads its response, which fits the buffer. Returns the body.
async fn exchange(stream: &mut TcpStream, buffer: &mut [u8], request: &[u8]) -> Vec<u8> {
    stream.write_all(request).await.expect("the server reads");
    let mut filled = 0;
    loop {
        let read = stream
            .read(&mut buffer[filled..])
            .await
            .expect("the server answers");
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let text = &buffer[..filled];
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&text[..end]).expect("a head is text");
        assert!(head.starts_with("HTTP/1.1 20"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length
            .and_then(|length| length.parse().ok())
            .expect("a response has a length");
        if filled >= end + 4 + length {
            return text[end + 4..].to_vec();
        }
    }
}

/// The memory of this process, including the connections of the client.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}
