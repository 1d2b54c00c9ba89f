//! Access control: tokens, scopes, client ids, signatures, webhook keys, and the rate limit.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use reqwest::Request;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use upvest_ext::Upvest;
use upvest_ext::UpvestBuilder;
use upvest_ext::signing::{KeyAlgorithm, PublicKey, RequestSigner, Signer, SigningKey};
use upvest_ext::webhooks::KeySet;
use upvest_ext::{BackendError, BoxFuture, ErrorKind};
use upvest_sandbox::{Command, Sandbox};
use uuid::Uuid;

use crate::common::household::{advance, person};
use crate::common::{Api, Call, Response, plain};

const HOUR: u64 = 3_600;

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
async fn a_token_is_granted_for_the_requested_scopes() {
    let sandbox = Sandbox::builder().plain_http().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    let granted = token_call(&api, &sandbox, "orders:read users:admin")
        .ok()
        .await;
    assert_eq!(granted["token_type"], "bearer");
    assert_eq!(granted["expires_in"], HOUR);
    assert_eq!(granted["scope"], "orders:read users:admin");
    let token = granted["access_token"].as_str().unwrap();
    api.call("listOrders").token(Some(token)).ok().await;
    api.call("createUser")
        .token(Some(token))
        .body(person())
        .ok()
        .await;
    let again = token_call(&api, &sandbox, "orders:read").ok().await;
    assert_ne!(again["access_token"], granted["access_token"]);
}

#[tokio::test]
async fn a_token_request_with_wrong_credentials_is_rejected() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    let stranger = Uuid::new_v4().to_string();
    for (field, value) in [
        ("client_secret", "wrong-secret"),
        ("client_secret", ""),
        ("client_id", &stranger),
        ("scope", "users:read everything:admin"),
        ("scope", "users:read,users:admin"),
        ("scope", ""),
    ] {
        let response = api
            .call("createAccessToken")
            .body(form_with(&sandbox, field, value))
            .send()
            .await;
        assert_eq!(response.status.as_u16(), 401, "{field} {value}");
        assert_eq!(response.kind().as_str(), "unauthorised", "{field} {value}");
        assert!(
            value.is_empty() || !response.text().contains(value),
            "secrets and ids stay out of problems"
        );
    }
}

#[tokio::test]
async fn a_client_gets_no_token_for_a_scope_that_it_was_not_granted() {
    let sandbox = Sandbox::builder()
        .granted_scopes(["users:read"])
        .start()
        .await
        .unwrap();
    let granted = UpvestBuilder::from_vars(sandbox.vars())
        .scopes(["users:read"])
        .build()
        .unwrap();
    assert!(granted.list_users().send().await.is_ok());
    let error = Upvest::from_vars(sandbox.vars())
        .unwrap()
        .list_users()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
}

#[tokio::test]
async fn a_token_request_without_the_client_credentials_grant_is_rejected() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    for grant_type in ["password", "refresh_token", ""] {
        let form = form_with(&sandbox, "grant_type", grant_type);
        let detail = api.call("createAccessToken").body(form).rejected(400).await;
        assert!(detail.contains("`grant_type`"), "{detail}");
    }
    for field in ["grant_type", "client_id", "client_secret", "scope"] {
        let mut form = form(&sandbox, "users:read");
        form.as_object_mut().unwrap().remove(field);
        let detail = api.call("createAccessToken").body(form).rejected(400).await;
        assert!(
            detail.contains(&format!("`{field}` is missing")),
            "{detail}"
        );
    }
    let mut as_json = token_call(&api, &sandbox, "users:read").request();
    *as_json.body_mut() = Some(form(&sandbox, "users:read").to_string().into());
    as_json
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    assert_eq!(api.send(as_json).await.status, 400);
}

#[tokio::test]
async fn a_token_expires_by_the_clock_of_the_sandbox() {
    let minute = Duration::from_secs(60);
    let sandbox = Sandbox::builder()
        .plain_http()
        .token_lifetime(minute)
        .start()
        .await
        .unwrap();
    let api = Api::of(&sandbox).await;
    let granted = token_call(&api, &sandbox, "users:read").ok().await;
    assert_eq!(granted["expires_in"], 60);
    advance(&sandbox, 59).await;
    api.call("listUsers").ok().await;
    advance(&sandbox, 1).await;
    let detail = api.call("listUsers").rejected(401).await;
    assert!(detail.contains("expired"), "{detail}");
    api.call("listUsers")
        .token(granted["access_token"].as_str())
        .rejected(401)
        .await;
    token_call(&api, &sandbox, "users:read").ok().await;
}

