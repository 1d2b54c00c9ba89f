//! Three processes that share an access token and a rate limit, and handle each webhook event once, through Redis.
//!
//! `cargo run -p upvest-tests --example many_replicas` starts a local Upvest, a Redis server (or takes that of `REDIS_URL`), and
//! itself three times as a replica.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use upvest_ext::UpvestBuilder;
use upvest_ext::stores::Redis;
use upvest_ext::webhooks::{KeySet, WebhookHandler, WebhookTester, WebhookVerifier};
use upvest_sandbox::Sandbox;
use upvest_tests::servers::Server;

/// The limit on requests per second of all replicas together.
const PER_SECOND: u32 = 100;
const REPLICAS: u32 = 3;
const CALLS: usize = 50;

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::args().nth(1) {
        Some(jwks) => replica(&jwks).await,
        None => service().await,
    }
}

/// The code of your service. All settings are in the environment: `UPVEST_*` and `REDIS_URL`.
async fn replica(jwks: &str) -> Result<()> {
    let redis = Redis::open(std::env::var("REDIS_URL")?)?.prefix("my-service:");
    let secret = std::env::var("UPVEST_CLIENT_SECRET")?;
    let upvest = UpvestBuilder::from_env()?
        .token_store(Arc::new(redis.token_store(secret)))
        .rate_limit(redis.rate_limit("example", PER_SECOND, REPLICAS))
        .build()?;
    let handler = WebhookHandler::new(WebhookVerifier::new(KeySet::from_json(jwks)?))
        .otherwise(async |event| {
            println!("handled {}", event.id);
            Ok(())
        })
        .dedup_store(redis.dedup_store());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let app = axum::Router::new().route("/webhooks", upvest_ext::webhooks::axum::route(handler));
    tokio::spawn(async move { axum::serve(listener, app).await });
    for _ in 0..CALLS {
        upvest.list_orders().send().await?;
    }
    println!("called");
    let _: () = std::future::pending().await;
    Ok(())
}

/// The environment of the replicas: Upvest, Redis, and a load balancer for deliveries.
async fn service() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let server = if std::env::var_os("REDIS_URL").is_some() {
        None
    } else {
        Server::redis()?
    };
    let redis_url = match &server {
        Some(server) => server.url(),
        None => std::env::var("REDIS_URL").context("there is no Redis server: set REDIS_URL")?,
    };
    let tester = WebhookTester::new()?;
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(start(&sandbox, &redis_url, &tester)?);
    }
    let mut ports = Vec::new();
    for (_, output) in &mut replicas {
        ports.push(output.next_line().await?.context("a replica has ended")?);
        ensure!(output.next_line().await?.as_deref() == Some("called"));
    }
    let token_requests = sandbox
        .requests()
        .iter()
        .filter(|request| request.path == "/auth/token")
        .count();
    println!("{REPLICAS} replicas made {CALLS} calls each with {token_requests} token request");

    // Upvest may deliver an event more than once. Here every replica gets it.
    let http = reqwest::Client::builder().no_proxy().build()?;
    for _ in 0..10 {
        let event = WebhookTester::event(
            "ORDER.FILLED",
            serde_json::json!({"id": uuid::Uuid::new_v4()}),
        );
        let delivery = tester.deliver("/webhooks", &[event]);
        for port in &ports {
            let request = http
                .post(format!("http://127.0.0.1:{port}/webhooks"))
                .headers(delivery.headers.clone());
            request
                .body(delivery.body.clone())
                .send()
                .await?
                .error_for_status()?;
        }
    }
    let mut handled = 0;
    for (mut process, mut output) in replicas {
        process.kill().await?;
        while let Some(line) = output.next_line().await? {
            handled += usize::from(line.starts_with("handled"));
        }
    }
    println!("10 events, each delivered to all of them, were handled {handled} times");
    ensure!((token_requests, handled) == (1, 10));
    Ok(())
}

fn start(
    sandbox: &Sandbox,
    redis: &str,
    tester: &WebhookTester,
) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut process = Command::new(std::env::current_exe()?)
        .arg(tester.key_set().to_json())
        .env("UPVEST_ENVIRONMENT", sandbox.url())
        .env("UPVEST_CLIENT_ID", sandbox.client_id())
        .env("UPVEST_CLIENT_SECRET", sandbox.client_secret())
        .env("UPVEST_SIGNING_KEY_ID", sandbox.key_id())
        .env("UPVEST_SIGNING_KEY", sandbox.signing_key_pem())
        .env("REDIS_URL", redis)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = process.stdout.take().context("its output")?;
    Ok((process, BufReader::new(output).lines()))
}
