// region: guide
// docs/guides/samples/going_live_client.rs
// crates: upvest-ext
use std::time::Duration;

use upvest_ext::api::operations;
use upvest_ext::signing::SigningKey;
use upvest_ext::{CallOptions, Environment, Scopes, Upvest, webhooks};

fn client(
    pem: &[u8],
    passphrase: &str,
    secret: &str,
) -> Result<Upvest, Box<dyn std::error::Error>> {
    let key = SigningKey::from_pem(pem, Some(passphrase))?;
    // The operations that this service calls.
    let scopes = Scopes::for_operations([
        &operations::LIST_ACCOUNTS,
        &operations::CREATE_ORDER,
        &operations::RETRIEVE_ORDER,
        &webhooks::VERIFY_KEYS, // if it receives webhooks
    ]);
    // The limit for a whole call, with all its attempts and waits.
    let options = CallOptions::new().call_timeout(Duration::from_secs(30));
    Ok(Upvest::builder(Environment::Sandbox)
        .credentials("0b8f1c5e-6f0a-4b7d-9c3e-2a4d5e6f7081", secret)
        .signing_key("2606a727-e55e-4f72-b47d-323f163acfff", key)
        .scopes(scopes)
        .defaults(options)
        .user_agent("my-bank/2.1")
        .build()?)
}
// endregion

#[test]
fn a_key_that_cannot_be_read_is_an_error() {
    assert!(client(b"", "", "secret").is_err());
}
