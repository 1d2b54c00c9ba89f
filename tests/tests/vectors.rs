//! The public vectors pass, and changed vectors fail.

use serde_json::Value;
use upvest_tests::vectors::{Outcome, check};

const REQUESTS: &str = include_str!("../fixtures/vectors/request_signing.json");
const WEBHOOKS: &str = include_str!("../fixtures/vectors/webhooks.json");

fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let failed = outcomes
        .iter()
        .filter_map(|outcome| Some((outcome, outcome.result.as_ref().err()?)));
    failed
        .map(|(outcome, error)| format!("{}: {error:#}", outcome.id))
        .collect()
}

#[tokio::test]
async fn all_vectors_of_signed_requests_pass() {
    let outcomes = check(REQUESTS).await.unwrap();
    assert_eq!(outcomes.len(), 31);
    assert_eq!(failures(&outcomes), Vec::<String>::new());
}

#[tokio::test]
async fn all_vectors_of_webhook_deliveries_pass() {
    let outcomes = check(WEBHOOKS).await.unwrap();
    assert_eq!(outcomes.len(), 47);
    assert_eq!(failures(&outcomes), Vec::<String>::new());
}

#[tokio::test]
async fn a_vector_whose_expectation_is_turned_round_fails() {
    for (file, pointer, value) in [
        (
            REQUESTS,
            "/cases/0/expected/signature_base",
            "\"@method\": POST",
        ),
        (
            REQUESTS,
            "/keys/pub-p-521-sec1/public_key_pem",
            "-----BEGIN PUBLIC KEY-----",
        ),
        (WEBHOOKS, "/cases/0/expected/verdict", "invalid"),
        (WEBHOOKS, "/cases/12/expected/verdict", "valid"),
        (
            WEBHOOKS,
            "/cases/12/expected/acceptable_reasons/0",
            "expired",
        ),
    ] {
        let mut changed: Value = serde_json::from_str(file).unwrap();
        *changed.pointer_mut(pointer).unwrap() = value.into();
        let outcomes = check(&changed.to_string()).await.unwrap();
        assert!(!failures(&outcomes).is_empty(), "{pointer}");
    }
}
