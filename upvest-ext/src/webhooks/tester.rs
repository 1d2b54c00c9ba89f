//! Signs deliveries for tests of webhook endpoints, and verifies them.

use std::ops::Deref;
use std::time::SystemTime;

use super::verifier::WebhookVerifier;
use upvest_signing::{DeliverySigner, KeyError, SignatureVersion, SigningKey};

/// Creates signed deliveries for tests, and a verifier that accepts them. It dereferences to a [`DeliverySigner`].
///
/// ```
/// use upvest_ext::webhooks::WebhookTester;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tester = WebhookTester::new()?;
/// let verifier = tester.verifier();
/// let order = serde_json::json!({ "id": uuid::Uuid::new_v4() });
/// let mut delivery = tester.deliver("/webhooks", &[WebhookTester::event("ORDER.FILLED", order)]);
/// assert!(verifier.verify(&delivery).await.is_ok());
///
/// *delivery.body_mut() = "forged".into();
/// assert!(verifier.verify(&delivery).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct WebhookTester(DeliverySigner);

impl WebhookTester {
    /// A tester with a new P-521 key, signing version 6, as Upvest does today.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the operating system has no random numbers.
    pub fn new() -> Result<Self, KeyError> {
        DeliverySigner::new().map(Self)
    }

    /// A tester that signs with `key`.
    pub fn with_key(key: SigningKey) -> Self {
        Self(DeliverySigner::with_key(key))
    }

    /// Signs with this version.
    #[must_use]
    pub fn version(self, version: SignatureVersion) -> Self {
        Self(self.0.version(version))
    }

    /// Signs at this time instead of now.
    #[must_use]
    pub fn at(self, time: SystemTime) -> Self {
        Self(self.0.at(time))
    }

    /// A verifier that accepts the tester's deliveries.
    pub fn verifier(&self) -> WebhookVerifier {
        let verifier = WebhookVerifier::new(self.key_set()).allow([self.algorithm()]);
        match self.time() {
            Some(at) => verifier.clock(move || at),
            None => verifier,
        }
    }

    /// An event in the official format, with a new id.
    pub fn event(event_type: &str, object: impl Into<serde_json::Value>) -> serde_json::Value {
        DeliverySigner::event(event_type, object)
    }
}

impl Deref for WebhookTester {
    type Target = DeliverySigner;

    fn deref(&self) -> &DeliverySigner {
        &self.0
    }
}
