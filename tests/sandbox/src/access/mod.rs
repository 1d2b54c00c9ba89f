//! Access control: the tokens of a client, and the signatures of its requests.

mod signatures;
mod tokens;

use std::collections::HashMap;
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;
use upvest_signing::{IncomingRequest, PublicKey};

use crate::description::{Operation, OperationAccess};
use crate::http::call::Response;
use crate::http::problem::Problem;
use signatures::Nonces;
use tokens::{Token, Tokens};

/// The id of the default client, which every sandbox has, so that examples can be copied.
pub(crate) const CLIENT_ID: &str = "6c4bb9a4-3a7f-4d2b-9a52-0d6f7f0b9c11";
pub(crate) const CLIENT_SECRET: &str = "sandbox-secret";
pub(crate) const KEY_ID: &str = "9a0f5c1e-52f4-4c3b-8f60-5a1d3b7e2c44";

/// Which checks the sandbox makes.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
pub(crate) struct Strictness {
    pub(crate) signatures: bool,
    /// Signatures must cover the required components and be made by keys that Upvest accepts.
    pub(crate) strict: bool,
    pub(crate) client_id: bool,
    pub(crate) idempotency_keys: bool,
    pub(crate) token_lifetime: TimeDelta,
}

/// A client with its tokens and the nonces of its signatures.
pub(crate) struct Access {
    pub(crate) strictness: Strictness,
    client_id: String,
    secret: String,
    /// The scopes that the client may request.
    scopes: Vec<String>,
    keys: HashMap<String, PublicKey>,
    tokens: Tokens,
    nonces: Nonces,
}

impl Access {
    pub(crate) fn new(
        strictness: Strictness,
        scopes: Vec<String>,
        (client_id, secret): (String, String),
        key: PublicKey,
    ) -> Self {
        Self {
            strictness,
            scopes,
            client_id,
            secret,
            keys: HashMap::from([(KEY_ID.to_owned(), key)]),
            tokens: Tokens::default(),
            nonces: Nonces::default(),
        }
    }

    /// Accepts requests that are signed by the private key of `key`, with the key id `id`.
    pub(crate) fn register_key(&mut self, id: String, key: PublicKey) {
        self.keys.insert(id, key);
    }

    pub(crate) fn revoke_tokens(&mut self) {
        self.tokens = Tokens::default();
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether the token of a request is one of this client's.
    pub(crate) fn knows_token(&self, headers: &HeaderMap) -> bool {
        self.tokens
            .named(headers)
            .is_ok_and(|token| token.is_some())
    }

    /// Issues a token with all scopes of the client.
    pub(crate) fn issue(&mut self, secret: String, now: DateTime<Utc>) -> String {
        let scopes = self.scopes.clone();
        let until = now + self.strictness.token_lifetime;
        self.tokens
            .issue(secret.clone(), Token { scopes, until }, now);
        secret
    }

    /// Checks that a request may call `operation`.
    pub(crate) fn check(
        &self,
        operation: &Operation,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<(), Problem> {
        let scopes = match &operation.access {
            OperationAccess::Open => return Ok(()),
            OperationAccess::Key(header) if headers.contains_key(header.as_str()) => return Ok(()),
            OperationAccess::Key(header) => {
                let problem = format!("The header `{header}` is missing.");
                return Err(Problem::unauthorised(problem));
            }
            OperationAccess::Token(scopes) => scopes,
        };
        if self.strictness.strict
            && headers
                .get("upvest-api-version")
                .is_some_and(|version| version != "1")
        {
            return Err(Problem::invalid(
                "the header `upvest-api-version` names a version other than 1",
            ));
        }
        let client_id = headers
            .get("upvest-client-id")
            .and_then(|value| value.to_str().ok());
        if client_id.is_none() && self.strictness.client_id {
            return Err(Problem::missing_client_id());
        }
        if client_id.is_some_and(|client_id| client_id != self.client_id) {
            return Err(Problem::unauthorised(
                "No client has the id in the header `upvest-client-id`.",
            ));
        }
        let token = self.tokens.find(headers, now)?;
        let is_allowed = scopes.is_empty() || scopes.iter().any(|it| token.scopes.contains(it));
        if !is_allowed {
            return Err(Problem::forbidden(scopes));
        }
        Ok(())
    }

    /// Checks that a request is signed by a registered key and is not a replay. Clients sign with the clock of the
    /// machine, so signatures are checked with it and not with the sandbox's clock.
    pub(crate) fn check_signature(
        &mut self,
        request: &IncomingRequest<'_>,
        parts: &Parts,
        wall: SystemTime,
    ) -> Result<(), Problem> {
        if self.strictness.signatures {
            signatures::check_version(&parts.headers)?;
            let strict = self.strictness.strict;
            signatures::check(request, parts, wall, &self.keys, &mut self.nonces, strict)?;
        }
        Ok(())
    }

    /// Answers a token request whose form matches the description.
    pub(crate) fn grant(
        &mut self,
        form: &Value,
        secret: String,
        now: DateTime<Utc>,
    ) -> Result<Response, Problem> {
        let field = |name: &str| form[name].as_str().unwrap_or_default();
        if (field("client_id"), field("client_secret")) != (&*self.client_id, &*self.secret) {
            return Err(Problem::unauthorised("No client has this id and secret."));
        }
        let scopes: Vec<String> = field("scope")
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect();
        let needs_scopes = !self.scopes.is_empty();
        if needs_scopes && scopes.is_empty()
            || !scopes.iter().all(|scope| self.scopes.contains(scope))
        {
            return Err(Problem::unauthorised(
                "The client has not been granted one of the scopes.",
            ));
        }
        let response = serde_json::json!({
            "access_token": secret,
            "token_type": "bearer",
            "expires_in": self.strictness.token_lifetime.num_seconds(),
            "scope": scopes.join(" "),
        });
        let until = now + self.strictness.token_lifetime;
        self.tokens.issue(secret, Token { scopes, until }, now);
        Ok(Response::ok(&response))
    }
}
