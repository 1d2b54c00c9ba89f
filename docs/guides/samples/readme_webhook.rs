// region: guide
// docs/guides/samples/readme_webhook.rs
// crates: axum, http, upvest-ext
use http::StatusCode;
use upvest_ext::api::events::EventObject;
use upvest_ext::webhooks::{VerifyError, WebhookVerifier};

/// Create the verifier once, by `WebhookVerifier::fetching(&upvest)`, as it remembers keys.
async fn receive(
    verifier: &WebhookVerifier,
    request: http::Request<axum::body::Body>,
) -> Result<(), VerifyError> {
    let delivery = verifier.read_delivery(request).await?;
    for event in verifier.verify(&delivery).await?.into_iter().flatten() {
        match event.object::<EventObject>() {
            Ok(EventObject::Order(order)) => println!("order {} is {:?}", order.id, order.status),
            _ => println!("{}", event.event_type),
        }
    }
    Ok(())
}

async fn answer(
    verifier: &WebhookVerifier,
    request: http::Request<axum::body::Body>,
) -> StatusCode {
    match receive(verifier, request).await {
        Ok(()) => StatusCode::OK,
        Err(error) => error.status(),
    }
}
// endregion

#[tokio::test]
async fn a_delivery_of_somebody_else_is_rejected() {
    use upvest_ext::webhooks::WebhookTester;

    let tester = WebhookTester::new().unwrap();
    let event = WebhookTester::event("ORDER.FILLED", serde_json::json!({}));
    let delivery = || {
        tester
            .deliver("/", std::slice::from_ref(&event))
            .map(axum::body::Body::from)
    };
    let verifier = tester.verifier();
    assert_eq!(answer(&verifier, delivery()).await, StatusCode::OK);
    let other = WebhookTester::new().unwrap().verifier();
    assert_eq!(answer(&other, delivery()).await, StatusCode::UNAUTHORIZED);
}
