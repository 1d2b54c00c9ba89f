//! A token, with the times of its renewal and expiry.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::debug_fields::debug_fields;

const SCHEME: &str = "Bearer ";

/// A token is renewed after this percentage of its lifetime.
const RENEW_PERCENT: u32 = 80;

/// A token that expires sooner than this is not sent, as it might expire on the way.
const LEAST_LIFE: Duration = Duration::from_secs(15);

/// The longest lifetime of a token. A longer one from the server is shortened to this.
const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// A token as a header value. Its bytes are erased when the last request that contains them is dropped.
pub(crate) struct AccessToken {
    header: HeaderValue,
    renew_at: Instant,
    unusable_at: Instant,
}

impl AccessToken {
    /// A token with this `lifetime`, requested at the time `now`. `None` if it is not a valid header value.
    pub(crate) fn new(token: &str, now: Instant, lifetime: Duration) -> Option<Self> {
        let bytes = Zeroizing::new([SCHEME.as_bytes(), token.as_bytes()].concat());
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(bytes)).ok()?;
        header.set_sensitive(true);
        let lifetime = lifetime.min(LONGEST_LIFE);
        let last_fifth = lifetime * (100 - RENEW_PERCENT) / 100;
        // A token with a short lifetime would otherwise never be sent.
        let reserve = LEAST_LIFE.min(lifetime / 2);
        let before_expiry = |margin| {
            now.checked_add(lifetime.saturating_sub(margin))
                .unwrap_or(now)
        };
        Some(Self {
            header,
            renew_at: before_expiry(last_fifth.max(reserve)),
            unusable_at: before_expiry(reserve),
        })
    }

    /// The value of the `authorization` header, marked as sensitive.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        now < self.unusable_at
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.renew_at
    }
}

debug_fields!(AccessToken, |self|);
