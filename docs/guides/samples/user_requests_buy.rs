// region: guide
// docs/guides/samples/user_requests_buy.rs
// crates: axum, upvest-ext
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router, routing::post};
use upvest_ext::Upvest;
use upvest_ext::api::runtime::Strict;
use upvest_ext::api::types::{OrderCreate, OrderId};

async fn buy(
    State(upvest): State<Upvest>,
    Json(Strict(order)): Json<Strict<OrderCreate>>,
) -> Result<Json<OrderId>, StatusCode> {
    let order = upvest
        .create_order()
        .body(order)
        .send()
        .await
        .map_err(|error| {
            let is_the_users_fault = error.is_validation() || error.is_conflict();
            if is_the_users_fault {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::BAD_GATEWAY
            }
        })?;
    Ok(Json(order.id))
}

fn app(upvest: Upvest) -> Router {
    Router::new().route("/buy", post(buy)).with_state(upvest)
}
// endregion

#[tokio::test]
async fn a_field_that_the_api_does_not_have_is_rejected() {
    use upvest_sandbox::Sandbox;

    let sandbox = Sandbox::start().await.unwrap();
    let app = app(Upvest::from_vars(sandbox.vars()).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/buy", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut order = serde_json::json!({
        "account_id": sandbox.open_account("1000.00").await.unwrap(),
        "instrument_id": Sandbox::instrument("IE00B3XXRP09"),
        "side": "BUY", "type": "MARKET", "cash_amount": "10.00", "currency": "EUR",
    });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let accepted = http.post(&url).json(&order).send().await.unwrap();
    assert_eq!(accepted.status(), 200);
    order["curency"] = "EUR".into();
    let rejected = http.post(&url).json(&order).send().await.unwrap();
    assert_eq!(rejected.status(), 422);
    let text = rejected.text().await.unwrap();
    assert!(text.contains("unknown field `curency`"), "{text}");
}
