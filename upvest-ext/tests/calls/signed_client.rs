//! All parts together: a client that signs, requests tokens, retries, and fetches the webhook keys.

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::common::{CLIENT_ID, FakeApi, Reply, Seen, order};
use http::{Method, Uri};
use upvest_ext::signing::{IncomingRequest, KeyAlgorithm, PublicKey, SignaturePolicy, SigningKey};
use upvest_ext::webhooks::{WebhookTester, WebhookVerifier};
use upvest_ext::{Environment, ErrorKind, Upvest, UpvestBuilder};

const KEY_ID: &str = "2606a727-e55e-4f72-b47d-323f163acfff";

/// Checks the signature as the server does, and returns the nonce.
fn nonce_of_signed(seen: &Seen, key: &PublicKey) -> String {
    let method = Method::from_bytes(seen.method.as_bytes()).unwrap();
    let target: Uri = seen.path.parse().unwrap();
    let request = IncomingRequest::new(&method, &target, &seen.headers, &seen.body);
    let policy = SignaturePolicy::requests();
    let claims = policy.claims(&request, SystemTime::now()).unwrap();
    let [claim] = claims.as_slice() else {
        panic!("{} signatures", claims.len())
    };
    assert_eq!(claim.key_id(), KEY_ID);
    assert!(claim.is_signed_by(key), "{} {}", seen.method, seen.path);
    let (_, nonce) = seen
        .header("signature-input")
        .split_once("nonce=\"")
        .unwrap();
    nonce.split('"').next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_signed_anew_over_one_key_and_one_body() {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let public = key.public_key().clone();
    let api = FakeApi::new(|_, n| {
        if n < 2 {
            Reply::status(503)
        } else {
            Reply::order()
        }
    });
    let upvest = api.builder().signing_key(KEY_ID, key).build().unwrap();
    upvest.create_order().body(order()).send().await.unwrap();

    let seen = api.seen();
    assert_eq!(seen.len(), 3);
    let nonces: BTreeSet<_> = seen
        .iter()
        .map(|seen| nonce_of_signed(seen, &public))
        .collect();
    assert_eq!(nonces.len(), 3);
    for header in ["idempotency-key", "content-digest", "authorization"] {
        let values: BTreeSet<_> = seen.iter().map(|seen| seen.header(header)).collect();
        assert_eq!(values.len(), 1, "{header}");
        assert!(
            seen[0]
                .header("signature-input")
                .contains(&format!("\"{header}\"")),
            "{header} is not covered"
        );
    }
    assert_eq!(seen[0].header("upvest-signature-version"), "15");
    assert_eq!(seen[0].header("upvest-client-id"), CLIENT_ID);
}

#[tokio::test(start_paused = true)]
async fn the_token_request_is_signed_too_and_carries_no_token() {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let public = key.public_key().clone();
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let upvest = api.builder().signing_key(KEY_ID, key).build().unwrap();
    upvest.list_orders().send().await.unwrap();
    let tokens = api.seen_tokens();
    nonce_of_signed(&tokens[0], &public);
    assert_eq!(tokens[0].header("authorization"), "");
}

#[tokio::test(start_paused = true)]
async fn the_client_finds_the_keys_of_webhooks() {
    let tester = WebhookTester::new().unwrap();
    let keys = tester.key_set().to_json();
    let api = FakeApi::new(move |seen, _| match seen.path.as_str() {
        "/auth/verify_keys" => Reply::new(200, keys.clone()),
        _ => Reply::status(404),
    });
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let public = key.public_key().clone();
    let upvest = api.builder().signing_key(KEY_ID, key).build().unwrap();
    let verifier = WebhookVerifier::fetching(&upvest);

    let order = serde_json::json!({ "id": "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11" });
    let delivery = tester.deliver("/hooks", &[WebhookTester::event("ORDER.FILLED", order)]);
    for _ in 0..3 {
        assert_eq!(verifier.verify(&delivery).await.unwrap().len(), 1);
    }
    let [seen] = <[Seen; 1]>::try_from(api.seen()).unwrap();
    assert_eq!(seen.method.as_str(), "GET");
    assert_eq!(seen.path.as_str(), "/auth/verify_keys");
    assert!(seen.header("authorization").starts_with("Bearer "));
    nonce_of_signed(&seen, &public);
}

#[test]
fn a_key_id_that_no_header_can_carry_is_reported_with_the_rest() {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let error = Upvest::builder(Environment::Sandbox)
        .signing_key("a \"key\"", key)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    for part in ["the id of the signing key", "client secret"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn the_signing_key_comes_from_the_environment_or_from_a_file_that_it_names() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys");
    let file = format!("{fixtures}/p521.sec1-aes256.pem");
    let pem = std::fs::read_to_string(&file).unwrap();
    let vars = |extra: &[(&'static str, String)]| {
        let extra = extra.to_vec();
        UpvestBuilder::from_vars(move |name| {
            let fixed = match name {
                "UPVEST_ENVIRONMENT" => "sandbox",
                "UPVEST_CLIENT_ID" => CLIENT_ID,
                "UPVEST_CLIENT_SECRET" => "hush",
                "UPVEST_SIGNING_KEY_ID" => KEY_ID,
                _ => {
                    return extra
                        .iter()
                        .find(|(other, _)| *other == name)
                        .map(|(_, value)| value.clone());
                }
            };
            Some(fixed.to_owned())
        })
    };
    let passphrase = (
        "UPVEST_SIGNING_KEY_PASSPHRASE",
        "correct horse, battery staple".to_owned(),
    );
    for key in [
        ("UPVEST_SIGNING_KEY", pem),
        ("UPVEST_SIGNING_KEY_FILE", file.clone()),
    ] {
        vars(&[key.clone(), passphrase.clone()]).build().unwrap();
        let error = vars(&[key]).build().unwrap_err().to_string();
        assert!(error.contains("passphrase"), "{error}");
    }
    let escaped = format!(
        "\"{}\"",
        std::fs::read_to_string(&file).unwrap().replace('\n', "\\n")
    );
    let latin1 = format!("{fixtures}/cases/k12-pkcs12-nodes.pem");
    for key in [
        ("UPVEST_SIGNING_KEY", escaped),
        ("UPVEST_SIGNING_KEY_FILE", latin1),
    ] {
        vars(&[key, passphrase.clone()]).build().unwrap();
    }
    let error = vars(&[]).build().unwrap_err().to_string();
    assert!(
        error.contains("neither UPVEST_SIGNING_KEY nor UPVEST_SIGNING_KEY_FILE is set"),
        "{error}"
    );
    let error = vars(&[("UPVEST_SIGNING_KEY_FILE", "/nowhere/key.pem".to_owned())])
        .build()
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/key.pem"), "{error}");
}
