//! What to do about an error.

use super::{Error, ErrorKind};
use crate::retry::Stop;

/// Upvest's signers let a signature live 5 to 60 seconds (PROTOCOL 1.4): a clock further off than that is a likely cause.
const CLOCK_TOLERANCE: i64 = 5;

impl Error {
    /// A sentence on the likely cause and what to do, where there is one to give.
    pub fn hint(&self) -> Option<&'static str> {
        self.stop_hint().or_else(|| self.kind_hint())
    }

    fn stop_hint(&self) -> Option<&'static str> {
        match self.info()?.stop? {
            Stop::RetryAfter => {
                Some("the server asks for a longer wait than the retry policy grants: see `retry_after()`")
            }
            Stop::Budget => {
                Some("not tried again, as too many calls of this client are failing: let the server recover")
            }
            Stop::Deadline => Some("not tried again, as the wait would have outlasted the call's deadline"),
            Stop::Final | Stop::Attempts => None,
        }
    }

    fn kind_hint(&self) -> Option<&'static str> {
        let hint = match self.kind() {
            ErrorKind::Decode => {
                "the server and this version of the SDK disagree: look for a newer version, or use a raw request"
            }
            _ if self.is_outcome_unknown() => self.maybe_done(),
            ErrorKind::Token if self.is_authentication() => self.token_refused(),
            ErrorKind::Token if self.is_transient() => {
                "the token endpoint was asked on behalf of all calls that waited: try the call again later"
            }
            ErrorKind::Authentication => self.call_refused(),
            ErrorKind::Permission => {
                "the token lacks a scope that the operation needs, or the client is not allowed to do this"
            }
            ErrorKind::Connect => "nothing was sent; check the network, the proxy and the base URL",
            ErrorKind::RateLimited => "send fewer requests at a time; the sandbox allows 300 in a second",
            _ => return None,
        };
        Some(hint)
    }

    fn maybe_done(&self) -> &'static str {
        match self.idempotency_key() {
            Some(_) => "it may have happened: send the same body again under the same `idempotency_key()`",
            None => {
                "it may have happened: look before you send it again, as it was sent without an idempotency key"
            }
        }
    }

    fn token_refused(&self) -> &'static str {
        if self.clock_is_off() {
            return CLOCK;
        }
        "check the client id and secret, that the signing key belongs to them, and that the client is granted each scope that is asked for"
    }

    fn call_refused(&self) -> &'static str {
        if self.clock_is_off() {
            return CLOCK;
        }
        "a fresh token was refused too: check the signing key and its key id, the clock, and that nothing on the way changes headers"
    }

    fn clock_is_off(&self) -> bool {
        let offset = self.info().and_then(|info| info.clock_offset);
        offset.is_some_and(|seconds| seconds.abs() > CLOCK_TOLERANCE)
    }
}

const CLOCK: &str = "this machine's clock differs from the server's by more than a signature lives: set it, for example by NTP";