#[tokio::test]
async fn a_revoked_token_is_rejected() {
    let sandbox = plain().start().await.unwrap();
    let before = Api::of(&sandbox).await;
    before.call("listUsers").ok().await;
    sandbox.revoke_tokens().await;
    before.call("listUsers").rejected(401).await;
    Api::of(&sandbox).await.call("listUsers").ok().await;
}

#[tokio::test]
async fn the_sdk_requests_a_new_token_if_the_old_one_expired_or_was_revoked() {
    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    upvest.list_users().send().await.unwrap();
    for end in ["expiry", "revocation"] {
        let seen = sandbox.requests().len();
        if end == "expiry" {
            advance(&sandbox, HOUR).await;
        } else {
            sandbox.revoke_tokens().await;
        }
        upvest
            .list_users()
            .send()
            .await
            .unwrap_or_else(|error| panic!("after {end}: {error}"));
        let requests = sandbox.requests().into_iter().skip(seen);
        let calls: Vec<_> = requests
            .map(|it| (it.operation.unwrap(), it.status.unwrap()))
            .collect();
        let expected = [
            ("listUsers", 401),
            ("createAccessToken", 200),
            ("listUsers", 200),
        ];
        assert_eq!(
            calls,
            expected.map(|(operation, status)| (operation.to_owned(), status)),
            "{end}"
        );
    }
}

#[tokio::test]
async fn every_operation_needs_its_scope_and_no_other() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    let all = api.document.json.pointer(
        "/components/securitySchemes/oauth2ClientCredentials/flows/clientCredentials/scopes",
    );
    let all: BTreeSet<_> = all
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut guarded = 0;
    for operation in api
        .document
        .operations()
        .filter(|operation| operation.id != "createAccessToken")
    {
        let needed: BTreeSet<_> = operation.scopes().into_iter().collect();
        assert!(
            !needed.is_empty() && needed.is_subset(&all),
            "{}: {needed:?}",
            operation.id
        );
        let others: Vec<_> = all.difference(&needed).copied().collect();
        let token = token(&api, &sandbox, &others.join(" ")).await;
        let response = anything(&api, &operation.id)
            .token(Some(&token))
            .send()
            .await;
        assert_eq!(response.status, 403, "{} without {needed:?}", operation.id);
        assert_eq!(response.kind(), "forbidden");
        assert!(
            needed.iter().any(|scope| response.detail().contains(scope)),
            "{}",
            response.detail()
        );

        let scopes: Vec<_> = needed.into_iter().collect();
        let token = self::token(&api, &sandbox, &scopes.join(" ")).await;
        let response = anything(&api, &operation.id)
            .token(Some(&token))
            .send()
            .await;
        assert!(
            ![401, 403].contains(&response.status.as_u16()),
            "{} with {scopes:?}",
            operation.id
        );
        guarded += 1;
    }
    assert_eq!(guarded, 69);
}

#[tokio::test]
async fn every_operation_rejects_an_unknown_token() {
    let sandbox = plain().start().await.unwrap();
    let api = Api::nobody(&sandbox).await;
    for operation in api
        .document
        .operations()
        .filter(|operation| operation.id != "createAccessToken")
    {
        for call in [
            anything(&api, &operation.id),
            anything(&api, &operation.id).token(Some("sandbox_at_of_no_one")),
            anything(&api, &operation.id).token(Some("")),
            anything(&api, &operation.id).header("authorization", "Basic dXNlcjpwYXNz"),
            anything(&api, &operation.id).header("authorization", "sandbox_at_of_no_one"),
        ] {
            let response = call.send().await;
            assert_eq!(response.status, 401, "{}", operation.id);
            assert_eq!(response.kind(), "unauthorised");
            assert!(
                !response.text().contains("of_no_one"),
                "tokens stay out of problems"
            );
        }
    }
}

