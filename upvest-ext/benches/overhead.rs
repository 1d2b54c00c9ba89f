//! What a warm call costs over `reqwest` and `serde_json` alone: the same body to the same server, one after the other.
//!
//! `cargo bench -p upvest-ext --bench overhead`. Fails if the difference of the medians is over 20 microseconds.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use upvest_ext::api::types::Order;
use upvest_ext::{Environment, Upvest};

const LIMIT: Duration = Duration::from_micros(20);
const ROUNDS: usize = 20_000;
const WARM_UP: usize = 2_000;

const ORDER: &str = r#"{"id":"5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11","account_id":"6e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11","user_id":"7e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11","instrument_id":"8e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11","side":"BUY","type":"MARKET","status":"NEW","cash_amount":"100.00","currency":"EUR","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}"#;

const TOKEN: &str =
    r#"{"access_token":"a-token","expires_in":86400,"token_type":"bearer","scope":"orders:read"}"#;

fn main() -> ExitCode {
    let address = serve();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (mut bare, mut ours) = runtime.block_on(measure(address));
    let bare = median(&mut bare);
    let ours = median(&mut ours);
    let overhead = ours.saturating_sub(bare);
    println!("bare reqwest and serde_json: {bare:?}");
    println!("Upvest, warm and unsigned:   {ours:?}");
    println!(
        "overhead: {overhead:?}, at most {LIMIT:?} allowed (medians of {ROUNDS} calls each, taken in turn)"
    );
    if overhead <= LIMIT {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn measure(server: std::net::SocketAddr) -> (Vec<Duration>, Vec<Duration>) {
    let url = format!("http://{server}");
    let http = reqwest::Client::new();
    let client = Upvest::builder(Environment::Custom(url.parse().unwrap()))
        .credentials("0b8f1c5e-6f0a-4b7d-9c3e-2a4d5e6f7081", "secret")
        .build()
        .unwrap();
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let mut bare = Vec::with_capacity(ROUNDS);
    let mut ours = Vec::with_capacity(ROUNDS);
    for round in 0..WARM_UP + ROUNDS {
        let started = Instant::now();
        let response = http
            .get(format!("{url}/orders/{id}"))
            .header("accept", "application/json")
            .header("authorization", "Bearer a-token")
            .send()
            .await
            .unwrap();
        let body = response.bytes().await.unwrap();
        black_box(serde_json::from_slice::<Order>(&body).unwrap());
        let one = started.elapsed();

        let started = Instant::now();
        black_box(
            client
                .retrieve_order()
                .order_id(id)
                .send()
                .await
                .unwrap()
                .into_inner(),
        );
        let two = started.elapsed();
        if round >= WARM_UP {
            bare.push(one);
            ours.push(two);
        }
    }
    (bare, ours)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A server on a thread of its own that answers every request alike, as fast as it can.
fn serve() -> std::net::SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(answer(stream));
            }
        });
    });
    receive.recv().unwrap()
}

async fn answer(mut stream: TcpStream) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        let body = if buffer.starts_with(b"POST /auth/token") {
            TOKEN
        } else {
            ORDER
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}
