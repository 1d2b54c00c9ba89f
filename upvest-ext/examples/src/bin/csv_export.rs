//! All orders as CSV, page by page, as an HTTP response that streams: `cargo example csv_export`.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use upvest_ext::api::types::{AccountId, Order, OrderCreate, OrderSide, OrderType};
use upvest_ext::{Error, PaginateExt as _, Upvest};
use upvest_sandbox::Sandbox;

/// Keeps only one page in memory. An error aborts the response, so that the receiver
/// notices that the file is not complete.
async fn export(State(upvest): State<Upvest>) -> impl IntoResponse {
    let header = stream::once(async { Ok::<_, Error>("id,side,status,amount\n".to_owned()) });
    let lines = upvest
        .list_orders()
        .page_size(100)
        .items()
        .map_ok(|order| line(&order));
    (
        [(CONTENT_TYPE, "text/csv")],
        Body::from_stream(header.chain(lines)),
    )
}

/// These values contain no commas or quotes. For free text use a CSV library.
fn line(order: &Order) -> String {
    let text =
        |value: Option<&dyn std::fmt::Display>| value.map(ToString::to_string).unwrap_or_default();
    let side = order.side.as_ref().map(|it| it as _);
    let status = order.status.as_ref().map(|it| it as _);
    let amount = order.cash_amount.as_ref().map(|it| it as _);
    format!(
        "{},{},{},{}\n",
        order.id,
        text(side),
        text(status),
        text(amount)
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let upvest = Upvest::from_vars(sandbox.vars())?;
    let account = AccountId::from(sandbox.open_account("10000.00").await?);
    for euros in 1..=250 {
        let order = OrderCreate::builder()
            .account_id(account)
            .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
            .side(OrderSide::Buy)
            .type_(OrderType::Market)
            .cash_amount(euros);
        upvest.create_order().body(order).send().await?;
    }

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/orders.csv", listener.local_addr()?);
    let app = Router::new()
        .route("/orders.csv", get(export))
        .with_state(upvest);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let csv = reqwest::get(url).await?.text().await?;
    println!("{}...", csv.lines().take(4).collect::<Vec<_>>().join("\n"));
    println!("{} lines", csv.lines().count());
    assert_eq!(csv.lines().count(), 251);
    Ok(())
}
