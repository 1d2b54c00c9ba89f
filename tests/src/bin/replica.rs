//! A replica of a service with an inbox, which the tests start twenty times and kill.
//!
//! `replica URL JWKS` prints its port, and then receives and handles events until it is killed.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use upvest_ext::signing::KeyAlgorithm;
use upvest_ext::webhooks::{Event, KeySet, WebhookVerifier};
use upvest_tests::inbox::{Connection, Failure, Handler, Inbox};

/// The effect of an event is a row. An event of the type `ORDER.REJECTED` always fails.
struct Effects;

impl Handler for Effects {
    async fn handle(&self, event: Event, changes: &mut Connection) -> Result<(), Failure> {
        sqlx::query("insert into effects (event) values ($1)")
            .bind(event.key())
            .execute(changes)
            .await?;
        if event.event_type.as_str() == "ORDER.REJECTED" {
            return Err("the ledger says no".into());
        }
        Ok(())
    }
}

async fn deliver(
    State((inbox, verifier)): State<(Inbox, WebhookVerifier)>,
    request: Request,
) -> StatusCode {
    inbox.receive(&verifier, request).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("the URL of the database")?;
    let jwks = arguments.next().context("the keys of Upvest")?;
    let keys = KeySet::from_json(jwks)?;
    let verifier = WebhookVerifier::new(keys).allow([KeyAlgorithm::Ed25519]);
    let inbox = Inbox::connect(&url).await?;

    let worker = inbox.clone();
    tokio::spawn(async move { worker.work(&Effects).await });
    let app = Router::new()
        .route("/webhooks", post(deliver))
        .with_state((inbox, verifier));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    axum::serve(listener, app).await?;
    Ok(())
}
