//! Host names and addresses that are allowed besides those of this machine.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

/// This machine and other hosts: names, addresses, networks such as `172.16.0.0/12`, or `*` for all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(pub(crate) Vec<String>);

impl Hosts {
    /// Whether the host of a URL is allowed.
    pub(crate) fn contain(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let address = host.parse::<IpAddr>().ok();
        let is_in = |network: &str| {
            let network = network.parse::<IpNet>().ok();
            address
                .zip(network)
                .is_some_and(|(address, network)| network.contains(&address))
        };
        host == "localhost"
            || address.is_some_and(|address| address.is_loopback())
            || self
                .0
                .iter()
                .any(|known| known == "*" || known.eq_ignore_ascii_case(host) || is_in(known))
    }

    /// Whether the value of a `host` header is allowed.
    pub(crate) fn contain_name(&self, host: &str) -> bool {
        Url::parse(&format!("http://{host}")).is_ok_and(|url| self.contain(&url))
    }
}
