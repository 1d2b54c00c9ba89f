//! Signs deliveries as Upvest does, with a generated key, for tests of webhook endpoints.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, Uri};

use super::keys::key_set::KeySet;
use super::verifier::WebhookVerifier;
use crate::signing::{IncomingRequest, KeyAlgorithm, KeyError, SignatureVersion, SigningKey};
use crate::signing::{digest_header, signature_base};

/// Creates signed deliveries for tests.
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
pub struct WebhookTester {
    key: SigningKey,
    key_id: String,
    version: SignatureVersion,
    at: Option<SystemTime>,
}

impl WebhookTester {
    /// A tester with a new P-521 key, signing version 6, as Upvest does today.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the operating system has no random numbers.
    pub fn new() -> Result<Self, KeyError> {
        SigningKey::generate(KeyAlgorithm::EcdsaP521).map(Self::with_key)
    }

    /// A tester that signs with `key`.
    pub fn with_key(key: SigningKey) -> Self {
        Self {
            key,
            key_id: uuid::Uuid::new_v4().to_string(),
            version: SignatureVersion::V6,
            at: None,
        }
    }

    /// Signs with this version.
    #[must_use]
    pub fn version(mut self, version: SignatureVersion) -> Self {
        self.version = version;
        self
    }

    /// Signs at this time instead of now.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Self {
        self.at = Some(time);
        self
    }

    /// The id of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// A key set with the tester's public key, as a server would publish it.
    pub fn key_set(&self) -> KeySet {
        KeySet::single(&self.key_id, self.key.public_key().clone())
    }

    /// A verifier that accepts the tester's deliveries.
    pub fn verifier(&self) -> WebhookVerifier {
        let verifier = WebhookVerifier::new(self.key_set()).allow([self.key.algorithm()]);
        match self.at {
            Some(at) => verifier.clock(move || at),
            None => verifier,
        }
    }

    /// An event in the official format, with a new id.
    pub fn event(event_type: &str, object: impl Into<serde_json::Value>) -> serde_json::Value {
        serde_json::json!({
            "id": uuid::Uuid::new_v4(),
            "created_at": "2024-05-17T09:30:00.123456Z",
            "type": event_type,
            "object": object.into(),
            "webhook_id": uuid::Uuid::new_v4(),
        })
    }

    /// Signs a batch of events for `target`, a path with or without a query.
    ///
    /// # Panics
    ///
    /// If `target` is not a path.
    pub fn deliver(&self, target: &str, events: &[serde_json::Value]) -> Request<Bytes> {
        self.deliver_raw(target, serde_json::json!({ "payload": events }).to_string())
    }

    /// Signs any body for `target`.
    ///
    /// # Panics
    ///
    /// If `target` is not a path, or the clock is before 1970.
    pub fn deliver_raw(&self, target: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let body = body.into();
        let digest = digest_header(self.version, &body);
        let mut delivery = Request::post(target)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header(self.version.digest_header(), digest)
            .body(body)
            .expect("the target of a test delivery is a path");
        self.sign(&mut delivery);
        delivery
    }

    fn sign(&self, delivery: &mut Request<Bytes>) {
        let names = self.covered(delivery.uri());
        let params = self.signature_params(&names);
        let received = IncomingRequest::new(
            delivery.method(),
            delivery.uri(),
            delivery.headers(),
            delivery.body(),
        );
        let base = signature_base(received.parts, self.version, &names, &params)
            .expect("the delivery has what it covers");
        let signature = self.key.sign_now(&base).expect("a local key signs");
        let signature = STANDARD.encode(signature);
        set_header(delivery, "signature-input", &format!("sig1={params}"));
        set_header(delivery, "signature", &format!("sig1=:{signature}:"));
    }

    fn covered(&self, target: &Uri) -> Vec<&'static str> {
        let mut names = vec!["@method", "@path"];
        if target.query().is_some_and(|query| !query.is_empty()) {
            names.push("@query");
        }
        names.extend(["accept", "content-length", "content-type"]);
        names.push(self.version.digest_header());
        names
    }

    fn signature_params(&self, names: &[&str]) -> String {
        let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let list = quoted.join(" ");
        let key_id = &self.key_id;
        let at = self.at.unwrap_or_else(SystemTime::now);
        let since_1970 = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let created = since_1970.as_secs();
        let expires = created + 5;
        let nonce = uuid::Uuid::new_v4().simple();
        format!("({list});keyid=\"{key_id}\";created={created};expires={expires};nonce=\"{nonce}\"")
    }
}

fn set_header(delivery: &mut Request<Bytes>, name: &'static str, value: &str) {
    let value = HeaderValue::try_from(value).expect("made of digits, base64 and names");
    delivery.headers_mut().insert(name, value);
}
