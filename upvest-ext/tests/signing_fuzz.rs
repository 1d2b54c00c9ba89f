//! Fuzzes all parsers of external input: none of them panics.
//!
//! By default each target runs a short while; for longer,
//! `UPVEST_FUZZ_SECONDS=300 cargo test -p upvest-ext --all-features --test signing_fuzz`.
#![cfg(feature = "webhooks")]

#[path = "common/fuzz.rs"]
mod fuzz;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use fuzz::{fuzz, input, within_its_time};
use http::{HeaderValue, Request};
use serde_json::json;
use upvest_ext::signing::{SignatureVersion, SigningKey};
use upvest_ext::webhooks::{Event, KeySet, WebhookTester, WebhookVerifier};

#[test]
fn fuzz_pem() {
    let seeds = [
        include_bytes!("fixtures/keys/p521.sec1.pem").to_vec(),
        include_bytes!("fixtures/keys/p384.pkcs8.pem").to_vec(),
        include_bytes!("fixtures/keys/p256.sec1-aes256.pem").to_vec(),
        include_bytes!("fixtures/keys/p256.sec1-with-parameters.pem").to_vec(),
        include_bytes!("fixtures/keys/ed25519.pkcs8.pem").to_vec(),
        include_bytes!("fixtures/keys/ed25519.pkcs8-pbkdf2.pem").to_vec(),
        include_bytes!("fixtures/keys/p521.sec1-aes256.pem").to_vec(),
        include_bytes!("fixtures/keys/convert.pkcs8-explicit.pem").to_vec(),
        include_bytes!("fixtures/keys/convert.openssh-p521.pem").to_vec(),
        include_bytes!("fixtures/keys/cases/k12-pkcs12-nodes.pem").to_vec(),
    ];
    fuzz(|u| {
        let pem = input(u, &seeds)?;
        let passphrase = u.ratio(1, 2)?.then_some("correct horse, battery staple");
        if let Ok(key) = SigningKey::from_pem(&pem, passphrase) {
            let signature = key.sign_now(b"message").unwrap();
            assert!(key.public_key().verifies(b"message", &signature));
        }
        Ok(())
    });
}

#[test]
fn fuzz_der_inside_pem() {
    let seeds: Vec<Vec<u8>> = [
        include_str!("fixtures/keys/p521.sec1.pem"),
        include_str!("fixtures/keys/p256.pkcs8.pem"),
        include_str!("fixtures/keys/ed25519.pkcs8.pem"),
        include_str!("fixtures/keys/ed25519.pkcs8-pbkdf2.pem"),
        include_str!("fixtures/keys/convert.pkcs8-scrypt.pem"),
        include_str!("fixtures/keys/p521.pkcs8-hmac-SHA1.pem"),
        include_str!("fixtures/keys/convert.pkcs8-hmac-SHA224.pem"),
        include_str!("fixtures/keys/convert.sec1-explicit.pem"),
    ]
    .into_iter()
    .map(|text| pem::parse(text).unwrap().into_contents())
    .collect();
    fuzz(|u| {
        let der = input(u, &seeds)?;
        let label = *u.choose(&["EC PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])?;
        let text = pem::encode(&pem::Pem::new(label, der));
        let _ = SigningKey::from_pem(text, Some("correct horse, battery staple"));
        Ok(())
    });
}

#[test]
fn fuzz_signature_headers() {
    let tester = WebhookTester::new().unwrap();
    let verifier = tester.verifier();
    let deliveries =
        [SignatureVersion::V6, SignatureVersion::V15].map(|version| signed(version, &tester));
    let seeds = |name: &str| -> Vec<Vec<u8>> {
        deliveries
            .iter()
            .filter_map(|delivery| Some(delivery.headers().get(name)?.as_bytes().to_vec()))
            .collect()
    };
    let names = ["signature-input", "signature", "digest", "content-digest"];
    let seeds = names.map(|name| (name, seeds(name)));
    fuzz(|u| {
        let mut delivery = u.choose(&deliveries)?.clone();
        for (name, seeds) in &seeds {
            if u.ratio(1, 2)?
                && let Ok(value) = HeaderValue::from_bytes(&input(u, seeds)?)
            {
                delivery.headers_mut().insert(*name, value);
            }
        }
        let size = delivery
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum::<usize>();
        within_its_time(size + delivery.body().len(), || {
            accepts(&verifier, &delivery)
        });
        Ok(())
    });
}

fn signed(version: SignatureVersion, tester: &WebhookTester) -> Request<Bytes> {
    // Signed by another key than the tester's, as only parsing is tested.
    let other = WebhookTester::new().unwrap().version(version);
    let mut delivery = other.deliver("/webhooks?x=1", &[json!({})]);
    let input = delivery.headers()["signature-input"]
        .to_str()
        .unwrap()
        .replace(other.key_id(), tester.key_id());
    delivery
        .headers_mut()
        .insert("signature-input", HeaderValue::try_from(input).unwrap());
    delivery
}

fn accepts(verifier: &WebhookVerifier, delivery: &Request<Bytes>) -> bool {
    let verdict = pin!(verifier.verify(delivery));
    let verdict = verdict.poll(&mut Context::from_waker(Waker::noop()));
    matches!(verdict, Poll::Ready(Ok(_)))
}

#[test]
fn fuzz_key_set() {
    let seeds = [
        WebhookTester::new().unwrap().key_set().to_json().into_bytes(),
        br#"{"keys":[{"kid":"a","kty":"OKP","crv":"Ed25519","x":"yAiKW8P6UrzZtPti1x93L-QAdrsvB1VLv6Paj8TMGj0"}]}"#.to_vec(),
        br#"{"keys":[{"kid":"a","kty":"EC","crv":"P-256","x":"AQ","y":"AQ","use":"sig"},null,7,[]]}"#.to_vec(),
    ];
    fuzz(|u| {
        let json = input(u, &seeds)?;
        if let Ok(set) = within_its_time(json.len(), || KeySet::from_json(&json)) {
            KeySet::from_json(set.to_json()).unwrap();
        }
        Ok(())
    });
}

#[test]
fn fuzz_event_batch() {
    let event = WebhookTester::event(
        "ORDER.FILLED",
        json!({ "id": uuid::Uuid::nil(), "type": "ORDER" }),
    );
    let seeds = [
        json!({ "payload": [event, event] }).to_string().into_bytes(),
        event.to_string().into_bytes(),
        br#"{"payload":[{"id":"5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11","created_at":"2024-05-17T09:30:00Z","event_type":"A.B","object":{}}]}"#.to_vec(),
    ];
    fuzz(|u| {
        let body = input(u, &seeds)?;
        let events = within_its_time(body.len(), || upvest_ext::webhooks::decode_events(&body));
        for event in events.into_iter().flatten() {
            let _ = (
                event.resource::<upvest_api::types::Order>(),
                event.reference(),
                event.event_type.category(),
            );
        }
        if let Err(undecodable) = within_its_time(body.len(), || Event::decode(&body)) {
            undecodable.key();
        }
        Ok(())
    });
}
