//! Reads the signatures of a received request and verifies them.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Method, Request, Uri};

use super::base::{Parts, SignatureVersion, signature_base};
use super::digest::{DigestError, check_digest};
use super::keys::public_key::PublicKey;
use super::signature_error::SignatureError;
use super::signature_input::{
    Labelled, MAX_HEADER, Malformed, SignatureInput, parse_inputs, parse_signatures,
};

/// The longest lifetime of a signature, in seconds. Upvest's signers use at most 60 (`PROTOCOL` 1.4).
const LONGEST_LIFE: i64 = 3600;

/// A received request: its target exactly as the client sent it, before a router changed it, and the bytes of its body.
#[derive(Clone, Copy)]
pub struct IncomingRequest<'a> {
    pub(crate) parts: Parts<'a>,
    pub(crate) body: &'a [u8],
}

impl<'a> IncomingRequest<'a> {
    /// The bytes of the body.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Borrows a request that was received.
    pub fn from_request(request: &'a Request<impl AsRef<[u8]>>) -> Self {
        Self::new(
            request.method(),
            request.uri(),
            request.headers(),
            request.body().as_ref(),
        )
    }

    /// Borrows the parts of a request that are needed to verify it.
    pub fn new(
        method: &'a Method,
        target: &'a Uri,
        headers: &'a HeaderMap,
        body: &'a [u8],
    ) -> Self {
        let path = if target.path().is_empty() {
            "/"
        } else {
            target.path()
        };
        Self {
            parts: Parts {
                method: method.as_str(),
                path,
                query: target.query(),
                headers,
            },
            body,
        }
    }

    /// As [`new`](Self::new), for servers that give the target as text: path and query, or a whole URL.
    ///
    /// # Errors
    ///
    /// [`SignatureError::MalformedRequest`] if the method or the target contains control characters.
    pub fn from_text(
        method: &'a str,
        target: &'a str,
        headers: &'a HeaderMap,
        body: &'a [u8],
    ) -> Result<Self, SignatureError> {
        if method.chars().chain(target.chars()).any(char::is_control) {
            return Err(SignatureError::MalformedRequest);
        }
        let target = match target.split_once("://") {
            Some((_, rest)) if !target.starts_with('/') => {
                rest.find(['/', '?', '#']).map_or("", |at| &rest[at..])
            }
            _ => target,
        };
        let target = target.split_once('#').map_or(target, |(target, _)| target);
        let (path, query) = target
            .split_once('?')
            .map_or((target, None), |(path, query)| (path, Some(query)));
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self {
            parts: Parts {
                method,
                path,
                query,
                headers,
            },
            body,
        })
    }
}

impl fmt::Debug for IncomingRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingRequest")
            .field("method", &self.parts.method)
            .field("path", &self.parts.path)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The requirements that a signature must meet before its key is looked up.
#[derive(Clone, Debug)]
pub struct SignaturePolicy {
    tolerance: Duration,
    versions: &'static [SignatureVersion],
    digest_of_empty_body: bool,
}

impl SignaturePolicy {
    /// For webhook deliveries: versions 6 and 15, and a digest in every case.
    pub fn deliveries() -> Self {
        let versions = &[SignatureVersion::V6, SignatureVersion::V15];
        Self {
            tolerance: Duration::from_secs(300),
            versions,
            digest_of_empty_body: true,
        }
    }

    /// For requests to the API: version 15, and a digest if there is a body.
    pub fn requests() -> Self {
        let versions = &[SignatureVersion::V15];
        Self {
            tolerance: Duration::from_secs(300),
            versions,
            digest_of_empty_body: false,
        }
    }

