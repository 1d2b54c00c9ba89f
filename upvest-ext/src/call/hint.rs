//! Hints for errors whose likely cause the pipeline knows.

use upvest_api::{Error, ErrorKind};

use crate::call::call_info::CallInfo;
use crate::retry::GiveUpReason;

/// Signatures expire after 5 to 60 seconds (PROTOCOL 1.4), so a clock that differs by more than this is a likely cause.
const CLOCK_TOLERANCE: i64 = 5;

pub(crate) fn hint(error: &Error, info: &CallInfo) -> Option<&'static str> {
    match info.gave_up {
        Some(GiveUpReason::RetryAfter) => {
            Some("not retried, as the server asks for a longer wait than the retry policy allows: see `retry_after()`")
        }
        Some(GiveUpReason::Budget) => {
            Some("not retried, as the retry budget is used up because many calls of this client are failing: try again later")
        }
        Some(GiveUpReason::Deadline) => Some("not retried, as the wait would have ended after the call's deadline"),
        _ if error.kind() == ErrorKind::Authentication && !error.is_outcome_unknown() => {
            Some(clock_hint(info.clock_offset).unwrap_or(
                "a new token was rejected too: check the signing key and its id, the clock, and that no proxy changes headers",
            ))
        }
        _ => None,
    }
}

/// A hint for a token request that was rejected while the server's clock was `offset` seconds ahead.
pub(crate) fn token_hint(error: &Error, offset: Option<i64>) -> Option<&'static str> {
    if error.is_authentication() {
        return Some(clock_hint(offset).unwrap_or(
            "check the client id and secret, that the signing key belongs to this client, and that the client is allowed each requested scope",
        ));
    }
    error.is_transient().then_some(
        "the token request failed for all calls that waited for it: try the call again later",
    )
}

fn clock_hint(offset: Option<i64>) -> Option<&'static str> {
    offset.filter(|seconds| seconds.abs() > CLOCK_TOLERANCE).map(|_| {
        "this machine's clock differs from the server's by more than the lifetime of a signature: set it, for example by NTP"
    })
}
