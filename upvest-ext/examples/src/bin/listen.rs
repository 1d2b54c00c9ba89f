//! A local endpoint that verifies webhook deliveries and prints their events: `cargo example listen`.
//!
//! The settings come from the environment, as for `Upvest::from_env`. It accepts any path. Upvest needs a tunnel to
//! this machine; a local sandbox delivers to it directly.

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use clap::Parser;
use upvest_ext::Upvest;
use upvest_ext::webhooks::{Event, VerifyError, WebhookVerifier};

/// Verifies deliveries and prints their events.
#[derive(Clone, Copy, Parser)]
struct Flags {
    /// Port on 127.0.0.1; 0 for a free one.
    #[arg(long, default_value_t = 8089)]
    port: u16,
    /// Print the JSON of each event, which contains personal data.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    let verifier = WebhookVerifier::fetching(&Upvest::from_env()?);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).await?;
    println!("verifies deliveries to http://{}", listener.local_addr()?);
    let response = async move |request: Request| match receive(&verifier, request, flags).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            println!("rejected with {}: {error}", error.status());
            error.status()
        }
    };
    axum::serve(listener, Router::new().fallback(response)).await?;
    Ok(())
}

async fn receive(
    verifier: &WebhookVerifier,
    request: Request,
    flags: Flags,
) -> Result<(), VerifyError> {
    let delivery = verifier.read_delivery(request).await?;
    for event in verifier.verify(&delivery).await? {
        match event {
            Ok(event) if flags.json => println!("{}", String::from_utf8_lossy(event.json())),
            Ok(event) => println!("{}", summary(&event)),
            // Upvest would send it forever if it were rejected.
            Err(undecodable) => println!("{}: {undecodable}", undecodable.key()),
        }
    }
    Ok(())
}

/// A line without personal data.
fn summary(event: &Event) -> String {
    let time = event.created_at.map(|time| time.to_rfc3339());
    let time = time.unwrap_or_else(|| "without a time".to_owned());
    format!("{time} {} {}", event.event_type, event.id)
}
