//! Signs deliveries as Upvest does, with a generated key, for tests of webhook endpoints.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::keys::key_set::KeySet;
use super::verifier::WebhookVerifier;
use crate::debug_fields::debug_fields;
use crate::signing::{IncomingRequest, KeyAlgorithm, KeyError, SignatureVersion, SigningKey};
use crate::signing::{digest_header, signature_base};

/// Creates signed deliveries for tests.
///
/// ```
/// use upvest_ext::webhooks::WebhookTester;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tester = WebhookTester::new()?; let verifier = tester.verifier(); let mut delivery = tester.deliver("/webhooks",
/// &[WebhookTester::event("ORDER.FILLED", serde_json::json!({"id": uuid::Uuid::new_v4()}))]);
/// assert!(verifier.verify(&delivery.received()).await.is_ok()); delivery.body = "forged".into();
/// assert!(verifier.verify(&delivery.received()).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct WebhookTester {
    key: SigningKey,
    key_id: String,
    version: SignatureVersion,
    at: Option<SystemTime>,
}

/// A signed delivery.
#[derive(Clone)]
pub struct TestDelivery {
    /// `POST`.
    pub method: Method,
    /// Path and query.
    pub target: Uri,
    /// The headers, signature included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
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
    pub fn deliver(&self, target: &str, events: &[serde_json::Value]) -> TestDelivery {
        self.deliver_raw(target, serde_json::json!({ "payload": events }).to_string())
    }

    /// Signs any body for `target`.
    ///
    /// # Panics
    ///
    /// If `target` is not a path, or the clock is before 1970.
    pub fn deliver_raw(&self, target: &str, body: impl Into<Bytes>) -> TestDelivery {
        let body = body.into();
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: String| {
            let value = HeaderValue::try_from(value).expect("made of digits, base64 and names");
            headers.insert(HeaderName::from_static(name), value);
        };
        set("accept", "application/json".to_owned());
        set("content-type", "application/json".to_owned());
        set("content-length", body.len().to_string());
        set(
            self.version.digest_header(),
            digest_header(self.version, &body),
        );
        let target: Uri = target
            .parse()
            .expect("the target of a test delivery is a path");
        let mut delivery = TestDelivery {
            method: Method::POST,
            target,
            headers,
            body,
        };
        self.sign(&mut delivery);
        delivery
    }

    fn sign(&self, delivery: &mut TestDelivery) {
        let at = self.at.unwrap_or_else(SystemTime::now);
        let created = at
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs();
        let mut names = vec!["@method", "@path"];
        if delivery
            .target
            .query()
            .is_some_and(|query| !query.is_empty())
        {
            names.push("@query");
        }
        names.extend([
            "accept",
            "content-length",
            "content-type",
            self.version.digest_header(),
        ]);
        let list = names
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(" ");
        let (key_id, expires) = (&self.key_id, created + 5);
        let nonce = uuid::Uuid::new_v4().simple();
        let params = format!(
            "({list});keyid=\"{key_id}\";created={created};expires={expires};nonce=\"{nonce}\""
        );
        let base = signature_base(delivery.received().parts, self.version, &names, &params)
            .expect("the delivery has what it covers");
        let signature = self.key.sign_now(&base).expect("a local key signs");
        delivery.set("signature-input", &format!("sig1={params}"));
        delivery.set(
            "signature",
            &format!("sig1=:{}:", STANDARD.encode(signature)),
        );
    }
}

impl TestDelivery {
    /// The delivery as a server receives it.
    pub fn received(&self) -> IncomingRequest<'_> {
        IncomingRequest::new(&self.method, &self.target, &self.headers, &self.body)
    }

    /// The delivery as an HTTP request.
    pub fn to_request(&self) -> Request<Bytes> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    fn set(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::try_from(value).expect("made of digits, base64 and names");
        self.headers.insert(HeaderName::from_static(name), value);
    }
}

debug_fields!(
    TestDelivery,
    |self| target = self.target.path(),
    body_len = self.body.len()
);