#[tokio::test]
async fn a_call_without_its_client_id_is_rejected() {
    let sandbox = Sandbox::builder().signatures(false).start().await.unwrap();
    let api = Api::of(&sandbox).await;
    for operation in api
        .document
        .operations()
        .filter(|operation| operation.id != "createAccessToken")
    {
        let response = anything(&api, &operation.id).send().await;
        assert_eq!(response.status, 400, "{}", operation.id);
        assert_eq!(response.kind(), "missing_client_id", "{}", operation.id);
        assert!(response.detail().contains("upvest-client-id"));
    }
    api.call("listUsers")
        .header("upvest-client-id", sandbox.client_id())
        .ok()
        .await;
    api.call("listUsers")
        .header("upvest-client-id", Uuid::new_v4())
        .rejected(401)
        .await;
    // If a client id is sent, it must be right, even if none is required.
    let lenient = Sandbox::builder().plain_http().start().await.unwrap();
    let api = Api::of(&lenient).await;
    api.call("listUsers").ok().await;
    api.call("listUsers")
        .header("upvest-client-id", Uuid::new_v4())
        .rejected(401)
        .await;
}

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

#[tokio::test]
async fn requests_over_the_limit_get_a_429_with_retry_after() {
    let sandbox = plain().throttle(2).start().await.unwrap();
    let api = Api::of(&sandbox).await;
    let mut accepted = 0;
    let mut rejected = 0;
    for _ in 0..20 {
        let response = api.call("listInstruments").send().await;
        if response.status == 429 {
            rejected += 1;
            assert_eq!(response.kind(), "too_many_requests");
            assert_eq!(response.header("retry-after"), Some("1"));
        } else {
            accepted += 1;
            assert_eq!(response.status, 200);
        }
    }
    assert!(
        accepted >= 2 && rejected >= 1,
        "{accepted} accepted, {rejected} rejected"
    );
}

/// A sandbox with the default settings, which checks tokens and signatures, and a client with a token.
async fn strict() -> (Sandbox, Api) {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    (sandbox, api)
}

/// The signer of the default client.
fn signer(sandbox: &Sandbox) -> RequestSigner {
    let key = SigningKey::from_pem(sandbox.signing_key_pem(), None).unwrap();
    RequestSigner::new(sandbox.key_id(), key).unwrap()
}

async fn signed(signer: &RequestSigner, call: Call<'_>) -> Request {
    let mut request = call.request();
    let body = request
        .body()
        .and_then(reqwest::Body::as_bytes)
        .unwrap_or_default()
        .to_vec();
    let mut message = http::Request::new(body.into());
    *message.method_mut() = request.method().clone();
    *message.uri_mut() = request.url().as_str().parse().unwrap();
    *message.headers_mut() = request.headers().clone();
    signer.sign_request(&mut message).await.unwrap();
    *request.headers_mut() = message.into_parts().0.headers;
    request
}

async fn register(sandbox: &Sandbox, id: Uuid, key: &PublicKey) {
    let pem = key.to_pem();
    sandbox
        .execute(Command::RegisterPublicKey {
            pem,
            key_id: Some(id),
        })
        .await
        .unwrap();
}

fn list_users<'a>(api: &'a Api, sandbox: &Sandbox) -> Call<'a> {
    api.call("listUsers")
        .header("upvest-client-id", sandbox.client_id())
}

fn create_user<'a>(api: &'a Api, sandbox: &Sandbox) -> Call<'a> {
    api.call("createUser")
        .header("upvest-client-id", sandbox.client_id())
        .body(person())
}

/// A call with only a valid path, as access is checked first.
fn anything<'a>(api: &'a Api, operation: &str) -> Call<'a> {
    let ids = api.document.operation(operation).ids().into_iter();
    ids.fold(api.call(operation), |call, name| {
        call.id(name, Uuid::new_v4())
    })
}

fn form(sandbox: &Sandbox, scope: &str) -> Value {
    json!({ "grant_type": "client_credentials", "client_id": sandbox.client_id(),
        "client_secret": sandbox.client_secret(), "scope": scope })
}

fn form_with(sandbox: &Sandbox, field: &str, value: &str) -> Value {
    let mut form = form(sandbox, "users:read");
    form[field] = json!(value);
    form
}

fn token_call<'a>(api: &'a Api, sandbox: &Sandbox, scope: &str) -> Call<'a> {
    api.call("createAccessToken")
        .token(None)
        .body(form(sandbox, scope))
}

async fn token(api: &Api, sandbox: &Sandbox, scope: &str) -> String {
    token_call(api, sandbox, scope).ok().await["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The ids of the keys in a set, all of which a receiver can read.
fn keys(response: &Response) -> BTreeSet<String> {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    let ids = |json: &Value| -> BTreeSet<String> {
        json["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    };
    let read = KeySet::from_json(&response.body).unwrap();
    let read = ids(&serde_json::from_str(&read.to_json()).unwrap());
    assert_eq!(
        read,
        ids(&response.json()),
        "a key that a receiver cannot read"
    );
    read
}
