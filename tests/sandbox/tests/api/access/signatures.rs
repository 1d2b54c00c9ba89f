//! Signatures: which ones are accepted, and what the error says about the others.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use reqwest::Request;
use sha2::{Digest as _, Sha512};
use upvest_ext::Upvest;
use upvest_ext::signing::{KeyAlgorithm, PublicKey, RequestSigner, Signer, SigningKey};
use upvest_ext::{BackendError, BoxFuture};
use upvest_sandbox::Sandbox;
use uuid::Uuid;

use super::support::{HOUR, anything, list_users, register, signed, signer, strict, token_call};
use crate::common::household::person;
use crate::common::{Api, Call};

/// A key that the SDK can use only for verification.
#[derive(Debug)]
struct P256(p256::ecdsa::SigningKey);

impl Signer for P256 {
    fn algorithm(&self) -> KeyAlgorithm {
        KeyAlgorithm::EcdsaP256
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, BackendError>> {
        let signature = self.0.sign_prehash(&Sha512::digest(message));
        let signature = signature
            .map(|signature: p256::ecdsa::Signature| signature.to_der().as_bytes().to_vec());
        Box::pin(async move { signature.map_err(BackendError::new) })
    }
}

type Spoil<'a> = &'a dyn Fn(&mut Request);

#[tokio::test]
async fn an_unsigned_request_is_rejected_and_a_signed_one_accepted() {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    for operation in api
        .document
        .operations()
        .filter(|operation| operation.id != "createAccessToken")
    {
        let call = anything(&api, &operation.id).header("upvest-client-id", sandbox.client_id());
        let detail = call.rejected(401).await;
        assert!(
            detail.starts_with("Signature is incorrect"),
            "{}: {detail}",
            operation.id
        );
    }
    let detail = token_call(&api, &sandbox, "users:read").rejected(401).await;
    assert!(detail.starts_with("Signature is incorrect"), "{detail}");
    Upvest::from_vars(sandbox.vars())
        .unwrap()
        .list_users()
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_signed_request_that_is_replayed_is_rejected() {
    let (sandbox, api) = strict().await;
    let signer = signer(&sandbox);
    let captured = signed(&signer, create_user(&api, &sandbox)).await;
    let first = api.send(captured.try_clone().unwrap()).await;
    assert_eq!(first.status, 201, "{}", first.text());
    for _ in 0..3 {
        let replay = api.send(captured.try_clone().unwrap()).await;
        assert_eq!(replay.status, 401);
        assert!(replay.detail().contains("nonce"), "{}", replay.detail());
    }
    // The same call with a new signature is a repeated request.
    let again = api
        .send(signed(&signer, create_user(&api, &sandbox)).await)
        .await;
    assert_eq!(again.status, 201);
}

#[tokio::test]
async fn a_nonce_can_be_used_once_per_key() {
    let (sandbox, api) = strict().await;
    let other_id = Uuid::new_v4();
    let other_key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    register(&sandbox, other_id, other_key.public_key()).await;
    let ours = signer(&sandbox).nonce(|| "once".to_owned());
    let theirs = RequestSigner::new(other_id.to_string(), other_key)
        .unwrap()
        .nonce(|| "once".to_owned());
    assert_eq!(
        api.send(signed(&ours, list_users(&api, &sandbox)).await)
            .await
            .status,
        200
    );
    assert_eq!(
        api.send(signed(&theirs, list_users(&api, &sandbox)).await)
            .await
            .status,
        200
    );
    assert_eq!(
        api.send(signed(&ours, list_users(&api, &sandbox)).await)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_signature_is_valid_until_it_expires() {
    let (sandbox, api) = strict().await;
    // Created this many seconds ago, with a lifetime of ten.
    for (age, lifetime, expected, reason) in [
        (120, 10, 401, "expired"),
        (41 + HOUR, HOUR, 401, "expired"),
        (12, 10, 401, "expired"),
        (20, HOUR / 60, 200, ""),
        (0, HOUR, 401, "too long"),
    ] {
        let signer = signer(&sandbox)
            .clock(move || SystemTime::now() - Duration::from_secs(age))
            .lifetime(Duration::from_secs(lifetime));
        let response = api
            .send(signed(&signer, list_users(&api, &sandbox)).await)
            .await;
        assert_eq!(
            response.status,
            expected,
            "made {age} s ago for {lifetime} s: {}",
            response.text()
        );
        assert!(response.text().contains(reason), "{}", response.text());
    }
    let ahead = signer(&sandbox).clock(|| SystemTime::now() + Duration::from_secs(120));
    let response = api
        .send(signed(&ahead, list_users(&api, &sandbox)).await)
        .await;
    assert_eq!(response.status, 401);
    assert!(
        response.detail().contains("future"),
        "{}",
        response.detail()
    );
}

#[tokio::test]
async fn a_signature_of_another_request_is_rejected() {
    let (sandbox, api) = strict().await;
    let other = Api::of(&sandbox)
        .await
        .raw(Method::GET, "/")
        .build()
        .unwrap();
    let other_token = other.headers()["authorization"].clone();
    let spoilt: [(&str, u16, Spoil<'_>); 7] = [
        ("nothing", 201, &|_| {}),
        ("body", 401, &|it| {
            *it.body_mut() = Some(person().to_string().replace("Erika", "Erich").into());
        }),
        ("no body", 401, &|it| *it.body_mut() = None),
        ("path", 401, &|it| it.url_mut().set_path("/accounts")),
        ("query", 401, &|it| {
            it.url_mut().set_query(Some("dry_run=true"));
        }),
        ("token", 401, &|it| {
            drop(
                it.headers_mut()
                    .insert("authorization", other_token.clone()),
            );
        }),
        ("idempotency key", 401, &|it| {
            let key = Uuid::new_v4().to_string().parse().unwrap();
            drop(it.headers_mut().insert("idempotency-key", key));
        }),
    ];
    for (part, expected, spoil) in spoilt {
        let mut request = signed(&signer(&sandbox), create_user(&api, &sandbox)).await;
        spoil(&mut request);
        // The HTTP client sets the header again when it sends the request, because a wrong value would be another
        // error.
        request.headers_mut().remove("content-length");
        let response = api.send(request).await;
        assert_eq!(
            response.status,
            expected,
            "{part} replaced: {}",
            response.text()
        );
    }
    assert_eq!(
        sandbox
            .events()
            .iter()
            .filter(|event| event.event_type == "USER.CREATED")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_strict_sandbox_rejects_a_signature_that_leaves_headers_out() {
    for strict in [true, false] {
        let sandbox = Sandbox::builder()
            .strict_signatures(strict)
            .start()
            .await
            .unwrap();
        let api = Api::of(&sandbox).await;
        // Signed before the headers are added, so that none of them is covered.
        let late = async |name: &'static str, value: &str| {
            let mut request =
                signed(&signer(&sandbox), create_user(&api, &sandbox).key(None)).await;
            request.headers_mut().insert(
                "idempotency-key",
                Uuid::new_v4().to_string().parse().unwrap(),
            );
            request.headers_mut().insert(name, value.parse().unwrap());
            api.send(request).await
        };
        let response = late("user-agent", "test").await;
        assert_eq!(
            response.status,
            if strict { 401 } else { 201 },
            "{}",
            response.text()
        );
        if strict {
            assert!(
                response
                    .detail()
                    .contains("does not cover `idempotency-key`"),
                "{}",
                response.detail()
            );
        }
        let id = Uuid::new_v4();
        let key = P256(p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap());
        let point = key.0.verifying_key().to_sec1_point(false);
        let public = PublicKey::from_bytes(KeyAlgorithm::EcdsaP256, point.as_bytes()).unwrap();
        register(&sandbox, id, &public).await;
        let weak = RequestSigner::new(id.to_string(), key).unwrap();
        let response = api
            .send(signed(&weak, list_users(&api, &sandbox)).await)
            .await;
        assert_eq!(
            response.status,
            if strict { 401 } else { 200 },
            "{}",
            response.text()
        );
        let other = list_users(&api, &sandbox).header("upvest-api-version", "2");
        let response = api.send(signed(&signer(&sandbox), other).await).await;
        assert_eq!(
            response.status,
            if strict { 400 } else { 200 },
            "{}",
            response.text()
        );
    }
}

#[tokio::test]
async fn a_wrong_signature_is_answered_with_the_base_that_the_server_built() {
    let (sandbox, api) = strict().await;
    let mut request = signed(&signer(&sandbox), list_users(&api, &sandbox)).await;
    request.url_mut().set_path("/accounts");
    let response = api.send(request).await;
    let detail = response.detail();
    assert!(
        detail.contains("\"@path\": /accounts\n") && detail.contains("\"@signature-params\": "),
        "{detail}"
    );
    assert!(
        !detail.contains("sandbox_at_"),
        "a token has no place in a log: {detail}"
    );
    let requests = sandbox.requests();
    assert_eq!(
        requests.last().unwrap().problem.as_deref(),
        Some(detail.as_str())
    );
}

#[tokio::test]
async fn the_error_shows_the_bases_of_the_client_and_of_the_server() {
    let (sandbox, api) = strict().await;
    let base = |path: &str| {
        format!("\"@method\": GET\n\"@path\": {path}\n\"authorization\": Bearer sandbox_at_1\n")
    };
    for (sent, says) in [
        (
            STANDARD.encode(base("/accounts")),
            "That of the client differs from line ",
        ),
        (
            STANDARD.encode([0xff; 3_000]),
            "That of the client differs from line 1 on",
        ),
        (
            STANDARD.encode("Authorization:BEARER sandbox_at_1"),
            "That of the client differs from line 1 on",
        ),
        ("no base64!".to_owned(), "\"@signature-params\": "),
    ] {
        let mut request = signed(&signer(&sandbox), list_users(&api, &sandbox)).await;
        request.url_mut().set_path("/accounts");
        request
            .headers_mut()
            .insert("upvest-sandbox-signature-base", sent.parse().unwrap());
        let response = api.send(request).await;
        let detail = response.detail();
        assert!(
            detail.contains("The server built this base:\n") && detail.contains(says),
            "{detail}"
        );
        assert!(
            !detail.contains("sandbox_at_"),
            "a token has no place in a log: {detail}"
        );
    }
}

#[tokio::test]
async fn a_shifted_clock_rejects_signatures_and_the_sdk_says_why() {
    let sandbox = Sandbox::start().await.unwrap();
    for seconds in [3_600, -3_600] {
        sandbox.shift_clock(seconds).await;
        let error = Upvest::from_vars(sandbox.vars())
            .unwrap()
            .list_users()
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.status().unwrap(), 401);
        assert!(error.is_authentication());
        assert!(
            error.hint().unwrap().contains("clock differs"),
            "{:?}",
            error.hint()
        );
    }
    // This also affects a client that already has a token.
    sandbox.shift_clock(0).await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    upvest.list_users().send().await.unwrap();
    sandbox.shift_clock(3_600).await;
    let error = upvest.list_users().send().await.unwrap_err();
    assert!(
        error.hint().unwrap().contains("clock differs"),
        "{:?}",
        error.hint()
    );
    sandbox.clear_faults().await;
    // The first client remembers for two seconds that it got no token.
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    upvest.list_users().send().await.unwrap();
}

fn create_user<'a>(api: &'a Api, sandbox: &Sandbox) -> Call<'a> {
    api.call("createUser")
        .header("upvest-client-id", sandbox.client_id())
        .body(person())
}
