//! The URL that the paths of all operations follow.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Uri;
use http::uri::Authority;

use crate::responses::error::Error;
use crate::responses::error_kind::ErrorKind;

/// The URL of an API: the scheme `http` or `https`, a host, and optionally a port and a path, as in
/// `https://api.example.com/v1`.
///
/// Cheap to clone.
///
/// ```
/// use upvest_runtime::BaseUrl;
///
/// let base = BaseUrl::new("https://api.example.com/v1/");
/// assert_eq!(
///     base.join("/orders", "limit=10")?,
///     "https://api.example.com/v1/orders?limit=10"
/// );
/// assert!(BaseUrl::new("ftp://example.com").check().is_err());
/// # Ok::<(), upvest_runtime::Error>(())
/// ```
#[derive(Clone)]
pub struct BaseUrl(Arc<Parts>);

struct Parts {
    text: String,
    /// `None` if it cannot be the base of a request.
    uri: Option<Uri>,
}

impl BaseUrl {
    /// The base URL that `text` is. A slash at its end makes no difference. Whether it can be used says
    /// [`check`](Self::check).
    pub fn new(text: &str) -> Self {
        let text = text.trim_end_matches('/').to_owned();
        let uri = parse(&text);
        Self(Arc::new(Parts { text, uri }))
    }

    /// The text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether requests can be sent to it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], if it has another form, or contains a user or a password: they would become a
    /// second `authorization`. The message does not contain the URL.
    pub fn check(&self) -> Result<(), Error> {
        if self.0.uri.is_some() {
            return Ok(());
        }
        let message = "the client's base URL is not of the form https://host[:port][/path]";
        Err(Error::new(ErrorKind::Configuration, message))
    }

    /// The URL of `path` and `query`, which may be empty. Both are already percent-encoded.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), and [`ErrorKind::InvalidRequest`] if the URL is too long or malformed.
    pub fn join(&self, path: &str, query: &str) -> Result<Uri, Error> {
        self.check()?;
        let separator = if query.is_empty() { "" } else { "?" };
        let url = [self.as_str(), path, separator, query].concat();
        Uri::from_maybe_shared(Bytes::from(url)).map_err(|error| {
            let message = "the URL of the request is too long or malformed";
            Error::new(ErrorKind::InvalidRequest, message).with_source(error)
        })
    }

    /// Whether `uri` names the same server: scheme, host and port.
    pub fn has_server_of(&self, uri: &Uri) -> bool {
        let Some(base) = &self.0.uri else {
            return false;
        };
        // Comparing the texts is faster, and they are almost always equal.
        let texts_are_equal =
            || base.authority().map(Authority::as_str) == uri.authority().map(Authority::as_str);
        let hosts_are_equal = || base.authority() == uri.authority();
        base.scheme() == uri.scheme() && (texts_are_equal() || hosts_are_equal())
    }
}

fn parse(text: &str) -> Option<Uri> {
    if text.contains(['@', '?', '#']) {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    matches!(uri.scheme_str(), Some("http" | "https")).then_some(uri)
}

impl fmt::Debug for BaseUrl {
    /// Only a usable one is printed, as another one may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usable = self.0.uri.as_ref().map(|_| &self.0.text);
        usable.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_scheme_a_host_and_a_port() {
        let base = BaseUrl::new("https://api.example.com:8443/v1");
        for (url, is_same) in [
            ("https://api.example.com:8443/v1/orders", true),
            ("https://API.example.com:8443/other", true),
            ("http://api.example.com:8443/v1/orders", false),
            ("https://api.example.com/v1/orders", false),
            ("https://user@api.example.com:8443/v1/orders", false),
            ("https://example.com:8443/v1/orders", false),
            ("/v1/orders", false),
        ] {
            let url: Uri = url.parse().expect(url);
            assert_eq!(base.has_server_of(&url), is_same, "{url}");
        }
    }
}
