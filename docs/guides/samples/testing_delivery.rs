// region: guide
// docs/guides/samples/testing_delivery.rs
// crates: serde_json, tokio, upvest-ext
use upvest_ext::webhooks::WebhookTester;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tester = WebhookTester::new()?;
    let order = serde_json::json!({ "id": "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11" });
    let event = WebhookTester::event("ORDER.FILLED", order);
    let delivery = tester.deliver("/webhooks", &[event]);
    // An `http::Request<Bytes>`, for your router or for the verifier itself.
    let events = tester.verifier().verify(&delivery).await?;
    let event = events[0]
        .as_ref()
        .expect("the tester signs well-formed events");
    assert_eq!(event.event_type, "ORDER.FILLED");
    Ok(())
}
// endregion

#[test]
fn a_delivery_of_the_tester_is_verified() {
    main().unwrap();
}
