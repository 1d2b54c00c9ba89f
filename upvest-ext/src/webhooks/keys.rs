//! The keys that verify deliveries: a fixed set, or fetched and renewed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use tokio::time::Instant;
use upvest_runtime::{Error, ErrorKind, OperationMeta};

use crate::options::CallOptions;
use crate::pipeline::Pipeline;
use crate::refreshing::{Expiring, Pauses, Refreshing, ValueRequest};
use upvest_signing::{KeySet, PublicKey};

/// The call by which [`WebhookVerifier::fetching`](super::WebhookVerifier::fetching) fetches keys. Not every
/// description contains it.
///
/// A client with scopes of its own needs that of this call too:
///
/// ```
/// use upvest_ext::{Scopes, api::operations, webhooks};
///
/// let scopes = Scopes::for_operations([&operations::CREATE_ORDER, &webhooks::VERIFY_KEYS]);
/// assert_eq!(scopes, Scopes::new(["orders:admin", "webhooks:read"]));
/// ```
pub static VERIFY_KEYS: OperationMeta =
    OperationMeta::custom("verifyKeys", Method::GET, "/auth/verify_keys")
        .scoped(&["webhooks:read", "webhooks:admin"])
        .sufficient(&[&["webhooks:read"], &["webhooks:admin"]]);

const RENEWED_AFTER: Duration = Duration::from_secs(3600);
const USED_FOR: Duration = Duration::from_secs(24 * 3600);
/// Deliveries that a key signed may arrive after it is no longer listed.
const GRACE_PERIOD: Duration = Duration::from_secs(3600);
/// A forged key id causes no more than one request in this time.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(10);
/// Deliveries wait for the keys, so a request for them takes no longer than one attempt of a call.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// The keys with one id. `None` stands for a key that cannot be used. Empty if the id is unknown.
pub(super) type FoundKeys = Vec<Option<PublicKey>>;

#[derive(Clone)]
pub(super) enum Keys {
    Fixed(KeySet),
    Fetched {
        pipeline: Pipeline,
        listed: Arc<Refreshing<Arc<ListedKeys>>>,
    },
}

impl Keys {
    /// Keys that are fetched by calls.
    pub(super) fn fetched(pipeline: &Pipeline) -> Self {
        let limit = CallOptions::new().call_timeout(FETCH_TIMEOUT);
        let pauses = Pauses {
            after_success: BETWEEN_REQUESTS,
            after_failure: BETWEEN_REQUESTS,
            between_renewals: BETWEEN_REQUESTS,
        };
        Self::Fetched {
            pipeline: Pipeline {
                core: Arc::clone(&pipeline.core),
                options: limit.or(&pipeline.options),
            },
            listed: Refreshing::new(pauses, FETCH_TIMEOUT),
        }
    }

    /// The keys with this id, without a request.
    pub(super) fn current(&self, id: &str) -> FoundKeys {
        match self {
            Self::Fixed(keys) => keys.find(id).map(Option::<&_>::cloned).collect(),
            Self::Fetched { listed, .. } => match listed.peek() {
                Some(keys) => keys.find(id),
                None => FoundKeys::new(),
            },
        }
    }

    /// Fetches the keys if none has one of these ids, or if it is time to renew them. An unknown id causes no request
    /// soon after another one.
    pub(super) async fn refresh(&self, ids: &[&str]) -> Result<(), Error> {
        let Self::Fetched { pipeline, listed } = self else {
            return Ok(());
        };
        let request = |earlier| request_keys(pipeline.clone(), earlier);
        let fits = |keys: &Arc<ListedKeys>| ids.iter().any(|id| keys.knows(id));
        listed.get(fits, request).await.map(drop)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(keys) => keys.fmt(f),
            Self::Fetched { .. } => f.write_str("Fetched"),
        }
    }
}

/// The keys that the server lists, and keys that it listed recently.
#[derive(Default)]
pub(super) struct ListedKeys(Vec<ListedKey>);

#[derive(Clone)]
struct ListedKey {
    id: String,
    /// `None` if the key cannot be used.
    key: Option<PublicKey>,
    /// Set when the key is no longer listed.
    expires_at: Option<Instant>,
}

impl ListedKey {
    fn is_usable(&self) -> bool {
        let now = Instant::now();
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

impl ListedKeys {
    /// Keeps the keys of `listed`. Keys of `earlier` that are no longer listed stay usable for one hour after we notice
    /// that they are missing.
    fn new(listed: &KeySet, earlier: Option<&Self>) -> Self {
        let current = listed.iter().map(|(id, key)| ListedKey {
            id: id.to_owned(),
            key: key.cloned(),
            expires_at: None,
        });
        let expires_at = Instant::now() + GRACE_PERIOD;
        let is_listed = |id: &str| listed.iter().any(|(listed, _)| listed == id);
        let earlier = earlier.into_iter().flat_map(|earlier| &earlier.0);
        let unlisted = earlier.filter(|key| !is_listed(&key.id) && key.is_usable());
        let unlisted = unlisted.cloned().map(|mut key| {
            key.expires_at.get_or_insert(expires_at);
            key
        });
        Self(current.chain(unlisted).collect())
    }

    fn with_id(&self, id: &str) -> impl Iterator<Item = &ListedKey> {
        let keys = self.0.iter();
        keys.filter(move |key| key.id == id && key.is_usable())
    }

    fn knows(&self, id: &str) -> bool {
        self.with_id(id).next().is_some()
    }

    fn find(&self, id: &str) -> FoundKeys {
        self.with_id(id).map(|key| key.key.clone()).collect()
    }
}

fn request_keys(
    pipeline: Pipeline,
    earlier: Option<Arc<ListedKeys>>,
) -> ValueRequest<Arc<ListedKeys>> {
    Box::pin(async move {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = pipeline.core.base_url.join(VERIFY_KEYS.path, "")?;
        let response = pipeline.call(request, &VERIFY_KEYS).await?;
        let (body, _, metadata) = response.into_parts();
        let listed = KeySet::from_json(&body.bytes().await?).map_err(|error| {
            let message = "the response is not a key set";
            let error = Error::new(ErrorKind::Decode, message).with_source(error);
            error.with_call(&VERIFY_KEYS, &metadata)
        })?;
        let now = Instant::now();
        Ok(Expiring {
            value: Arc::new(ListedKeys::new(&listed, earlier.as_deref())),
            renew_at: now + RENEWED_AFTER,
            good_until: now + USED_FOR,
        })
    })
}
