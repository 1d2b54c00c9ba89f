//! Signs the requests of the client: version 15 (`PROTOCOL` 1).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};

use super::base::{Parts, SignatureVersion, signature_base};
use super::digest::digest_header;
use super::keys::key_error::KeyError;
use super::random::random_uuid;
use super::signer::{SignRequest, Signer};
use super::signing_error::SigningError;

const LABEL: &str = "sig1";
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE_VERSION: HeaderName = HeaderName::from_static("upvest-signature-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Headers with these prefixes are not covered, because proxies and HTTP libraries change them (`PROTOCOL` 1.3).
const IGNORED_PREFIXES: [&str; 9] = [
    "accept-encoding",
    "cdn-",
    "cf-",
    "connection",
    "cookie",
    "priority",
    "sec-",
    "upvest-signature",
    "x-",
];
/// Further headers that are not covered, because the transport sets them.
const IGNORED: [&str; 9] = [
    "expect",
    "host",
    "signature",
    "signature-input",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "user-agent",
];

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
type Nonce = Arc<dyn Fn() -> String + Send + Sync>;

/// Signs requests with one key.
///
/// It covers the whole request except headers that proxies change. It adds `accept` (if missing), `date`,
/// `content-length` and `content-digest` (if there is a body), so that these are signed too.
///
/// ```
/// use std::time::Duration;
/// use upvest_signing::{KeyAlgorithm, RequestSigner, SigningKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
/// let signer = RequestSigner::new("2606a727-e55e-4f72-b47d-323f163acfff", key)?
///     .lifetime(Duration::from_secs(5));
/// # let _ = signer; Ok(()) }
/// ```
#[derive(Clone)]
pub struct RequestSigner {
    key_id: Arc<str>,
    signer: Arc<dyn Signer>,
    lifetime: Duration,
    clock: Clock,
    nonce: Nonce,
}

impl RequestSigner {
    /// Signs with `signer`. `key_id` is the id that Upvest assigned to its public key.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidId`] if the id contains characters that are not allowed in the header.
    pub fn new(key_id: impl AsRef<str>, signer: impl Signer + 'static) -> Result<Self, KeyError> {
        let key_id = key_id.as_ref();
        if !is_plain(key_id) {
            return Err(KeyError::InvalidId);
        }
        Ok(Self {
            key_id: key_id.into(),
            signer: Arc::new(signer),
            lifetime: Duration::from_secs(10),
            clock: Arc::new(SystemTime::now),
            nonce: Arc::new(|| random_uuid().to_string()),
        })
    }

    /// How long a signature is valid, in whole seconds, at least 1. 10 s by default.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.max(Duration::from_secs(1));
        self
    }

    /// Takes the time from `clock` instead of the system.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes nonces from `nonce` instead of generating random UUIDs. Each must be unique.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.nonce = Arc::new(nonce);
        self
    }

    /// Signs `request`, replacing any signature it has.
    ///
    /// # Errors
    ///
    /// [`SigningError`] if the key service fails, or the clock or the nonce is invalid.
    pub async fn sign_request(&self, request: &mut Request<Bytes>) -> Result<(), SigningError> {
        let now = (self.clock)();
        let created = now
            .duration_since(UNIX_EPOCH)
            .map_err(|_| SigningError::Clock)?
            .as_secs();
        prepare(request, now, created)?;
        let components = covered(request);
        let params = self.params(&components, created)?;
        let signature = self.signer.sign(&base(request, &params)).await?;

        let headers = request.headers_mut();
        headers.insert(
            SIGNATURE_INPUT,
            header_value(format!("{LABEL}={}", params.text)),
        );
        headers.insert(
            SIGNATURE,
            header_value(format!("{LABEL}=:{}:", STANDARD.encode(signature))),
        );
        headers.insert(SIGNATURE_VERSION, HeaderValue::from_static("15"));
        Ok(())
    }

    fn params<'a>(
        &self,
        components: &'a [String],
        created: u64,
    ) -> Result<Params<'a>, SigningError> {
        let key_id = &self.key_id;
        let nonce = (self.nonce)();
        if !is_plain(&nonce) {
            return Err(SigningError::InvalidNonce);
        }
        let list = components
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(" ");
        let expires = created.saturating_add(self.lifetime.as_secs());
        let text = format!(
            "({list});keyid=\"{key_id}\";created={created};expires={expires};nonce=\"{nonce}\""
        );
        Ok(Params {
            components: components.iter().map(String::as_str).collect(),
            text,
        })
    }
}