    /// How far the sender's clock may differ, and how long after its `expires` a delivery is still accepted. 300 s by
    /// default.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Reads the signatures of `request` and checks everything except the key: syntax, coverage, time and digest.
    ///
    /// # Errors
    ///
    /// If no signature passes these checks: the error of the signature that passed the most of them.
    pub fn claims(
        &self,
        request: &IncomingRequest<'_>,
        now: SystemTime,
    ) -> Result<Vec<UnverifiedSignature>, SignatureError> {
        let headers = request.parts.headers;
        let inputs =
            joined_header(headers, "signature-input")?.ok_or(SignatureError::MissingSignature)?;
        let signatures =
            joined_header(headers, "signature")?.ok_or(SignatureError::MissingSignature)?;
        let inputs = parse_inputs(&inputs).map_err(|malformed| {
            header_error(malformed, SignatureError::MalformedSignatureInput)
        })?;
        let mut signatures = parse_signatures(&signatures)
            .map_err(|malformed| header_error(malformed, SignatureError::MalformedSignature))?;
        let mut unverified = Vec::new();
        let mut furthest = SignatureError::MissingSignature;
        let mut digests = Digests::new();
        for input in &inputs {
            let checked = take_pair(input, &mut signatures).and_then(|(input, signature)| {
                self.check_except_key(request, input, signature, now, &mut digests)
            });
            match checked {
                Ok(signature) => unverified.push(signature),
                Err(error) => furthest = furthest.furthest(error),
            }
        }
        if unverified.is_empty() {
            Err(furthest)
        } else {
            Ok(unverified)
        }
    }

    /// Checks everything about one signature except the key.
    fn check_except_key(
        &self,
        request: &IncomingRequest<'_>,
        input: &SignatureInput<'_>,
        signature: Vec<u8>,
        now: SystemTime,
        digests: &mut Digests,
    ) -> Result<UnverifiedSignature, SignatureError> {
        let version = self.coverage(request, input)?;
        self.time_window(input, now)?;
        let base = signature_base(
            request.parts,
            version.unwrap_or(SignatureVersion::V15),
            &input.components,
            input.raw,
        )
        .map_err(|_| SignatureError::ComponentMissing)?;
        if let Some(version) = version {
            (*digests
                .entry(version)
                .or_insert_with(|| digest(version, request)))?;
        }
        let lifetime = input
            .expires
            .unwrap_or(input.created)
            .saturating_sub(input.created);
        Ok(UnverifiedSignature {
            key_id: input.key_id.to_owned(),
            nonce: input.nonce.map(str::to_owned),
            expires: input.expires,
            has_possible_lifetime: (0..=LONGEST_LIFE).contains(&lifetime),
            base,
            signature,
        })
    }

    /// Checks that method, path, query and body are covered. The name of the covered digest header identifies the
    /// version; `None` if there is neither a body nor a digest.
    fn coverage(
        &self,
        request: &IncomingRequest<'_>,
        input: &SignatureInput<'_>,
    ) -> Result<Option<SignatureVersion>, SignatureError> {
        let covers = |name: &str| input.components.contains(&name);
        if !covers("@method")
            || !covers("@path")
            || (request.parts.has_query() && !covers("@query"))
        {
            return Err(SignatureError::RequiredComponentMissing);
        }
        let version = self
            .versions
            .iter()
            .copied()
            .rev()
            .find(|version| covers(version.digest_header()));
        if version.is_none() && (self.digest_of_empty_body || !request.body.is_empty()) {
            return Err(SignatureError::RequiredComponentMissing);
        }
        Ok(version)
    }

    /// A signature without `expires` expires when it was created, plus the tolerance.
    fn time_window(
        &self,
        input: &SignatureInput<'_>,
        now: SystemTime,
    ) -> Result<(), SignatureError> {
        let tolerance = seconds(self.tolerance);
        let now = now.duration_since(UNIX_EPOCH).map_or(0, seconds);
        let expires = input.expires.unwrap_or(input.created);
        if input.created > now.saturating_add(tolerance) {
            return Err(SignatureError::CreatedInFuture);
        }
        if now > expires.saturating_add(tolerance) {
            return Err(SignatureError::Expired);
        }
        Ok(())
    }
}

