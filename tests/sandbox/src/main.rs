//! `upvest-sandbox`: the sandbox as a program.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Parser;
use serde_json::json;
use upvest_sandbox::{Command, PayloadShape, Sandbox, SandboxBuilder};
use upvest_signing::SignatureVersion;

/// A local server with the whole Investment API of Upvest, with simulated money and faults on demand.
#[derive(Parser)]
#[command(version, args_override_self = true)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent flags")]
struct Flags {
    /// Address to listen on. 0.0.0.0 allows other machines and containers.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Further host name for the control API, such as that of a container; `*` for any. Repeatable.
    #[arg(long, value_name = "NAME")]
    allow_control_from: Vec<String>,
    /// Further host, address or network for deliveries, such as 172.16.0.0/12; `*` for any. Repeatable.
    #[arg(long, value_name = "HOST")]
    webhook_hosts: Vec<String>,
    /// Origin whose web pages may call the API. Repeatable.
    #[arg(long, value_name = "ORIGIN")]
    cors: Vec<String>,
    /// Initial time of the clock, in RFC 3339; by default the machine's time.
    #[arg(long, value_name = "TIME")]
    start_at: Option<DateTime<Utc>>,
    /// Lifetime of an access token, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    token_lifetime: u64,
    /// Scope that the client may request; by default all. Repeatable.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Port; 0 for a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// OpenAPI description of another API to serve, in YAML or JSON.
    #[arg(long, value_name = "FILE")]
    description: Option<PathBuf>,
    /// OpenAPI overlay to merge into the description.
    #[arg(long, value_name = "FILE", requires = "description")]
    overlay: Option<PathBuf>,
    /// Changes of status that the resources of the description make by themselves.
    #[arg(long, value_name = "FILE", requires = "description")]
    lifecycles: Option<PathBuf>,
    /// Another client with its own state. Repeatable.
    #[arg(long, value_name = "ID:SECRET", value_parser = client)]
    client: Vec<(String, String)>,
    /// Seed for ids, tokens, random prices and random faults.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Speed of the clock; 1 is real time, 0 stands still.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Require no signature, client id or idempotency key, for curl and fuzzers.
    #[arg(long)]
    no_signatures: bool,
    /// Whether requests need the header `upvest-client-id`. Default: true, or false with `--no-signatures`.
    #[arg(long, value_name = "BOOL")]
    client_ids: Option<bool>,
    /// Whether operations that support an idempotency key require one. Default: true, or false with `--no-signatures`.
    #[arg(long, value_name = "BOOL")]
    idempotency_keys: Option<bool>,
    /// Number of events in the log.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    event_limit: usize,
    /// Number of requests, and of deliveries, in their logs.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    log_limit: usize,
    /// Whether signatures must cover all required components and be made by keys that Upvest accepts.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    strict_signatures: bool,
    /// Endpoint on this machine that gets all events.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Maximum of requests per second. Further ones are answered with 429.
    #[arg(long, value_name = "REQUESTS")]
    throttle: Option<u32>,
    /// Deliver events with references to resources instead of the resources.
    #[arg(long)]
    webhook_references: bool,
    /// Sign deliveries in version 15 instead of 6.
    #[arg(long)]
    webhook_signatures_v15: bool,
    /// Start with the state in this file, which `--save` has written.
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Save the state in this file at the end, and by `POST /_sandbox/save`.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed: &f64| (0.0..=1_000_000.0).contains(speed));
    speed.ok_or_else(|| "a number from 0 to 1000000".to_owned())
}

