//! The proxies whose word about their clients is taken.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The addresses and networks of `TRUSTED_PROXIES`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} is neither an address nor a network such as 10.0.0.0/8")]
pub struct InvalidProxy(usize);

impl TrustedProxies {
    /// The address of the client of a request that came from `peer`: `peer` itself, unless it is a trusted proxy. Of the
    /// addresses that proxies added to the request, the last one that is not of a trusted proxy counts: a client may have
    /// invented those before it.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let texts = headers.get_all(X_FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
        let forwarded: Vec<&str> = texts.flat_map(|text| text.split(',')).collect();
        let mut client = peer;
        for text in forwarded.into_iter().rev() {
            let Some(before) = address(text.trim()).filter(|_| self.has(client)) else { break };
            client = before;
        }
        client
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    text.parse().ok().or_else(with_port).map(|address| address.to_canonical())
}

impl FromStr for TrustedProxies {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split([',', ' ']).filter(|entry| !entry.is_empty()).zip(1..);
        let network = |(entry, place): (&str, usize)| {
            let alone = || entry.parse::<IpAddr>().map(IpNet::from);
            entry.parse().or_else(|_| alone()).map_err(|_| InvalidProxy(place))
        };
        entries.map(network).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let proxies: TrustedProxies = "10.0.0.0/8, 192.168.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, value.parse().unwrap());
        }
        let client = proxies.client(peer.parse().unwrap(), &headers);
        assert_eq!(client.to_string(), expected, "{forwarded:?} from {peer}");
    }

    #[test]
    fn only_a_trusted_proxy_says_who_its_client_is() {
        check("203.0.113.7", &["198.51.100.1"], "203.0.113.7");
        check("10.1.1.1", &["198.51.100.1"], "198.51.100.1");
        check("10.1.1.1", &[], "10.1.1.1");
    }

    #[test]
    fn what_a_client_invented_does_not_count() {
        check("10.1.1.1", &["1.1.1.1, 198.51.100.1", "192.168.0.1"], "198.51.100.1");
        check("10.1.1.1", &["1.1.1.1, nonsense"], "10.1.1.1");
        check("10.1.1.1", &["198.51.100.1:4711"], "198.51.100.1");
    }

    #[test]
    fn an_entry_that_is_no_network_is_named_by_its_place() {
        assert_eq!("10.0.0.0/8 gateway".parse::<TrustedProxies>(), Err(InvalidProxy(2)));
    }
}
