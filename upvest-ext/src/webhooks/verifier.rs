//! Verifies the signatures of deliveries.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use upvest_api::Error;
use uuid::Uuid;

use super::delivery::{Delivery, events_json};
use super::keys::fetch_keys::FetchKeys;
use super::keys::key_cache::{Found, KeyCache, KeyCacheLimits};
use super::keys::key_set::KeySet;
use crate::backend_error::BackendError;
use crate::debug_fields::debug_fields;
use crate::signing::{
    IncomingRequest, KeyAlgorithm, SignatureError, SignaturePolicy, UnverifiedSignature,
};

/// Why a delivery was rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The body is longer than [`WebhookVerifier::body_limit`].
    #[error("the delivery is longer than {0} bytes")]
    TooLarge(usize),
    /// The signature of the delivery is not valid.
    #[error("{0}")]
    Rejected(SignatureError),
    /// The keys could not be fetched. The delivery may be valid, so Upvest should send it again.
    #[error("the keys for webhooks could not be fetched")]
    KeysUnavailable(#[source] BackendError),
}

/// Verifies the signatures of webhook deliveries, in both versions that Upvest uses.
///
/// A signature covers the path and the query of the URL, but not its host. Until it expires, a delivery for one of your
/// endpoints can be replayed to another one that has the same path and accepts the same keys, such as that of a second
/// subscription. To prevent this, give each endpoint its own path, or restrict the verifier with
/// [`for_webhooks`](Self::for_webhooks).
///
/// ```
/// use http::{HeaderMap, Method, Uri};
/// use upvest_ext::signing::IncomingRequest;
/// use upvest_ext::webhooks::{KeySet, WebhookVerifier};
///
/// # async fn deliver(jwks: &str, method: Method, uri: Uri, headers: HeaderMap, body: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = WebhookVerifier::new(KeySet::from_json(jwks)?); for event in verifier.verify(&IncomingRequest::new(&method, &uri,
/// &headers, &body)).await?.events() {
///     println!("{:?}", event?.event_type);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WebhookVerifier {
    keys: Arc<Keys>,
    policy: SignaturePolicy,
    allowed: Vec<KeyAlgorithm>,
    webhooks: Option<BTreeSet<Uuid>>,
    body_limit: usize,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

#[derive(Debug)]
enum Keys {
    Fixed(KeySet),
    Cached(KeyCache),
}

impl WebhookVerifier {
    /// Accepts only signatures by `keys`.
    pub fn new(keys: KeySet) -> Self {
        Self::with(Keys::Fixed(keys))
    }

    /// Fetches the keys when they are needed and caches them according to the default [`KeyCacheLimits`].
    pub fn fetching(keys: impl FetchKeys + 'static) -> Self {
        Self::fetching_within(keys, KeyCacheLimits::default())
    }

    /// As [`fetching`](Self::fetching), with other limits.
    pub fn fetching_within(keys: impl FetchKeys + 'static, limits: KeyCacheLimits) -> Self {
        Self::with(Keys::Cached(KeyCache::new(keys, limits)))
    }

    fn with(keys: Keys) -> Self {
        Self {
            keys: Arc::new(keys),
            policy: SignaturePolicy::deliveries(),
            allowed: vec![KeyAlgorithm::EcdsaP521],
            webhooks: None,
            body_limit: 2 * 1024 * 1024,
            clock: Arc::new(SystemTime::now),
        }
    }

