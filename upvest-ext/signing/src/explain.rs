//! Shows what a signature covers, without secrets. Helps to find out why Upvest answers "Signature is incorrect".

use std::fmt;

use http::{HeaderMap, HeaderName, Request};

use super::base::{Parts, SignatureVersion, signature_base};
use super::request::parts;
use super::signature_input::{SignatureInput, parse_inputs};

/// Headers whose values are never shown.
const SECRET: [&str; 4] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
];

/// Why a signature cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The request is not signed.
    #[error("the request has no signature-input")]
    NotSigned,
    /// The header `signature-input` cannot be read.
    #[error("the header signature-input is malformed")]
    Malformed,
    /// The signature covers a component that the request does not have.
    #[error("the signature covers `{0}`, which the request does not have")]
    Missing(String),
}

/// The result of [`explain_signature`]. `Display` prints every field. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The label of the signature, `sig1`.
    pub label: String,
    /// The id of the key.
    pub key_id: String,
    /// When the signature was made, in seconds since 1970.
    pub created: i64,
    /// When the signature expires, in seconds since 1970.
    pub expires: Option<i64>,
    /// The signature base with secrets masked, one component per line.
    pub base: String,
    /// SHA-512 of the unmasked base, in hex. Compare it with the base of another signer.
    pub base_sha512: String,
    /// The headers of the request that the signature does not cover.
    pub uncovered: Vec<String>,
}

/// Rebuilds the signature base of a signed request. Tokens and other secrets are masked.
///
/// ```
/// use upvest_signing::{KeyAlgorithm, RequestSigner, SigningKey, explain_signature};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signer = RequestSigner::new(
///     "2606a727-e55e-4f72-b47d-323f163acfff",
///     SigningKey::generate(KeyAlgorithm::EcdsaP521)?,
/// )?;
/// let mut request = http::Request::get("https://sandbox.upvest.co/users?limit=1")
///     .header("authorization", "Bearer t0ps3cret")
///     .body(bytes::Bytes::new())?;
/// signer.sign_request(&mut request).await?;
///
/// let explanation = explain_signature(&request)?.to_string();
/// assert!(explanation.contains(r#""@query": ?limit=1"#));
/// assert!(!explanation.contains("t0ps3cret"));
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`ExplainError`] if the request is not signed, or if a header that the signature covers was removed.
pub fn explain_signature<B>(request: &Request<B>) -> Result<Explanation, ExplainError> {
    let headers = request.headers();
    let value = headers
        .get("signature-input")
        .ok_or(ExplainError::NotSigned)?;
    let inputs = value
        .to_str()
        .ok()
        .and_then(|value| parse_inputs(value).ok())
        .unwrap_or_default();
    let first = inputs.first().ok_or(ExplainError::Malformed)?;
    let input = first.value.as_ref().ok_or(ExplainError::Malformed)?;
    let base = rebuild(parts(request), input)?;
    let masked = masked(headers);
    let shown = rebuild(
        Parts {
            headers: &masked,
            ..parts(request)
        },
        input,
    )?;
    let is_covered = |name: &str| input.components.contains(&name);
    let uncovered = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| !is_covered(name));
    Ok(Explanation {
        label: first.label.to_owned(),
        key_id: input.key_id.to_owned(),
        created: input.created,
        expires: input.expires,
        base: String::from_utf8_lossy(&shown).into_owned(),
        base_sha512: hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, &base).as_ref()),
        uncovered: uncovered.map(str::to_owned).collect(),
    })
}

fn rebuild(parts: Parts<'_>, input: &SignatureInput<'_>) -> Result<Vec<u8>, ExplainError> {
    signature_base(parts, SignatureVersion::V15, &input.components, input.raw)
        .map_err(|missing| ExplainError::Missing(missing.to_string()))
}

/// The same headers, with each secret replaced by its length.
fn masked(headers: &HeaderMap) -> HeaderMap {
    let mut masked = headers.clone();
    for (name, value) in &mut masked {
        if value.is_sensitive() || SECRET.contains(&name.as_str()) {
            let text = value.to_str().unwrap_or_default();
            let scheme = match text.split_once(' ') {
                Some(("Bearer", _)) => "Bearer ",
                _ => "",
            };
            let mask = format!("{scheme}<hidden, {} bytes>", value.len() - scheme.len());
            *value = mask.parse().expect("the mask is visible ASCII");
        }
    }
    masked
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lifetime = self
            .expires
            .map(|expires| expires.saturating_sub(self.created));
        write!(
            f,
            "{} by key {}, made at {}",
            self.label, self.key_id, self.created
        )?;
        match lifetime {
            Some(seconds) => writeln!(f, ", valid for {seconds} s")?,
            None => writeln!(f, ", without expiry")?,
        }
        writeln!(f, "--- signature base (secrets masked) ---")?;
        writeln!(f, "{}", self.base)?;
        writeln!(f, "--- SHA-512 of the unmasked base ---")?;
        writeln!(f, "{}", self.base_sha512)?;
        write!(f, "not covered: {}", self.uncovered.join(", "))
    }
}
