//! The signature base: the bytes that are signed.

use http::{HeaderMap, header::HeaderName};

/// The version of the signature, which decides how the base and the digest header are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// Version 6: names without quotes in the base, header `digest: SHA-256=...` (`PROTOCOL` 2.3).
    V6,
    /// Version 15: names in quotes, header `content-digest: sha-512=:...:` (`PROTOCOL` 1.2).
    V15,
}

impl SignatureVersion {
    /// The header with the digest of the body.
    pub(crate) fn digest_header(self) -> &'static str {
        match self {
            Self::V6 => "digest",
            Self::V15 => "content-digest",
        }
    }
}

/// The parts of a request that a signature can cover, exactly as they are sent.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) method: &'a str,
    /// The encoded path; `/` if it is empty.
    pub(crate) path: &'a str,
    /// The text after the first `?`.
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
}

impl Parts<'_> {
    /// Whether the signature covers a query. A missing query and a bare `?` are not covered (`PROTOCOL` 1.2).
    pub(crate) fn has_query(&self) -> bool {
        self.query.is_some_and(|query| !query.is_empty())
    }

    /// Appends the value of a component: RFC 9421 section 2. `None` if the request has no such component.
    pub(crate) fn write_component(&self, name: &str, base: &mut Vec<u8>) -> Option<()> {
        match name {
            "@method" => base.extend_from_slice(self.method.as_bytes()),
            "@path" => base.extend_from_slice(self.path.as_bytes()),
            "@query" => {
                base.push(b'?');
                base.extend_from_slice(self.query?.as_bytes());
            }
            header => write_header(self.headers, header, base)?,
        }
        Some(())
    }
}

/// The values of a header, trimmed and joined by a comma and a space: RFC 9421 section 2.1.
fn write_header(headers: &HeaderMap, name: &str, base: &mut Vec<u8>) -> Option<()> {
    // Only a name in lower case has one spelling; the parser of header names would fold the others.
    let name = HeaderName::from_lowercase(name.as_bytes()).ok()?;
    let mut values = headers.get_all(name).iter();
    base.extend_from_slice(values.next()?.as_bytes().trim_ascii());
    for value in values {
        base.extend_from_slice(b", ");
        base.extend_from_slice(value.as_bytes().trim_ascii());
    }
    Some(())
}

/// Builds the base of `components` with `params` as the value of `@signature-params`.
///
/// # Errors
///
/// The name of a component that the request does not have.
pub(crate) fn signature_base<'c>(
    parts: Parts<'_>,
    version: SignatureVersion,
    components: &[&'c str],
    params: &str,
) -> Result<Vec<u8>, &'c str> {
    let mut base = Vec::with_capacity(1024);
    for component in components {
        write_name(component, version, &mut base);
        parts
            .write_component(component, &mut base)
            .ok_or(*component)?;
        base.push(b'\n');
    }
    write_name("@signature-params", version, &mut base);
    base.extend_from_slice(params.as_bytes());
    Ok(base)
}

fn write_name(name: &str, version: SignatureVersion, base: &mut Vec<u8>) {
    let quote: &[u8] = if version == SignatureVersion::V15 {
        b"\""
    } else {
        b""
    };
    for part in [quote, name.as_bytes(), quote, b": "] {
        base.extend_from_slice(part);
    }
}