/// The covered components, and the value of `@signature-params`.
struct Params<'a> {
    components: Vec<&'a str>,
    text: String,
}

fn base(request: &Request<Bytes>, params: &Params<'_>) -> Vec<u8> {
    signature_base(
        parts(request),
        SignatureVersion::V15,
        &params.components,
        &params.text,
    )
    .expect("only what the request has is covered")
}

impl SignRequest for RequestSigner {
    fn sign<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        Box::pin(self.sign_request(request))
    }
}

impl fmt::Debug for RequestSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSigner")
            .field("key_id", &self.key_id)
            .field("signer", &self.signer)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Removes an old signature, and adds the headers that the HTTP client would otherwise add unsigned.
fn prepare(
    request: &mut Request<Bytes>,
    now: SystemTime,
    created: u64,
) -> Result<(), SigningError> {
    let body = request.body();
    let body = (!body.is_empty()).then(|| (body.len(), digest_header(SignatureVersion::V15, body)));
    // Methods are case-sensitive (RFC 9110 section 9.1), and Upvest's are all in upper case.
    if request
        .method()
        .as_str()
        .bytes()
        .any(|byte| byte.is_ascii_lowercase())
    {
        let upper = request.method().as_str().to_ascii_uppercase();
        *request.method_mut() = Method::from_bytes(upper.as_bytes()).expect("letters stay letters");
    }
    // Upvest's own signers drop a bare `?`, whose signature is disputed (`PROTOCOL` 1.2).
    if request.uri().query() == Some("") {
        let uri = request.uri().to_string();
        *request.uri_mut() =
            Uri::try_from(uri.trim_end_matches('?')).expect("a URI without its `?` is one too");
    }
    // The last time that fits an HTTP date is 9999-12-31T23:59:59Z; `httpdate` panics on later ones.
    if created > 253_402_300_799 {
        return Err(SigningError::Clock);
    }
    let headers = request.headers_mut();
    for stale in [SIGNATURE, SIGNATURE_INPUT, CONTENT_DIGEST] {
        headers.remove(stale);
    }
    // reqwest adds `*/*` by itself, which Upvest does not accept (`PROTOCOL` 1.3).
    if headers.get(ACCEPT).is_none_or(|accept| accept == "*/*") {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    headers.insert(DATE, header_value(httpdate::fmt_http_date(now)));
    if let Some((len, digest)) = body {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(len));
        headers.insert(CONTENT_DIGEST, header_value(digest));
    }
    Ok(())
}

/// The components to cover, in an order that depends only on the request.
fn covered(request: &Request<Bytes>) -> Vec<String> {
    let mut components = vec!["@method".to_owned(), "@path".to_owned()];
    if parts(request).has_query() {
        components.push("@query".to_owned());
    }
    components.extend(covered_headers(request.headers()));
    components
}

fn covered_headers(headers: &HeaderMap) -> Vec<String> {
    let is_ignored = |name: &str| {
        IGNORED.contains(&name)
            || IGNORED_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix))
    };
    let mut names: Vec<_> = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| !is_ignored(name))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names
}

/// The request as it will be sent.
pub(super) fn parts<B>(request: &Request<B>) -> Parts<'_> {
    Parts {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query(),
        headers: request.headers(),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn header_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("made of base64, names of headers, digits and checked ids")
}
