//! Where the API is.

use std::net::IpAddr;

use reqwest::Url;

/// The server to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Environment {
    /// `https://sandbox.upvest.co`: simulated money and markets.
    Sandbox,
    /// `https://api.upvest.co`: real money.
    Live,
    /// Another server, such as a local sandbox or a proxy. `http://` only for loopback hosts.
    Custom(Url),
}

impl Environment {
    /// The base URL as the generated client wants it: checked, and without a slash at its end.
    pub(crate) fn base_url(&self) -> Result<Url, InvalidEnvironment> {
        match self {
            Self::Sandbox => Ok(parse("https://sandbox.upvest.co")),
            Self::Live => Ok(parse("https://api.upvest.co")),
            Self::Custom(url) => check(url),
        }
    }

    pub(crate) fn is_upvest(&self) -> bool {
        !matches!(self, Self::Custom(_))
    }
}

/// Why a URL cannot be the API's base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum InvalidEnvironment {
    #[error(
        "the base URL must be https; http is for loopback hosts only, as the token would be readable on the way"
    )]
    Insecure,
    #[error("the base URL must be https with a host")]
    Scheme,
    #[error("the base URL must not hold a user, a password, a query or a fragment")]
    Extra,
}

fn parse(url: &'static str) -> Url {
    Url::parse(url).expect("the two URLs above are valid")
}

fn check(url: &Url) -> Result<Url, InvalidEnvironment> {
    match url.scheme() {
        "https" if url.has_host() => {}
        "http" if is_loopback(url) => {}
        "http" => return Err(InvalidEnvironment::Insecure),
        _ => return Err(InvalidEnvironment::Scheme),
    }
    let bare = url.username().is_empty() && url.password().is_none();
    if !bare || url.query().is_some() || url.fragment().is_some() {
        return Err(InvalidEnvironment::Extra);
    }
    Ok(url.clone())
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(url: &str) -> Result<Url, InvalidEnvironment> {
        Environment::Custom(Url::parse(url).unwrap()).base_url()
    }

    #[test]
    fn plain_http_is_for_loopback_hosts_only() {
        for url in
            ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:9", "https://example.com/upvest"]
        {
            assert!(custom(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.nip.io",
        ] {
            assert_eq!(custom(url), Err(InvalidEnvironment::Insecure), "{url}");
        }
        assert_eq!(custom("ftp://example.com"), Err(InvalidEnvironment::Scheme));
        assert_eq!(custom("https://me:secret@example.com"), Err(InvalidEnvironment::Extra));
        assert_eq!(custom("https://example.com/?a=b"), Err(InvalidEnvironment::Extra));
    }
}
