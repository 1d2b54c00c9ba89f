//! Names and addresses that the sandbox answers to or delivers to, besides this machine's own.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

/// This machine, and hosts that were named: by name, by address, by network such as `172.16.0.0/12`, or all of them by `*`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(pub(crate) Vec<String>);

impl Hosts {
    /// Whether a URL leads to one of them.
    pub(crate) fn contain(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let address = host.parse::<IpAddr>().ok();
        let is_in = |network: &str| {
            let network = network.parse::<IpNet>().ok();
            address.zip(network).is_some_and(|(address, network)| network.contains(&address))
        };
        host == "localhost"
            || address.is_some_and(|address| address.is_loopback())
            || self.0.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(host) || is_in(known))
    }

    /// The same for what stands in the header `host`.
    pub(crate) fn contain_name(&self, host: &str) -> bool {
        Url::parse(&format!("http://{host}")).is_ok_and(|url| self.contain(&url))
    }
}
