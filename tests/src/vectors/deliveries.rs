//! Checks that a webhook delivery is accepted or rejected as expected, and for an expected reason.

use anyhow::{Context, Result, bail, ensure};
use http::Request;
use serde_json::Value;
use upvest_ext::signing::{IncomingRequest, SignaturePolicy};
use upvest_ext::webhooks::{KeySet, VerifyError, WebhookVerifier};

use super::{bytes, headers, text, time};

pub(super) async fn check(sets: &Value, case: &Value) -> Result<()> {
    let request = &case["request"];
    let expected = &case["expected"];
    let now = time(case, "now")?;
    let headers = headers(request, "headers")?;
    let body = bytes(request, "body_base64")?;
    let mut delivery = Request::builder()
        .method(text(request, "method")?)
        .uri(text(request, "target")?)
        .body(body)?;
    *delivery.headers_mut() = headers;

    let keys = KeySet::from_json(key_set(sets, case)?.to_string())?;
    let verdict = WebhookVerifier::new(keys)
        .clock(move || now)
        .verify(&delivery)
        .await;
    let acceptable = expected["acceptable_reasons"].as_array();
    match (text(expected, "verdict")?, verdict) {
        ("valid", Ok(events)) => {
            let method = delivery.method();
            let headers = delivery.headers();
            let received = IncomingRequest::new(method, delivery.uri(), headers, delivery.body());
            let claims = SignaturePolicy::deliveries().claims(&received, now)?;
            let base = claims
                .first()
                .context("accepted without a claim")?
                .signature_base();
            ensure!(
                base == text(case, "signed_base")?.as_bytes(),
                "another signature base than the signer's"
            );
            for event in events {
                event?;
            }
        }
        ("invalid", Err(error)) => {
            let VerifyError::Rejected(rejection) = error else {
                bail!("expected a rejection, got {error:?}")
            };
            let code = rejection.code();
            let is_acceptable =
                acceptable.is_some_and(|reasons| reasons.iter().any(|reason| reason == code));
            ensure!(
                is_acceptable,
                "rejected as {code}, expected {}",
                expected["acceptable_reasons"]
            );
        }
        ("valid", Err(error)) => bail!("expected valid, got {error:?}"),
        ("invalid", Ok(_)) => bail!("expected invalid, and it was accepted"),
        (verdict, _) => bail!("`{verdict}` is not a verdict"),
    }
    Ok(())
}

/// The key set `jwks_ref` of the group that has the case's key, or else of any group.
fn key_set<'a>(sets: &'a Value, case: &Value) -> Result<&'a Value> {
    let name = text(case, "jwks_ref")?;
    let groups = sets.as_object().context("`jwks_sets` is not an object")?;
    let mut found: Vec<&Value> = groups
        .values()
        .map(|group| &group[name])
        .filter(|set| set.is_object())
        .collect();
    found.extend(sets.get(name).filter(|set| set["keys"].is_array()));
    let knows = |set: &&&Value| {
        set["keys"]
            .as_array()
            .is_some_and(|keys| keys.iter().any(|key| key["kid"] == case["keyid"]))
    };
    let set = found.iter().find(knows).or(found.first());
    set.copied()
        .with_context(|| format!("no key set is called {name}"))
}
