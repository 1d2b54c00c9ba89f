//! An axum server that stores each filled order once in SQLite: `cargo run --example webhook_server`.

use std::time::Duration;

use axum::Router;
use sqlx::SqlitePool;
use upvest_ext::api::types::{
    AccountId, Decimal, Order, OrderCreate, OrderId, OrderSide, OrderType,
};
use upvest_ext::webhooks::{
    self, Event, EventType, HandlerError, WebhookHandler, WebhookVerifier, with_state,
};
use upvest_sandbox::Sandbox;

const SCHEMA: &str = "create table filled (event blob primary key, order_id blob, amount text)";

/// `event` is the primary key, so that a repeated delivery changes nothing.
async fn filled(db: SqlitePool, event: Event) -> Result<(), HandlerError> {
    let order: Order = event.resource()?;
    let insert =
        "insert into filled (event, order_id, amount) values ($1, $2, $3) on conflict do nothing";
    sqlx::query(insert)
        .bind(event.id)
        .bind(order.id)
        .bind(order.cash_amount)
        .execute(&db)
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let upvest = sandbox.client();
    let db = SqlitePool::connect("sqlite::memory:").await?;
    sqlx::query(SCHEMA).execute(&db).await?;

    // Verifies with the keys that Upvest publishes. If an event contains only the id of its order, the order is fetched first.
    let handler = WebhookHandler::new(WebhookVerifier::fetching(upvest.clone()))
        .fetch_references(upvest.clone())
        .on(EventType::OrderFilled, with_state(db.clone(), filled))
        .otherwise(async |event| {
            println!("not of interest: {}", event.event_type);
            Ok(())
        });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}/webhooks", listener.local_addr()?);
    let app = Router::new().route("/webhooks", webhooks::axum::route(handler));
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

    let rows: Vec<(OrderId, Option<Decimal>)> =
        sqlx::query_as("select order_id, amount from filled")
            .fetch_all(&db)
            .await?;
    println!("in the database: {rows:?}");
    assert_eq!(
        rows.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [order.id]
    );
    Ok(())
}
