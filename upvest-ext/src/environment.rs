//! The server of the API.

use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;
use upvest_runtime::{Error, ErrorKind};

/// The server to send requests to. As text: `sandbox`, `live`, or the base URL of another server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Environment {
    /// `https://sandbox.upvest.co`, with simulated money and markets.
    Sandbox,
    /// `https://api.upvest.co`, with real money.
    Live,
    /// Another server, such as a local sandbox or a proxy. `http://` is allowed only for loopback hosts.
    Custom(Url),
    /// Another server, with `http://` allowed for any host: for tests with a sandbox in a container, such as
    /// `http://upvest-sandbox:8080`. Others on the network can read the client secret and the tokens.
    Insecure(Url),
}

impl Environment {
    /// The base URL without a slash at its end.
    pub(crate) fn base_url(&self) -> Result<String, InvalidEnvironment> {
        let url = match self {
            Self::Sandbox => return Ok("https://sandbox.upvest.co".to_owned()),
            Self::Live => return Ok("https://api.upvest.co".to_owned()),
            Self::Custom(url) => check(url, is_loopback(url))?,
            Self::Insecure(url) => check(url, true)?,
        };
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Sandbox | Self::Live => false,
            Self::Custom(url) | Self::Insecure(url) => is_loopback(url),
        }
    }

    pub(crate) fn is_upvest(&self) -> bool {
        matches!(self, Self::Sandbox | Self::Live)
    }
}

impl FromStr for Environment {
    type Err = Error;

    /// Reads `sandbox`, `live`, or the base URL of another server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for anything else.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "sandbox" => Ok(Self::Sandbox),
            "live" => Ok(Self::Live),
            url => Url::parse(url).map(Self::Custom).map_err(|error| {
                let message =
                    "the environment is neither `sandbox` nor `live` nor the base URL of another server";
                Error::new(ErrorKind::Configuration, message).with_source(error)
            }),
        }
    }
}

/// Why a URL cannot be the API's base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum InvalidEnvironment {
    #[error(
        "the base URL must be https; http is allowed only for loopback hosts, because others on the network could read the token; see `Environment::Insecure` or set UPVEST_INSECURE_HTTP=1"
    )]
    Insecure,
    #[error("the base URL must be https with a host")]
    Scheme,
    #[error("the base URL must not contain a user, a password, a query or a fragment")]
    Extra,
}

fn check(url: &Url, may_be_http: bool) -> Result<&Url, InvalidEnvironment> {
    match url.scheme() {
        "https" if url.has_host() => {}
        "http" if may_be_http && url.has_host() => {}
        "http" => return Err(InvalidEnvironment::Insecure),
        _ => return Err(InvalidEnvironment::Scheme),
    }
    let bare = url.username().is_empty() && url.password().is_none();
    if !bare || url.query().is_some() || url.fragment().is_some() {
        return Err(InvalidEnvironment::Extra);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(url: &str) -> Result<String, InvalidEnvironment> {
        Environment::Custom(Url::parse(url).unwrap()).base_url()
    }

    #[test]
    fn plain_http_is_for_loopback_hosts_only() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:9",
            "https://example.com/upvest",
        ] {
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
        let insecure = |url| Environment::Insecure(Url::parse(url).unwrap()).base_url();
        assert!(insecure("http://upvest-sandbox:8080").is_ok());
        assert_eq!(
            insecure("ftp://upvest-sandbox"),
            Err(InvalidEnvironment::Scheme)
        );
        assert_eq!(
            insecure("http://me:secret@upvest-sandbox"),
            Err(InvalidEnvironment::Extra)
        );
        assert_eq!(custom("ftp://example.com"), Err(InvalidEnvironment::Scheme));
        assert_eq!(
            custom("https://me:secret@example.com"),
            Err(InvalidEnvironment::Extra)
        );
        assert_eq!(
            custom("https://example.com/?a=b"),
            Err(InvalidEnvironment::Extra)
        );
    }
}
