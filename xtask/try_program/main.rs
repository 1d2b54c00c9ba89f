//! Uses `upvest-ext` with the crate for another description, as a service does.

use std::error::Error;

use own_api::events::{EventKind, EventObject};
use own_api::operations::OPERATIONS;
use upvest_ext::signing::{KeyAlgorithm, SigningKey};
use upvest_ext::webhooks::WebhookTester;
use upvest_ext::{Environment, UpvestFor};

/// The client for the other description.
type OwnUpvest = UpvestFor<own_api::Client>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
    let client: OwnUpvest = OwnUpvest::builder(Environment::Sandbox)
        .credentials("client-id", "client-secret")
        .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
        .build()?;

    let tester = WebhookTester::new()?;
    let object = serde_json::json!({ "new": "object" });
    let delivery = tester.deliver("/webhooks", &[WebhookTester::event("NEW.TYPE", object)]);
    for event in tester.verifier().verify(&delivery).await? {
        let EventObject::Unknown(_) = event?.object()? else {
            return Err("the type is not in the description".into());
        };
    }
    let operations = OPERATIONS.len();
    let kinds = EventKind::VARIANTS.len();
    println!("{client:?} has {operations} operations and {kinds} types of events");
    Ok(())
}
