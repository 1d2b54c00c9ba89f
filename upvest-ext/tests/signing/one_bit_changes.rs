//! A change of any single bit of a signed message is detected.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, PublicKey, RequestSigner, SignaturePolicy, SignatureVersion,
    SigningKey,
};
use upvest_ext::webhooks::{WebhookTester, WebhookVerifier};

const CHANGES: u32 = 10_000;

/// A signed message as named bytes: the method, the target, the body, and every relevant header.
#[derive(Clone)]
struct Message {
    components: Vec<(String, Vec<u8>)>,
}

impl Message {
    fn new(method: &Method, target: &str, headers: &HeaderMap, body: &[u8], skip: &[&str]) -> Self {
        let mut components = vec![
            ("@method".to_owned(), method.as_str().into()),
            ("@target".to_owned(), target.into()),
            ("@body".to_owned(), body.into()),
        ];
        for (name, value) in headers {
            if !skip.contains(&name.as_str()) {
                components.push((name.to_string(), value.as_bytes().into()));
            }
        }
        Self { components }
    }

    fn flip(&self, component: usize, bit: usize) -> Self {
        let mut changed = self.clone();
        let bytes = &mut changed.components[component].1;
        let bit = bit % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        changed
    }

    /// The message as an HTTP server would pass it on. `None` if a server would reject it as malformed.
    fn parse(&self) -> Option<Request<Vec<u8>>> {
        let mut parsed = Request::new(Vec::new());
        for (name, bytes) in &self.components {
            match name.as_str() {
                "@method" => *parsed.method_mut() = Method::from_bytes(bytes).ok()?,
                "@target" => *parsed.uri_mut() = Uri::try_from(bytes.as_slice()).ok()?,
                "@body" => parsed.body_mut().clone_from(bytes),
                name => {
                    let name = HeaderName::try_from(name).ok()?;
                    let value = HeaderValue::from_bytes(bytes).ok()?;
                    parsed.headers_mut().insert(name, value);
                }
            }
        }
        Some(parsed)
    }
}

/// Changes random bits, and asserts that `accepts` rejects each change and that each component was changed at least
/// once.
fn assert_rejects_all_changes(
    message: &Message,
    changes: u32,
    accepts: impl Fn(&Request<Vec<u8>>) -> bool,
) {
    let unchanged = message.parse().unwrap();
    assert!(accepts(&unchanged), "the unchanged message stands");

    let judged = RefCell::new(vec![0; message.components.len()]);
    let config = Config {
        cases: changes,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let change = (0..message.components.len(), proptest::num::usize::ANY);
    TestRunner::new_with_rng(config, rng)
        .run(&change, |(component, bit)| {
            let Some(tampered) = message.flip(component, bit).parse() else {
                return Ok(());
            };
            judged.borrow_mut()[component] += 1;
            if accepts(&tampered) {
                let name = &message.components[component].0;
                return Err(TestCaseError::fail(format!(
                    "accepted with bit {bit} of {name} changed"
                )));
            }
            Ok(())
        })
        .unwrap();
    for ((name, _), judged) in message.components.iter().zip(judged.into_inner()) {
        assert!(judged > 50, "{name} was judged {judged} times only");
    }
}

#[tokio::test]
async fn no_request_with_one_bit_changed_is_accepted() {
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519] {
        let key = SigningKey::generate(algorithm).unwrap();
        let public = key.public_key().clone();
        let signer = RequestSigner::new("2606a727-e55e-4f72-b47d-323f163acfff", key)
            .unwrap()
            .clock(now);
        let body = Bytes::from(r#"{"cash_amount": "100.00", "currency": "EUR"}"#);
        let request =
            Request::post("https://sandbox.upvest.co/orders?limit=10&note=caf%C3%A9").body(body);
        let mut request = request.unwrap();
        for (name, value) in [
            ("authorization", "Bearer token"),
            ("content-type", "application/json"),
            ("idempotency-key", "6f380ae4-268e-40c5-ba00-3ee7eabc7bfc"),
            ("upvest-api-version", "1"),
            ("upvest-client-id", "f0fbd742-0de4-4892-bb33-3bd205f4bf27"),
        ] {
            request
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        signer.sign_request(&mut request).await.unwrap();

        let target = "/orders?limit=10&note=caf%C3%A9";
        let message = Message::new(
            request.method(),
            target,
            request.headers(),
            request.body(),
            &["upvest-signature-version"],
        );
        assert_rejects_all_changes(&message, CHANGES, |received| {
            accepts_request(received, &public)
        });
    }
}

fn accepts_request(received: &Request<Vec<u8>>, key: &PublicKey) -> bool {
    let headers = received.headers();
    let request = IncomingRequest::new(received.method(), received.uri(), headers, received.body());
    SignaturePolicy::requests()
        .claims(&request, now())
        .is_ok_and(|claims| claims.iter().any(|claim| claim.is_signed_by(key)))
}

#[test]
fn no_delivery_with_one_bit_changed_is_accepted() {
    for version in [SignatureVersion::V6, SignatureVersion::V15] {
        let tester = WebhookTester::new().unwrap().version(version).at(now());
        let verifier = tester.verifier();
        let events = [WebhookTester::event(
            "ORDER.FILLED",
            serde_json::json!({ "id": "1", "status": "FILLED" }),
        )];
        let delivery = tester.deliver("/webhooks/upvest?tenant=a%20b&x=1", &events);
        assert_rejects_all_changes(&message_of(&delivery), CHANGES, |received| {
            accepts_delivery(&verifier, received)
        });
    }
}

fn message_of(delivery: &Request<Bytes>) -> Message {
    let target = delivery.uri().to_string();
    Message::new(
        delivery.method(),
        &target,
        delivery.headers(),
        delivery.body(),
        &[],
    )
}

/// Verification with fixed keys never waits.
fn accepts_delivery(verifier: &WebhookVerifier, received: &Request<Vec<u8>>) -> bool {
    let verdict = pin!(verifier.verify(received));
    match verdict.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict.is_ok(),
        Poll::Pending => panic!("nothing to wait for"),
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_780_854_045)
}
