//! Signatures of requests: version 15, by a registered key, each nonce once.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use upvest_ext::signing::{PublicKey, Received, Refusal, SignaturePolicy};

use crate::http::problem::Problem;

/// No source says how far clocks may differ, or how long Upvest remembers a nonce (PROTOCOL 1.4). Official signers give a
/// signature 5 to 60 seconds.
const TOLERANCE: Duration = Duration::from_secs(30);
/// The longest life of a signature that is accepted.
const LONGEST_LIFE: i64 = 300;

/// Nonces by their end: one that comes again before it is a replay.
#[derive(Debug, Default)]
pub(super) struct Nonces(HashMap<(String, String), i64>);

/// Without the header Upvest assumes version 6, and would judge a signature of version 15 by the rules of that (PROTOCOL 1.1).
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("upvest-signature-version") {
        Some(version) if version == "15" => Ok(()),
        _ => Err(Problem::unauthorised(
            "Signature is incorrect: the header `upvest-signature-version` is not 15.",
        )),
    }
}

pub(super) fn check(
    request: &Received<'_>,
    wall: SystemTime,
    keys: &HashMap<String, PublicKey>,
    nonces: &mut Nonces,
) -> Result<(), Problem> {
    let claims = SignaturePolicy::requests().tolerance(TOLERANCE).claims(request, wall).map_err(refused)?;
    let mut reason = Refusal::UnknownKey;
    for claim in &claims {
        match keys.get(claim.key_id()) {
            None => {}
            Some(key) if claim.is_signed_by(key) => {
                let now = wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                return nonces.take(claim.key_id(), claim.nonce(), claim.expires(), now.cast_signed());
            }
            Some(_) => reason = reason.max(Refusal::SignatureMismatch),
        }
    }
    Err(refused(reason))
}

fn refused(reason: Refusal) -> Problem {
    // The words of the documentation first, then what a developer needs (PROTOCOL 5).
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
            return Err(Problem::unauthorised("Signature is incorrect: it would be valid for too long."));
        }
        if self.0.len() >= 1024 && self.0.len().is_power_of_two() {
            self.0.retain(|_, until| *until >= now);
        }
        let until = expires.saturating_add(TOLERANCE.as_secs().cast_signed());
        match self.0.insert((key.to_owned(), nonce.to_owned()), until) {
            Some(before) if before >= now => {
                Err(Problem::unauthorised("Signature is incorrect: its nonce has been used before."))
            }
            _ => Ok(()),
        }
    }
}