fn client(text: &str) -> Result<(String, String), String> {
    let (id, secret) = text.split_once(':').ok_or("an id, a colon and a secret")?;
    Ok((id.to_owned(), secret.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn std::error::Error>> {
    let lifetime = Duration::from_secs(flags.token_lifetime);
    let builder = Sandbox::builder()
        .host(flags.host)
        .port(flags.port)
        .seed(flags.seed)
        .speed(flags.speed);
    let builder = flags
        .allow_control_from
        .into_iter()
        .fold(builder, SandboxBuilder::allow_control_from);
    let builder = flags
        .webhook_hosts
        .into_iter()
        .fold(builder, SandboxBuilder::webhook_host);
    let mut builder = flags.cors.into_iter().fold(
        builder
            .token_lifetime(lifetime)
            .strict_signatures(flags.strict_signatures),
        SandboxBuilder::cors,
    );
    builder = builder
        .event_limit(flags.event_limit)
        .log_limit(flags.log_limit);
    builder = flags
        .client
        .into_iter()
        .fold(builder, |builder, (id, secret)| builder.client(id, secret));
    if let Some(time) = flags.start_at {
        builder = builder.start_at(time);
    }
    if !flags.scope.is_empty() {
        builder = builder.granted_scopes(flags.scope);
    }
    if flags.no_signatures {
        builder = builder.plain_http();
    }
    if let Some(required) = flags.client_ids {
        builder = builder.client_ids(required);
    }
    if let Some(required) = flags.idempotency_keys {
        builder = builder.idempotency_keys(required);
    }
    if let Some(limit) = flags.throttle {
        builder = builder.throttle(limit);
    }
    if flags.webhook_references {
        builder = builder.payload_shape(PayloadShape::Reference);
    }
    if flags.webhook_signatures_v15 {
        builder = builder.webhook_signatures(SignatureVersion::V15);
    }
    if let Some(path) = flags.load {
        builder = builder.load(path);
    }
    if let Some(path) = &flags.save {
        builder = builder.save(path);
    }
    let is_described = flags.description.is_some();
    if let Some(path) = flags.description {
        builder = builder.description(path);
    }
    if let Some(path) = flags.overlay {
        builder = builder.overlay(path);
    }
    if let Some(path) = flags.lifecycles {
        builder = builder.lifecycles(path);
    }
    if let Some(url) = flags.webhook_url {
        builder = builder.webhook_url(url);
    }
    let sandbox = builder.start().await?;
    introduce(&sandbox, flags.no_signatures, is_described).await?;
    until_told_to_stop().await?;
    sandbox.stop().await?;
    if let Some(path) = &flags.save {
        println!("The state is in {}.", path.display());
    }
    Ok(())
}

/// Prints how to use the sandbox.
async fn introduce(
    sandbox: &Sandbox,
    plain: bool,
    is_described: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let url = sandbox.url();
    println!("A local Upvest listens on {url}; its status page is {url}/\n");
    println!("export UPVEST_ENVIRONMENT={url}");
    println!("export UPVEST_CLIENT_ID={}", sandbox.client_id());
    println!("export UPVEST_CLIENT_SECRET={}", sandbox.client_secret());
    println!("export UPVEST_SIGNING_KEY_ID={}", sandbox.key_id());
    println!("export UPVEST_SIGNING_KEY=\"$(curl -s {url}/_sandbox/signing-key.pem)\"\n");
    if !is_described {
        println!("account group: {}", sandbox.account_group());
    }
    if plain {
        let token = sandbox.execute(Command::IssueToken).await?;
        let token = token["access_token"].as_str().unwrap_or_default();
        println!("access token:  {token}\n");
        let path = if is_described {
            "/_sandbox/openapi.json"
        } else {
            "/instruments?limit=2"
        };
        println!("curl -H 'authorization: Bearer {token}' {url}{path}");
    } else {
        let fields = json!({ "seconds": 3600 });
        println!(
            "\ncurl -X POST -H 'content-type: application/json' -d '{fields}' {url}/_sandbox/advance"
        );
        println!("(API calls must be signed; with --no-signatures curl can make them)");
    }
    Ok(())
}

/// Waits for Ctrl-C or the signal of a service manager.
async fn until_told_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
