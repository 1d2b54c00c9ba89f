//! What to do about an error, where the pipeline knows more than its kind says.

use upvest_api::{Error, ErrorKind};

use crate::call::call_info::CallInfo;
use crate::retry::GiveUpReason;

/// Upvest's signers let a signature live 5 to 60 seconds (PROTOCOL 1.4): a clock further off than that is a likely cause.
const CLOCK_TOLERANCE: i64 = 5;

pub(crate) fn hint(error: &Error, info: &CallInfo) -> Option<&'static str> {
    match info.gave_up {
        Some(GiveUpReason::RetryAfter) => {
            Some("the server asks for a longer wait than the retry policy grants: see `retry_after()`")
        }
        Some(GiveUpReason::Budget) => {
            Some("not tried again, as too many calls of this client are failing: let the server recover")
        }
        Some(GiveUpReason::Deadline) => Some("not tried again, as the wait would have outlasted the call's deadline"),
        _ if error.kind() == ErrorKind::Authentication && !error.is_outcome_unknown() => {
            Some(clock_hint(info.clock_offset).unwrap_or(
                "a fresh token was refused too: check the signing key and its key id, the clock, and that nothing on the way changes headers",
            ))
        }
        _ => None,
    }
}

/// What to do about a token request that was refused, when the server's clock was `offset` seconds ahead.
pub(crate) fn token_hint(error: &Error, offset: Option<i64>) -> Option<&'static str> {
    if error.is_authentication() {
        return Some(clock_hint(offset).unwrap_or(
            "check the client id and secret, that the signing key belongs to them, and that the client is granted each scope that is asked for",
        ));
    }
    error.is_transient().then_some(
        "the token endpoint was asked on behalf of all calls that waited: try the call again later",
    )
}

fn clock_hint(offset: Option<i64>) -> Option<&'static str> {
    offset.filter(|seconds| seconds.abs() > CLOCK_TOLERANCE).map(|_| {
        "this machine's clock differs from the server's by more than a signature lives: set it, for example by NTP"
    })
}
