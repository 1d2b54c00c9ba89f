//! Upvest's own description (1.9.0) and the description of the SDK in one program, each with its own crate and a mock
//! server.
//!
//! With each it places a signed order, waits until the order is filled, reads a list of two pages, and verifies a
//! webhook event.
//!
//! The names of `official_api` are those of Upvest's description: `place_order` is its operation `place_order`, and
//! `OrderPlaceRequest` its schema "Order - Place - Request". `spec/official-overlay.yaml` says which statuses are
//! final, so that `wait_for` compiles.

mod mock_server;

use std::collections::BTreeSet;
use std::error::Error;

use futures_util::TryStreamExt as _;
use mock_server::ORDER_ID;
use official_api::types::{OrderInstrumentIdType, OrderPlaceRequest};
use serde_json::{Value, json};
use upvest_ext::api::runtime::GeneratedClient;
use upvest_ext::api::types::{OrderCreate, OrderSide, OrderType};
use upvest_ext::signing::{KeyAlgorithm, SigningKey};
use upvest_ext::webhooks::{Event, WebhookTester};
use upvest_ext::{Environment, PaginateExt as _, Upvest, UpvestFor};
use uuid::Uuid;
use wiremock::MockServer;

/// The client for Upvest's own description. [`Upvest`] is the client for the description of the SDK.
type OfficialUpvest = UpvestFor<official_api::Client>;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    with_the_official_description().await?;
    with_the_description_of_the_sdk().await
}

async fn with_the_official_description() -> Result {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
    let server = mock_server::start(&key, official_order, official_instrument).await;
    let upvest: OfficialUpvest = client(&server, key)?;

    let order = OrderPlaceRequest::builder()
        .user_id(Uuid::new_v4())
        .account_id(Uuid::new_v4())
        .side("BUY")
        .instrument_id("IE00B3XXRP09")
        .instrument_id_type(OrderInstrumentIdType::Isin)
        .order_type("MARKET")
        .cash_amount("250.00")
        .currency("EUR");
    let placed = upvest.place_order().body(order).send().await?;
    println!("official: placed order {}", placed.id);

    let order = upvest.retrieve_order().order_id(placed.id);
    let order = upvest.wait_for(order).await?;
    println!("official: it is {}", order.status);

    let instruments = upvest.list_instruments().page_size(2).items();
    let instruments: Vec<_> = instruments.try_collect().await?;
    assert_eq!(instruments.len(), 3);
    println!("official: {} instruments from two pages", instruments.len());

    let event = verified_event(official_order("FILLED")).await?;
    assert_eq!(
        event.event_type,
        official_api::events::EventKind::OrderFilled
    );
    match event.object::<official_api::events::EventObject>()? {
        official_api::events::EventObject::Order(order) => {
            println!("official: {} of order {}", event.event_type, order.id);
        }
        other => return Err(format!("unexpected: {other:?}").into()),
    }
    check_scopes::<official_api::Client>(&server).await
}

async fn with_the_description_of_the_sdk() -> Result {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
    let server = mock_server::start(&key, sdk_order, sdk_instrument).await;
    let upvest: Upvest = client(&server, key)?;

    let order = OrderCreate::builder()
        .account_id(Uuid::new_v4())
        .instrument_id(Uuid::new_v4())
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("250.00")
        .currency("EUR");
    let placed = upvest.create_order().body(order).send().await?;
    println!("sdk: placed order {}", placed.id);

    let order = upvest.retrieve_order().order_id(placed.id);
    let order = upvest.wait_for(order).await?;
    println!("sdk: it is {:?}", order.status);

    let instruments = upvest.list_instruments().page_size(2).items();
    let instruments: Vec<_> = instruments.try_collect().await?;
    assert_eq!(instruments.len(), 3);
    println!("sdk: {} instruments from two pages", instruments.len());

    // The delivery contains only the id of the order, so it is fetched.
    let reference = json!({ "id": ORDER_ID, "type": "ORDER" });
    let event = verified_event(reference).await?.fetch(&upvest).await?;
    assert_eq!(
        event.event_type,
        upvest_ext::api::events::EventKind::OrderFilled
    );
    match event.object::<upvest_ext::api::events::EventObject>()? {
        upvest_ext::api::events::EventObject::Order(order) => {
            println!("sdk: {} of order {}", event.event_type, order.id);
        }
        other => return Err(format!("unexpected: {other:?}").into()),
    }
    check_scopes::<upvest_ext::api::Client>(&server).await
}

/// A client of any generated crate.
fn client<C: GeneratedClient>(server: &MockServer, key: SigningKey) -> Result<UpvestFor<C>> {
    let upvest = UpvestFor::builder(Environment::Insecure(server.uri().parse()?))
        .credentials("client-id", "client-secret")
        .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
        .build()?;
    Ok(upvest)
}

/// The event of a delivery whose signature was verified.
async fn verified_event(object: Value) -> Result<Event> {
    let tester = WebhookTester::new()?;
    let event = WebhookTester::event("ORDER.FILLED", object);
    let delivery = tester.deliver("/webhooks", &[event]);
    let mut events = tester.verifier().verify(&delivery).await?;
    let event = events.pop().ok_or("the delivery has one event")?;
    Ok(event?)
}

/// The client asked once for a token, with the scopes of all operations of its description.
async fn check_scopes<C: GeneratedClient>(server: &MockServer) -> Result {
    let operations = C::OPERATIONS.iter();
    let all: BTreeSet<&str> = operations
        .flat_map(|operation| operation.scopes)
        .copied()
        .collect();
    let requested = mock_server::requested_scopes(server).await;
    let requested: BTreeSet<&str> = requested.iter().map(String::as_str).collect();
    assert_eq!(requested, all);
    Ok(())
}

fn official_order(status: &str) -> Value {
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

fn official_instrument(isin: &str) -> Value {
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

fn sdk_order(status: &str) -> Value {
    json!({
        "id": ORDER_ID,
        "account_id": Uuid::new_v4(),
        "instrument_id": Uuid::new_v4(),
        "side": "BUY",
        "type": "MARKET",
        "status": status,
        "cash_amount": "250.00",
        "currency": "EUR",
        "created_at": "2026-01-05T09:30:00Z",
        "updated_at": "2026-01-05T09:30:00Z",
    })
}

fn sdk_instrument(isin: &str) -> Value {
    json!({ "id": Uuid::new_v4(), "isin": isin, "name": "A fund" })
}
