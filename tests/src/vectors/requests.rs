//! Checks a signed request: its signature base, its signature, and a signature that the SDK makes for it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use serde_json::Value;
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, KeyError, PublicKey, RequestSigner, SignaturePolicy, SigningKey,
    UnverifiedSignature,
};

use super::{bytes, headers, text, time};

const PARAMS: &str = "@signature-params";

pub(super) async fn check(keys: &Value, case: &Value) -> Result<()> {
    let (public, key) = read_keys(&keys[text(case, "key")?])?;
    theirs(&public, &key, case).context("the vector's signature")?;
    // In some cases the official signer has errors, so the SDK's base differs on purpose.
    if case["quirk"].is_null() {
        ours(key, case)
            .await
            .context("our signature of the same request")?;
    }
    Ok(())
}

/// The vector's key and a key for signing: the same, or another one if Upvest does not accept the curve.
fn read_keys(entry: &Value) -> Result<(PublicKey, SigningKey)> {
    let public = PublicKey::from_pem(text(entry, "public_key_pem")?)?;
    let curve = text(entry, "curve")?;
    ensure!(
        public.algorithm().curve() == curve,
        "another curve than the vector's"
    );
    let key = match SigningKey::from_pem(
        text(entry, "private_key_pem")?,
        entry["passphrase"].as_str(),
    ) {
        Ok(key) => {
            ensure!(
                key.public_key() == &public,
                "another public key than the vector's"
            );
            key
        }
        Err(KeyError::UnsupportedKey(name)) if name == curve => {
            SigningKey::generate(KeyAlgorithm::EcdsaP521)?
        }
        Err(error) => return Err(error.into()),
    };
    Ok((public, key))
}

fn theirs(public: &PublicKey, key: &SigningKey, case: &Value) -> Result<()> {
    let expected = &case["expected"];
    let method = text(expected, "method")?;
    let target = text(expected, "url")?;
    let headers = headers(expected, "wire_headers")?;
    let body = bytes(&case["input"], "body_base64")?;
    let claim = claim(
        &IncomingRequest::from_text(method, target, &headers, &body)?,
        case,
    )?;
    ensure!(
        claim.signature_base() == text(expected, "signature_base")?.as_bytes(),
        "another base"
    );
    ensure!(claim.is_signed_by(public), "the signature does not verify");
    if key.algorithm() == KeyAlgorithm::Ed25519 {
        let signature = STANDARD.encode(key.sign_now(claim.signature_base())?);
        ensure!(
            signature == text(expected, "signature_base64")?,
            "another Ed25519 signature of the same base"
        );
    }
    Ok(())
}

async fn ours(key: SigningKey, case: &Value) -> Result<()> {
    let input = &case["input"];
    let expected = &case["expected"];
    let created = time(case, "created")?;
    let nonce = text(case, "nonce")?.to_owned();
    let public = key.public_key().clone();
    let lifetime = case["lifetime"].as_u64().unwrap_or(10);
    let signer = RequestSigner::new(text(case, "keyid")?, key)?
        .clock(move || created)
        .nonce(move || nonce.clone())
        .lifetime(Duration::from_secs(lifetime));

    // As the HTTP library sends it.
    let url: reqwest::Url = text(input, "url")?.parse()?;
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::from_bytes(text(input, "method")?.as_bytes())?;
    *request.uri_mut() = url.as_str().parse()?;
    *request.headers_mut() = headers(input, "headers")?;
    if text(case, "layer")? != "generic" {
        pipeline_headers(request.headers_mut(), case)?;
    }
    if input["body_present"] == true {
        *request.body_mut() = bytes(input, "body_base64")?.into();
    }
    signer.sign_request(&mut request).await?;

    let received = IncomingRequest::new(
        request.method(),
        request.uri(),
        request.headers(),
        request.body(),
    );
    let claim = claim(&received, case)?;
    ensure!(claim.is_signed_by(&public), "it does not verify");
    // An HTTP library changes some URLs before it sends them, so they are signed as changed.
    let is_rewritten = url.as_str() != text(expected, "url")?;
    let skip: &[&str] = if is_rewritten {
        &["@path", "@query", PARAMS]
    } else {
        &[PARAMS]
    };
    let ours = claim.signature_base();
    let theirs = text(expected, "signature_base")?.as_bytes();
    ensure!(lines(ours, skip)? == lines(theirs, skip)?, "other lines");
    Ok(())
}

/// The headers that the client adds before signing.
fn pipeline_headers(headers: &mut HeaderMap, case: &Value) -> Result<()> {
    headers.insert(
        "upvest-client-id",
        HeaderValue::try_from(text(case, "client_id")?)?,
    );
    headers.insert("upvest-api-version", HeaderValue::from_static("1"));
    if headers
        .get("accept")
        .is_none_or(|accept| accept != "application/pdf")
    {
        headers.insert("accept", HeaderValue::from_static("application/json"));
    }
    if let Some(key) = case["input"]["idempotency_key"].as_str() {
        headers.insert("idempotency-key", HeaderValue::try_from(key)?);
    }
    Ok(())
}

fn claim(request: &IncomingRequest<'_>, case: &Value) -> Result<UnverifiedSignature> {
    let claims = SignaturePolicy::requests().claims(request, time(case, "created")?)?;
    let claim = claims.into_iter().next().context("no signature")?;
    ensure!(claim.key_id() == text(case, "keyid")?, "another key id");
    Ok(claim)
}

/// The lines of a base without some components, sorted, as a signer may choose the order.
fn lines<'a>(base: &'a [u8], skip: &[&str]) -> Result<BTreeSet<&'a str>> {
    let is_skipped = |line: &str| {
        skip.iter()
            .any(|name| line.starts_with(&format!("\"{name}\": ")))
    };
    Ok(std::str::from_utf8(base)?
        .lines()
        .filter(|line| !is_skipped(line))
        .collect())
}
