//! Requests signed by a key that this program never sees: `cargo example custom_signer`.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use upvest_ext::signing::{KeyAlgorithm, Signer, SigningKey};
use upvest_ext::{BackendError, BoxFuture, Environment, Upvest};
use upvest_sandbox::Sandbox;

/// A client of a key service, such as AWS KMS, Google Cloud KMS, Vault or a hardware module.
#[derive(Debug)]
struct KeyService {
    /// Stands in for the service.
    elsewhere: Arc<SigningKey>,
}

impl Signer for KeyService {
    /// The algorithm of the key that Upvest knows.
    fn algorithm(&self) -> KeyAlgorithm {
        self.elsewhere.algorithm()
    }

    /// It is called for each attempt, because a signature contains the time. For ECDSA, hash with SHA-512 and return
    /// DER; for Ed25519, sign the message itself. If the service hangs, the call fails at its deadline. A shorter
    /// timeout here gives a clearer error.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, BackendError>> {
        Box::pin(async move {
            let signed = timeout(Duration::from_secs(2), self.elsewhere.sign(message)).await;
            signed.map_err(|_| BackendError::new("the key service did not answer within 2 s"))?
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let key = SigningKey::from_pem(sandbox.signing_key_pem(), None)?;
    let upvest = Upvest::builder(Environment::Custom(sandbox.url().parse()?))
        .credentials(sandbox.client_id(), sandbox.client_secret())
        .signing_key(
            sandbox.key_id(),
            KeyService {
                elsewhere: Arc::new(key),
            },
        )
        .build()?;
    let instruments = upvest.list_instruments().send().await?;
    println!(
        "signed and answered: {} instruments",
        instruments.data.len()
    );
    Ok(())
}
