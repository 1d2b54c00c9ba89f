//! Signs deliveries as Upvest does, with a generated key, for tests of webhook endpoints.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, Uri};

use crate::base::{SignatureVersion, signature_base};
use crate::digest::digest_header;
use crate::keys::algorithm::KeyAlgorithm;
use crate::keys::key::SigningKey;
use crate::keys::key_error::KeyError;
use crate::keys::key_set::KeySet;
use crate::random::random_uuid;
use crate::request::parts;

/// Creates signed deliveries for tests.
///
/// ```
/// use upvest_signing::{DeliverySigner, IncomingRequest, SignaturePolicy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signer = DeliverySigner::new()?;
/// let order = serde_json::json!({ "id": "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11" });
/// let delivery = signer.deliver("/webhooks", &[DeliverySigner::event("ORDER.FILLED", order)]);
///
/// let received = IncomingRequest::from_request(&delivery);
/// let signatures = SignaturePolicy::deliveries().claims(&received, std::time::SystemTime::now())?;
/// let keys = signer.key_set();
/// let key = keys
///     .find(signer.key_id())
///     .flatten()
///     .next()
///     .ok_or("no key")?;
/// signatures[0].check(key)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct DeliverySigner {
    key: SigningKey,
    key_id: String,
    version: SignatureVersion,
    at: Option<SystemTime>,
}

impl DeliverySigner {
    /// A signer with a new P-521 key, signing version 6, as Upvest does today.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the operating system has no random numbers.
    pub fn new() -> Result<Self, KeyError> {
        SigningKey::generate(KeyAlgorithm::EcdsaP521).map(Self::with_key)
    }

    /// Signs with `key`.
    pub fn with_key(key: SigningKey) -> Self {
        Self {
            key,
            key_id: random_uuid().to_string(),
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

    /// A key set with the signer's public key, as a server would publish it.
    pub fn key_set(&self) -> KeySet {
        KeySet::single(&self.key_id, self.key.public_key().clone())
    }

    /// The algorithm of the key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.key.algorithm()
    }

    /// The time of the signatures, if it was set by [`DeliverySigner::at`].
    pub fn time(&self) -> Option<SystemTime> {
        self.at
    }

    /// An event in the official format, with a new id.
    pub fn event(event_type: &str, object: impl Into<serde_json::Value>) -> serde_json::Value {
        serde_json::json!({
            "id": random_uuid(),
            "created_at": "2024-05-17T09:30:00.123456Z",
            "type": event_type,
            "object": object.into(),
            "webhook_id": random_uuid(),
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
        let base = signature_base(parts(delivery), self.version, &names, &params)
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
        let nonce = random_uuid().simple();
        format!("({list});keyid=\"{key_id}\";created={created};expires={expires};nonce=\"{nonce}\"")
    }
}

fn set_header(delivery: &mut Request<Bytes>, name: &'static str, value: &str) {
    let value = HeaderValue::try_from(value).expect("made of digits, base64 and names");
    delivery.headers_mut().insert(name, value);
}
