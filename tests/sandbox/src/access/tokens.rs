//! Access tokens: opaque texts with scopes and an expiry.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::http::problem::Problem;

/// All tokens that were issued.
#[derive(Default)]
pub(super) struct Tokens {
    by_secret: HashMap<String, Token>,
    expiries: BTreeSet<(DateTime<Utc>, String)>,
}

/// The scopes and the expiry of a token.
pub(super) struct Token {
    pub(super) scopes: Vec<String>,
    pub(super) until: DateTime<Utc>,
}

impl Tokens {
    pub(super) fn issue(&mut self, secret: String, token: Token, now: DateTime<Utc>) {
        self.remove_old(now);
        self.expiries.insert((token.until, secret.clone()));
        self.by_secret.insert(secret, token);
    }

    /// Expired tokens are kept for another day, so that the error says that a token has expired and not that it is
    /// unknown.
    fn remove_old(&mut self, now: DateTime<Utc>) {
        while let Some((until, _)) = self.expiries.first()
            && *until + TimeDelta::days(1) <= now
        {
            let oldest = self.expiries.pop_first();
            oldest.and_then(|(_, secret)| self.by_secret.remove(&secret));
        }
    }

    /// The token in a request, which may have expired.
    pub(super) fn named(&self, headers: &HeaderMap) -> Result<Option<&Token>, Problem> {
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some(header) = header else {
            return Err(Problem::unauthorised(
                "The header `authorization` is missing.",
            ));
        };
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthorised(
                "The header `authorization` does not contain a bearer token.",
            ));
        }
        Ok(self.by_secret.get(token.trim()))
    }

    /// The token of a request.
    pub(super) fn find(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Result<&Token, Problem> {
        match self.named(headers)? {
            Some(token) if token.until > now => Ok(token),
            Some(_) => Err(Problem::unauthorised("The access token has expired.")),
            None => Err(Problem::unauthorised(
                "The access token is not known, or was revoked.",
            )),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("count", &self.by_secret.len())
            .finish_non_exhaustive()
    }
}