    /// How far the clocks may differ, and how long after its signature expired a delivery is still accepted. 300 s by default.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.policy = self.policy.tolerance(tolerance);
        self
    }

    /// Accepts keys with these algorithms. By default only P-521, which Upvest documents for webhooks.
    #[must_use]
    pub fn allow(mut self, algorithms: impl IntoIterator<Item = KeyAlgorithm>) -> Self {
        self.allowed = algorithms.into_iter().collect();
        self
    }

    /// Accepts only deliveries for these subscriptions: the `webhook_id` of each event must be one of them. All by default.
    ///
    /// ```
    /// use upvest_api::types::WebhookId;
    /// use upvest_ext::webhooks::{KeySet, WebhookVerifier};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let orders: WebhookId = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11".parse()?;
    /// let verifier = WebhookVerifier::new(KeySet::default()).for_webhooks([orders]);
    /// # let _ = verifier; Ok(()) }
    /// ```
    #[must_use]
    pub fn for_webhooks(mut self, ids: impl IntoIterator<Item = impl Into<Uuid>>) -> Self {
        self.webhooks = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// The longest body that is read, in bytes. 2 MiB by default. Upvest sends up to 1 MiB, or more for one large event.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    #[cfg(feature = "tower")]
    pub(super) fn max_body_len(&self) -> usize {
        self.body_limit
    }

    /// Takes the time from `clock` instead of the system.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Verifies a delivery. If it has several signatures, one valid signature is enough.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Webhook`](crate::ErrorKind::Webhook) if the delivery was rejected, or the kind of the failed call
    /// if the keys could not be fetched. The error's `source()` is a [`VerifyError`].
    pub async fn verify<'a>(&self, request: &IncomingRequest<'a>) -> Result<Delivery<'a>, Error> {
        Ok(self.check(request).await?)
    }

    pub(super) async fn check<'a>(
        &self,
        request: &IncomingRequest<'a>,
    ) -> Result<Delivery<'a>, VerifyError> {
        if request.body.len() > self.body_limit {
            return Err(VerifyError::TooLarge(self.body_limit));
        }
        let claims = self
            .policy
            .claims(request, (self.clock)())
            .map_err(VerifyError::Rejected)?;
        let mut furthest = SignatureError::UnknownKey;
        let mut unavailable = None;
        for claim in claims {
            let found = match &*self.keys {
                Keys::Fixed(keys) => keys
                    .find(claim.key_id())
                    .map(Option::<&_>::cloned)
                    .collect(),
                Keys::Cached(cache) => match cache.find(claim.key_id()).await {
                    Ok(found) => found,
                    Err(error) => {
                        unavailable = Some(error);
                        continue;
                    }
                },
            };
            match self.verify_with(&claim, &found) {
                Ok(()) if !self.is_for_us(request.body) => {
                    return Err(VerifyError::Rejected(SignatureError::OtherWebhook));
                }
                Ok(()) => return Ok(Delivery::new(request.body)),
                Err(error) => furthest = furthest.furthest(error),
            }
        }
        Err(unavailable.map_or(
            VerifyError::Rejected(furthest),
            VerifyError::KeysUnavailable,
        ))
    }

    fn is_for_us(&self, body: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Named {
            webhook_id: Uuid,
        }
        let Some(webhooks) = &self.webhooks else {
            return true;
        };
        let is_ours = |json| {
            serde_json::from_slice(json)
                .is_ok_and(|Named { webhook_id }| webhooks.contains(&webhook_id))
        };
        events_json(body).into_iter().all(is_ours)
    }

    /// Checks a signature with the keys that have its id.
    fn verify_with(
        &self,
        claim: &UnverifiedSignature,
        found: &Found,
    ) -> Result<(), SignatureError> {
        let mut furthest = SignatureError::UnknownKey;
        for key in found {
            let allowed = key
                .as_ref()
                .filter(|key| self.allowed.contains(&key.algorithm()));
            let Some(key) = allowed else {
                furthest = furthest.furthest(SignatureError::KeyNotAllowed);
                continue;
            };
            match claim.check(key) {
                Ok(()) => return Ok(()),
                Err(error) => furthest = furthest.furthest(error),
            }
        }
        Err(furthest)
    }
}

debug_fields!(
    WebhookVerifier,
    |self| keys = self.keys,
    policy = self.policy,
    allowed = self.allowed,
    webhooks = self.webhooks
);
