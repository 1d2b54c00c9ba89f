//! Signatures of requests: version 15, made by a registered key, each nonce only once.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::request::Parts;
use upvest_signing::{IncomingRequest, KeyAlgorithm, PublicKey, SignatureError, SignaturePolicy};

use crate::http::problem::Problem;

/// How far the clocks may differ. No source says this, or how long Upvest remembers a nonce (PROTOCOL 1.4). Official
/// signers give a signature a lifetime of 5 to 60 seconds.
const TOLERANCE: Duration = Duration::from_secs(30);
/// The longest accepted lifetime of a signature.
const LONGEST_LIFE: i64 = 300;

/// Nonces with the time at which their signatures expire. A nonce that occurs again before that time is a replay.
#[derive(Debug, Default)]
pub(super) struct Nonces(HashMap<(String, String), i64>);

/// Checks the version. Without the header Upvest assumes version 6, and would check a signature of version 15 by its
/// rules (PROTOCOL 1.1).
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("upvest-signature-version") {
        Some(version) if version == "15" => Ok(()),
        _ => Err(Problem::unauthorised(
            "Signature is incorrect: the header `upvest-signature-version` is not 15.",
        )),
    }
}

/// Components that a signature must cover if the request has them (PROTOCOL 1.3).
const HEADERS: [&str; 7] = [
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "content-digest",
    "idempotency-key",
    "upvest-client-id",
];

/// Checks that a signature covers all required components.
fn check_coverage(base: &str, parts: &Parts) -> Result<(), Problem> {
    let query = parts.uri.query().map(|_| "@query");
    let headers = HEADERS
        .into_iter()
        .filter(|name| parts.headers.contains_key(*name));
    // Some libraries send the length of an empty body, but no digest.
    let is_empty = parts
        .headers
        .get("content-length")
        .is_some_and(|length| length == "0");
    let needed = ["@method", "@path"].into_iter().chain(query).chain(headers);
    let needed = needed.filter(|name| !(is_empty && name.starts_with("content-")));
    let covers = |name: &str| {
        base.lines()
            .any(|line| line.starts_with(&format!("\"{name}\": ")))
    };
    let missing: Vec<_> = needed.filter(|name| !covers(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "Signature is incorrect: it does not cover `{}`.",
        missing.join("`, `")
    );
    Err(Problem::unauthorised(detail))
}

pub(super) fn check(
    request: &IncomingRequest<'_>,
    parts: &Parts,
    wall: SystemTime,
    keys: &HashMap<String, PublicKey>,
    nonces: &mut Nonces,
    strict: bool,
) -> Result<(), Problem> {
    let claims = SignaturePolicy::requests()
        .tolerance(TOLERANCE)
        .claims(request, wall)
        .map_err(rejected)?;
    let mut reason = rejected(SignatureError::UnknownKey);
    for claim in &claims {
        let base = String::from_utf8_lossy(claim.signature_base());
        match keys.get(claim.key_id()) {
            None => {}
            Some(key) if strict && key.algorithm() == KeyAlgorithm::EcdsaP256 => {
                reason = Problem::unauthorised(
                    "Signature is incorrect: keys on P-256 are not accepted.",
                );
            }
            Some(key) if claim.is_signed_by(key) => {
                if strict {
                    check_coverage(&base, parts)?;
                }
                let now = wall
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
                    .as_secs();
                // The tolerance is for a client whose clock is ahead, and does not make a signature live longer.
                if claim.expires().is_some_and(|end| end < now.cast_signed()) {
                    return Err(rejected(SignatureError::Expired));
                }
                return nonces.take(
                    claim.key_id(),
                    claim.nonce(),
                    claim.expires(),
                    now.cast_signed(),
                );
            }
            Some(_) => {
                let mismatch = SignatureError::SignatureMismatch;
                let server = shown(&base);
                let client = client_base(&parts.headers)
                    .map_or_else(String::new, |client| beside(&client, &server));
                reason = Problem::unauthorised(format!(
                    "Signature is incorrect: {mismatch}. The server built this base:\n{server}{client}",
                ));
            }
        }
    }
    Err(reason)
}

/// A signature base that may be shown and stored: without the token in any format.
fn shown(base: &str) -> String {
    let hide = |line: &str| {
        let small = line.to_ascii_lowercase();
        let has_token = small.contains("authorization\": ") || small.contains("bearer");
        if has_token {
            "\"authorization\": (the token)".to_owned()
        } else {
            line.to_owned()
        }
    };
    base.lines().map(hide).collect::<Vec<_>>().join("\n")
}

/// The base that the client built, if the request contains it as base64. It helps to find an error in a signer.
fn client_base(headers: &HeaderMap) -> Option<String> {
    let base = STANDARD
        .decode(headers.get("upvest-sandbox-signature-base")?)
        .ok()?;
    Some(shown(&String::from_utf8_lossy(&base)))
}

/// The base that the client built, and the first difference to that of the server.
fn beside(client: &str, server: &str) -> String {
    let same = client
        .lines()
        .zip(server.lines())
        .take_while(|(theirs, ours)| theirs == ours)
        .count();
    let departs = if client == server {
        "is the same: the key differs".to_owned()
    } else {
        format!("differs from line {} on", same + 1)
    };
    format!("\nThat of the client {departs}:\n{client}")
}

fn rejected(reason: SignatureError) -> Problem {
    // Upvest's own message (PROTOCOL 5), followed by the details that a developer needs.
    Problem::unauthorised(format!("Signature is incorrect: {reason}."))
}

impl Nonces {
    fn take(
        &mut self,
        key: &str,
        nonce: Option<&str>,
        expires: Option<i64>,
        now: i64,
    ) -> Result<(), Problem> {
        let Some((nonce, expires)) = nonce.zip(expires) else {
            let detail = "Signature is incorrect: it has no `nonce` or no `expires`.";
            return Err(Problem::unauthorised(detail));
        };
        if expires > now.saturating_add(LONGEST_LIFE) {
            return Err(Problem::unauthorised(
                "Signature is incorrect: it would be valid for too long.",
            ));
        }
        if self.0.len() >= 1024 && self.0.len().is_power_of_two() {
            self.0.retain(|_, until| *until >= now);
        }
        let until = expires.saturating_add(TOLERANCE.as_secs().cast_signed());
        match self.0.insert((key.to_owned(), nonce.to_owned()), until) {
            Some(before) if before >= now => Err(Problem::unauthorised(
                "Signature is incorrect: its nonce has been used before.",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_that_its_signature_is_of_version_15() {
        let mut headers = HeaderMap::new();
        assert!(check_version(&headers).is_err());
        for (version, is_accepted) in [("15", true), ("6", false), ("", false), ("15.0", false)] {
            let value = version.parse().expect("a value of a header");
            headers.insert("upvest-signature-version", value);
            let verdict = check_version(&headers);
            assert_eq!(verdict.is_ok(), is_accepted, "{version}");
        }
    }

    #[test]
    fn a_nonce_is_remembered_until_the_tolerance_after_expiry() {
        let mut nonces = Nonces::default();
        let expires = 100;
        let mut take = |key, nonce, now| nonces.take(key, Some(nonce), Some(expires), now).is_ok();
        assert!(take("key", "nonce", 95));
        assert!(take("key", "other", 95));
        assert!(take("other", "nonce", 95));
        let tolerance = TOLERANCE.as_secs().cast_signed();
        for now in [95, 99, 100, 101, 100 + tolerance] {
            assert!(!take("key", "nonce", now), "{now}");
        }
        assert!(take("key", "nonce", 101 + tolerance));
    }
}
