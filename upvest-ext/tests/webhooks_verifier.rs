//! Only deliveries that Upvest signed are accepted, and key rotation loses no delivery.
#![cfg(feature = "webhooks")]

#[path = "common/tamper.rs"]
mod tamper;

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderValue, Request};
use serde_json::json;
use tamper::{Tamper, Tampered as _};
use tokio::time::{Instant, advance};
use upvest_ext::api::runtime::OperationMeta;
use upvest_ext::signing::{KeyAlgorithm, PublicKey, SignatureError, SignatureVersion, SigningKey};
use upvest_ext::webhooks::{KeySet, VerifyError, WebhookTester, WebhookVerifier};
use upvest_ext::{
    BoxFuture, ByteStream, CallOptions, Environment, Error, ErrorKind, Response, RetryPolicy,
    Transport, Upvest,
};

fn events() -> [serde_json::Value; 1] {
    [WebhookTester::event(
        "ORDER.FILLED",
        json!({ "id": uuid::Uuid::new_v4() }),
    )]
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_780_854_045)
}

async fn rejection(verifier: &WebhookVerifier, delivery: &Request<Bytes>) -> SignatureError {
    let error = Error::from(verifier.verify(delivery).await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Webhook);
    match reason(&error) {
        VerifyError::Rejected(rejection) => *rejection,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

fn reason(error: &Error) -> &VerifyError {
    error.source().unwrap().downcast_ref().unwrap()
}

fn keys_are_unavailable<T>(verdict: &Result<T, VerifyError>) -> bool {
    verdict
        .as_ref()
        .is_err_and(|error| matches!(error, VerifyError::KeysUnavailable(_)))
}

#[tokio::test]
async fn both_versions_are_accepted_with_and_without_a_query() {
    for version in [SignatureVersion::V6, SignatureVersion::V15] {
        let tester = WebhookTester::new().unwrap().version(version);
        for target in ["/", "/webhooks", "/webhooks?token=a%20b&x=1"] {
            let delivery = tester.deliver(target, &events());
            assert!(
                tester.verifier().verify(&delivery).await.is_ok(),
                "{version:?} {target}"
            );
        }
    }
}

#[tokio::test]
async fn each_tampered_delivery_is_rejected_with_its_reason() {
    for version in [SignatureVersion::V6, SignatureVersion::V15] {
        let tester = WebhookTester::new().unwrap().version(version);
        let delivery = tester.deliver("/webhooks", &events());
        for tamper in Tamper::ALL {
            let expected = match tamper {
                Tamper::Body => SignatureError::DigestMismatch,
                Tamper::KeyId => SignatureError::UnknownKey,
                Tamper::NoSignature => SignatureError::MissingSignature,
                _ => SignatureError::SignatureMismatch,
            };
            let found = rejection(&tester.verifier(), &delivery.tampered(tamper)).await;
            assert_eq!(found, expected, "{version:?} {tamper:?}");
        }
    }
}

#[tokio::test]
async fn one_valid_signature_of_several_is_enough() {
    let old = WebhookTester::new().unwrap().at(now());
    let new = WebhookTester::new().unwrap().at(now());
    let body = json!({ "payload": events() }).to_string();
    let by_old = old.deliver_raw("/webhooks", body.clone());
    let by_new = new.deliver_raw("/webhooks", body);
    let joined = |name: &str, first: &Request<Bytes>, second: &Request<Bytes>| {
        let text =
            |delivery: &Request<Bytes>| delivery.headers()[name].to_str().unwrap().to_owned();
        HeaderValue::try_from(format!(
            "{}, {}",
            text(first),
            text(second).replace("sig1=", "sig2=")
        ))
        .unwrap()
    };
    for (first, second) in [(&by_old, &by_new), (&by_new, &by_old)] {
        let mut both = first.clone();
        for name in ["signature-input", "signature"] {
            both.headers_mut().insert(
                if name == "signature" {
                    "signature"
                } else {
                    "signature-input"
                },
                joined(name, first, second),
            );
        }
        assert!(old.verifier().verify(&both).await.is_ok());
        assert!(new.verifier().verify(&both).await.is_ok());
        assert_eq!(
            rejection(&old.verifier(), &both.tampered(Tamper::Body)).await,
            SignatureError::DigestMismatch
        );
        let stranger = WebhookTester::new().unwrap().at(now()).verifier();
        assert_eq!(
            rejection(&stranger, &both).await,
            SignatureError::UnknownKey
        );
    }
}

#[tokio::test]
async fn a_delivery_may_be_late_or_early_by_the_tolerance_and_no_more() {
    let tester = WebhookTester::new().unwrap().at(now());
    let delivery = tester.deliver("/webhooks", &events());
    // The tester's signatures are valid for 5 s.
    let early = |seconds| now() - Duration::from_secs(seconds);
    let late = |seconds| now() + Duration::from_secs(seconds);
    for (at, expected) in [
        (early(301), Some(SignatureError::CreatedInFuture)),
        (early(300), None),
        (late(305), None),
        (late(306), Some(SignatureError::Expired)),
    ] {
        let verifier = tester.verifier().clock(move || at);
        let verdict = verifier.verify(&delivery).await;
        assert_eq!(verdict.is_ok(), expected.is_none(), "{at:?}");
        if let Some(expected) = expected {
            assert_eq!(rejection(&verifier, &delivery).await, expected, "{at:?}");
            let patient = tester
                .verifier()
                .tolerance(Duration::from_secs(400))
                .clock(move || at);
            assert!(patient.verify(&delivery).await.is_ok());
        }
    }
}

#[tokio::test]
async fn only_p521_is_allowed_by_default() {
    let mut accepted = Vec::new();
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519] {
        let tester = WebhookTester::with_key(SigningKey::generate(algorithm).unwrap());
        let delivery = tester.deliver("/webhooks", &events());
        let strict = WebhookVerifier::new(tester.key_set());
        match strict.verify(&delivery).await {
            Ok(_) => accepted.push(algorithm),
            Err(error) => {
                assert!(
                    matches!(error, VerifyError::Rejected(SignatureError::KeyNotAllowed)),
                    "{error:?}"
                );
            }
        }
        assert!(
            strict.allow([algorithm]).verify(&delivery).await.is_ok(),
            "{algorithm}"
        );
    }
    assert_eq!(accepted, [KeyAlgorithm::EcdsaP521]);
    let tester = WebhookTester::new().unwrap();
    let delivery = tester.deliver("/webhooks", &events());
    let p256 = PublicKey::from_pem(include_str!("fixtures/keys/p256.public.pem")).unwrap();
    let verifier = WebhookVerifier::new(KeySet::single(tester.key_id(), p256));
    assert_eq!(
        rejection(&verifier, &delivery).await,
        SignatureError::KeyNotAllowed
    );
    assert_eq!(
        rejection(&verifier.allow([KeyAlgorithm::EcdsaP256]), &delivery).await,
        SignatureError::SignatureMismatch
    );
}

#[tokio::test]
async fn an_unreadable_key_does_not_affect_other_keys() {
    let tester = WebhookTester::new().unwrap();
    let mut set: serde_json::Value = serde_json::from_str(&tester.key_set().to_json()).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    for odd in [
        json!({ "kid": "rsa", "kty": "RSA", "n": "AQAB", "e": "AQAB" }),
        json!({ "kid": "off-the-curve", "kty": "EC", "crv": "P-521", "x": "AQ", "y": "AQ" }),
        json!({ "kid": "too-long", "kty": "EC", "crv": "P-521", "x": "A".repeat(400), "y": "AQ" }),
        json!({ "kty": "EC" }),
        json!({ "kid": 7 }),
        json!("key"),
        json!(null),
    ] {
        keys.insert(0, odd);
    }
    let verifier = WebhookVerifier::new(KeySet::from_json(set.to_string()).unwrap());
    let delivery = tester.deliver("/webhooks", &events());
    assert!(verifier.verify(&delivery).await.is_ok());
    for text in ["", "[]", "{}", r#"{"keys": {}}"#] {
        assert!(KeySet::from_json(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_set_of_more_than_100_keys_or_a_mebibyte_is_rejected() {
    let keys = |count: usize| format!(r#"{{"keys": [{}]}}"#, vec!["{}"; count].join(","));
    assert!(KeySet::from_json(keys(100)).is_ok());
    assert!(KeySet::from_json(keys(101)).is_err());
    let padded = |len: usize| format!(r#"{{"keys": []{}}}"#, " ".repeat(len - 12));
    assert!(KeySet::from_json(padded(1024 * 1024)).is_ok());
    assert!(KeySet::from_json(padded(1024 * 1024 + 1)).is_err());
}

/// Removes the leading zero bytes of a coordinate in base64.
fn without_leading_zeros(coordinate: &str) -> String {
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = engine.decode(coordinate).unwrap();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap();
    engine.encode(&bytes[first..])
}

#[tokio::test]
async fn coordinates_without_leading_zeros_are_accepted() {
    let mut shortened = 0;
    // A P-521 coordinate has 521 bits, so its first byte is zero in half of all keys.
    while shortened < 10 {
        let tester = WebhookTester::new().unwrap();
        let mut set: serde_json::Value = serde_json::from_str(&tester.key_set().to_json()).unwrap();
        for name in ["x", "y"] {
            let full = set["keys"][0][name].as_str().unwrap().to_owned();
            let short = without_leading_zeros(&full);
            shortened += usize::from(short.len() < full.len());
            set["keys"][0][name] = short.into();
        }
        let verifier = WebhookVerifier::new(KeySet::from_json(set.to_string()).unwrap());
        let delivery = tester.deliver("/", &events());
        verifier.verify(&delivery).await.unwrap();
    }
}

#[tokio::test]
async fn deliveries_can_be_bound_to_subscriptions() {
    let tester = WebhookTester::new().unwrap();
    let ours = uuid::Uuid::new_v4();
    let too = uuid::Uuid::new_v4();
    let other = uuid::Uuid::new_v4();
    let verifier = tester.verifier().for_webhooks([ours, too]);
    let event = |webhook: Option<uuid::Uuid>| {
        let mut event = WebhookTester::event("ORDER.FILLED", json!({ "webhook_id": ours }));
        event["webhook_id"] = json!(webhook);
        event
    };
    let odd = json!({ "odd": 1 });
    for (events, is_ours) in [
        (vec![event(Some(ours))], true),
        (vec![event(Some(ours)), event(Some(too))], true),
        (vec![json!({ "odd": 1, "webhook_id": ours })], true),
        (vec![event(Some(other))], false),
        (vec![event(Some(ours)), event(Some(other))], false),
        // Some events of Upvest name no subscription, and an event that cannot be read holds up no other.
        (vec![event(None)], true),
        (vec![event(Some(ours)), odd.clone()], true),
        (vec![json!(null), json!({ "webhook_id": 7 })], true),
        (vec![event(None), event(Some(other))], false),
        (vec![json!({ "odd": 1, "webhook_id": other })], false),
    ] {
        let delivery = tester.deliver("/webhooks", &events);
        let verdict = verifier.verify(&delivery).await;
        assert_eq!(verdict.is_ok(), is_ours, "{events:?}");
        if !is_ours {
            assert_eq!(
                rejection(&verifier, &delivery).await,
                SignatureError::OtherWebhook
            );
        }
        assert!(
            tester.verifier().verify(&delivery).await.is_ok(),
            "without a bound all are accepted"
        );
    }
    let bare =
        |webhook: uuid::Uuid| tester.deliver_raw("/webhooks", event(Some(webhook)).to_string());
    assert!(verifier.verify(&bare(ours)).await.is_ok());
    assert_eq!(
        rejection(&verifier, &bare(other)).await,
        SignatureError::OtherWebhook
    );
    // A matching id next to an event of another subscription does not make it accepted.
    let beside = json!({ "payload": [event(Some(other))], "webhook_id": ours }).to_string();
    assert_eq!(
        rejection(&verifier, &tester.deliver_raw("/webhooks", beside)).await,
        SignatureError::OtherWebhook
    );
    // A forged signature is reported as such.
    let forged = bare(other).tampered(Tamper::Body);
    assert_eq!(
        rejection(&verifier, &forged).await,
        SignatureError::DigestMismatch
    );
}

/// A key endpoint that counts its requests, and whose key set the test changes.
#[derive(Clone, Default)]
struct Endpoint(Arc<Mutex<EndpointState>>);

#[derive(Default)]
struct EndpointState {
    set: KeySet,
    down: bool,
    takes: Duration,
    /// The number of requests that panic next.
    panics: usize,
    fetched: Vec<Instant>,
    /// The number of responses.
    responses: usize,
}

impl Endpoint {
    fn serve(&self, set: KeySet) {
        self.0.lock().unwrap().set = set;
    }

    fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    fn fetches(&self) -> usize {
        self.0.lock().unwrap().fetched.len()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoint")
    }
}

impl Transport for Endpoint {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        Box::pin(async move {
            assert_eq!(request.uri().path(), "/auth/verify_keys");
            let (takes, panics) = {
                let mut state = self.0.lock().unwrap();
                state.fetched.push(Instant::now());
                let panics = state.panics > 0;
                state.panics = state.panics.saturating_sub(1);
                (state.takes, panics)
            };
            assert!(!panics, "a bug of the application");
            tokio::time::sleep(takes).await;
            let mut state = self.0.lock().unwrap();
            state.responses += 1;
            let status = if state.down { 503 } else { 200 };
            let response = http::Response::builder().status(status);
            Ok(response.body(state.set.to_json().into()).unwrap().into())
        })
    }
}

fn fetching(endpoint: &Endpoint) -> WebhookVerifier {
    let environment = Environment::Custom("http://localhost".parse().unwrap());
    let upvest = Upvest::builder(environment)
        .transport(endpoint.clone())
        .defaults(CallOptions::new().retry(RetryPolicy::never()));
    WebhookVerifier::fetching(&upvest.build().unwrap()).clock(now)
}

#[tokio::test(start_paused = true)]
async fn a_key_rotation_rejects_no_valid_delivery() {
    let old = WebhookTester::new().unwrap().at(now());
    let new = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(old.key_set());
    let verifier = fetching(&endpoint);
    let mut accepted = 0;
    for second in 0..600 {
        if second == 300 {
            // The old key is removed from the set immediately, while deliveries that it signed still arrive.
            endpoint.serve(new.key_set());
        }
        let signer = if second < 300 || (second < 360 && second % 2 == 0) {
            &old
        } else {
            &new
        };
        let delivery = signer.deliver("/webhooks", &events());
        verifier
            .verify(&delivery)
            .await
            .unwrap_or_else(|error| panic!("lost at {second} s: {error}"));
        accepted += 1;
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(accepted, 600);
    assert_eq!(endpoint.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_rotation_under_attack_loses_no_repeated_delivery() {
    let old = WebhookTester::new().unwrap().at(now());
    let new = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(old.key_set());
    let verifier = fetching(&endpoint);
    let forged = old.deliver("/webhooks", &events()).tampered(Tamper::KeyId);
    assert!(verifier.verify(&forged).await.is_err());
    endpoint.serve(new.key_set());
    let delivery = new.deliver("/webhooks", &events());
    // The pauses between Upvest's attempts (`PROTOCOL` 2.1).
    let mut tries = 0;
    for pause in [1, 2, 3, 5, 8] {
        tries += 1;
        assert!(verifier.verify(&forged).await.is_err());
        if verifier.verify(&delivery).await.is_ok() {
            break;
        }
        advance(Duration::from_secs(pause)).await;
    }
    assert!(
        verifier.verify(&delivery).await.is_ok(),
        "not accepted after {tries} tries"
    );
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_forged_key_ids_cause_at_most_one_fetch_in_ten_seconds() {
    let tester = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(tester.key_set());
    let verifier = fetching(&endpoint);
    let delivery = tester.deliver("/webhooks", &events());
    let mut ids = HashSet::new();
    for _ in 0..10_000 {
        let id = uuid::Uuid::new_v4().to_string();
        let mut forged = delivery.clone();
        let input = forged.headers()["signature-input"]
            .to_str()
            .unwrap()
            .replace(tester.key_id(), &id);
        forged
            .headers_mut()
            .insert("signature-input", HeaderValue::try_from(input).unwrap());
        assert_eq!(
            rejection(&verifier, &forged).await,
            SignatureError::UnknownKey
        );
        ids.insert(id);
        advance(Duration::from_millis(10)).await;
    }
    assert_eq!(ids.len(), 10_000);
    let fetched = endpoint.0.lock().unwrap().fetched.clone();
    assert!(
        fetched
            .windows(2)
            .all(|pair| pair[1] - pair[0] >= Duration::from_secs(10))
    );
    assert_eq!(fetched.len(), 10, "100 s of forgeries");
    assert!(verifier.verify(&delivery).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_deliveries_at_once_share_one_fetch() {
    let tester = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(tester.key_set());
    endpoint.0.lock().unwrap().takes = Duration::from_secs(2);
    let verifier = fetching(&endpoint);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let verifier = verifier.clone();
            let delivery = tester.deliver("/webhooks", &events());
            tokio::spawn(async move { verifier.verify(&delivery).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(endpoint.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_after_an_hour_and_kept_for_a_day() {
    let tester = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(tester.key_set());
    let verifier = fetching(&endpoint);
    let delivery = tester.deliver("/webhooks", &events());
    let hour = Duration::from_secs(3600);

    assert!(verifier.verify(&delivery).await.is_ok());
    advance(Duration::from_secs(3599)).await;
    assert!(verifier.verify(&delivery).await.is_ok());
    assert_eq!(endpoint.fetches(), 1);
    advance(Duration::from_secs(1)).await;
    assert!(verifier.verify(&delivery).await.is_ok());
    tokio::task::yield_now().await;
    assert_eq!(endpoint.fetches(), 2);

    endpoint.set_down(true);
    for _ in 0..23 {
        advance(hour).await;
        assert!(verifier.verify(&delivery).await.is_ok());
    }
    advance(hour).await;
    let error = verifier.verify(&delivery).await.unwrap_err();
    assert!(
        matches!(error, VerifyError::KeysUnavailable(_)),
        "{error:?}"
    );

    endpoint.set_down(false);
    advance(Duration::from_secs(10)).await;
    assert!(verifier.verify(&delivery).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn keys_stay_in_use_while_their_renewal_is_slow_fails_or_hangs() {
    let takes = [
        Duration::ZERO,
        Duration::from_secs(5),
        Duration::from_secs(3600),
    ];
    for (takes, down) in takes.into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let tester = WebhookTester::new().unwrap().at(now());
        let endpoint = Endpoint::default();
        endpoint.serve(tester.key_set());
        let verifier = fetching(&endpoint);
        let delivery = tester.deliver("/webhooks", &events());
        assert!(verifier.verify(&delivery).await.is_ok());
        advance(Duration::from_secs(3600)).await;
        endpoint.0.lock().unwrap().takes = takes;
        endpoint.set_down(down);
        for _ in 0..100 {
            let start = Instant::now();
            assert!(verifier.verify(&delivery).await.is_ok());
            assert_eq!(start.elapsed(), Duration::ZERO, "{takes:?} {down}");
            tokio::task::yield_now().await;
            advance(Duration::from_secs(1)).await;
        }
        let fetches = match (takes.as_secs(), down) {
            (0 | 5, false) => 2,
            // A fetch that fails is repeated ten seconds after it began: ten times in 100 s.
            (0 | 5, true) => 1 + 10,
            // A fetch that hangs is given up after 20 s: five fetches in 100 s.
            _ => 1 + 5,
        };
        assert_eq!(endpoint.fetches(), fetches, "{takes:?} {down}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_renewal_that_panics_is_repeated() {
    let tester = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(tester.key_set());
    let verifier = fetching(&endpoint);
    let delivery = tester.deliver("/webhooks", &events());
    assert!(verifier.verify(&delivery).await.is_ok());
    advance(Duration::from_secs(3600)).await;
    endpoint.0.lock().unwrap().panics = 3;
    for _ in 0..40 {
        assert!(verifier.verify(&delivery).await.is_ok());
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(endpoint.fetches(), 1 + 3 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_no_longer_listed_is_used_for_another_hour() {
    let old = WebhookTester::new().unwrap().at(now());
    let new = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(old.key_set());
    let verifier = fetching(&endpoint);
    let by_old = old.deliver("/webhooks", &events());
    let by_new = new.deliver("/webhooks", &events());
    assert!(verifier.verify(&by_old).await.is_ok());
    // The renewal finds that the old key is gone.
    endpoint.serve(new.key_set());
    advance(Duration::from_secs(3600)).await;
    assert!(verifier.verify(&by_old).await.is_ok());
    tokio::task::yield_now().await;
    for _ in 0..59 {
        advance(Duration::from_secs(60)).await;
        assert!(verifier.verify(&by_old).await.is_ok());
    }
    advance(Duration::from_secs(60)).await;
    let rejected = rejection(&verifier, &by_old).await;
    assert_eq!(rejected, SignatureError::UnknownKey);
    assert!(verifier.verify(&by_new).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn fetches_do_not_prolong_the_use_of_a_key_that_is_no_longer_listed() {
    let old = WebhookTester::new().unwrap().at(now());
    let new = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(old.key_set());
    let verifier = fetching(&endpoint);
    let by_old = old.deliver("/webhooks", &events());
    let forged = by_old.tampered(Tamper::KeyId);
    verifier.verify(&by_old).await.unwrap();
    endpoint.serve(new.key_set());
    // Each forged key id causes a fetch. The first one finds that the old key is gone.
    for minute in 1..=60 {
        advance(Duration::from_secs(60)).await;
        rejection(&verifier, &forged).await;
        verifier.verify(&by_old).await.unwrap();
        assert_eq!(endpoint.fetches(), 1 + minute);
    }
    advance(Duration::from_secs(60)).await;
    let refused = rejection(&verifier, &by_old).await;
    assert_eq!(refused, SignatureError::UnknownKey);
}

/// A delivery with eight labels, each with another key id.
fn with_eight_keys(delivery: &Request<Bytes>, key_id: &str) -> Request<Bytes> {
    let mut forged = delivery.clone();
    for name in ["signature-input", "signature"] {
        let value = delivery.headers()[name].to_str().unwrap();
        let label = |number: u32| {
            let label = value.replacen("sig1", &format!("sig{number}"), 1);
            label.replace(key_id, &uuid::Uuid::new_v4().to_string())
        };
        let labels: Vec<_> = (1..=8).map(label).collect();
        let value = HeaderValue::try_from(labels.join(", ")).unwrap();
        forged.headers_mut().insert(name, value);
    }
    forged
}

#[tokio::test(start_paused = true)]
async fn a_delivery_with_eight_unknown_keys_causes_one_fetch_and_waits_20_s_at_most() {
    for takes in [Duration::ZERO, Duration::from_secs(15), Duration::MAX] {
        let tester = WebhookTester::new().unwrap().at(now());
        let endpoint = Endpoint::default();
        endpoint.serve(tester.key_set());
        endpoint.0.lock().unwrap().takes = takes;
        let verifier = fetching(&endpoint);
        let delivery = tester.deliver("/webhooks", &events());
        let forged = with_eight_keys(&delivery, tester.key_id());
        let start = Instant::now();
        let error = verifier.verify(&forged).await.unwrap_err();
        let longest = Duration::from_secs(20);
        assert_eq!(start.elapsed(), takes.min(longest), "{error:?}");
        assert_eq!(endpoint.fetches(), 1);
        let status = if takes < longest { 401 } else { 503 };
        assert_eq!(error.status(), status, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_with_a_known_key_among_unknown_ones_causes_no_fetch() {
    let tester = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(tester.key_set());
    let verifier = fetching(&endpoint);
    let delivery = tester.deliver("/webhooks", &events());
    assert!(verifier.verify(&delivery).await.is_ok());
    advance(Duration::from_secs(60)).await;
    let mut both = with_eight_keys(&delivery, tester.key_id());
    for name in ["signature-input", "signature"] {
        let unknown = both.headers()[name].to_str().unwrap().to_owned();
        let unknown = unknown.rsplit_once(", ").unwrap().0;
        let known = delivery.headers()[name].to_str().unwrap();
        let known = known.replacen("sig1", "sig8", 1);
        let value = HeaderValue::try_from(format!("{unknown}, {known}")).unwrap();
        both.headers_mut().insert(name, value);
    }
    assert!(verifier.verify(&both).await.is_ok());
    assert_eq!(endpoint.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_fetch_continues_after_its_sender_hung_up() {
    let second = Duration::from_secs(1);
    // Before the first fetch, and long after a fetch, when the keys are about to expire.
    for first_fetch_ago in [None, Some(Duration::from_secs(24 * 3600 - 5))] {
        let tester = WebhookTester::new().unwrap().at(now());
        let endpoint = Endpoint::default();
        endpoint.serve(tester.key_set());
        let verifier = fetching(&endpoint);
        let delivery = tester.deliver("/webhooks", &events());
        if let Some(ago) = first_fetch_ago {
            assert!(verifier.verify(&delivery).await.is_ok());
            advance(ago).await;
        }
        endpoint.0.lock().unwrap().takes = 2 * second;
        let forged = delivery.tampered(Tamper::KeyId);
        tokio::time::timeout(second, verifier.verify(&forged))
            .await
            .unwrap_err();
        // The fetch ends although nobody waits for it.
        tokio::time::sleep(2 * second).await;
        let fetches = 1 + usize::from(first_fetch_ago.is_some());
        assert_eq!(endpoint.0.lock().unwrap().responses, fetches);
        for _ in 0..70 {
            assert!(
                verifier.verify(&delivery).await.is_ok(),
                "{first_fetch_ago:?}"
            );
            advance(second / 10).await;
        }
        assert_eq!(endpoint.fetches(), fetches);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_fetch_that_hangs_or_panics_is_repeated() {
    let tester = WebhookTester::new().unwrap().at(now());
    let delivery = tester.deliver("/webhooks", &events());
    let endpoint = Endpoint::default();
    endpoint.serve(tester.key_set());
    endpoint.0.lock().unwrap().takes = Duration::MAX;
    let verifier = fetching(&endpoint);
    let start = Instant::now();
    let verdict = verifier.verify(&delivery).await;
    assert!(keys_are_unavailable(&verdict), "{verdict:?}");
    assert_eq!(start.elapsed(), Duration::from_secs(20));
    endpoint.0.lock().unwrap().takes = Duration::ZERO;
    assert!(verifier.verify(&delivery).await.is_ok());

    let broken = Endpoint::default();
    let verifier = fetching(&broken);
    let poison = broken.clone();
    std::thread::spawn(move || {
        let _state = poison.0.lock().unwrap();
        panic!("the next fetch panics at the poisoned lock");
    })
    .join()
    .unwrap_err();
    for _ in 0..3 {
        let verdict = verifier.verify(&delivery).await;
        assert!(keys_are_unavailable(&verdict), "{verdict:?}");
        advance(Duration::from_secs(10)).await;
    }
    broken.0.clear_poison();
    broken.serve(tester.key_set());
    assert!(verifier.verify(&delivery).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn verify_returns_keys_unavailable_until_keys_are_fetched() {
    let tester = WebhookTester::new().unwrap().at(now());
    let endpoint = Endpoint::default();
    endpoint.serve(tester.key_set());
    endpoint.set_down(true);
    let verifier = fetching(&endpoint);
    let delivery = tester.deliver("/webhooks", &events());
    for _ in 0..20 {
        let error = verifier.verify(&delivery).await.unwrap_err();
        assert!(
            matches!(error, VerifyError::KeysUnavailable(_)),
            "{error:?}"
        );
        advance(Duration::from_secs(1)).await;
    }
    // In these 20 s there were two fetches, because a failure is remembered for ten seconds.
    assert_eq!(endpoint.fetches(), 2);
    endpoint.set_down(false);
    assert!(verifier.verify(&delivery).await.is_ok());
}
