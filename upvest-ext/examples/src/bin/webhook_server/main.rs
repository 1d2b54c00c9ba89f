//! A server that stores webhook events in a database and handles each one exactly once.
//!
//! `cargo example webhook_server --features sqlx` uses SQLite, and with `-- postgres://..` at its end Postgres.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "a program uses the part of it that it needs"
)]
mod inbox;

use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use inbox::{Connection, Failure, Handler, Inbox};
use upvest_ext::Upvest;
use upvest_ext::api::events::EventKind;
use upvest_ext::api::types::{AccountId, Order, OrderCreate, OrderSide, OrderType};
use upvest_ext::webhooks::{Event, WebhookVerifier};
use upvest_sandbox::Sandbox;

const FILLED: &str = "create table if not exists filled (order_id text, amount text)";

/// Stores filled orders.
struct Orders {
    upvest: Upvest,
}

impl Handler for Orders {
    async fn handle(&self, event: Event, changes: &mut Connection) -> Result<(), Failure> {
        if event.event_type != EventKind::OrderFilled {
            println!("not of interest: {}", event.event_type);
            return Ok(());
        }
        // A subscription can deliver only the id of the order. The order is fetched then.
        let order: Order = event.fetch(&self.upvest).await?.resource()?;
        let amount = order.cash_amount.map(|amount| amount.to_string());
        sqlx::query("insert into filled (order_id, amount) values ($1, $2)")
            .bind(order.id.to_string())
            .bind(amount)
            .execute(changes)
            .await?;
        Ok(())
    }
}

#[derive(Clone)]
struct Webhooks {
    verifier: WebhookVerifier,
    inbox: Inbox,
}

async fn deliver(
    State(webhooks): State<Webhooks>,
    OriginalUri(uri): OriginalUri,
    mut request: Request,
) -> StatusCode {
    // The signature covers the URI that was sent. A nested router changes it.
    *request.uri_mut() = uri;
    webhooks.inbox.receive(&webhooks.verifier, request).await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let sqlite = format!("sqlite:{}/inbox.db?mode=rwc", folder.path().display());
    let inbox = Inbox::connect(&std::env::args().nth(1).unwrap_or(sqlite)).await?;
    inbox.create_table().await?;
    sqlx::query(FILLED).execute(&inbox.pool).await?;

    let sandbox = Sandbox::start().await?;
    let upvest = Upvest::from_vars(sandbox.vars())?;
    let orders = Orders {
        upvest: upvest.clone(),
    };
    let worker = inbox.clone();
    tokio::spawn(async move { worker.work(&orders).await });

    let webhooks = Webhooks {
        verifier: WebhookVerifier::fetching(&upvest),
        inbox: inbox.clone(),
    };
    let routes = Router::new().route("/webhooks", post(deliver));
    let app = Router::new().nest("/upvest", routes).with_state(webhooks);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}/upvest/webhooks", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    sandbox.subscribe(&endpoint).await?; // at Upvest: `create_webhook_subscription`, then set it to ACTIVE

    let account = AccountId::from(sandbox.open_account("1000.00").await?);
    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("250.00");
    let order = upvest.create_order().body(order).send().await?.into_inner();
    sandbox.advance(Duration::from_secs(2)).await;
    sandbox.settle().await; // until all deliveries are answered

    while is_open(&inbox).await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let filled = "select amount from filled where order_id = $1";
    let amounts: Vec<String> = sqlx::query_scalar(filled)
        .bind(order.id.to_string())
        .fetch_all(&inbox.pool)
        .await?;
    println!("in the database: order {} over {amounts:?}", order.id);
    assert_eq!(amounts, ["250.00"]);
    Ok(())
}

async fn is_open(inbox: &Inbox) -> sqlx::Result<bool> {
    let open: i64 = sqlx::query_scalar("select count(*) from inbox where state = 'open'")
        .fetch_one(&inbox.pool)
        .await?;
    Ok(open > 0)
}
