//! Keys: those of the client, which are registered, and those of deliveries.

use http::Method;
use upvest_ext::Upvest;
use upvest_ext::UpvestBuilder;
use upvest_ext::signing::{KeyAlgorithm, RequestSigner, SigningKey};
use upvest_ext::webhooks::KeySet;
use upvest_sandbox::{Command, Sandbox};
use uuid::Uuid;

use super::support::{keys, list_users, register, signed, strict, token};
use crate::common::{Api, plain};

#[tokio::test]
async fn a_key_is_accepted_once_it_is_registered() {
    let (sandbox, api) = strict().await;
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519] {
        let id = Uuid::new_v4();
        let key = SigningKey::generate(algorithm).unwrap();
        let public = key.public_key().clone();
        let signer = RequestSigner::new(id.to_string(), key).unwrap();
        let unknown = api
            .send(signed(&signer, list_users(&api, &sandbox)).await)
            .await;
        assert_eq!(unknown.status, 401);
        assert!(
            unknown.detail().contains("no known key"),
            "{}",
            unknown.detail()
        );
        register(&sandbox, id, &public).await;
        let known = api
            .send(signed(&signer, list_users(&api, &sandbox)).await)
            .await;
        assert_eq!(known.status, 200, "{algorithm:?}: {}", known.text());
    }
    // The id of a known key does not make another key valid.
    let forged = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let forged = RequestSigner::new(sandbox.key_id(), forged).unwrap();
    let rejected = api
        .send(signed(&forged, list_users(&api, &sandbox)).await)
        .await;
    assert_eq!(rejected.status, 401, "{}", rejected.text());
}

#[tokio::test]
async fn the_demo_key_can_be_loaded_with_its_passphrase_as_in_production() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/_sandbox/encrypted-signing-key.pem", sandbox.url());
    let pem = reqwest::get(url).await.unwrap().text().await.unwrap();
    SigningKey::from_pem(&pem, None).unwrap_err();
    let key = SigningKey::from_pem(&pem, Some("sandbox")).unwrap();
    let upvest = UpvestBuilder::from_vars(sandbox.vars())
        .signing_key(sandbox.key_id(), key)
        .build()
        .unwrap();
    upvest.list_users().send().await.unwrap();
}

#[tokio::test]
async fn a_registered_key_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let key_id = Uuid::from_u128(7);
    let sandbox = Sandbox::start().await.unwrap();
    let register = Command::RegisterPublicKey {
        pem: key.public_key().to_pem(),
        key_id: Some(key_id),
    };
    sandbox.execute(register).await.unwrap();
    sandbox.save(&file).unwrap();
    sandbox.stop().await.unwrap();

    let sandbox = Sandbox::builder().load(&file).start().await.unwrap();
    let upvest = UpvestBuilder::from_vars(sandbox.vars())
        .signing_key(key_id.to_string(), key)
        .build()
        .unwrap();
    upvest.list_users().send().await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_registered_without_an_id_gets_one() {
    let (sandbox, api) = strict().await;
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let pem = key.public_key().to_pem();
    let made = sandbox
        .execute(Command::RegisterPublicKey { pem, key_id: None })
        .await
        .unwrap();
    let signer = RequestSigner::new(made["id"].as_str().unwrap(), key).unwrap();
    assert_eq!(
        api.send(signed(&signer, list_users(&api, &sandbox)).await)
            .await
            .status,
        200
    );
    let broken = Command::RegisterPublicKey {
        pem: "no key".to_owned(),
        key_id: None,
    };
    sandbox.execute(broken).await.unwrap_err();
}

#[tokio::test]
async fn the_webhook_keys_need_the_scope_for_webhooks() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    let fetch = async |token: Option<&str>| {
        let request = api.raw(Method::GET, "/auth/verify_keys");
        let request = token
            .into_iter()
            .fold(request, reqwest::RequestBuilder::bearer_auth);
        api.send(request.build().unwrap()).await
    };
    assert_eq!(fetch(None).await.status, 401);
    let others = token(&api, &sandbox, "users:read orders:admin").await;
    assert_eq!(fetch(Some(&others)).await.status, 403);
    let admin = token(&api, &sandbox, "webhooks:admin").await;
    assert_eq!(fetch(Some(&admin)).await.status, 200);

    let reader = token(&api, &sandbox, "webhooks:read").await;
    let first = keys(&fetch(Some(&reader)).await);
    assert_eq!(first.len(), 1);
    sandbox.rotate_webhook_keys().await.unwrap();
    let second = keys(&fetch(Some(&reader)).await);
    assert_eq!(second.len(), 2);
    assert!(
        first.is_subset(&second),
        "what is on its way is signed with the old key"
    );
    // Their number is limited, and the newest is always among them.
    let mut last = second;
    for _ in 0..5 {
        sandbox.rotate_webhook_keys().await.unwrap();
        let next = keys(&fetch(Some(&reader)).await);
        assert_eq!(next.difference(&last).count(), 1);
        last = next;
    }
    assert!(
        last.len() < 5 && last.is_disjoint(&first),
        "{} keys",
        last.len()
    );
}

#[tokio::test]
async fn the_sdk_fetches_the_keys_of_deliveries() {
    let sandbox = Sandbox::start().await.unwrap();
    let fetched = Upvest::from_vars(sandbox.vars())
        .unwrap()
        .request(reqwest::Method::GET, ["auth", "verify_keys"])
        .send()
        .await
        .unwrap();
    assert!(
        KeySet::from_json(&**fetched)
            .unwrap()
            .to_json()
            .contains("\"kid\"")
    );
}