/// Returns the signature input and the signature that have the same label.
fn take_pair<'i, 't>(
    input: &'i Labelled<'t, SignatureInput<'t>>,
    signatures: &mut [Labelled<'_, Vec<u8>>],
) -> Result<(&'i SignatureInput<'t>, Vec<u8>), SignatureError> {
    let label = input.label;
    let input = input.value.as_ref();
    let input = input.ok_or(SignatureError::MalformedSignatureInput)?;
    let signature = signatures
        .iter_mut()
        .find(|signature| signature.label == label)
        .ok_or(SignatureError::LabelMismatch)?;
    let signature = signature.value.take();
    Ok((input, signature.ok_or(SignatureError::MalformedSignature)?))
}

fn header_error(malformed: Malformed, syntax: SignatureError) -> SignatureError {
    match malformed {
        Malformed::Syntax => syntax,
        Malformed::DuplicateLabel => SignatureError::DuplicateLabel,
    }
}

/// A signature that is well-formed and has not expired, but is not yet verified with a key.
#[derive(Clone)]
pub struct UnverifiedSignature {
    key_id: String,
    nonce: Option<String>,
    expires: Option<i64>,
    has_possible_lifetime: bool,
    base: Vec<u8>,
    signature: Vec<u8>,
}

impl UnverifiedSignature {
    /// The `keyid`: the id of the key that signed, according to the sender. It is not verified yet.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The `nonce`, if the sender added one. A server that remembers it until [`UnverifiedSignature::expires`] and the
    /// tolerance have passed can reject a replayed request.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// When the signature expires, in seconds since 1970, if the sender said so.
    pub fn expires(&self) -> Option<i64> {
        self.expires
    }

    /// The bytes that were signed. They can include secrets of the request, such as its token.
    pub fn signature_base(&self) -> &[u8] {
        &self.base
    }

    /// Whether `key` made the signature and its lifetime is valid: it expires after it was created, and at most an
    /// hour after that.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.check(key).is_ok()
    }

    /// As [`is_signed_by`](Self::is_signed_by), with the reason. The lifetime is checked last, as only the key's owner
    /// can have set it.
    ///
    /// # Errors
    ///
    /// [`SignatureError::SignatureMismatch`] or [`SignatureError::InvalidLifetime`].
    pub fn check(&self, key: &PublicKey) -> Result<(), SignatureError> {
        if !key.verifies(&self.base, &self.signature) {
            return Err(SignatureError::SignatureMismatch);
        }
        if self.has_possible_lifetime {
            Ok(())
        } else {
            Err(SignatureError::InvalidLifetime)
        }
    }
}

impl fmt::Debug for UnverifiedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedSignature")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// The result of the digest check for each version: the body is hashed once, however many signatures cover it.
type Digests = HashMap<SignatureVersion, Result<(), SignatureError>>;

fn digest(version: SignatureVersion, request: &IncomingRequest<'_>) -> Result<(), SignatureError> {
    let header = joined_header(request.parts.headers, version.digest_header())?
        .ok_or(SignatureError::ComponentMissing)?;
    check_digest(version, &header, request.body).map_err(|error| match error {
        DigestError::Unsupported => SignatureError::UnsupportedDigest,
        DigestError::Mismatch => SignatureError::DigestMismatch,
    })
}

/// Joins all values of a header with `, `. `None` if the header is missing. Invalid UTF-8 is replaced, so that only the
/// signature label that contains it cannot be parsed.
fn joined_header(headers: &HeaderMap, name: &str) -> Result<Option<String>, SignatureError> {
    let mut text: Option<String> = None;
    for value in headers.get_all(name) {
        if text.as_ref().map_or(0, String::len) + value.len() > MAX_HEADER {
            return Err(SignatureError::TooLong);
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        text = Some(text.map_or_else(|| value.clone().into_owned(), |text| text + ", " + &value));
    }
    Ok(text)
}
