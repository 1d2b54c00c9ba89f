//! Access tokens in Redis. They are encrypted, and requested by one replica at a time.

use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Link, Redis, milliseconds};
use crate::clock::{OsRandom, random_uuid};
use crate::debug_fields::debug_fields;
use crate::token::{StoredToken, TokenClaim, TokenKey, TokenStore};

/// The version of the stored format. It is part of the key names, so that releases with different formats do not read each other's
/// tokens.
const FORM: &[u8] = b"upvest access token 1";

const GET: &str = "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}";
const SET: &str = "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])";
const CLAIM: &str = "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0";
/// Deletes the key only if it still has this value.
const DELETE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end";

/// A store of access tokens in a Redis server. Made by [`Redis::token_store`].
///
/// Redis alone measures the remaining lifetime of a token, so that the clocks of the replicas may differ.
pub struct RedisTokenStore {
    link: Link,
    client_secret: SecretString,
}

impl RedisTokenStore {
    pub(super) fn new(redis: &Redis, client_secret: SecretString) -> Self {
        Self {
            link: Link::new(redis, "access tokens", redis.timeout),
            client_secret,
        }
    }

    /// Derives 32 bytes that cannot be computed without the client secret.
    fn derive(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, FORM)
            .extract(self.client_secret.expose_secret().as_bytes())
            .expand(info, HKDF_SHA256)
            .and_then(|bytes| bytes.fill(&mut *derived))
            .expect("HKDF makes up to 8160 bytes");
        derived
    }

    fn name(&self, key: &TokenKey) -> String {
        let parts = [&key.server, &key.client_id, key.scopes.as_str()].map(str::as_bytes);
        let name = self.derive(&[b"name", &[0], parts[0], &[0], parts[1], &[0], parts[2]]);
        URL_SAFE_NO_PAD.encode(&name[..])
    }

    fn cipher(&self) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, &*self.derive(&[b"encryption"]))
            .expect("32 bytes are a key")
    }

    /// Encrypts the lifetime in milliseconds and the token, after the nonce. The result can be decrypted only with the same `name`.
    fn seal(&self, name: &str, token: &StoredToken) -> Option<Vec<u8>> {
        let lifetime = u64::try_from(token.lifetime.as_millis())
            .ok()?
            .to_be_bytes();
        // Encrypted in place, with room for the tag, so that no copy of the token stays in memory.
        let mut bytes = Vec::with_capacity(lifetime.len() + token.token.expose_secret().len() + 16);
        bytes.extend_from_slice(&lifetime);
        bytes.extend_from_slice(token.token.expose_secret().as_bytes());
        let nonce = self
            .cipher()
            .seal_in_place_append_tag(Aad::from(name), &mut bytes)
            .ok()?;
        Some([nonce.as_ref().as_slice(), &bytes].concat())
    }

    fn open(&self, name: &str, sealed: &[u8], left: Duration) -> Option<StoredToken> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let plain = self
            .cipher()
            .open_in_place(Nonce::from(nonce), Aad::from(name), &mut bytes)
            .ok()?;
        let (lifetime, token) = plain.split_first_chunk()?;
        Some(StoredToken {
            token: std::str::from_utf8(token).ok()?.into(),
            left,
            lifetime: Duration::from_millis(u64::from_be_bytes(*lifetime)),
        })
    }

    /// The token and its encrypted value.
    async fn get(&self, name: &str) -> Option<(StoredToken, Vec<u8>)> {
        let found: (Option<Vec<u8>>, i64) = self.link.run(GET, "token", name, &[]).await.ok()?;
        let (sealed, left) = (found.0?, u64::try_from(found.1).ok()?);
        Some((
            self.open(name, &sealed, Duration::from_millis(left))?,
            sealed,
        ))
    }
}

impl TokenStore for RedisTokenStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Option<StoredToken>> {
        Box::pin(async { Some(self.get(&self.name(key)).await?.0) })
    }

    fn save<'a>(&'a self, key: &'a TokenKey, token: StoredToken) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let name = self.name(key);
            let Some(sealed) = self.seal(&name, &token) else {
                return;
            };
            // If this fails, the other replicas request their own tokens.
            let _ = self
                .link
                .run::<()>(SET, "token", &name, &[&sealed, &milliseconds(token.left)])
                .await;
        })
    }

    fn remove<'a>(&'a self, key: &'a TokenKey, refused: &'a SecretString) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let name = self.name(key);
            if let Some((kept, sealed)) = self.get(&name).await
                && kept.token.expose_secret() == refused.expose_secret()
            {
                // If this fails, the claim expires by itself.
                let _ = self
                    .link
                    .run::<()>(DELETE, "token", &name, &[&sealed])
                    .await;
            }
        })
    }

    fn claim<'a>(&'a self, key: &'a TokenKey, lease: Duration) -> BoxFuture<'a, TokenClaim> {
        Box::pin(async move {
            let claim = random_uuid(&OsRandom);
            let args = [claim.as_bytes().as_slice(), &milliseconds(lease)];
            match self
                .link
                .run(CLAIM, "token-claim", &self.name(key), &args)
                .await
            {
                Ok(1) => TokenClaim::Ours(claim),
                Ok(_) => TokenClaim::Busy,
                Err(_) => TokenClaim::Unavailable,
            }
        })
    }

    fn release<'a>(&'a self, key: &'a TokenKey, claim: Uuid) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let _ = self
                .link
                .run::<()>(DELETE, "token-claim", &self.name(key), &[claim.as_bytes()])
                .await;
        })
    }
}

debug_fields!(RedisTokenStore, |self| redis = self.link.redis);
