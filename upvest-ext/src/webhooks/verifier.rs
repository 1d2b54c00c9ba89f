//! Verifies the signatures of deliveries.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use upvest_runtime::{Error, GeneratedClient};
use uuid::Uuid;

use super::decode_events::{decode_events, events_json};
use super::event::{Event, ReadableFields, UndecodableEvent};
use super::keys::{FoundKeys, Keys};
use super::read_delivery::{BodyLimits, read_delivery};
use super::verify_error::VerifyError;
use crate::client::UpvestFor;
use crate::debug_fields::debug_fields;
use upvest_signing::{
    BackendError, IncomingRequest, KeyAlgorithm, KeySet, SignatureError, SignaturePolicy,
    UnverifiedSignature,
};

/// Verifies the signatures of webhook deliveries, in both versions that Upvest uses.
///
/// A signature covers the path and the query of the URL, but not its host. Until it expires, a delivery for one of your
/// endpoints can be replayed to another one that has the same path and accepts the same keys, such as that of a second
/// subscription. To prevent this, give each endpoint its own path, or restrict the verifier with
/// [`for_webhooks`](Self::for_webhooks).
///
/// ```
/// use http::Request;
/// use upvest_ext::webhooks::{KeySet, WebhookVerifier};
///
/// # async fn deliver(jwks: &str, delivery: Request<Vec<u8>>) -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = WebhookVerifier::new(KeySet::from_json(jwks)?);
/// for event in verifier.verify(&delivery).await? {
///     println!("{:?}", event?.event_type);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WebhookVerifier {
    keys: Keys,
    policy: SignaturePolicy,
    allowed: Vec<KeyAlgorithm>,
    webhooks: Option<BTreeSet<Uuid>>,
    limits: BodyLimits,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl WebhookVerifier {
    /// Accepts only signatures by `keys`.
    pub fn new(keys: KeySet) -> Self {
        Self::with(Keys::Fixed(keys))
    }

    /// Fetches the keys by `GET /auth/verify_keys` with `upvest` when they are needed (`PROTOCOL` 2.4), with its token,
    /// signature and retries.
    ///
    /// A client with [scopes](crate::UpvestBuilder::scopes) of its own needs that of
    /// [`VERIFY_KEYS`](super::VERIFY_KEYS) too: without it, each delivery is answered with 503.
    ///
    /// They are renewed after 1 h in the background, and used for 24 h while they cannot be fetched. A key that is no
    /// longer listed is used for 1 h more, as deliveries that it signed may still arrive. Unknown key ids cause at most
    /// one request in 10 s.
    ///
    /// ```no_run
    /// # fn run(upvest: upvest_ext::Upvest) {
    /// use upvest_ext::webhooks::WebhookVerifier;
    ///
    /// let verifier = WebhookVerifier::fetching(&upvest);
    /// # let _ = verifier; }
    /// ```
    pub fn fetching<C: GeneratedClient>(upvest: &UpvestFor<C>) -> Self {
        Self::with(Keys::fetched(upvest.pipeline()))
    }

    fn with(keys: Keys) -> Self {
        Self {
            keys,
            policy: SignaturePolicy::deliveries(),
            allowed: vec![KeyAlgorithm::EcdsaP521],
            webhooks: None,
            limits: BodyLimits::default(),
            clock: Arc::new(SystemTime::now),
        }
    }

    /// How far the clocks may differ, and how long after its signature expired a delivery is still accepted. 300 s by
    /// default.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.policy = self.policy.tolerance(tolerance);
        self
    }

    /// Accepts only keys with these algorithms, instead of the default: P-521, which Upvest documents for webhooks.
    #[must_use]
    pub fn allow(mut self, algorithms: impl IntoIterator<Item = KeyAlgorithm>) -> Self {
        self.allowed = algorithms.into_iter().collect();
        self
    }

    /// Accepts only deliveries for these subscriptions: the `webhook_id` of each event must be one of them. All by
    /// default.
    ///
    /// An event without `webhook_id` is accepted, as Upvest sends such events.
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

    /// The longest body that is accepted, in bytes. 2 MiB by default. Upvest sends up to 1 MiB, or more for one large
    /// event.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// How long [`read_delivery`](Self::read_delivery) waits for the whole body. 10 s by default.
    #[must_use]
    pub fn body_timeout(mut self, time: Duration) -> Self {
        self.limits.time = time;
        self
    }

    /// Takes the time from `clock` instead of the system.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Reads the body of a request from the network, such as axum's `Request` or hyper's.
    ///
    /// A request without the headers of a signature is rejected before its body is read. A body is read up to
    /// [`body_limit`](Self::body_limit) and for [`body_timeout`](Self::body_timeout), and not at all if the request
    /// announces a longer one. It must run on a tokio runtime, which measures the time.
    ///
    /// The URI must be the one that Upvest sent, as its signature covers path and query. A nested router of axum
    /// changes the URI; its extractor `OriginalUri` has the one that was sent.
    ///
    /// # Errors
    ///
    /// [`VerifyError`]: answer with its [`status`](VerifyError::status).
    pub async fn read_delivery<B>(&self, request: Request<B>) -> Result<Request<Bytes>, VerifyError>
    where
        B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let delivery = read_delivery(request, self.limits).await;
        delivery.inspect_err(log_rejection)
    }

    /// Verifies a delivery and decodes its events, in the order in which they were sent. An event that cannot be
    /// decoded does not affect the others.
    ///
    /// If the delivery has several signatures, one valid signature is enough. If none is valid and a key is unknown,
    /// the keys are fetched once, which takes at most 20 s.
    ///
    /// # Errors
    ///
    /// [`VerifyError`]: answer with its [`status`](VerifyError::status). As an [`Error`](crate::Error) it has the kind
    /// [`Webhook`](crate::ErrorKind::Webhook), or that of the failed call if the keys could not be fetched.
    pub async fn verify(
        &self,
        delivery: &Request<impl AsRef<[u8]>>,
    ) -> Result<Vec<Result<Event, UndecodableEvent>>, VerifyError> {
        let body = delivery.body().as_ref();
        let method = delivery.method();
        let received = IncomingRequest::new(method, delivery.uri(), delivery.headers(), body);
        let verdict = self.check_delivery(&received).await;
        verdict.inspect_err(log_rejection)?;
        Ok(decode_events(body))
    }

    /// Checks the size and the signature, and that the delivery is for one of our webhooks.
    async fn check_delivery(&self, request: &IncomingRequest<'_>) -> Result<(), VerifyError> {
        if request.body().len() > self.limits.bytes {
            return Err(VerifyError::TooLarge(self.limits.bytes));
        }
        let now = (self.clock)();
        let signatures = self.policy.claims(request, now);
        let signatures = signatures.map_err(VerifyError::Rejected)?;
        self.check_signatures(&signatures).await?;
        if !self.is_for_us(request.body()) {
            return Err(VerifyError::Rejected(SignatureError::OtherWebhook));
        }
        Ok(())
    }

    /// Checks that one of the signatures is valid. The keys are fetched at most once, and only if no signature is valid
    /// with a known key.
    async fn check_signatures(
        &self,
        signatures: &[UnverifiedSignature],
    ) -> Result<(), VerifyError> {
        let is_known =
            |signature: &&UnverifiedSignature| !self.keys.current(signature.key_id()).is_empty();
        let (known, unknown): (Vec<_>, Vec<_>) = signatures.iter().partition(is_known);
        let mut furthest = SignatureError::UnknownKey;
        let mut unavailable = None;
        for signatures in [known, unknown] {
            let ids: Vec<_> = signatures
                .iter()
                .map(|signature| signature.key_id())
                .collect();
            if !ids.is_empty() {
                // With a known id this does not wait: the keys are at most renewed in the background.
                unavailable = self.keys.refresh(&ids).await.err();
            }
            for signature in signatures {
                match self.verify_with(signature, &self.keys.current(signature.key_id())) {
                    Ok(()) => return Ok(()),
                    Err(error) => furthest = furthest.furthest(error),
                }
            }
        }
        Err(match unavailable {
            Some(error) => VerifyError::KeysUnavailable(BackendError::new(error)),
            None => VerifyError::Rejected(furthest),
        })
    }

    /// Whether no event names another subscription. Some events name none (`PROTOCOL` 11.2).
    fn is_for_us(&self, body: &[u8]) -> bool {
        let Some(webhooks) = &self.webhooks else {
            return true;
        };
        events_json(body)
            .into_iter()
            .filter_map(|json| ReadableFields::of(json).webhook_id)
            .all(|webhook_id| webhooks.contains(&webhook_id))
    }

    /// Checks a signature with the keys that have its id.
    fn verify_with(
        &self,
        signature: &UnverifiedSignature,
        keys: &FoundKeys,
    ) -> Result<(), SignatureError> {
        let mut furthest = SignatureError::UnknownKey;
        for key in keys {
            let allowed = key
                .as_ref()
                .filter(|key| self.allowed.contains(&key.algorithm()));
            let Some(key) = allowed else {
                furthest = furthest.furthest(SignatureError::KeyNotAllowed);
                continue;
            };
            match signature.check(key) {
                Ok(()) => return Ok(()),
                Err(error) => furthest = furthest.furthest(error),
            }
        }
        Err(furthest)
    }
}

/// An error of this SDK contains no text of a server, so the log may contain it.
fn log_rejection(reason: &VerifyError) {
    let error = reason.failed_call();
    let cause = error.map(tracing::field::display);
    let hint = error.and_then(Error::hint);
    tracing::warn!(%reason, cause, hint, "webhook delivery rejected");
}

debug_fields!(
    WebhookVerifier,
    |self| keys = self.keys,
    policy = self.policy,
    allowed = self.allowed,
    webhooks = self.webhooks
);
