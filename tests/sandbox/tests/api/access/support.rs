//! What several of these tests use.

use std::collections::BTreeSet;

use reqwest::Request;
use serde_json::{Value, json};
use upvest_ext::signing::{PublicKey, RequestSigner, SigningKey};
use upvest_ext::webhooks::KeySet;
use upvest_sandbox::{Command, Sandbox};
use uuid::Uuid;

use crate::common::{Api, Call, Response};

pub(crate) const HOUR: u64 = 3_600;

/// A sandbox with the default settings, which checks tokens and signatures, and a client with a token.
pub(crate) async fn strict() -> (Sandbox, Api) {
    let sandbox = Sandbox::start().await.unwrap();
    let api = Api::of(&sandbox).await;
    (sandbox, api)
}

/// The signer of the default client.
pub(crate) fn signer(sandbox: &Sandbox) -> RequestSigner {
    let key = SigningKey::from_pem(sandbox.signing_key_pem(), None).unwrap();
    RequestSigner::new(sandbox.key_id(), key).unwrap()
}

pub(crate) async fn signed(signer: &RequestSigner, call: Call<'_>) -> Request {
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

pub(crate) async fn register(sandbox: &Sandbox, id: Uuid, key: &PublicKey) {
    let pem = key.to_pem();
    sandbox
        .execute(Command::RegisterPublicKey {
            pem,
            key_id: Some(id),
        })
        .await
        .unwrap();
}

pub(crate) fn list_users<'a>(api: &'a Api, sandbox: &Sandbox) -> Call<'a> {
    api.call("listUsers")
        .header("upvest-client-id", sandbox.client_id())
}

/// A call with only a valid path, as access is checked first.
pub(crate) fn anything<'a>(api: &'a Api, operation: &str) -> Call<'a> {
    let ids = api.document.operation(operation).ids().into_iter();
    ids.fold(api.call(operation), |call, name| {
        call.id(name, Uuid::new_v4())
    })
}

pub(crate) fn form(sandbox: &Sandbox, scope: &str) -> Value {
    json!({ "grant_type": "client_credentials", "client_id": sandbox.client_id(),
        "client_secret": sandbox.client_secret(), "scope": scope })
}

pub(crate) fn token_call<'a>(api: &'a Api, sandbox: &Sandbox, scope: &str) -> Call<'a> {
    api.call("createAccessToken")
        .token(None)
        .body(form(sandbox, scope))
}

pub(crate) async fn token(api: &Api, sandbox: &Sandbox, scope: &str) -> String {
    token_call(api, sandbox, scope).ok().await["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The ids of the keys in a set, all of which a receiver can read.
pub(crate) fn keys(response: &Response) -> BTreeSet<String> {
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
