// region: guide
// docs/guides/samples/readme_call.rs
// crates: tokio, upvest-ext
use upvest_ext::api::types::{OrderCreate, OrderSide, OrderType};
use upvest_ext::signing::SigningKey;
use upvest_ext::{Environment, Upvest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pem = std::fs::read("signing-key.pem")?;
    let key = SigningKey::from_pem(pem, Some("passphrase"))?;
    let upvest = Upvest::builder(Environment::Sandbox)
        .credentials("client-id", "client-secret")
        .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
        .scopes(["orders:admin", "orders:read"]) // those of the operations that you call
        .build()?; // or `Upvest::from_env()?`

    let order = OrderCreate::builder()
        .account_id("7d052811-c57c-4920-9fd6-bdbaa6c94e47")
        .instrument_id("251e84b2-82e1-440b-a008-6357ebe46a96")
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount("250.00")
        .currency("EUR");
    let order = upvest.create_order().body(order).send().await?;
    println!("{} is {:?}", order.id, order.status);
    Ok(())
}
// endregion

#[test]
fn the_call_needs_a_key() {
    let error = main().unwrap_err();
    assert!(error.is::<std::io::Error>(), "{error}");
}
