//! `upvest-ext` with the types of Upvest's own description (1.9.0), with a mock server: places a signed order, waits until it
//! is filled, reads a list, and verifies a webhook event.
//!
//! The names are those of the description: `place_order` is its operation `place_order`, and `OrderPlaceRequest` its schema
//! "Order - Place - Request". `spec/official-overlay.yaml` says which statuses are final, so that `wait_for` compiles.

use std::error::Error;
use std::time::SystemTime;

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use upvest_ext::api::events::EventKind;
use upvest_ext::api::http::Uri;
use upvest_ext::api::types::{
    Order, OrderInstrumentIdType, OrderType, OrderPlaceRequest, OrderSide, OrderStatus,
};
use upvest_ext::signing::{IncomingRequest, KeyAlgorithm, PublicKey, SignaturePolicy, SigningKey};
use upvest_ext::webhooks::WebhookTester;
use upvest_ext::{Environment, PaginateExt as _, Upvest};
use uuid::Uuid;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const ORDER_ID: &str = "2e2b5f0c-6d1f-4a8e-9d0e-0b7c1b0a4f55";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
    let server = mock_server(key.public_key().clone()).await;
    let upvest = Upvest::builder(Environment::Custom(server.uri().parse()?))
        .credentials("client-id", "client-secret")
        .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
        .build()?;

    let order = OrderPlaceRequest::builder()
        .user_id(Uuid::new_v4())
        .account_id(Uuid::new_v4())
        .side(OrderSide::Buy)
        .instrument_id("IE00B3XXRP09")
        .instrument_id_type(OrderInstrumentIdType::Isin)
        .order_type(OrderType::Market)
        .cash_amount("250.00")
        .currency("EUR");
    let answer = upvest.place_order().body(order).send().await?;
    let key = answer
        .metadata()
        .idempotency_key
        .as_ref()
        .ok_or("an order goes out under an idempotency key")?;
    println!(
        "placed: order {} over {} {}, key {key}",
        answer.id, answer.cash_amount, answer.currency
    );

    let order = upvest
        .wait_for(upvest.retrieve_order().order_id(answer.id))
        .await?;
    assert_eq!(order.status, OrderStatus::Filled);
    println!("final: order {} is {}", order.id, order.status);

    let instruments: Vec<_> = upvest
        .list_instruments()
        .page_size(2)
        .items()
        .try_collect()
        .await?;
    assert_eq!(instruments.len(), 3);
    println!("listed: {} instruments from two pages", instruments.len());

    let tester = WebhookTester::new()?;
    let delivery = tester.deliver(
        "/webhooks",
        &[WebhookTester::event("ORDER.FILLED", order_json("FILLED"))],
    );
    for event in tester.verifier().verify(&delivery).await? {
        let event = event?;
        assert_eq!(event.event_type, EventKind::OrderFilled);
        let order: Order = event.resource()?;
        println!(
            "verified: {} of order {}, side {:?}",
            event.event_type, order.id, order.side
        );
    }
    Ok(())
}

/// A mock server that accepts only orders with a valid signature, fills them after the first look, and has three instruments.
async fn mock_server(key: PublicKey) -> MockServer {
    let server = MockServer::start().await;
    let token = json!({ "access_token": "token", "token_type": "Bearer", "expires_in": 86400, "scope": "" });
    let answer = |status, body: Value| ResponseTemplate::new(status).set_body_json(body);
    let is_signed = move |request: &Request| {
        let target: Uri = request.url.path().parse().expect("a path is a URI");
        let received =
            IncomingRequest::new(&request.method, &target, &request.headers, &request.body);
        let claims = SignaturePolicy::requests().claims(&received, SystemTime::now());
        claims.is_ok_and(|claims| claims.iter().any(|claim| claim.is_signed_by(&key)))
    };
    let has_key = |request: &Request| request.headers.contains_key("idempotency-key");
    let mocks = [
        Mock::given(method("POST"))
            .and(path("/auth/token"))
            .respond_with(answer(200, token)),
        Mock::given(method("POST"))
            .and(path("/orders"))
            .and(is_signed)
            .and(has_key)
            .respond_with(answer(202, order_json("NEW"))),
        retrieve_order("PROCESSING").up_to_n_times(1),
        retrieve_order("FILLED"),
        page("0", &["IE00B3XXRP09", "IE00B4L5Y983"]),
        page("2", &["DE0007164600"]),
    ];
    for mock in mocks {
        server.register(mock).await;
    }
    server
}

fn retrieve_order(status: &str) -> Mock {
    Mock::given(method("GET"))
        .and(path(format!("/orders/{ORDER_ID}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(order_json(status)))
}

fn page(offset: &str, isins: &[&str]) -> Mock {
    let items: Vec<Value> = isins.iter().map(|isin| instrument(isin)).collect();
    let meta = json!({ "offset": offset.parse::<u64>().ok(), "limit": 2, "count": items.len(), "total_count": 3 });
    Mock::given(method("GET"))
        .and(path("/instruments"))
        .and(query_param("offset", offset))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({ "meta": meta, "data": items })),
        )
}

fn instrument(isin: &str) -> Value {
    json!({
        "id": Uuid::new_v4(),
        "created_at": "2026-01-05T09:30:00Z",
        "updated_at": "2026-01-05T09:30:00Z",
        "isin": isin,
        "name": "A fund",
        "fractional_trading": true,
        "trading_status": "ACTIVE",
    })
}

fn order_json(status: &str) -> Value {
    json!({
        "id": ORDER_ID,
        "created_at": "2026-01-05T09:30:00Z",
        "updated_at": "2026-01-05T09:30:00Z",
        "user_id": Uuid::new_v4(),
        "account_id": Uuid::new_v4(),
        "cash_amount": "250.00",
        "currency": "EUR",
        "side": "BUY",
        "instrument_id": "IE00B3XXRP09",
        "instrument_id_type": "ISIN",
        "order_type": "MARKET",
        "quantity": "",
        "status": status,
        "fee": "",
        "initiation_flow": "API",
        "executions": [],
        "client_reference": "",
    })
}
